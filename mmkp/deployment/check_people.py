# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether a file finds the peaks and limbs that its model finds in PyTorch."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from mmkp.deployment.check import (
    Difference,
    ExportDifferenceError,
    NetworkInput,
    Run,
    graph_images,
)
from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.peaks import Peaks, find_peaks, highest_peaks, thinned_peaks

#: By which maps may differ, whose values are at most about 1.
MAP_TOLERANCE = 1e-3
#: Pixels of the network input by which peaks may differ. The top of a flat parabola
#: hangs on the last digits of three cells.
PEAK_TOLERANCE = 1e-2
#: Share of limbs that may pass in one precision and not in the other, by a sample at
#: the threshold.
_UNDECIDED = 0.01


def compare_people(
    run: Run,
    file: str,
    model: Any,
    inputs: Sequence[NetworkInput],
    normalized_inside: bool = True,
    is_exact: bool = True,
) -> Difference:
    """Compare the outputs of a part affinity model's file with PyTorch.

    Its maps are compared with those of the model, and its peaks and limbs with what the
    compiled functions of :mod:`mmkp.ops.part_affinity` find in the file's own maps. So
    each is held to the precision that it can have.

    Args:
        run: the file, from ``images`` to ``peaks``, ``limbs``, ``heatmaps``,
            ``fields``.
        file: its name, for messages.
        model: in PyTorch.
        inputs: pictures; those of one size are run together.
        normalized_inside: whether the graph normalizes itself.
        is_exact: whether larger differences are refused.

    Returns:
        What was measured: distances of peaks, and differences of maps as ``scores``;
        limbs that pass in one precision only as ``ties``.

    Raises:
        ExportDifferenceError: something differs by more than rounding.
    """
    distances, maps, undecided, limbs = [np.zeros(1)], 0.0, 0, 0
    for batch in _of_one_size(inputs):
        found = run({'images': graph_images(model, batch, normalized_inside)})
        maps = max(maps, _difference_of_maps(model, batch, found, file))
        for image in range(len(batch)):
            peaks, expected, cells = _peaks_of(model, found, image, file)
            moved = peaks[:, 2:4] - np.stack([expected.x, expected.y], 1)
            distances.append(np.linalg.norm(moved, axis=1) * cells)
            number, differing = _differing_limbs(model, found, image, expected)
            undecided, limbs = undecided + differing, limbs + number
    distance = np.concatenate(distances)
    if is_exact:
        for what, value, allowed in (
            ('maps differ from PyTorch by', maps, MAP_TOLERANCE),
            ('peaks lie elsewhere by pixels:', distance.max(), PEAK_TOLERANCE),
            ('share of limbs that differ:', undecided / max(limbs, 1), _UNDECIDED),
        ):
            if not value <= allowed:
                raise ExportDifferenceError(
                    f'{file}: {what} {value:.3g}, more than {allowed:g}: the file is '
                    'not written'
                )
    return Difference(
        file,
        float(distance.max()),
        float(distance.mean()),
        maps,
        len(inputs),
        len(distance) - 1,
        undecided,
    )


def _of_one_size(inputs: Sequence[NetworkInput]) -> list[list[NetworkInput]]:
    batches: dict[tuple[int, ...], list[NetworkInput]] = {}
    for one in inputs:
        batches.setdefault(tuple(one.pixels.shape), []).append(one)
    return list(batches.values())


def _difference_of_maps(
    model: Any, inputs: Sequence[NetworkInput], found: dict[str, np.ndarray], file: str
) -> float:
    """Largest difference from the maps of the model."""
    batch = pseudo_collate([deepcopy(one.packed) for one in inputs])
    before, model.test_cfg = model.test_cfg, {**model.test_cfg, 'output_heatmaps': True}
    try:
        with torch.no_grad():
            fields = [one.pred_fields for one in model.test_step(batch)]
    finally:
        model.test_cfg = before
    largest = 0.0
    pairs = (('heatmaps', 'heatmaps'), ('fields', 'part_affinity_fields'))
    factor = int(model.head.decoder.pose_decoder.rules.upsample)
    for name, own in pairs:
        expected = np.stack([one.get(own).cpu().numpy() for one in fields])
        maps = found[name][:, : expected.shape[1]]
        if factor > 1:  # compares what was enlarged where it was
            enlarged = torch.nn.functional.interpolate(
                torch.from_numpy(expected), scale_factor=factor, mode='bicubic'
            )
            expected = enlarged.numpy()
        if maps.shape != expected.shape:
            raise ExportDifferenceError(
                f'{file} gives {name} of shape {maps.shape}, PyTorch {expected.shape}'
            )
        largest = max(largest, float(np.abs(maps - expected).max()))
    return largest


def _peaks_of(
    model: Any, found: dict[str, np.ndarray], image: int, file: str
) -> tuple[np.ndarray, Peaks, float]:
    """Peaks of an image as the file has them, as they should be, and pixels a cell."""
    decoder = model.head.decoder.pose_decoder
    rules = decoder.rules
    number = decoder.skeleton.num_keypoints
    maps = np.ascontiguousarray(found['heatmaps'][image, :number], np.float32)
    peaks = find_peaks(maps, rules.peak_threshold, rules.upsample <= 1)
    peaks = highest_peaks(peaks, rules.max_peaks)
    if rules.min_peak_distance > 0:
        peaks = thinned_peaks(peaks, rules.min_peak_distance)
    rows = found['peaks'][found['peaks'][:, 0] == image]
    if not np.array_equal(
        np.bincount(rows[:, 1].astype(int), minlength=number), np.diff(peaks.first)
    ):
        raise ExportDifferenceError(
            f'{file} has {len(rows)} peaks of an image, the decoder {len(peaks.x)}, or '
            'as many of other keypoints: the file is not written'
        )
    return rows, peaks, decoder.cell


def _differing_limbs(
    model: Any, found: dict[str, np.ndarray], image: int, peaks: Peaks
) -> tuple[int, int]:
    """Number of limbs of an image, and of those that only one of both has."""
    decoder = model.head.decoder.pose_decoder
    fields = np.ascontiguousarray(found['fields'][image], np.float32)
    expected = score_limbs(
        fields, peaks, decoder.tables, decoder.field_offset, decoder.rules
    )
    first = int((found['peaks'][:, 0] < image).sum())
    rows = found['limbs'].astype(np.float64) - [0, first, first, 0]
    rows = rows[(rows[:, 1] >= 0) & (rows[:, 1] < len(peaks.x))]
    own = {tuple(row[:3]): row[3] for row in rows}
    other = dict(
        zip(
            zip(expected.limb, expected.start, expected.end, strict=True),
            expected.score,
            strict=True,
        )
    )
    missing = float('inf')
    differing = sum(
        abs(own.get(key, missing) - other.get(key, missing)) > MAP_TOLERANCE
        or (key in own) != (key in other)
        for key in own.keys() | other.keys()
    )
    return len(other), differing
