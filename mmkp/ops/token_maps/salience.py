# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which tokens are keypoints: in one place of each image, off its border, apart."""

import torch
from torch import Tensor

from mmkp.ops.heatmaps.moments import squared_pair_distances
from mmkp.ops.heatmaps.peaks import highest_cells
from mmkp.ops.precision import in_full_precision

#: Sides of the map: what counts as one place, and how wide the border is.
RADIUS, BORDER = 0.1, 0.06
#: Sides of the map that keypoints lie apart in the mean, if there are enough.
LARGEST_DISTANCE, STEPS = 0.12, 30


@in_full_precision
def peak_statistics(
    maps: Tensor, figure: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Where the peak of each map lies, and how much it is the only one.

    The salience of a token n in an image is ``max p_n * (sum of p_n around its peak) /
    (sum of p_n)``, and 0 where the peak lies at the border, as do those of background
    (what an image shows at its border is mostly background). A figure multiplies it by
    how much the peak is of the object.

    Args:
        maps: attention, shape (B, N, h, w).
        figure: share of the object in each cell, shape (B, h, w).

    Returns:
        Highest cells (x, y) in sides of the map, (B, N, 2), and salience in [0, 1],
        (B, N), at least float32.
    """
    height, width = maps.shape[-2:]
    column, row = highest_cells(maps)
    y, x = (
        (torch.arange(side, device=maps.device) + 0.5) / side
        for side in (height, width)
    )
    peaks = torch.stack((x[column], y[row]), -1).to(maps.dtype)
    total = maps.sum((-2, -1)).clamp_min(1e-12)
    squares = (x - peaks[..., :1]).square()[..., None, :]
    squares = squares + (y - peaks[..., 1:]).square()[..., None]
    nearby = (maps * (squares <= RADIUS**2)).sum((-2, -1))
    inside = ((peaks > BORDER) & (peaks < 1 - BORDER)).all(-1)
    salience = maps.amax((-2, -1)) * (nearby / total) * inside
    if figure is not None:
        salience = salience * figure.flatten(1).gather(1, row * width + column)
    return peaks, salience


def salient_tokens(peaks: Tensor, salience: Tensor, num_keypoints: int) -> Tensor:
    """The most salient tokens that lie apart from each other.

    Tokens are taken by their mean salience, unless one that was taken lies nearer in
    the mean over images than a distance, which is the largest that leaves enough.

    Args:
        peaks: (x, y) in sides of the image, shape (n, N, 2).
        salience: shape (n, N).
        num_keypoints: number K of tokens to return, at most N.

    Returns:
        Token indices, the most salient first, shape (K,), int64.

    Raises:
        ValueError: there are more keypoints than tokens, or no images.
    """
    number, num_tokens = salience.shape
    if not 1 <= num_keypoints <= num_tokens or not number:
        raise ValueError(
            f'num_keypoints={num_keypoints} of {num_tokens} tokens over {number} '
            'images: take at least one keypoint, and no more than there are tokens'
        )
    distances = squared_pair_distances(peaks).clamp_min(0).sqrt().mean(0).cpu()
    order = salience.mean(0).argsort(descending=True, stable=True).tolist()
    chosen: list[int] = []
    for step in range(STEPS, -1, -1):
        least, chosen = LARGEST_DISTANCE * step / STEPS, []
        for token in order:
            if (distances[token, chosen] >= least).all():
                chosen.append(token)
        if len(chosen) >= num_keypoints:
            break
    return torch.tensor(chosen[:num_keypoints], device=peaks.device)
