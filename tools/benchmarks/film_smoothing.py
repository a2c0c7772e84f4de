"""Jitter, lag and exchanged sides of tracks before and after each smoothing.

    python tools/benchmarks/film_smoothing.py data/flies/pair13_tracks.csv --rate 25

Reads the table of a film that DeepLabCut writes of several animals. Settings were
chosen on the first half; figures are those of each half. With ``--exchange`` so many
percent of the frames get left and right exchanged, and identities shuffled, and it is
told how many come back.
"""

import argparse
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mmkp.apis.motion import (
    Tracker,
    Trajectory,
    exchanged,
    find_swaps,
    jitter,
    process_track,
    side_exchanges,
)
from mmkp.apis.motion.figures import delay, lag
from mmkp.engine.cli import run_tool


@dataclass
class Settings:
    """How to smooth."""

    smooth: str
    max_gap: float = 0.2
    fix_swaps: bool = False
    tracks: bool = False


def read_table(path: str) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int]]]:
    """Points (T, A, K, 2), scores (T, A, K), and pairs by the names' L and R."""
    table = pd.read_csv(path, header=[0, 1, 2, 3], index_col=0)
    names = list(dict.fromkeys(table.columns.get_level_values(2)))
    values = table.to_numpy(float).reshape(len(table), -1, len(names), 3)
    pairs = [
        (index, names.index(name.replace('L', 'R', 1)))
        for index, name in enumerate(names)
        if 'L' in name and name.replace('L', 'R', 1) in names
    ]
    return values[..., :2], values[..., 2], pairs


def rows(points: np.ndarray, scores: np.ndarray, pairs: list, rate: float) -> None:
    """Print a row of the table for each filter."""
    times = np.arange(len(points)) / rate
    animals = range(points.shape[1])
    for smooth in ('none', 'oneeuro', 'savgol', 'kalman'):
        for fix in (False, True):
            settings = Settings(smooth, fix_swaps=fix)
            done = [
                process_track(
                    Trajectory(0, points[:, a], scores[:, a], times),
                    settings,
                    pairs,
                    rate,
                )
                for a in animals
            ]
            after, sides = (
                [one.track.points for one in done],
                [one.sides for one in done],
            )
            number, steps = side_exchanges(after, pairs)
            missing = 100 * np.mean([np.isnan(p[..., 0]).mean() for p in after])
            one_frame = lag(sides, after, rate, 1 / rate)
            print(
                f'| {smooth} | {"yes" if fix else "no"} | {jitter(after):.2f} | '
                f'{lag(sides, after, rate):.1f} | {one_frame:.0f} | '
                f'{delay(sides, after):.2f} | '
                f'{number} ({100 * number / max(steps, 1):.2f} %) | {missing:.2f} | '
                f'{np.mean([one.exchanged for one in done]):.2f} | '
                f'{np.mean([one.outliers for one in done]):.2f} |'
            )


def tell_exchanges(
    points: np.ndarray, pairs: list, share: float, length: int, seed: int
) -> None:
    """Exchange sides for stretches of frames; how many exchanges are found."""
    rng = np.random.default_rng(seed)
    found = []
    for animal in range(points.shape[1]):
        truth = np.zeros((len(points), len(pairs)), bool)
        for column in range(len(pairs)):
            for start in rng.random(len(points)).argsort()[
                : round(share * len(points) / length)
            ]:
                truth[start : start + length, column] = True
        known = points[:, animal]
        already = find_swaps(known, pairs)
        corrected = exchanged(known, pairs, already)
        found.append((truth, find_swaps(exchanged(corrected, pairs, truth), pairs)))
    truth, guess = (np.stack(part) for part in zip(*found, strict=True))
    left = (truth ^ guess).mean((0, 1))
    print(
        f'| {length} | {100 * truth.mean():.2f} | '
        f'{100 * (truth & guess).sum() / truth.sum():.1f} | '
        f'{100 * (~truth & guess).sum() / (~truth).sum():.2f} | '
        f'{", ".join(f"{100 * value:.2f}" for value in left)} |'
    )


def tell_identities(points: np.ndarray, rate: float, seed: int) -> None:
    """Shuffle the animals of each frame; how many steps keep their identity."""
    rng = np.random.default_rng(seed)
    tracker, last, kept, steps = Tracker(), {}, 0, 0
    for frame in range(len(points)):
        order = rng.permutation(points.shape[1])
        there = [a for a in order if np.isfinite(points[frame, a]).all(-1).any()]
        numbers = tracker.update(points[frame, there], frame / rate)
        for animal, number in zip(there, numbers, strict=True):
            if animal in last:
                steps += 1
                kept += last[animal] == number
            last[animal] = number
    print(f'identity kept in {kept} of {steps} steps, {len(set(last.values()))} tracks')


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('table', help='csv file with four header rows')
    parser.add_argument('--rate', type=float, required=True, help='frames a second')
    parser.add_argument('--exchange', type=float, default=5.0, help='percent of frames')
    parser.add_argument('--seed', type=int, default=0)
    args = parser.parse_args()
    points, scores, pairs = read_table(args.table)
    half = len(points) // 2
    for name, part in (('first', slice(half)), ('second', slice(half, None))):
        print(
            f'\n{name} half: jitter {jitter([points[part].reshape(half, -1, 2)]):.2f}'
        )
        print(
            '| smooth | fix swaps | jitter px | lag % | lag of one frame % | delay '
            'frames | swaps | missing % | exchanged % | outliers % |'
        )
        print('|---|---|---|---|---|---|---|---|---|---|')
        rows(points[part], scores[part], pairs, args.rate)
    print('\n| length | exchanged % | found % | wrong % | left wrong % by pair |')
    print('|---|---|---|---|---|')
    for length in (1, 5, 25):
        tell_exchanges(points[half:], pairs, args.exchange / 100, length, args.seed)
    tell_identities(points, args.rate, args.seed)


if __name__ == '__main__':
    run_tool(main)
