# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training step of StableKeypoints written down plainly, to be compared with.

The whole UNet runs; the inputs of the captured layers, not their logits, are upsampled;
maps of all tokens are kept for the backward pass; every Gaussian is drawn in full.
Weights, noise and warps are those of the model, so that the same seed makes the same
step.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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


def gaussians(maps: Tensor, sigma: float) -> Tensor:
    """A Gaussian of peak 1 at the highest cell of each map (N, R, R), likewise."""
    rows, columns = maps.shape[-2:]
    peak = maps.flatten(1).argmax(1)
    y = torch.arange(rows, device=maps.device).view(1, -1, 1)
    x = torch.arange(columns, device=maps.device).view(1, 1, -1)
    y = (y - (peak // columns).view(-1, 1, 1)).to(maps.dtype)
    x = (x - (peak % columns).view(-1, 1, 1)).to(maps.dtype)
    return torch.exp(-(x**2 + y**2) / (2 * sigma**2))


@torch.no_grad()
def choose(
    maps: Tensor, warped_maps: Tensor, candidates: int, selected: int, sigma: float
) -> Tensor:
    """Tokens of one image: most like a Gaussian, then furthest apart in its view.

    Args:
        maps: (N, R, R).
        warped_maps: of the second view, likewise.
        candidates: how many are most like a Gaussian.
        selected: how many of them to choose.
        sigma: of the Gaussians, in cells.

    Returns:
        Indices, (selected,).
    """
    target = gaussians(maps, sigma) + 1e-5
    target = target / target.sum((1, 2), keepdim=True)
    shares = (maps + 1e-5).flatten(1).softmax(1).view_as(maps)
    divergence = (target * (target / shares).log()).sum((1, 2))
    tokens = divergence.argsort()[:candidates]
    peak = warped_maps[tokens].flatten(1).argmax(1)
    side = maps.shape[-1]
    points = torch.stack((peak % side, peak // side), 1)
    # Exact, as many pairs are equally far apart.
    distances = (points[:, None] - points).square().sum(-1).to(maps.dtype)
    first = int(distances.argmax())
    chosen = [first // len(points), first % len(points)]
    while len(chosen) < selected:
        nearest = distances[chosen].min(0).values
        nearest[chosen] = -1
        chosen.append(int(nearest.argmax()))
    return tokens[chosen]


def losses(
    maps: Tensor, warped_maps: Tensor, theta: Tensor, sigma: float
) -> tuple[Tensor, Tensor]:
    """Localisation and equivariance, weighted as published.

    Args:
        maps: of the chosen tokens, (k, R, R).
        warped_maps: of the second view, likewise.
        theta: the view's affine map for ``affine_grid``, (2, 3).
        sigma: of the Gaussians, in cells.

    Returns:
        Two scalars.
    """
    localization = F.mse_loss(maps, gaussians(maps.detach(), sigma))
    full = torch.cat((theta, theta.new_tensor([[0, 0, 1]])))
    inverse = torch.linalg.inv(full)[:2].to(maps.dtype)
    grid = F.affine_grid(inverse[None], (1, *warped_maps.shape), align_corners=False)
    back = F.grid_sample(warped_maps[None], grid, align_corners=False)[0]
    return 100 * localization, 1000 * F.mse_loss(maps, back)


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
    transform, settings = model.view_transform, model.train_cfg
    warp = transform.sample(images)
    grid = F.affine_grid(
        warp.affine.to(images), list(images.shape), align_corners=False
    )
    warped = F.grid_sample(
        images, grid, padding_mode=transform.padding_mode, align_corners=False
    )
    maps, warped_maps = (
        token_maps(
            unet,
            found,
            attention.add_noise(attention.latents(view)),
            attention.time,
            tokens,
        )
        for view in (images, warped)
    )
    total = images.new_zeros(())
    sigma = settings['sigma']
    for one, other, theta in zip(maps, warped_maps, warp.affine, strict=True):
        chosen = choose(
            one, other, settings['num_candidates'], settings['num_selected'], sigma
        )
        total = total + sum(losses(one[chosen], other[chosen], theta, sigma))
    return total / len(images)
