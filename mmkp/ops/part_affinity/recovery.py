"""Searches a keypoint that was not found along the field of a limb that leads to it."""

from typing import Any

import numpy as np

from mmkp.ops.part_affinity.arrays import (
    arange,
    double,
    single,
    truncated,
    where,
    within,
)

_NUM_STEPS = 12
_REACH = 0.8  # of the person's size
_LEAST_REACH = 2.0  # cells
_LEAST_FIELD = 0.01


def recover_keypoints(
    heatmaps: Any,
    fields: Any,
    image: Any,
    target: Any,
    limb: Any,
    sign: Any,
    x: Any,
    y: Any,
    size: Any,
    *,
    field_offset: float = 0.0,
) -> tuple[Any, Any, Any, Any]:
    """Walk from keypoints in the direction of a field and look for another keypoint.

    Each walk takes twelve steps; at each the heatmap is weighed with the mean of the
    field on the way, and the best step counts.

    Args:
        heatmaps: (B, C, h, w) float32, array or tensor, contiguous, C >= K.
        fields: (B, 2 L, h, w) float32, contiguous.
        image: (M,) int64, where to walk.
        target: (M,) int64, the keypoint that is looked for.
        limb: (M,) int64, whose field leads there.
        sign: (M,) float64, 1 if the limb leads there and -1 if it comes from there.
        x: (M,) float64, of the known keypoint in cells.
        y: (M,) float64, of the known keypoint in cells.
        size: (M,) float64, of the person in cells, which limits the walk.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.

    Returns:
        Score of the best step, 0 where there is nothing; its x and y in cells; and the
        heatmap's value there. Each (M,) float64.
    """
    height, width = fields.shape[-2:]
    cells = height * width
    values, heat = fields.reshape(-1), heatmaps.reshape(-1)
    plane = (image * (fields.shape[1] // 2) + limb) * (2 * cells)
    here = plane + _cell(x + field_offset, y + field_offset, width, height)
    along_x, along_y = double(values[here]) * sign, double(values[here + cells]) * sign
    length = (along_x * along_x + along_y * along_y) ** 0.5
    leads = length >= _LEAST_FIELD
    unit = where(leads, length, 1.0)
    along_x, along_y = along_x / unit, along_y / unit
    step = within(size * _REACH, _LEAST_REACH, np.inf) / _NUM_STEPS
    steps = arange(_NUM_STEPS, x)[:, None] + 1
    there_x, there_y = x + along_x * step * steps, y + along_y * step * steps
    inside = (there_x > -0.5) & (there_x < width - 0.5)
    inside = inside & (there_y > -0.5) & (there_y < height - 0.5)
    in_fields = _cell(there_x + field_offset, there_y + field_offset, width, height)
    cell = _cell(there_x, there_y, width, height)
    field_x, field_y = values[plane + in_fields], values[plane + cells + in_fields]
    field = (field_x * along_x + field_y * along_y) * sign
    confidence = double(heat[(image * heatmaps.shape[1] + target) * cells + cell])
    score = within(confidence, 0, np.inf) * within(field.cumsum(0) / steps, 0, np.inf)
    # Steps in one cell are equal but for the last bits, which differ between backends:
    # without them the first of equal ones counts everywhere.
    score = double(single(where(inside & leads, score, 0.0)))
    best = score.argmax(0)
    row = arange(len(x), x, integer=True)
    return (
        score[best, row],
        there_x[best, row],
        there_y[best, row],
        confidence[best, row],
    )


def _cell(x: Any, y: Any, width: int, height: int) -> Any:
    """Index of the nearest cell."""
    column = truncated(within(x + 0.5, 0, width - 1))
    return truncated(within(y + 0.5, 0, height - 1)) * width + column
