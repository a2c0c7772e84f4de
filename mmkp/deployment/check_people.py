# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether a file finds the people that its model finds in PyTorch."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmkp.deployment.check import (
    TOLERANCE,
    Difference,
    ExportDifferenceError,
    NetworkInput,
    Run,
    graph_images,
    model_objects,
    nudges,
)
from mmkp.deployment.mmkp_runner import people

# Pixels within which a person of the file and one of nudged PyTorch are the same.
_SAME = 0.1
# Of its distance, which a nudge has to move a person.
_NEARLY = 0.9

Outputs = dict[str, np.ndarray]


def compare_people(
    run: Run,
    file: str,
    model: Any,
    inputs: Sequence[NetworkInput],
    grouping: dict[str, Any],
    normalized_inside: bool = True,
    tolerance: float | None = TOLERANCE,
) -> Difference:
    """Compare a file with its model, each picture alone and those of a size at once.

    A person is compared with the nearest one of the other side, by the keypoint that
    lies furthest apart. Who is found on one side only, because a score lies at its
    threshold, is a tie where PyTorch itself finds or loses that person as soon as
    pixels change by up to .1 gray levels; see :func:`compare_keypoints`.

    Args:
        run: the file, from ``images`` to what ``PeopleGraph`` gives.
        file: its name, for messages.
        model: in PyTorch.
        inputs: pictures, of any sizes.
        grouping: of the export's description.
        normalized_inside: whether the graph normalizes itself.
        tolerance: pixels of the network input that are allowed, None for any.

    Returns:
        What was measured; ``ties`` are people.

    Raises:
        ExportDifferenceError: people differ by more.
    """
    distances: list[float] = [0.0]
    number = ties = 0
    for batch in _batches(inputs):
        images = graph_images(model, batch, normalized_inside)
        outputs = run({'images': images})
        expected = model_objects(model, batch)
        for index, one in enumerate(batch):
            keypoints = expected[index][0]
            found = people(_of_image(outputs, index), grouping)[0]
            lost, made = _nearest(keypoints, found), _nearest(found, keypoints)
            if tolerance is not None:
                settled = _ties(model, one, keypoints, found, tolerance)
                ties += int(settled[0].sum() + settled[1].sum())
                lost, made = lost[~settled[0]], made[~settled[1]]
                _refuse(file, one, np.append(lost, made), tolerance)
            distances += [*lost, *made]
            number += keypoints.shape[0] * keypoints.shape[1]
    finite = np.minimum(distances, max(images.shape))
    largest, mean = float(finite.max()), float(finite.mean())
    return Difference(file, largest, mean, 0.0, len(inputs), number, ties)


def _batches(inputs: Sequence[NetworkInput]) -> list[list[NetworkInput]]:
    """Each of the first two alone, and all that have the size of the first."""
    first = inputs[0].pixels.shape
    alone = [[one] for one in inputs if one.pixels.shape != first]
    return [[inputs[0]], [one for one in inputs if one.pixels.shape == first], *alone]


def _of_image(outputs: Outputs, index: int) -> tuple[np.ndarray, ...]:
    """What a batch's outputs hold of one of its images, as a batch of one."""
    peaks, limbs = outputs['peaks'], outputs['limbs']
    mine = peaks[:, 0] == index
    rows = np.cumsum(mine) - 1
    limbs = limbs[mine[limbs[:, 1].astype(int)]].copy()
    limbs[:, 1:3] = rows[limbs[:, 1:3].astype(int)]
    maps = [outputs[name][index : index + 1] for name in ('heatmaps', 'fields')]
    return peaks[mine], limbs, *maps


def _nearest(people: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance of each person (N, K, 2) to the nearest of M others, (N,)."""
    if not len(others):
        return np.full(len(people), np.inf)
    apart = np.linalg.norm(people[:, None] - others[None], axis=-1)
    nearest: np.ndarray = apart.max(2).min(1)
    return nearest


def _ties(
    model: Any,
    picture: NetworkInput,
    keypoints: np.ndarray,
    found: np.ndarray,
    tolerance: float,
) -> tuple[np.ndarray, np.ndarray]:
    """Which people of PyTorch and of the file hang in the balance."""
    lost, made = _nearest(keypoints, found), _nearest(found, keypoints)
    ties = np.zeros(len(lost), bool), np.zeros(len(made), bool)
    if (lost <= tolerance).all() and (made <= tolerance).all():
        return ties
    for noise in nudges([picture]):
        nudged = model_objects(model, [picture], noise)[0][0]
        ties[0][_nearest(keypoints, nudged) >= lost * _NEARLY] = True
        # Of the file alone: found, or moved as far, by PyTorch too.
        ties[1][_nearest(found, nudged) <= _SAME] = True
    return ties[0] & (lost > tolerance), ties[1] & (made > tolerance)


def _refuse(
    file: str, picture: NetworkInput, distance: np.ndarray, tolerance: float
) -> None:
    """Raise where someone lies elsewhere."""
    wrong = ~(distance <= tolerance)
    if wrong.any():
        raise ExportDifferenceError(
            f"{file}: a person of '{picture.name}' lies {distance.max():.3g} px of the "
            'network input from where PyTorch finds one, or is found on one side only; '
            f'more than {tolerance:g} px: the file is not written'
        )
