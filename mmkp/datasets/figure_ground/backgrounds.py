# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a picture would show without its object."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from mmkp.datasets.image_decoding import read_image

#: Rounds of the robust fit, and standard deviations beyond which a pixel is left out.
ROUNDS, CUT = 5, 2.5
#: Median absolute deviation of a normal distribution of deviation 1.
MAD = 0.6745


def border_surface(image: np.ndarray) -> np.ndarray:
    """Fit the smooth surface that the border of a picture shows.

    In each channel it is the polynomial 1, x, y, xy, x^2, y^2 that fits the outermost
    pixels best (least squares); pixels that stray, such as those of objects which the
    border cuts, are left out and the rest is fitted again.

    Args:
        image: (H, W, C), any numbers.

    Returns:
        The surface at all pixels, (H, W, C) float32.
    """
    height, width, channels = image.shape
    basis = _basis(height, width)
    border = np.ones((height, width), bool)
    border[1:-1, 1:-1] = False
    terms, values = basis[border], image[border].astype(np.float32)
    kept = np.ones(len(terms), bool)
    for _ in range(ROUNDS):
        fit = np.linalg.lstsq(terms[kept], values[kept], rcond=None)[0]
        strays = np.abs(terms @ fit - values).max(axis=1)
        limit = max(CUT * np.median(strays) / MAD, 1.0)
        kept = strays <= limit
    return (basis.reshape(-1, basis.shape[-1]) @ fit).reshape(height, width, channels)


def median_picture(paths: Sequence[str]) -> np.ndarray:
    """Return what a still camera sees behind an object that moves.

    Args:
        paths: Pictures of one size.

    Returns:
        The median of each value over the pictures, (H, W, 3) uint8.

    Raises:
        ValueError: If there are fewer than three pictures, or one of another size.
    """
    if len(paths) < 3:
        raise ValueError(
            f'{len(paths)} pictures do not tell what a still camera sees behind an '
            'object: give at least three'
        )
    pictures = [read_image(path) for path in paths]
    for path, picture in zip(paths, pictures, strict=True):
        if picture.shape != pictures[0].shape:
            raise ValueError(
                f'{path} has (height, width, 3) {picture.shape}, {paths[0]} has '
                f'{pictures[0].shape}: a still camera makes pictures of one size'
            )
    return np.median(pictures, axis=0).astype(np.uint8)


@lru_cache(maxsize=8)
def _basis(height: int, width: int) -> np.ndarray:
    """Terms of the polynomial at all pixels, (H, W, 6) float32."""
    y, x = np.meshgrid(
        np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing='ij'
    )
    terms = (np.ones_like(x), x, y, x * y, x * x, y * y)
    return np.stack(terms, axis=-1).astype(np.float32)
