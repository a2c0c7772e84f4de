# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From points of single frames to trajectories: sides, outliers, gaps, smoothing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np

from mmkp.apis.motion.figures import delay, jitter, lag, noise_of, side_exchanges
from mmkp.apis.motion.gaps import fillable, interpolated
from mmkp.apis.motion.kalman import smooth_kalman
from mmkp.apis.motion.one_euro import smooth_one_euro
from mmkp.apis.motion.outliers import find_outliers
from mmkp.apis.motion.savitzky_golay import smooth_savitzky_golay
from mmkp.apis.motion.side_swaps import exchanged, find_swaps
from mmkp.apis.motion.trajectories import (
    FilmTracks,
    Trajectory,
    changed_record,
    read_tracks,
)
from mmkp.apis.record_file import RecordFile

Pairs = Sequence[Sequence[int]]


class Settings(Protocol):
    """What :class:`mmkp.apis.predict_options.PredictOptions` says of motion."""

    smooth: Any
    max_gap: float
    fix_swaps: bool
    tracks: bool


@dataclass
class MotionFigures:
    """What was done to the trajectories of a film; pairs are before and after.

    Attributes:
        tracks: number of objects.
        jitter: median second difference in pixels, :func:`figures.jitter`.
        lag: percent of fast movement that is lost, :func:`figures.lag`.
        delay: frames, :func:`figures.delay`.
        swaps: percent of steps that exchange left and right, None without pairs.
        missing: percent of points that are missing while the object is there.
        exchanged: pairs that were put back, in percent.
        outliers: points that were taken for outliers, in percent.
    """

    tracks: int
    jitter: list[float] = field(default_factory=list)
    lag: float = np.nan
    delay: float = np.nan
    swaps: list[float] | None = None
    missing: list[float] = field(default_factory=list)
    exchanged: float = 0.0
    outliers: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """As plain data, rounded."""
        return {name: _rounded(value) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        def both(values: list[float], unit: str) -> str:
            return f'{values[0]:.2f} -> {values[1]:.2f}{unit}'

        parts = [
            f'{self.tracks} tracks' if self.tracks != 1 else '1 track',
            f'jitter {both(self.jitter, " px")}',
            f'lag {self.lag:.1f} % of fast movement, {self.delay:.2f} frames',
            f'missing {both(self.missing, " %")}',
            f'outliers {self.outliers:.2f} %',
        ]
        if self.swaps is not None:
            parts.append(f'sides exchanged {both(self.swaps, " % of steps")}')
        return ', '.join(parts)


@dataclass
class Processed:
    """What became of a trajectory.

    Attributes:
        track: the new one.
        sides: (T, K, 2) points as they were, with their sides put back.
        exchanged: pairs that were put back, in percent.
        outliers: points that were taken for outliers, in percent.
    """

    track: Trajectory
    sides: np.ndarray
    exchanged: float = 0.0
    outliers: float = 0.0


def process_motion(
    records: RecordFile, settings: Settings, pairs: Pairs
) -> dict[str, MotionFigures]:
    """Correct and smooth the records of films, in their file.

    Args:
        records: of frames; images among them stay as they are.
        settings: what to do.
        pairs: of keypoints, left and right.

    Returns:
        Figures by the name of the film, '' where there is one.

    Raises:
        ValueError: there is no film, or no pair to put back.
    """
    if settings.fix_swaps and not len(pairs):
        raise ValueError(
            '--fix-swaps needs pairs of left and right keypoints, which this model '
            'does not have: find them with tools/analysis_tools/find_sides.py'
        )
    films = dict.fromkeys(
        record.get('film', '') for record in records if 'time' in record
    )
    if not films:
        raise ValueError(
            '--smooth, --fix-swaps and --tracks are of films, and these are images'
        )
    read, figures = {}, {}
    for name in films:
        read[name] = read_tracks(_frames(records, name), settings.tracks)
        figures[name] = _process(read[name], settings, pairs)
    records.replace(_changed(records, read, settings.tracks))
    return figures


def process_track(
    track: Trajectory, settings: Settings, pairs: Pairs, rate: float
) -> Processed:
    """Put sides back, leave out outliers, fill short gaps and smooth.

    Args:
        track: one object.
        settings: what to do.
        pairs: of keypoints, left and right.
        rate: frames a second.

    Returns:
        The new trajectory and what was done.
    """
    points, scores = track.points, track.scores
    swaps, outliers = 0.0, 0.0
    if settings.fix_swaps:
        swapped = find_swaps(points, pairs)
        points = exchanged(points, pairs, swapped)
        scores = exchanged(scores, pairs, swapped)
        swaps = 100 * float(swapped.mean())
    sides = points
    if settings.smooth != 'none':
        noise = noise_of(points)
        if settings.smooth != 'oneeuro':  # which knows no later frames
            out = find_outliers(points, noise)
            outliers = 100 * float(out.sum() / max(track.present.sum(), 1))
            points = np.where(out[..., None], np.nan, points)
        seen = np.isfinite(points).all(-1)
        kept = seen | fillable(points, track.times, settings.max_gap)
        points = _smoothed(settings.smooth, points, track.times, noise, rate)
        points = np.where(kept[..., None], points, np.nan)
        scores = np.where(seen, scores, np.nan)
        scores = np.where(kept, interpolated(scores, track.times), np.nan)
    new = Trajectory(track.start, points, scores, track.times)
    return Processed(new, sides, swaps, outliers)


def _smoothed(
    kind: str, points: np.ndarray, times: np.ndarray, noise: float, rate: float
) -> np.ndarray:
    seconds = np.diff(times, prepend=times[0] - 1 / rate)
    if kind == 'oneeuro':
        return smooth_one_euro(points, noise, seconds)
    if kind == 'savgol':
        return smooth_savitzky_golay(interpolated(points, times), rate)
    return smooth_kalman(points, noise, seconds * rate)


def _process(film: FilmTracks, settings: Settings, pairs: Pairs) -> MotionFigures:
    """Process all objects of a film in place."""
    gaps = np.diff(film.times)
    rate = 1 / float(np.median(gaps)) if len(gaps) and np.median(gaps) > 0 else 25.0
    before = [track.points for track in film.tracks.values()]
    done = {
        number: process_track(track, settings, pairs, rate)
        for number, track in film.tracks.items()
    }
    film.tracks = {number: one.track for number, one in done.items()}
    after, sides = [], []
    for one in done.values():
        after.append(one.track.points)
        sides.append(one.sides)
    steps = [side_exchanges(points, pairs) for points in (before, after)]
    rates = [100 * number / max(total, 1) for number, total in steps]
    shares = np.array([len(points) for points in before], float)
    shares /= max(shares.sum(), 1)
    return MotionFigures(
        tracks=len(before),
        jitter=[jitter(before), jitter(after)],
        lag=lag(sides, after, rate),
        delay=delay(sides, after),
        swaps=rates if len(pairs) else None,
        missing=[_missing(before), _missing(after)],
        exchanged=float(shares @ [one.exchanged for one in done.values()]),
        outliers=float(shares @ [one.outliers for one in done.values()]),
    )


def _missing(tracks: list[np.ndarray]) -> float:
    number = sum(int(np.isnan(points[..., 0]).sum()) for points in tracks)
    return 100 * number / max(sum(points[..., 0].size for points in tracks), 1)


def _frames(records: RecordFile, film: str) -> Iterator[dict]:
    for record in records:
        if 'time' in record and record.get('film', '') == film:
            yield record


def _changed(
    records: RecordFile, films: dict[str, FilmTracks], named: bool
) -> Iterator[dict]:
    frame = dict.fromkeys(films, -1)
    for record in records:
        name = record.get('film', '')
        if 'time' in record:
            frame[name] += 1
            record = changed_record(record, frame[name], films[name], named)
        yield record


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return round(value, 3) if isinstance(value, float) else value
