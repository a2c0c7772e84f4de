# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare a training step of StableKeypoints with a plain formulation of it.

A step is the second view, attention of both views, the choice of tokens, both losses
and backward to the tokens, without an optimizer, on one random picture with a UNet of
the size of Stable Diffusion 1.5 and random weights. The plain formulation is in
plain_stable_keypoints.py. Encoding to latents, which is the same for both, is left out
unless --encoder is given. Weights, picture and draws are equal, so that losses and
gradients must agree.

Each runs in a process of its own. Use CPU seconds on a shared machine. Memory is that
of the tensors at their peak, without and with the weights of the UNet. Prints a
Markdown table.

Examples::

    python tools/benchmarks/stable_keypoints_step.py --latent-side 32 --map-size 64
    python tools/benchmarks/stable_keypoints_step.py --device cuda
    python tools/benchmarks/stable_keypoints_step.py --arithmetic
"""

import argparse
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from measure import build_quietly, gpu_peak_mib, machine, measure, tensor_peak_mib
from plain_stable_keypoints import plain_processors, plain_step
from stable_keypoints_memory import kept_mib
from torch import Tensor, nn

import mmkp  # noqa: F401  registers the models
from mmkp.engine.cli import run_tool

VARIANTS = ('plain', 'plain, fused attention', 'mmkp', 'mmkp, checkpointing')
#: Stable Diffusion 1.5; what is left out is the default of diffusers.
UNET = dict(sample_size=64, cross_attention_dim=768)
VAE = dict(
    down_block_types=('DownEncoderBlock2D',) * 4,
    up_block_types=('UpDecoderBlock2D',) * 4,
    block_out_channels=(128, 256, 512, 512),
    layers_per_block=2,
)
TINY_UNET = dict(
    sample_size=16,
    block_out_channels=(32, 32, 64, 64),
    cross_attention_dim=32,
    attention_head_dim=4,
    norm_num_groups=8,
)
TINY_VAE = dict(
    VAE, block_out_channels=(16, 16, 32, 32), layers_per_block=1, norm_num_groups=8
)


class Setting(NamedTuple):
    """What is measured.

    Attributes:
        latent_side: cells of a side of the latents; pixels are eight times as many.
        map_side: cells of a side of the maps.
        tokens: number N of tokens.
        tiny: networks with few channels instead of those of Stable Diffusion 1.5.
        encoder: encode the views to latents in the step.
        device: of torch.
        dtype: ``'float32'`` or ``'float64'``.
    """

    latent_side: int
    map_side: int
    tokens: int
    tiny: bool = False
    encoder: bool = False
    device: str = 'cpu'
    dtype: str = 'float32'


class Step(NamedTuple):
    """What is known after a step."""

    loss: float
    gradient: np.ndarray  # with respect to the tokens, (N, C)
    tensor_mib: float  # peak, without the weights of the UNet
    weights_mib: float


def build(setting: Setting, checkpointing: bool) -> nn.Module:
    """Build the model at seeded weights, in training mode."""
    base_model = dict(
        unet=TINY_UNET if setting.tiny else UNET,
        vae=VAE if setting.encoder and not setting.tiny else TINY_VAE,
    )
    config: dict = dict(
        type='StableKeypoints',
        backbone=dict(
            type='DiffusionAttention',
            base_model=base_model,
            gradient_checkpointing=checkpointing,
        ),
        head=dict(
            type='TokenHead',
            num_tokens=setting.tokens,
            num_keypoints=2,
            map_size=(setting.map_side, setting.map_side),
        ),
        view_transform=dict(
            type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
        ),
        losses=dict(
            localization=dict(type='LocalizationLoss'),
            equivariance=dict(type='MapEquivarianceLoss'),
        ),
        train_cfg=dict(num_candidates=25, num_selected=10, sigma=2.0),
    )
    model = build_quietly(config)
    sharpen(model.backbone.frozen('unet'), model.backbone.layers)
    if not setting.encoder:
        model.backbone.latents = stand_in_latents
    dtype = getattr(torch, setting.dtype)
    model.view_transform.warp_options['dtype'] = dtype
    return model.to(setting.device, dtype).train()


@torch.no_grad()
def sharpen(unet: nn.Module, layers: tuple[str, ...]) -> None:
    """Let the captured layers tell the tokens apart.

    At the weights that diffusers starts from, attention is uniform up to rounding,
    and so the choice of tokens would be arbitrary.

    Args:
        unet: with random weights.
        layers: names of the captured layers.
    """
    generator = torch.Generator().manual_seed(3)
    for layer in layers:
        attention: Any = unet.get_submodule(layer)
        # Queries and keys of unit variance, and keys that are four times as large.
        for linear, factor in ((attention.to_q, 1.0), (attention.to_k, 4.0)):
            deviation = factor * linear.in_features**-0.5
            linear.weight.normal_(0, deviation, generator=generator)


def stand_in_latents(images: Tensor, cached: bool = False) -> Tensor:
    """Latents (B, 4, H / 8, W / 8) without a network: mean colours and a texture."""
    images = 2 * images - 1
    colors = F.avg_pool2d(images, 8)
    texture = images[:, :1, ::8, ::8]
    return torch.cat((4 * colors, texture), 1)


def random_image(side: int) -> Tensor:
    """Smooth and rough noise in [0, 1], (1, 3, side, side), float64."""
    generator = torch.Generator().manual_seed(1)
    image = torch.zeros(1, 3, side, side, dtype=torch.float64)
    cells = 4
    while cells <= side:
        noise = torch.randn(1, 3, cells, cells, generator=generator).double()
        image += F.interpolate(noise, (side, side), mode='bilinear')
        cells *= 2
    return (1 + image / image.abs().max()) / 2


def prepare(setting: Setting, variant: str, memory: bool = True) -> Callable[[], Step]:
    """Prepare training steps.

    Args:
        setting: what is measured.
        variant: one of ``VARIANTS``.
        memory: whether to count the memory of the tensors.

    Returns:
        Callable: makes the same step each time.
    """
    model = build(setting, variant == 'mmkp, checkpointing')
    tokens = model.head.tokens
    images = random_image(8 * setting.latent_side).to(tokens)
    unet = model.backbone.frozen('unet')
    weights = sum(w.numel() * w.element_size() for w in unet.parameters()) / 2**20
    plain = variant.startswith('plain')
    if plain:
        found = plain_processors(
            unet, model.backbone.layers, setting.map_side, variant != 'plain'
        )

    def train() -> float:
        model.zero_grad()
        torch.manual_seed(2)  # the same warp and noise for all
        if plain:
            loss = plain_step(model, found, images)
        else:
            loss = sum(model.loss(images).values())
        loss.backward()
        if plain:
            found.clear()
        return loss.item()

    peak = 0.0
    if memory and setting.device == 'cpu':
        peak = tensor_peak_mib(train)
    elif memory:
        _, peak = gpu_peak_mib(train)

    def step() -> Step:
        loss = train()
        return Step(loss, tokens.grad.cpu().numpy().copy(), peak, weights)

    return step


def difference(gradient: np.ndarray, reference: np.ndarray) -> float:
    """Norm of the difference of two gradients, relative to the second."""
    return float(np.linalg.norm(gradient - reference) / np.linalg.norm(reference))


def print_costs(setting: Setting, variants: list[str], repeats: int, threads: int):
    """Measure variants and print a row for each; ratios are to the first."""
    print(
        f'{machine(threads, setting.device)}, {setting.dtype}, latents '
        f'{setting.latent_side}², maps {setting.map_side}², {setting.tokens} tokens, '
        f'{"with" if setting.encoder else "without"} the encoder, median of {repeats} '
        'step(s); ratios are to the first row\n\n'
        '| step | CPU, s | speed | wall, s | speed | tensors at peak, MiB | ratio '
        '| with the weights, MiB | ratio | loss | difference of the gradient |\n'
        '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|'
    )
    first: Any = None
    for variant in variants:
        cost = measure(prepare, (setting, variant), repeats, threads)
        first = first or cost
        one, other = cost.result, first.result
        peaks = [found.tensor_mib for found in (one, other)]
        totals = [found.tensor_mib + found.weights_mib for found in (one, other)]
        print(
            f'| {variant} | {cost.cpu_s:.2f} | {first.cpu_s / cost.cpu_s:.2f} '
            f'| {cost.wall_s:.2f} | {first.wall_s / cost.wall_s:.2f} '
            f'| {peaks[0]:.0f} | {peaks[0] / max(peaks[1], 1e-9):.2f} '
            f'| {totals[0]:.0f} | {totals[0] / totals[1]:.2f} | {one.loss:.8g} '
            f'| {difference(one.gradient, other.gradient):.1e} |',
            flush=True,
        )


def print_arithmetic(setting: Setting, variants: list[str]) -> None:
    """Print what each variant keeps for the backward pass; nothing is computed."""
    print(
        f'latents {setting.latent_side}², maps {setting.map_side}², {setting.tokens} '
        f'tokens, float32, two views; counted on tensors without content\n\n'
        '| step | kept for backward, MiB | ratio | most during forward, MiB | ratio '
        '| with the weights, MiB | ratio |\n|---|---:|---:|---:|---:|---:|---:|'
    )
    first: Any = None
    for variant in variants:
        config = TINY_UNET if setting.tiny else UNET
        kept, most, weights = kept_mib(config, setting, variant)
        values = (kept, most, most + weights)
        first = first or values
        cells = (f'{x:.0f} | {x / y:.2f}' for x, y in zip(values, first, strict=True))
        print(f'| {variant} | {" | ".join(cells)} |', flush=True)


def main(arguments: list[str] | None = None) -> None:
    """Print a table of costs."""
    parser = argparse.ArgumentParser(
        description='Compare a training step of StableKeypoints with a plain one.'
    )
    parser.add_argument(
        '--latent-side', type=int, default=64, help='64 as published, 32 half of it'
    )
    parser.add_argument('--map-size', type=int, default=128, help='cells of a side')
    parser.add_argument('--tokens', type=int, default=500)
    parser.add_argument('--tiny', action='store_true', help='networks for a trial')
    parser.add_argument(
        '--encoder', action='store_true', help='encode the views in the step'
    )
    parser.add_argument('--device', default='cpu', help='cpu or cuda')
    parser.add_argument('--dtype', default='float32', choices=('float32', 'float64'))
    parser.add_argument('--repeats', type=int, default=1)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--variants', nargs='+', default=VARIANTS, choices=VARIANTS)
    parser.add_argument(
        '--arithmetic',
        action='store_true',
        help='count what is kept for backward without computing anything',
    )
    args = parser.parse_args(arguments)
    setting = Setting(
        args.latent_side,
        args.map_size,
        args.tokens,
        args.tiny,
        args.encoder,
        args.device,
        args.dtype,
    )
    if args.arithmetic:
        print_arithmetic(setting, args.variants)
    else:
        print_costs(setting, args.variants, args.repeats, args.threads)


if __name__ == '__main__':
    run_tool(main)
