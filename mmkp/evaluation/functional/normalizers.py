# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Lengths by which errors are divided before they are averaged."""

import numpy as np

from .samples import KeypointSamples

Normalizer = str | float | tuple[int, int]
NAMED_NORMALIZERS = ('crop', 'image', 'none')


def normalizer_lengths(
    samples: KeypointSamples, normalizer: Normalizer
) -> tuple[np.ndarray, np.ndarray]:
    """Return the length in pixels that stands for 1 in each image.

    Args:
        samples: n images with annotations.
        normalizer: ``(i, j)``: distance of the annotated points i and j, such
            as the pupils; ``'crop'`` or ``'image'``: side of the square of the
            same area as the crop or the image; ``'none'``: 1 px; a number:
            that many pixels.

    Returns:
        Lengths (n,) float64 and a mask (n,) bool of the images that have one:
        False where an eye is invisible or both points coincide.

    Raises:
        ValueError: If ``normalizer`` is not understood.
    """
    num = len(samples)
    everywhere = np.ones(num, dtype=bool)
    if isinstance(normalizer, str):
        if normalizer not in NAMED_NORMALIZERS:
            raise ValueError(
                f'normalizer={normalizer!r} is unknown: use one of '
                f'{NAMED_NORMALIZERS}, two indices of annotated points or a length.'
            )
        if normalizer == 'none':
            return np.ones(num), everywhere
        size = samples.crop_size if normalizer == 'crop' else samples.image_size
        return np.sqrt(size.prod(axis=1)), everywhere
    if isinstance(normalizer, int | float):
        if not 0 < normalizer < np.inf:
            raise ValueError(
                f'normalizer={normalizer!r:.80} must be a positive, finite length.'
            )
        return np.full(num, float(normalizer)), everywhere
    first, second = _point_pair(normalizer, samples.num_annotated)
    offset = samples.annotated[:, first] - samples.annotated[:, second]
    lengths = np.linalg.norm(offset * samples.crop_size, axis=1)
    visible = samples.point_visible[:, first] & samples.point_visible[:, second]
    return lengths, visible & (lengths > 0)


def _point_pair(normalizer: tuple[int, int], num_points: int) -> tuple[int, int]:
    pair = tuple(int(index) for index in normalizer)
    if len(pair) != 2 or pair[0] == pair[1]:
        raise ValueError(
            f'normalizer={normalizer!r} must name two different annotated points.'
        )
    if not all(0 <= index < num_points for index in pair):
        raise ValueError(
            f'normalizer={normalizer!r} names a point beyond the {num_points} '
            'annotated ones (indices start at 0).'
        )
    return pair[0], pair[1]
