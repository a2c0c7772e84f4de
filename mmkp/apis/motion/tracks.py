# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which object of a frame is which of the frame before.

The assignment of least total distance (Kuhn, "The Hungarian method for the assignment
problem", 1955; SciPy's ``linear_sum_assignment``) between where the objects were seen
last and where there are some now.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment


@dataclass
class _Track:
    number: int
    points: np.ndarray
    size: float
    time: float


class Tracker:
    """Gives each object of a film a number that it keeps.

    The distance of two objects is the mean one of the keypoints that both have, in
    sizes of the object (the root of the area of its box).

    Args:
        gate: what is further away than so many sizes is another object.
        max_age: seconds for which an object may not be seen.
    """

    def __init__(self, gate: float = 1.0, max_age: float = 1.0) -> None:
        self.gate, self.max_age = gate, max_age
        self._number = 0
        self._tracks: list[_Track] = []

    def update(self, points: np.ndarray, time: float) -> list[int]:
        """Number the objects of the next frame.

        Args:
            points: (N, K, 2) float, NaN where there is none.
            time: in seconds.

        Returns:
            N numbers, counted from 0 in the order in which objects appear.
        """
        tracks = [one for one in self._tracks if time - one.time <= self.max_age]
        sizes = [_size(one) for one in points]
        cost = np.array(
            [
                [_distance(track.points, one) / max(track.size, size, 1e-9)
                 for one, size in zip(points, sizes, strict=True)]
                for track in tracks
            ]
        ).reshape(len(tracks), len(points))  # fmt: skip
        # What is too far costs more than all that is near.
        far = ~(cost <= self.gate)
        rows, columns = linear_sum_assignment(
            np.where(far, 1 + self.gate * (1 + min(cost.shape)), cost)
        )
        numbers = [-1] * len(points)
        for row, column in zip(rows, columns, strict=True):
            if not far[row, column]:
                track, now = tracks[row], points[column]
                track.points = np.where(np.isfinite(now), now, track.points)
                track.size, track.time = sizes[column] or track.size, time
                numbers[column] = track.number
        for index, number in enumerate(numbers):
            if number < 0:
                numbers[index] = self._number
                tracks.append(
                    _Track(self._number, points[index].copy(), sizes[index], time)
                )
                self._number += 1
        self._tracks = tracks
        return numbers


def _size(points: np.ndarray) -> float:
    seen = points[np.isfinite(points).all(-1)]
    return float(np.sqrt(np.prod(np.ptp(seen, 0)))) if len(seen) else 0.0


def _distance(before: np.ndarray, now: np.ndarray) -> float:
    """Mean distance of the keypoints that both have, NaN without any."""
    apart = np.linalg.norm(before - now, axis=-1)
    apart = apart[np.isfinite(apart)]
    return float(apart.mean()) if len(apart) else np.nan
