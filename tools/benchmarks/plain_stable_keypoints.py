# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training step of StableKeypoints written down plainly, to be compared with.

The whole UNet runs; the inputs of the captured layers, not their logits, are upsampled;
maps of all tokens are kept for the backward pass; every Gaussian that maps are compared
with is drawn in full. What has one form only, such as the losses, is the model's.
Weights, noise and warps are those of the model, so that the same seed makes the same
step.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.ops.geometry import size_of
from mmkp.ops.heatmaps.peaks import highest_cells
from mmkp.ops.token_maps.furthest_point_sampling import furthest_point_sampling
from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence


class PlainProcessor:
    """Attention with its probabilities, and maps of the tokens if it is captured.

    Args:
        fused: torch's fused attention for the output; else probabilities are kept.
        map_side: cells of a side of the maps, None for a layer that is not captured.
        found: where maps (B, N, R, R), the mean over the heads, go.
    """

    def __init__(
        self, fused: bool, map_side: int | None = None, found: list | None = None
    ) -> None:
        self.fused = fused
        self.map_side = map_side
        self.found = found

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        temb: Tensor | None = None,
    ) -> Tensor:
        """Compute the layer's output, see ``diffusers``."""
        context = hidden_states
        if encoder_hidden_states is not None:
            context = encoder_hidden_states
        query, key, value = (
            states.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
            for states in (
                attn.to_q(hidden_states),
                attn.to_k(context),
                attn.to_v(context),
            )
        )
        if self.fused:
            output = F.scaled_dot_product_attention(query, key, value)
        else:
            scores = query @ key.transpose(-1, -2) * attn.scale
            output = scores.softmax(-1) @ value
        if self.map_side is not None:
            self.found.append(self.maps(attn, hidden_states, key))
        return attn.to_out[0](output.transpose(1, 2).flatten(2))

    def maps(self, attn: nn.Module, hidden_states: Tensor, key: Tensor) -> Tensor:
        """Attention of the layer's input, upsampled to the size of the maps."""
        side = math.isqrt(hidden_states.shape[1])
        size = (self.map_side, self.map_side)
        states = hidden_states.transpose(1, 2).unflatten(2, (side, side))
        states = F.interpolate(states, size, mode='bicubic', align_corners=False)
        query = attn.to_q(states.flatten(2).transpose(1, 2))
        query = query.unflatten(-1, (attn.heads, -1)).transpose(1, 2)
        attention = (query @ key.transpose(-1, -2) * attn.scale).softmax(-1)
        return attention.mean(1).transpose(1, 2).unflatten(2, size)


def plain_processors(
    unet: Any, layers: tuple[str, ...], map_side: int, fused: bool
) -> list[Tensor]:
    """Replace the processors of a UNet by plain ones.

    Args:
        unet: a ``diffusers.UNet2DConditionModel``.
        layers: names of the layers to capture.
        map_side: cells R of a side of the maps.
        fused: see :class:`PlainProcessor`.

    Returns:
        The list to which each forward pass appends maps (B, N, R, R), one for each
        layer.
    """
    found: list[Tensor] = []
    captured = {f'{layer}.processor' for layer in layers}
    unet.set_attn_processor(
        {
            name: PlainProcessor(fused, map_side if name in captured else None, found)
            for name in unet.attn_processors
        }
    )
    return found


def token_maps(
    unet: Any, found: list[Tensor], latents: Tensor, time: int, tokens: Tensor
) -> Tensor:
    """Maps of all tokens, by a forward pass of the whole UNet.

    Args:
        unet: after :func:`plain_processors`, which also made ``found``.
        found: see there.
        latents: with their noise, (B, c, h, w).
        time: of the noise.
        tokens: (N, C).

    Returns:
        (B, N, R, R).
    """
    found.clear()
    context = tokens.expand(len(latents), -1, -1)
    times = torch.full((len(latents),), time, device=latents.device)
    unet(latents, times, encoder_hidden_states=context)
    return torch.stack(found).mean(0)


@torch.no_grad()
def choose(maps: Tensor, warped_maps: Tensor, settings: dict) -> Tensor:
    """Tokens that are most like a Gaussian, then furthest apart in the second view.

    Args:
        maps: (B, N, R, R).
        warped_maps: of the second views, likewise.
        settings: ``train_cfg`` of the model.

    Returns:
        Indices, (B, k).
    """
    divergence = gaussian_kl_divergence(maps, settings['sigma'])
    tokens = divergence.argsort()[:, : settings['num_candidates']]
    points = torch.stack(highest_cells(take(warped_maps, tokens)), -1).to(maps.dtype)
    return tokens.gather(1, furthest_point_sampling(points, settings['num_selected']))


def take(maps: Tensor, tokens: Tensor) -> Tensor:
    """Maps (B, k, R, R) of the chosen tokens (B, k)."""
    return maps[torch.arange(len(maps), device=maps.device)[:, None], tokens]


def plain_step(model: nn.Module, found: list[Tensor], images: Tensor) -> Tensor:
    """Sum of the losses of a StableKeypoints, averaged over the images.

    Args:
        model: the model; its UNet after :func:`plain_processors`.
        found: see :func:`token_maps`.
        images: (B, 3, H, W).

    Returns:
        Scalar.
    """
    attention, tokens = model.backbone, model.head.tokens
    unet: Any = attention.frozen('unet')
    views = model.views(images)
    maps, warped_maps = (
        token_maps(
            unet,
            found,
            attention.add_noise(attention.latents(view)),
            attention.time,
            tokens,
        )
        for view in (views.first, views.second)
    )
    chosen = choose(maps, warped_maps, model.train_cfg)
    maps, warped_maps = take(maps, chosen), take(warped_maps, chosen)
    localization = model.losses['localization'](maps)
    geometry = model.head.geometry(size_of(images), size_of(maps))
    equivariance = model.losses['equivariance']
    return localization + equivariance(maps, warped_maps, views.warp, geometry)
