# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Measure by how many pixels autocast moves positions.

Each row is the distance of positions to those of float64, mean and largest, in pixels
of the image, under autocast; the last column is float32 outside it.
Prints a Markdown table.

Example::

    python tools/benchmarks/rounded_positions.py
"""

import argparse
import copy
from collections.abc import Callable, Sequence

import torch
from measure import machine
from torch import Tensor

from mmkp.engine.cli import run_tool
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.soft_argmax import soft_argmax, spatial_softmax
from mmkp.ops.warps.samplers import random_affine_warp, random_lmdis_warp
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline
from mmkp.ops.warps.warp import Warp

HALVES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


def in_dtype(warp: Warp, dtype: torch.dtype) -> Warp:
    """A warp of the same numbers in another floating-point type."""
    warp = copy.copy(warp)
    for name, value in vars(warp).items():
        if isinstance(value, Tensor):
            setattr(warp, name, value.to(dtype))
        elif isinstance(value, Warp):
            setattr(warp, name, in_dtype(value, dtype))
    return warp


def of_warp(sample: Callable[..., Warp], side: int) -> Callable[[torch.dtype], Tensor]:
    """Where the pixels of an image come from under random warps."""
    generator = torch.Generator().manual_seed(0)
    warp = sample(8, (side, side), generator=generator, dtype=torch.float64)
    line = torch.arange(side, dtype=torch.float64)
    pixels = torch.stack(torch.meshgrid(line, line, indexing='xy'), -1).view(1, -1, 2)

    def call(dtype: torch.dtype) -> Tensor:
        points = pixels.expand(8, -1, -1).to(dtype)
        return in_dtype(warp, dtype).points_to_source(points)

    return call


def of_maps(side: int) -> Callable[[torch.dtype], Tensor]:
    """Soft-argmax of maps of a quarter of the image's side."""
    generator = torch.Generator().manual_seed(0)
    cells = side // 4
    logits = torch.randn(8, 16, cells, cells, generator=generator).double() * 4
    geometry = MapGeometry.cell_centers((side, side), (cells, cells))
    maps = spatial_softmax(logits)
    return lambda dtype: soft_argmax(maps.to(dtype), geometry)


def distances(found: Tensor, exact: Tensor) -> str:
    """Mean and largest distance in pixels."""
    far = (found.double() - exact).norm(dim=-1)
    return f'{far.mean():.2g}, {far.max():.2g}'


def row(name: str, call: Callable[[torch.dtype], Tensor]) -> Sequence[str]:
    """The cells of one computation."""
    exact = call(torch.float64)
    cells = [name]
    for half in HALVES.values():
        with torch.autocast('cpu', dtype=half):
            cells.append(distances(call(torch.float32), exact))
    return [*cells, distances(call(torch.float32), exact)]


def main() -> None:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__.split('\n')[0]).parse_args()
    print(f'{machine(torch.get_num_threads())}; mean and largest distance, pixels\n')
    heads = ['positions', *HALVES, 'float32']
    print('| ' + ' | '.join(heads) + ' |\n' + '|---' * len(heads) + '|')
    for name, call in (
        ('LMDIS warp, 96 px', of_warp(random_lmdis_warp, 96)),
        ('thin-plate spline, 128 px', of_warp(random_thin_plate_spline, 128)),
        ('thin-plate spline, 512 px', of_warp(random_thin_plate_spline, 512)),
        ('affine warp, 512 px', of_warp(random_affine_warp, 512)),
        ('soft-argmax, 128 px', of_maps(128)),
        ('soft-argmax, 512 px', of_maps(512)),
    ):
        print('| ' + ' | '.join(row(name, call)) + ' |', flush=True)


if __name__ == '__main__':
    run_tool(main)
