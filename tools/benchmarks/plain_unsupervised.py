# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""FactorizedSpatialEmbedding and LMDIS written down plainly, to be compared with.

One keypoint, pair, width of Gaussians or descriptor at a time, for the whole batch.
Networks are those of the model, with torch's layers in place of mmkp's. Warps and
colours are drawn by the model, so that the same seed makes the same views.
"""

import itertools
import math

import torch
import torch.nn.functional as F
from autolink_step import PlainBlock
from torch import Tensor, nn

from mmkp.models.backbones.autolink_encoder import HalvingResidualBlock
from mmkp.models.layers.normalized_convolution import NormalizedConvolution
from mmkp.ops.batch_norm import BatchNorm2d
from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.warps.padding import PaddedWarp
from mmkp.ops.warps.warp import ComposedWarp, Warp, to_norm


def plain_layers(module: nn.Module) -> nn.Module:
    """Replace, in place, the layers in which mmkp does more than torch.

    Args:
        module (nn.Module): any module.

    Returns:
        nn.Module: it, or what stands in its place, with the same parameters.
    """
    for name, child in module.named_children():
        setattr(module, name, plain_layers(child))
    if isinstance(module, BatchNorm2d):
        plain: nn.Module = nn.BatchNorm2d(
            module.num_features, module.eps, module.momentum
        )
        plain.load_state_dict(module.state_dict())
    elif isinstance(module, HalvingResidualBlock):
        plain = PlainBlock(module.conv1.in_channels, module.conv1.out_channels)
        plain.load_state_dict(module.state_dict())
    elif isinstance(module, NormalizedConvolution):
        activation = nn.LeakyReLU(0.2) if module.activation else nn.Identity()
        plain = nn.Sequential(module.convolution, module.norm, activation)
    elif isinstance(module, (nn.ReLU, nn.LeakyReLU)):
        module.inplace = False
        return module
    else:
        return module
    return plain.train(module.training)


def carry(warp: Warp, points: Tensor) -> Tensor:
    """Positions in the source, with a spline's kernel computed for each image."""
    return warp.points_to_source(points.contiguous())


def all_positions(width: int, height: int, batch: int) -> Tensor:
    """Pixels (x, y), row by row, (B, H W, 2)."""
    lines = torch.arange(float(width)), torch.arange(float(height))
    grid = torch.stack(torch.meshgrid(*lines, indexing='xy'), -1)
    return grid.view(1, -1, 2).repeat(batch, 1, 1)


def interpolate(images: Tensor, warp: Warp, padding_mode: str) -> Tensor:
    """Warp images (B, C, H, W)."""
    height, width = images.shape[-2:]
    source = carry(warp, all_positions(width, height, len(images)))
    grid = to_norm(source, (width, height)).view(len(images), height, width, 2)
    return F.grid_sample(images, grid, padding_mode=padding_mode, align_corners=True)


def cells(geometry: MapGeometry, like: Tensor) -> Tensor:
    """Pixel (x, y) of each cell, (2, h, w)."""
    width, height = geometry.map_size
    return geometry.centers(like).t().reshape(2, height, width)


def mean_position(heatmap: Tensor, positions: Tensor) -> Tensor:
    """Mean of (2, h, w) under one keypoint's distributions (B, h, w), (B, 2)."""
    return (heatmap[:, None] * positions).sum((2, 3))


def factorized_spatial_embedding(model: nn.Module, inputs: Tensor) -> Tensor:
    """Sum of the losses of a FactorizedSpatialEmbedding.

    Args:
        model (nn.Module): the model, after :func:`plain_layers`.
        inputs (Tensor): (B, 3, H, W).

    Returns:
        Tensor: scalar.
    """
    first_transform, transform = model.first_view_transform, model.view_transform
    warp: Warp = transform.sample(inputs)
    first_warp = first_transform.sample(inputs)
    first = interpolate(inputs, first_warp, first_transform.padding_mode)
    first = first_transform.jitter(first)
    both = ComposedWarp(first_warp, warp)
    second = transform.jitter(interpolate(inputs, both, transform.padding_mode))
    if margin := model.crop_margin:
        inner = slice(margin, -margin)
        first, second = first[..., inner, inner], second[..., inner, inner]
        warp = PaddedWarp(warp, (-margin, -margin))
    maps = []
    for view in (first, second):
        logits = model.head(model.backbone(view))
        maps.append(
            torch.stack(
                [
                    score.flatten(1).softmax(1).view_as(score)
                    for score in logits.unbind(1)
                ],
                1,
            )
        )
    diversity = model.losses['diversity']
    shared = [shared_mass(view, diversity.window) for view in maps]
    geometry = model.head.geometry(size_of(first), size_of(maps[0]))
    return (
        expected_distance(*maps, warp, geometry, model.losses['equivariance'])
        + diversity.loss_weight * (shared[0] + shared[1]) / 2
    )


def expected_distance(
    p: Tensor, q: Tensor, warp: Warp, geometry: MapGeometry, loss: nn.Module
) -> Tensor:
    """Equivariance, one keypoint after the other."""
    positions = cells(geometry, p)
    places = positions.flatten(1).t().repeat(len(p), 1, 1)
    source = carry(warp, places).transpose(1, 2).unflatten(2, p.shape[-2:])
    center = torch.tensor(warp.image_size).sub(1).div(2).view(2, 1, 1)
    u, gv = ((value - center) / geometry.half_side for value in (positions, source))
    total = torch.zeros(())
    for first, second in zip(p.unbind(1), q.unbind(1), strict=True):
        squares = (first * u.square().sum(0)).sum((1, 2))
        squares = squares + (second * gv.square().sum(1)).sum((1, 2))
        product = mean_position(first, u) * mean_position(second, gv)
        total = total + (squares - 2 * product.sum(1)).mean()
    return loss.loss_weight * total / p.shape[1]


def shared_mass(heatmaps: Tensor, window: int) -> Tensor:
    """Diversity, one keypoint after the other."""
    total = largest = None
    for heatmap in heatmaps.unbind(1):
        pooled = F.avg_pool2d(F.pad(heatmap[:, None], (window - 1,) * 4), window, 1)
        total = pooled if total is None else total + pooled
        largest = pooled if largest is None else torch.maximum(largest, pooled)
    return (total - largest).sum((1, 2, 3)).mean()


def lmdis(model: nn.Module, inputs: Tensor) -> Tensor:
    """Sum of the losses of LMDIS.

    Args:
        model (nn.Module): the model, after :func:`plain_layers`.
        inputs (Tensor): (B, 3, H, W).

    Returns:
        Tensor: scalar.
    """
    images = model.jitter(inputs)
    x, y = model.head.padding
    lines = (images[:, :, 0], images[:, :, -1], images[..., 0], images[..., -1])
    color = torch.cat(lines, -1).mean(-1)[..., None, None]
    height, width = images.shape[-2:]
    frames = color.repeat(1, 1, height + 2 * y, width + 2 * x)
    inside = (..., slice(y, y + height), slice(x, x + width))
    frames[inside] = images
    keypoints, heatmaps, background = detect(model, frames)
    geometry = model.head.geometry((width, height), size_of(background))
    reconstruction = frames.clone()
    maps = [*heatmaps, background]
    reconstruction[inside] = generate(
        model.generator, frames, keypoints, maps, (width, height)
    )
    warp = model.view_transform.sample(frames)
    padding_mode = model.view_transform.padding_mode
    warped = model.view_transform.jitter(interpolate(frames, warp, padding_mode))
    warped_keypoints, warped_heatmaps, _ = detect(model, warped)
    losses = model.losses
    views = ((keypoints, heatmaps), (warped_keypoints, warped_heatmaps))
    total = torch.zeros(())
    for points, maps in views:
        total = total + concentration(maps, geometry, losses['concentration']) / 2
        total = total + separation(points, geometry, losses['separation']) / 2
    weight = losses['reconstruction'].loss_weight
    total = total + weight * ((reconstruction - frames) ** 2).sum() / (2 * len(images))
    return total + distance(
        keypoints, warped_keypoints, warp, geometry, losses['equivariance']
    )


def detect(model: nn.Module, frames: Tensor) -> tuple[list, list, Tensor]:
    """Keypoints (B, 2) in frames and their maps (B, h, w), and the background's map."""
    shares = model.head(model.backbone(frames)).softmax(1)
    geometry = MapGeometry.cell_centers(size_of(frames), size_of(shares))
    positions = cells(geometry, shares)
    heatmaps, keypoints = [], []
    for share in shares.unbind(1):
        heatmap = share / share.sum((1, 2), keepdim=True)
        heatmaps.append(heatmap)
        keypoints.append(mean_position(heatmap, positions))
    return keypoints[:-1], heatmaps[:-1], heatmaps[-1]


def generate(
    generator: nn.Module,
    frames: Tensor,
    keypoints: list[Tensor],
    maps: list[Tensor],
    image_size: tuple[int, int],
) -> Tensor:
    """Reconstruct images (B, 3, H, W), one descriptor and one map after the other."""
    features = generator.features(frames)[-1]
    if features.shape[-2:] != maps[0].shape[-2:]:
        features = F.adaptive_avg_pool2d(features, maps[0].shape[-2:])
    raised, reduce, expand = [], generator.reduce, generator.expand
    for landmark, heatmap in enumerate(maps):
        pooled = (heatmap[:, None] * features).sum((2, 3))
        descriptor = pooled @ reduce.weight[landmark] + reduce.bias
        raised.append(descriptor @ expand.weight[landmark] + expand.bias)
    margin = (
        frames.new_tensor(frames.shape[:1:-1]) - frames.new_tensor(image_size)
    ) / 2
    width, height = (math.ceil(side / generator.map_stride) for side in image_size)
    geometry = MapGeometry.cell_centers(image_size, (width, height))
    x, y = cells(geometry, frames) / geometry.edge
    area = image_size[0] * image_size[1] / (max(image_size) ** 2 * width * height)
    gaussians, spread = [], []
    for sigma in generator.sigmas:
        densities = []
        for keypoint in keypoints:
            place = ((keypoint - margin) / max(image_size))[:, :, None, None]
            squared = (x - place[:, 0]) ** 2 + (y - place[:, 1]) ** 2
            density = torch.exp(-squared / (2 * sigma**2))
            densities.append(area * density / (2 * math.pi * sigma**2))
        densities.append(torch.full_like(densities[0], 1 / (width * height)))
        total = sum(densities)
        shares = [density / total for density in densities]
        gaussians += shares
        spread.append(
            sum(
                share[:, None] * descriptor[:, :, None, None]
                for share, descriptor in zip(shares, raised, strict=True)
            )
        )
    drawn = torch.cat((torch.stack(gaussians, 1), *spread), 1)
    decoded = generator.decoder(drawn)[0]
    if decoded.shape[-2:] != (image_size[1], image_size[0]):
        decoded = F.interpolate(
            decoded, image_size[::-1], mode='bilinear', align_corners=False
        )
    return generator.output(decoded).sigmoid()


def concentration(maps: list[Tensor], geometry: MapGeometry, loss: nn.Module) -> Tensor:
    """Spread, one keypoint after the other."""
    positions = cells(geometry, maps[0]) / geometry.edge
    total = torch.zeros(())
    for heatmap in maps:
        mean = mean_position(heatmap, positions)[:, :, None, None]
        variance = (heatmap[:, None] * (positions - mean) ** 2).sum((2, 3))
        total = total + 2 * math.pi * math.e * (variance.sqrt().mean(1) ** 2).mean()
    return loss.loss_weight * total


def separation(points: list[Tensor], geometry: MapGeometry, loss: nn.Module) -> Tensor:
    """Gaussians of distances, one pair after the other."""
    reach = loss.bandwidth * geometry.edge
    total = torch.zeros(())
    for first, second in itertools.combinations(points, 2):
        squared = ((first - second) / reach).square().sum(1)
        total = total + 2 * torch.exp(-squared / 2).mean()
    return loss.loss_weight * total


def distance(
    points: list[Tensor],
    warped: list[Tensor],
    warp: Warp,
    geometry: MapGeometry,
    loss: nn.Module,
) -> Tensor:
    """Equivariance of the means, one keypoint after the other."""
    total = torch.zeros(())
    for first, second in zip(points, warped, strict=True):
        back = carry(warp, second[:, None])[:, 0]
        total = total + (first - back).square().sum(1).mean()
    # Half edges of the padded image, over the ratio of the edges.
    return loss.loss_weight * 4 / (geometry.padded_edge * geometry.edge) * total


STEPS = {'FactorizedSpatialEmbedding': factorized_spatial_embedding, 'LMDIS': lmdis}
