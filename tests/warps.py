# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One warp of each kind for the tests, and dots to warp."""

import math

import torch
from torch import Tensor

from mmkp.ops.warps.optical_flow import FlowWarp
from mmkp.ops.warps.samplers import (
    IMM_SOURCE,
    IMM_TARGET,
    random_affine_warp,
    random_lmdis_warp,
)
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline
from mmkp.ops.warps.warp import ComposedWarp, Warp

DVE = {**IMM_SOURCE, 'kernel': 'shifted'}
KINDS = (
    'imm_target',
    'imm_source',
    'dve',
    'lmdis',
    'lmdis_legacy_tps',
    'lmdis_legacy_grid',
    'fse',
    'composed',
    'flow',
)


def pixel_grid(size: tuple[int, int]) -> Tensor:
    """Every pixel (x, y) in float64, row by row, shape (1, H W, 2)."""
    y, x = torch.meshgrid(torch.arange(size[1]), torch.arange(size[0]), indexing='ij')
    return torch.stack((x, y), -1).view(1, -1, 2).double()


def flow_of(warp: Warp, batch: int, **options: Tensor) -> FlowWarp:
    """The displacements of a warp at every pixel as a flow."""
    width, height = warp.image_size
    pixels = pixel_grid(warp.image_size).expand(batch, -1, -1)
    flow = (warp.points_to_source(pixels) - pixels).transpose(1, 2)
    return FlowWarp(flow.reshape(batch, 2, height, width), warp.image_size, **options)


def make_warp(kind: str, size: tuple[int, int], seed: int = 0, batch: int = 1) -> Warp:
    """Sample a warp of a kind in float64."""
    options = {
        'generator': torch.Generator().manual_seed(seed),
        'dtype': torch.float64,
    }
    if kind in ('imm_target', 'imm_source', 'dve'):
        preset = {'imm_target': IMM_TARGET, 'imm_source': IMM_SOURCE, 'dve': DVE}[kind]
        return random_thin_plate_spline(batch, size, **preset, **options)
    if kind.startswith('lmdis'):
        switches = {kind.removeprefix('lmdis_'): True} if kind != 'lmdis' else {}
        return random_lmdis_warp(
            batch, size, offset_std=0.03, translation_range=0.15, **switches, **options
        )
    if kind == 'fse':
        return random_affine_warp(batch, size, **options)
    if kind == 'composed':
        return ComposedWarp(
            random_affine_warp(batch, size, **options),
            random_thin_plate_spline(batch, size, **DVE, **options),
        )
    assert kind == 'flow'
    return flow_of(random_lmdis_warp(batch, size, offset_std=0.01, **options), batch)


def paint_dot(point: Tensor, size: tuple[int, int], sigma: float = 1.5) -> Tensor:
    """A Gaussian of peak 1, shape (1, 1, H, W)."""
    x = torch.arange(size[0], dtype=torch.float64)
    y = torch.arange(size[1], dtype=torch.float64)[:, None]
    squared = (x - point[0]) ** 2 + (y - point[1]) ** 2
    return torch.exp(-squared / (2 * sigma**2))[None, None]


def centroid(image: Tensor) -> Tensor:
    """Mean position (x, y) of an image (1, 1, H, W), shape (2,)."""
    weights = (image / image.sum()).view(1, -1, 1)
    size = (image.shape[-1], image.shape[-2])
    return (weights * pixel_grid(size)).sum((0, 1))


def similarity(degrees: float, scale: float, shift: tuple[float, float]) -> tuple:
    """Arguments angle, scale, shift of `rotation_scale_shift` for one similarity."""
    return (
        torch.tensor([math.radians(degrees)], dtype=torch.float64),
        torch.full((1, 2), scale, dtype=torch.float64),
        torch.tensor([shift], dtype=torch.float64),
    )
