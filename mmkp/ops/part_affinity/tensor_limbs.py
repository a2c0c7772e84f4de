# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How well the fields of a batch support its limbs, as operations on tensors."""

import torch
from torch import Tensor

from mmkp.ops.part_affinity.grouping_config import GroupingRules
from mmkp.ops.part_affinity.limb_skeleton import LimbTables
from mmkp.ops.part_affinity.tensor_peaks import BatchPeaks
from mmkp.ops.precision import in_full_precision

# Of ``samples_by_length``.
_FEWEST, _MOST = 5, 25


@in_full_precision
def batch_limbs(
    fields: Tensor,
    peaks: BatchPeaks,
    tables: LimbTables,
    field_offset: float,
    rules: GroupingRules,
) -> Tensor:
    """Integrate the field of each limb between all pairs of peaks at its two ends.

    :func:`mmkp.ops.part_affinity.line_integrals.score_limbs` for whole batches, without
    a loop, so that it becomes part of an exported graph (CVPR'17, eq. 10 and 11).

    Args:
        fields: (B, 2 L, h, w), finite.
        peaks: of the confidence maps, at most ``rules.max_peaks`` of a keypoint.
        tables: the skeleton.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.
        rules: of the samples, and of the length.

    Returns:
        The pairs that pass, (M, 4): limb, rows of ``peaks`` where it starts and ends,
        score; image by image, limb by limb, and by these rows.
    """
    image, limb, start, end = _pairs(peaks, tables, rules.max_peaks)
    places = peaks.rows[:, 2:4].to(fields)
    score = line_integrals(
        fields,
        image,
        limb,
        places[start] + field_offset,
        places[end] + field_offset,
        rules,
    )
    passes = torch.isfinite(score)
    rows = torch.stack([limb.to(score), start.to(score), end.to(score), score], 1)
    return rows[passes.nonzero()[:, 0]]


@in_full_precision
def line_integrals(
    fields: Tensor,
    image: Tensor,
    limb: Tensor,
    start: Tensor,
    end: Tensor,
    rules: GroupingRules,
) -> Tensor:
    r"""Integrate part affinity fields along M limbs (CVPR'17, eq. 10 and 11).

    :func:`mmkp.ops.part_affinity.line_integrals.line_integral` for many limbs at once.

    Args:
        fields: (B, 2 L, h, w).
        image: (M,) int64, of which the limb is.
        limb: (M,) int64.
        start: x and y of d_1 in cells, (M, 2).
        end: x and y of d_2 in cells, (M, 2).
        rules: of the samples, and of the length.

    Returns:
        The scores (M,), infinite where the field does not support the limb.
    """
    along = end - start
    length = along.square().sum(1).sqrt()
    unit = length.clamp(min=1e-6)
    number = torch.full_like(length, rules.num_samples)
    samples, first = rules.num_samples, 0.5
    if rules.samples_by_length:
        longer = along.abs().amax(1)
        number = ((5 * longer).sqrt() + 0.5).clamp(_FEWEST, _MOST).floor()
        samples, first = _MOST, 0.0
    index = torch.arange(samples, device=fields.device)
    share = (index + first) / number[:, None]
    x = start[:, :1] + along[:, :1] * share
    y = start[:, 1:] + along[:, 1:] * share
    field_x, field_y = _vectors_between_cells(fields, image, limb, x, y)
    sample = field_x * (along[:, 0] / unit)[:, None]
    sample = sample + field_y * (along[:, 1] / unit)[:, None]
    taken = index < number[:, None]
    passes = (sample > rules.sample_threshold) & taken
    passing = passes.sum(1)
    if rules.only_passing:
        score = (sample * passes).sum(1) / passing.clamp(min=1)
    else:
        score = (sample * taken).sum(1) / number
    if rules.length_penalty:
        # As the paper's own MATLAB code does: what is beyond half the map's height.
        score = score + (0.5 * fields.shape[2] / unit - 1).clamp(max=0)
    supported = (passing >= rules.min_fraction * number) & (score > 0)
    otherwise = torch.where(length < 1, rules.sample_threshold, float('inf'))
    return torch.where(supported, score, otherwise)


def _pairs(
    peaks: BatchPeaks, tables: LimbTables, most: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Image, limb and the rows of the two peaks of all M pairs, (M,) each."""
    number = peaks.number
    start, end = (torch.tensor(t, device=number.device) for t in tables[:2])
    before = (number.flatten().cumsum(0) - number.flatten()).view_as(number)
    index = torch.arange(most, device=number.device)
    is_start = index[:, None] < number[:, start, None, None]
    is_end = index < number[:, end, None, None]
    image, limb, a, b = (is_start & is_end).nonzero().unbind(1)
    return image, limb, before[image, start[limb]] + a, before[image, end[limb]] + b


def _vectors_between_cells(
    fields: Tensor, image: Tensor, limb: Tensor, x: Tensor, y: Tensor
) -> tuple[Tensor, Tensor]:
    """Values of fields at places (M, S) between their cells, bilinearly."""
    height, width = fields.shape[2:]
    x, y = _within(x, width), _within(y, height)
    left, top = x.floor(), y.floor()
    right, below = x - left, y - top
    plane = (image * fields.shape[1] + 2 * limb)[:, None] * (height * width)
    flat = fields.flatten()
    corner = plane + top.long() * width + left.long()
    # Beyond the last cell there is none; its share is 0.
    beside = (left < width - 1).long()
    under = (top < height - 1).long() * width

    def channel(first: Tensor) -> Tensor:
        upper = (1 - right) * flat[first] + right * flat[first + beside]
        lower = (1 - right) * flat[first + under] + right * flat[first + under + beside]
        return (1 - below) * upper + below * lower

    return channel(corner), channel(corner + height * width)


def _within(places: Tensor, cells: int) -> Tensor:
    """Places moved into the middles of the first and last cells, at most."""
    return places.clamp(min=0).minimum(torch.full_like(places, cells - 1))
