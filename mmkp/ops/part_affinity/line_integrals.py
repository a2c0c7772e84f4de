"""How well part affinity fields support a limb between two peaks."""

import math
from typing import Any, NamedTuple

import numpy as np

from mmkp.ops.part_affinity.arrays import (
    arange,
    count,
    like,
    repeat,
    truncated,
    where,
    within,
)


class LimbCandidates(NamedTuple):
    """Pairs of peaks that may be the two ends of a limb, M of them.

    ``image`` and ``limb`` (M,) int64; ``start`` and ``end`` (M,) int64 are indices of
    peaks; ``score`` (M,) float64 is the mean of the field along the limb. Arrays or
    tensors.
    """

    image: Any
    limb: Any
    start: Any
    end: Any
    score: Any


def score_limbs(
    fields: Any,
    peaks: Any,
    limbs: np.ndarray,
    num_keypoints: int,
    field_offset: float = 0.0,
    num_samples: int = 8,
    sample_threshold: float = 0.05,
    min_fraction: float = 0.8,
    length_penalty: bool = True,
    samples_by_length: bool = False,
    only_passing: bool = False,
) -> LimbCandidates:
    """Integrate the fields of all limbs of a batch between all pairs of peaks, at once.

    The integral (CVPR'17 eq. 10) is the mean of ``num_samples`` values in the middles
    of as many equal pieces, each read between cells. Enough of them have to exceed a
    threshold. Ends within one cell of each other have no direction to integrate along
    and pass with at least the threshold as score.

    Args:
        fields: (B, 2 L, h, w) float32, array or tensor, contiguous.
        peaks: :class:`mmkp.ops.part_affinity.peaks.Peaks` of the (B K, h, w) heatmaps.
        limbs: (L, 2) int64, keypoints at start and end.
        num_keypoints: number K of keypoints.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.
        num_samples: along each limb.
        sample_threshold: that a sample has to exceed.
        min_fraction: of the samples that have to.
        length_penalty: lower the score of limbs longer than half the map's height, by
            how much of them is beyond, as the paper's own MATLAB code does.
        samples_by_length: as OpenPose does, take between 5 and 25 samples, the root of
            five times the longer coordinate difference, beginning at the start.
        only_passing: the score is the mean of those that exceed the threshold.

    Returns:
        Pairs that pass, in the order of image, limb, start and end.
    """
    batch, _, height, width = fields.shape
    image, limb, start, end = _pairs(peaks, limbs, num_keypoints, batch)
    x, y = peaks.x[start], peaks.y[start]
    along_x, along_y = peaks.x[end] - x, peaks.y[end] - y
    length = (along_x * along_x + along_y * along_y) ** 0.5
    unit = within(length, 1e-6, math.inf)
    if samples_by_length:
        longer = where(abs(along_x) > abs(along_y), abs(along_x), abs(along_y))
        number = truncated(within((5 * longer) ** 0.5 + 0.5, 5, 25))
        rank = arange(25, fields)[:, None]
        steps, counts = rank / number, rank < number
    else:
        steps = (arange(num_samples, fields)[:, None] + 0.5) / num_samples
        number, counts = num_samples, steps >= 0
    plane = (image * len(limbs) + limb) * (2 * height * width)
    field_x, field_y = _bilinear(
        fields.reshape(-1),
        plane,
        within(x + along_x * steps + field_offset, 0, width - 1),
        within(y + along_y * steps + field_offset, 0, height - 1),
        (height, width),
    )
    samples = field_x * (along_x / unit) + field_y * (along_y / unit)
    passes = (samples > sample_threshold) & counts
    passing = passes.sum(0)
    # Row after row, as compiled code adds; arrays would pair those of a single limb.
    if only_passing:
        score = sum(samples * passes) / within(passing, 1, math.inf)
    else:
        score = sum(samples * counts) / number
    if length_penalty:
        score = score + within(0.5 * height / unit - 1, -math.inf, 0)
    supported = (passing >= min_fraction * number) & (score > 0)
    short = length < 1
    keep = supported | short
    score = where(supported, score, sample_threshold)
    return LimbCandidates(*(v[keep] for v in (image, limb, start, end, score)))


def _pairs(peaks: Any, limbs: np.ndarray, num_keypoints: int, batch: int) -> tuple:
    """All pairs of peaks at the two ends of each limb of each image."""
    numbers = count(peaks.channel, batch * num_keypoints)
    first = numbers.cumsum(0) - numbers
    channel = arange(batch, peaks.x, integer=True)[:, None] * num_keypoints
    ends = like(limbs, peaks.x)
    starts = (channel + ends[:, 0]).reshape(-1)
    stops = (channel + ends[:, 1]).reshape(-1)
    pairs = numbers[starts] * numbers[stops]
    which = repeat(arange(len(pairs), peaks.x, integer=True), pairs)
    before = pairs.cumsum(0) - pairs
    rank = arange(len(which), peaks.x, integer=True) - before[which]
    columns = numbers[stops][which]
    row = rank // columns
    return (
        which // len(limbs),
        which % len(limbs),
        first[starts][which] + row,
        first[stops][which] + rank - row * columns,
    )


def _bilinear(flat: Any, plane: Any, x: Any, y: Any, size: tuple[int, int]) -> Any:
    """Values between cells of the two planes of a field, (2, ...)."""
    height, width = size
    column = truncated(within(x, 0, max(width - 2, 0)))
    line = truncated(within(y, 0, max(height - 2, 0)))
    right, below = x - column, y - line
    left, above = 1 - right, 1 - below
    # A map of one row or column has no neighbour to read.
    step_x, step_y = min(1, width - 1), width * min(1, height - 1)
    corner = line * width + column + plane
    planes = like(np.array([0, height * width]).reshape(2, 1, 1), flat)
    index = corner + planes
    return above * (left * flat[index] + right * flat[index + step_x]) + below * (
        left * flat[index + step_y] + right * flat[index + step_y + step_x]
    )
