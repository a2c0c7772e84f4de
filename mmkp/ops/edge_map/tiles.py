# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images cut into square tiles, with the tiles in the last dimension.

What differs from tile to tile is then a vector that is broadcast over the pixels of a
tile, and operations run along many tiles instead of along the few pixels of a row. The
tiles of all images are numbered row by row, those of the first image first.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Side of a tile in pixels. Smaller tiles compare fewer edges, but need more bounds.
TILE = 8


def count_tiles(image_size: tuple[int, int]) -> tuple[int, int]:
    """Tell how many tiles an image (W, H) has in a row, and in all."""
    across, down = (-(-side // TILE) for side in image_size)
    return across, across * down


def tile_corners(
    tiles: Tensor, image_size: tuple[int, int], dtype: torch.dtype
) -> Tensor:
    """Give x and y (2, N) of the first pixels of numbered tiles (N,)."""
    across, number = count_tiles(image_size)
    tiles = tiles % number
    rows = tiles.div(across, rounding_mode='floor')
    return torch.stack([tiles - rows * across, rows]).mul_(TILE).to(dtype)


def to_tiles(images: Tensor) -> Tensor:
    """Cut images (B, 1, H, W), padded with 0, into tiles (TILE**2, B * T)."""
    batch, _, height, width = images.shape
    across, number = count_tiles((width, height))
    images = F.pad(images, (0, -width % TILE, 0, -height % TILE))
    images = images.view(batch, number // across, TILE, across, TILE)
    return images.permute(2, 4, 0, 1, 3).reshape(TILE * TILE, batch * number)


def from_tiles(
    values: Tensor, tiles: Tensor, batch: int, image_size: tuple[int, int]
) -> Tensor:
    """Join numbered tiles (TILE**2, N) to images (B, 1, H, W), 0 in other tiles."""
    width, height = image_size
    across, number = count_tiles(image_size)
    down = number // across
    source = torch.full((batch * number,), len(tiles), device=tiles.device)
    source[tiles] = torch.arange(len(tiles), device=tiles.device)
    images = F.pad(values, (0, 1)).index_select(1, source)
    images = images.view(TILE, TILE, batch, down, across).permute(2, 3, 0, 4, 1)
    images = images.reshape(batch, 1, down * TILE, across * TILE)
    return images[..., :height, :width].contiguous()
