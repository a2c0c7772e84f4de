# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The trajectories of the objects of a film, out of its records and back into them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmkp.apis.motion.tracks import Tracker


@dataclass
class Trajectory:
    """Where the keypoints of one object are, in T frames in a row.

    Attributes:
        start: index of the first frame among those of the film.
        points: (T, K, 2) float64, NaN where there is none.
        scores: (T, K) float64, NaN where there is none.
        times: (T,) float64, in seconds.
    """

    start: int
    points: np.ndarray
    scores: np.ndarray
    times: np.ndarray

    @property
    def present(self) -> np.ndarray:
        """(T, K) bool, which points there are."""
        return np.isfinite(self.points).all(-1)


@dataclass
class FilmTracks:
    """The objects of a film.

    Attributes:
        times: (F,) seconds of the frames.
        numbers: of each frame's objects the numbers of their trajectories.
        tracks: trajectories by number.
    """

    times: np.ndarray
    numbers: list[list[int]]
    tracks: dict[int, Trajectory]


def read_tracks(records: Iterable[dict[str, Any]], several: bool) -> FilmTracks:
    """Follow the objects of a film.

    Args:
        records: of its frames, in their order.
        several: whether to tell apart several objects; else the surest of each frame
            is the one that there is.

    Returns:
        The trajectories. Points of the score 0 were not found.
    """
    tracker, times, numbers = Tracker(), [], []
    rows: dict[int, list[tuple[int, np.ndarray, np.ndarray]]] = {}
    for frame, record in enumerate(records):
        found = [_arrays(one) for one in record['instances']]
        times.append(float(record['time']))
        if several:
            points = np.array([one[0] for one in found])
            chosen = tracker.update(points, times[-1]) if found else []
        else:
            sure = [one['bbox_score'] or 0.0 for one in record['instances']]
            best = int(np.argmax(sure)) if sure else -1
            chosen = [0 if index == best else -1 for index in range(len(found))]
        numbers.append(chosen)
        for number, (xy, scores) in zip(chosen, found, strict=True):
            if number >= 0:
                rows.setdefault(number, []).append((frame, xy, scores))
    seconds = np.array(times)
    tracks = {number: _joined(found, seconds) for number, found in rows.items()}
    return FilmTracks(seconds, numbers, tracks)


def _arrays(instance: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    points = np.array(instance['keypoints'], np.float32)
    scores = np.array(instance['keypoint_scores'], np.float32)
    return np.where((scores > 0)[:, None], points, np.nan), scores


def _joined(
    rows: list[tuple[int, np.ndarray, np.ndarray]], times: np.ndarray
) -> Trajectory:
    """One object's frames with those between them."""
    start, last = rows[0][0], rows[-1][0] + 1
    shape = (last - start, *rows[0][1].shape)
    points, scores = np.full(shape, np.nan), np.full(shape[:2], np.nan)
    for frame, xy, score in rows:
        points[frame - start], scores[frame - start] = xy, score
    return Trajectory(start, points, scores, times[start:last])


def changed_record(
    record: dict[str, Any], frame: int, film: FilmTracks, named: bool
) -> dict[str, Any]:
    """A frame's record with the points of its trajectories.

    Args:
        record: as it was predicted.
        frame: its index.
        film: of which it is.
        named: whether to write down which track each object is of.

    Returns:
        Another record; objects that were missing for a short time have their place.
    """
    by_number = dict(zip(film.numbers[frame], record['instances'], strict=True))
    instances = []
    for number, track in sorted(film.tracks.items()):
        at = frame - track.start
        if not 0 <= at < len(track.points) or not track.present[at].any():
            continue
        points, scores = track.points[at], track.scores[at]
        seen = track.present[at]
        before = by_number.get(number)
        corners = np.concatenate([points[seen].min(0), points[seen].max(0)])
        instance = {
            'keypoints': np.round(points, 3).tolist(),
            'keypoint_scores': np.round(np.where(seen, scores, 0), 4).tolist(),
            'bbox': before['bbox'] if before else np.round(corners, 3).tolist(),
            'bbox_score': before['bbox_score'] if before else 0.0,
        }
        if named:
            instance['track'] = f'track_{number}'
        instances.append(instance)
    return {**record, 'instances': instances}
