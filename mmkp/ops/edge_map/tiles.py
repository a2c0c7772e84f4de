# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images cut into square tiles, with the tiles in the last dimension.

What differs from tile to tile is then a vector that is broadcast over the pixels of a
tile, and operations run along many tiles instead of along the few pixels of a row.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

# Side of a tile in pixels. Smaller tiles compare fewer edges, but need more bounds.
TILE = 8


def tile_corners(
    tiles: Tensor, across: int, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Give the first pixels of tiles.

    Args:
        tiles (Tensor): (N,) int64, numbers of tiles in an image, row by row.
        across (int): number of tiles in a row.
        dtype (torch.dtype): wanted data type.

    Returns:
        tuple[Tensor, Tensor]: x and y in pixels, each (N,).
    """
    rows = tiles.div(across, rounding_mode='floor')
    left, top = (tiles - rows * across) * TILE, rows * TILE
    return left.to(dtype), top.to(dtype)


def to_tiles(images: Tensor) -> Tensor:
    """Cut images (B, 1, H, W), padded with 0, into tiles (TILE**2, B * T)."""
    batch, _, height, width = images.shape
    images = F.pad(images, (0, -width % TILE, 0, -height % TILE))
    down, across = (side // TILE for side in images.shape[2:])
    tiles = images.view(batch, down, TILE, across, TILE).permute(2, 4, 0, 1, 3)
    return tiles.reshape(TILE * TILE, batch * down * across)


def from_tiles(tiles: Tensor, image_size: tuple[int, int]) -> Tensor:
    """Join tiles (TILE**2, B, T) to images (B, 1, H, W)."""
    width, height = image_size
    across, down = -(-width // TILE), -(-height // TILE)
    batch = tiles.shape[1]
    images = tiles.view(TILE, TILE, batch, down, across).permute(2, 3, 0, 4, 1)
    images = images.reshape(batch, 1, down * TILE, across * TILE)
    return images[..., :height, :width].contiguous()
