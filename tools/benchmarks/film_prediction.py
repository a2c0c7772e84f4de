"""Frames a second of a film from reading to writing, and the memory that it takes.

    python tools/benchmarks/film_prediction.py FILM [--frames 600] [--config CONFIG]

The network is untrained, which takes as long. Seconds are those of the CPU, of this
process and of what it starts, with one thread each: of a busy machine the clock tells
nothing. With ``--memory`` the film is repeated until it has so many frames, and the
resident memory is told after each tenth.
"""

import argparse
import json
import os
import resource
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import torch

from mmkp.apis import load_model
from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Film, Frame
from mmkp.apis.predict_into import predict_into
from mmkp.apis.predict_options import PredictOptions
from mmkp.apis.record_file import RecordFile
from mmkp.engine.cli import run_tool


def cpu_seconds() -> float:
    """Of this process and of the children that have ended."""
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(
            resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        )
    )


def resident_megabytes() -> float:
    """Memory of this process that is in use now."""
    pages = int(Path('/proc/self/statm').read_text().split()[1])
    return pages * os.sysconf('SC_PAGE_SIZE') / 2**20


def reading_seconds(film: str, frames: int) -> float:
    """CPU seconds of reading alone, which no network can be faster than."""
    start = cpu_seconds()
    for _ in Film(film).frames(stop=frames):
        pass
    return cpu_seconds() - start


def tell_rates(model: torch.nn.Module, film: str, frames: int) -> None:
    """A row for each way to draw and to smooth."""
    print('| draw | smooth | frames | CPU s | frames / CPU s | reading alone, share |')
    print('|---|---|---|---|---|---|')
    reading = reading_seconds(film, frames)
    for draw, smooth in (
        ('none', 'none'),
        ('none', 'kalman'),
        ('sheet', 'none'),
        ('all', 'none'),
        ('all', 'kalman'),
    ):
        options = PredictOptions(
            draw=draw, smooth=smooth, frames=range(frames), show_edges=False
        )
        with tempfile.TemporaryDirectory() as folder:
            start = cpu_seconds()
            path = predict_into(model, film, folder, options).path
            took = cpu_seconds() - start
            number = len(json.loads(path.read_text())['images'])
        print(
            f'| {draw} | {smooth} | {number} | {took:.1f} | {number / took:.1f} | '
            f'{100 * reading / took:.0f} % |'
        )


def tell_memory(model: torch.nn.Module, film: str, number: int, smooth: str) -> None:
    """Resident memory at each tenth of a film of so many frames."""
    told: list[str] = []
    append = RecordFile.append

    def watched(records: RecordFile, batch: list) -> None:
        append(records, batch)
        if len(records) // (number // 10) > len(told):
            told.append(f'{resident_megabytes():.0f}')

    with tempfile.TemporaryDirectory() as folder:
        longer = repeated(film, Path(folder), number)
        options = PredictOptions(draw='none', smooth=smooth)
        with mock.patch.object(RecordFile, 'append', watched):
            predict_into(model, longer, Path(folder) / 'out', options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'{number} frames, smooth {smooth}: MiB after each tenth {", ".join(told)}; ')
    print(f'at the end {resident_megabytes():.0f}, at most {peak:.0f}')


def repeated(film: str, folder: Path, number: int) -> Path:
    """A small film of so many frames, of those of another."""
    rate = Film(film).rate
    with FilmWriter(folder / 'long', rate) as out:
        for index, image in enumerate(_endless(film, number)):
            out.write(Frame(image, index / rate))
    assert out.path is not None
    return out.path


def _endless(film: str, number: int) -> Iterator[np.ndarray]:
    images = [
        cv2.resize(frame.image, (160, 120)) for frame in Film(film).frames(stop=200)
    ]
    for index in range(number):
        yield images[index % len(images)]


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('film')
    parser.add_argument('--config', default='recommended_folder-64x64')
    parser.add_argument('--frames', type=int, default=600)
    parser.add_argument('--memory', type=int, help='number of frames, e.g. 10000')
    parser.add_argument('--smooth', default='none')
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    model = load_model(args.config, None, 'cpu')
    if args.memory:
        tell_memory(model, args.film, args.memory, args.smooth)
    else:
        tell_rates(model, args.film, args.frames)


if __name__ == '__main__':
    run_tool(main)
