# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tokens that attend to a frozen text-to-image diffusion model."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.token_attention.attention_capture import AttentionCapture, map_shape
from mmkp.models.token_attention.base import TokenAttention
from mmkp.models.token_attention.diffusion_models import (
    DiffusionModels,
    load_models,
)
from mmkp.models.token_attention.latent_cache import LatentCache, weights_digest
from mmkp.ops.arguments import one_of
from mmkp.ops.precision import constants, full_precision

DTYPES = {
    'float32': torch.float32,
    'float16': torch.float16,
    'bfloat16': torch.bfloat16,
}


@MODELS.register_module()
class DiffusionAttention(TokenAttention):
    """Cross-attention of tokens in Stable Diffusion (StableKeypoints, section 3.1).

    An image is encoded to latents (the mean of the VAE's posterior), to which fresh
    noise of one step of the schedule is added, and the UNet is run once with the tokens
    in place of a text (Hedlin et al., CVPR 2024). Read are the logits of the
    cross-attention of some layers, at their own resolution. Nothing is trained here.

    Stable Diffusion 1, 2 and XL are supported; XL's embeddings of a prompt are zeros
    and its size conditions are those of the image. The step's time is 1 with the
    published configs (``steps_offset`` 1), as the paper has it; the authors' code had
    0, ``schedule=dict(steps_offset=0)``.

    Args:
        base_model: folder of a diffusers pipeline; or the id of a repository,
            ``'owner/name'``, which diffusers downloads if it is not in its cache; or a
            dict for random weights, see
            :func:`mmkp.models.token_attention.diffusion_models.load_models`.
        layers: names of the layers to read, see
            :func:`mmkp.models.token_attention.attention_capture.find_layers`; by
            default those of the authors' code.
        noise_level: index into the schedule's steps, from the most noise to the least.
        num_steps: number of steps of the schedule (DDIM).
        noise_seed: in evaluation mode every image gets the noise of this seed, so that
            predictions can be repeated; None for fresh noise, as in training.
        dtype: ``'float32'``, ``'float16'`` or ``'bfloat16'``, of UNet and VAE; logits
            are float32 in any case.
        stop_early: leave out what comes after the last of the layers.
        gradient_checkpointing: keep less for the backward pass and compute it again.
        latent_cache: folder for the latents of images that come back unchanged.
        variant: of the weight files, as ``'fp16'``.
        schedule: replaces settings of the noise schedule.

    A base model that is a folder or repository is loaded by :meth:`read`, which the
    initialisation of weights and the first use call, and which raises ImportError
    where diffusers is missing or broken, FileNotFoundError where there is no such base
    model, ValueError where it is of another family.

    Raises:
        ValueError: a setting has no meaning.
    """

    def __init__(
        self,
        base_model: str | Path | Mapping,
        layers: Sequence[str] | None = None,
        noise_level: int = -1,
        num_steps: int = 50,
        noise_seed: int | None = 0,
        dtype: str = 'float32',
        stop_early: bool = True,
        gradient_checkpointing: bool = False,
        latent_cache: str | Path | None = None,
        variant: str | None = None,
        schedule: Mapping | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        one_of('dtype', dtype, tuple(DTYPES))
        if not -num_steps <= noise_level < num_steps:
            raise ValueError(
                f'noise_level={noise_level} is none of the num_steps={num_steps} steps'
            )
        self.noise_seed = noise_seed
        self.token_width = None  # the base model tells
        load = partial(load_models, base_model, DTYPES[dtype], variant, schedule)
        capture = (layers, stop_early, gradient_checkpointing)
        step = (num_steps, noise_level)
        self.freeze_later(partial(self._load, load, step, capture, latent_cache))
        if isinstance(base_model, Mapping):
            self.read()  # nothing but random numbers

    def _load(
        self,
        load: Callable[[], DiffusionModels],
        step: tuple[int, int],
        capture: tuple,
        latent_cache: str | Path | None,
    ) -> dict[str, nn.Module]:
        """Load the base model, and what follows from it."""
        unet, vae, scheduler = load()
        self.token_width = _token_width(unet, vae)
        num_steps, noise_level = step
        scheduler.set_timesteps(num_steps)
        self.time = int(scheduler.timesteps[noise_level])
        #: Share of the latents in the variance, alpha-bar.
        self.signal = float(scheduler.alphas_cumprod[self.time])
        # Images are never decoded: 50 of the 84 million weights can go.
        vae.decoder = vae.post_quant_conv = None
        if unet.dtype == torch.float16 and vae.config.get('force_upcast', True):
            nn.Module.float(vae)  # float16 overflows in it
        self.latent_scale = float(vae.config.scaling_factor)
        self.latent_stride = 2 ** (len(vae.config.block_out_channels) - 1)
        self.capture = AttentionCapture(unet, *capture)
        self.latent_cache = None
        if latent_cache is not None:
            identity = f'{weights_digest(vae)} {self.latent_scale}'
            self.latent_cache = LatentCache(latent_cache, identity)
        return {'unet': unet, 'vae': vae}

    @property
    def layers(self) -> tuple[str, ...]:
        """Full names of the layers, in the order of their logits."""
        self.read()
        return tuple(self.capture.layers)

    def forward(
        self, images: Tensor, tokens: Tensor, cached: bool = False
    ) -> list[Tensor]:
        """Compute attention logits, see :class:`TokenAttention`.

        Args:
            images: RGB in [0, 1], shape (B, 3, H, W), H and W multiples of the VAE's
                stride (8).
            tokens: learned tokens, shape (N, C).
            cached: take latents from ``latent_cache``, if there is one, and keep them.

        Returns:
            One tensor for each layer, shape (B, heads, h, w, N), in the order of
            execution.

        Raises:
            ValueError: images or tokens do not fit the model.
        """
        self.read()
        if tokens.shape[-1] != self.token_width:
            raise ValueError(
                f'tokens have {tokens.shape[-1]} channels, the base model reads '
                f'{self.token_width}: set token_width={self.token_width} in the head'
            )
        unet: Any = self.frozen('unet')
        with torch.autocast(images.device.type, enabled=False):
            latents = self.add_noise(self.latents(images, cached)).to(unet.dtype)
            context = tokens.to(unet.dtype).expand(images.shape[0], -1, -1)
            time = torch.full((images.shape[0],), self.time, device=images.device)
            found = self.capture.run(
                latents,
                time,
                encoder_hidden_states=context,
                added_cond_kwargs=_size_conditions(unet, images),
                return_dict=False,
            )
        shape = (latents.shape[-2], latents.shape[-1])
        return [
            logits.unflatten(2, map_shape(logits.shape[2], shape)) for logits in found
        ]

    @torch.no_grad()
    def latents(self, images: Tensor, cached: bool = False) -> Tensor:
        """Encode images to the scaled mean of the VAE's posterior.

        Args:
            images: RGB in [0, 1], shape (B, 3, H, W).
            cached: see :meth:`forward`.

        Returns:
            Latents, shape (B, c, H / 8, W / 8), at least float32.

        Raises:
            ValueError: H or W is no multiple of the VAE's stride.
        """
        self.read()
        if any(side % self.latent_stride for side in images.shape[-2:]):
            raise ValueError(
                f'images of {images.shape[-1]} x {images.shape[-2]} do not fit the '
                f'base model: give sides that are multiples of {self.latent_stride}'
            )
        if cached and self.latent_cache is not None:
            return self.latent_cache.fetch(images, self._encode)
        return torch.cat([self._encode(image) for image in images.split(1)])

    def add_noise(self, latents: Tensor) -> Tensor:
        """Add the noise of the chosen step.

        Args:
            latents: shape (B, c, h, w).

        Returns:
            sqrt(a) latents + sqrt(1 - a) noise, likewise. Fresh noise in training, from
            torch's generator of the device; else that of ``noise_seed``, the same for
            each image.
        """
        self.read()
        if self.training or self.noise_seed is None:
            # Not randn_like, which draws in the order of the memory.
            noise = torch.randn(
                latents.shape, dtype=latents.dtype, device=latents.device
            )
        else:
            generator = torch.Generator().manual_seed(self.noise_seed)
            noise = torch.randn(latents.shape[1:], generator=generator).to(latents)
        return self.signal**0.5 * latents + (1 - self.signal) ** 0.5 * noise

    def _encode(self, image: Tensor) -> Tensor:
        """One image at a time: the VAE's largest maps take 8 times the image."""
        vae: Any = self.frozen('vae')
        with torch.autocast(image.device.type, enabled=False):
            # From [0, 1], in which views are padded with black, to what it reads.
            posterior = vae.encode((2 * image - 1).to(vae.dtype)).latent_dist
            return full_precision(posterior.mode()) * self.latent_scale


def _token_width(unet: Any, vae: Any) -> int:
    """Channels of the tokens, for a UNet of a family that is known."""
    config = unet.config
    widths = config.cross_attention_dim
    widths = set(widths) if isinstance(widths, list | tuple) else {widths}
    conditions = (
        config.get('encoder_hid_dim_type'),
        config.get('class_embed_type'),
        config.get('addition_embed_type'),
    )
    if len(widths) != 1 or conditions not in (
        (None, None, None),
        (None, None, 'text_time'),
    ):
        raise ValueError(
            f'the UNet of base_model has cross_attention_dim={sorted(widths)}, '
            'encoder_hid_dim_type={!r}, class_embed_type={!r} and '
            'addition_embed_type={!r}: give a Stable Diffusion 1, 2 or XL'.format(
                *conditions
            )
        )
    if config.in_channels != vae.config.latent_channels:
        raise ValueError(
            f'the UNet of base_model reads {config.in_channels} channels, the VAE '
            f'makes {vae.config.latent_channels}: give a text-to-image model'
        )
    return int(widths.pop())


def _size_conditions(unet: Any, images: Tensor) -> dict[str, Tensor] | None:
    """What Stable Diffusion XL reads beside the tokens; None for the others."""
    config = unet.config
    if config.get('addition_embed_type') != 'text_time':
        return None
    height, width = images.shape[-2:]
    # Size of the original, corner of the crop, size of the crop.
    sizes = (height, width, 0, 0, height, width)
    of_sizes = len(sizes) * config.addition_time_embed_dim
    prompt = config.projection_class_embeddings_input_dim - of_sizes
    options: dict = dict(dtype=unet.dtype, device=images.device)
    return {
        'text_embeds': torch.zeros(images.shape[0], prompt, **options),
        'time_ids': constants(sizes, torch.empty((), **options)).expand(
            images.shape[0], -1
        ),
    }
