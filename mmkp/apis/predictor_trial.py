# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which of several predictors is the fastest here, and agrees with the plain one."""

import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from mmengine.logging import print_log
from torch import Tensor

from mmkp.apis.prediction_tasks import Instances, PredictionTask
from mmkp.apis.predictors import PredictorChoice
from mmkp.labels.hdf5_file import one_line

#: Seconds that a trial takes at most, and how much more work has to follow it.
SECONDS, WORTH = 2.0, 10
#: Images that it is made on, at most.
IMAGES = 4
#: A predictor has to save this share of the time to be taken.
GAIN = 0.1
#: Keypoints may move by this share of the image's longer side: .001 px of 500 px, which
#: is what another order of summation makes in float32.
TOLERANCE = 2e-6


class PredictorTrial:
    """Tries other predictors once the first batch has shown how long all will take.

    Args:
        choice: what predicts first, and what may do so in its place.
        length: number of images and frames, None where it is not known.

    Attributes:
        chosen: name of the predictor that is used.
    """

    def __init__(self, choice: PredictorChoice, length: int | None = None) -> None:
        self.choice, self.length = choice, length
        self.chosen = choice.first.name
        self._is_due = choice.others is not None

    def is_due(self, done: int, seconds: float) -> bool:
        """Whether it is still to be made, and what is left takes much longer.

        Args:
            done: number of images so far.
            seconds: that they took.
        """
        left = np.inf if self.length is None else self.length - done
        return self._is_due and left * seconds / done > WORTH * SECONDS

    def run(
        self,
        task: PredictionTask,
        names: Sequence[str],
        images: Sequence[np.ndarray],
        seconds: float,
    ) -> None:
        """Try all on a few images; the task goes on with the fastest that agrees.

        Args:
            task: that predicts by the plain model.
            names: of images that it has predicted.
            images: (H, W, 3) uint8, BGR.
            seconds: that it took for each of them.
        """
        assert self.choice.others is not None
        self._is_due = False
        number = int(np.clip(SECONDS / 4 / seconds, 1, IMAGES))
        images, names = images[:number], names[:number]
        with _first_input(task.predictor) as inputs:
            _timed(task, names, images)
        expected, plain = _timed(task, names, images)
        first = self.chosen
        best, best_seconds, told = task.predictor, (1 - GAIN) * plain, ''
        end = time.perf_counter() + SECONDS
        for candidate in self.choice.others(inputs[0] if inputs else None):
            if time.perf_counter() > end:
                break
            try:
                task.predictor = candidate.make()
                _timed(task, names, images)  # kernels are chosen for these sizes
                found, seconds = _timed(task, names, images)
            except Exception as error:  # it cannot replace this model
                _tell(f'{candidate.name} is left out: {one_line(error)}')
                continue
            moves = [
                largest_move(now, before, max(image.shape))
                for now, before, image in zip(found, expected, images, strict=True)
            ]
            agrees = max(moves) <= TOLERANCE
            if agrees and seconds < best_seconds:
                best, best_seconds = task.predictor, seconds
                self.chosen, told = candidate.name, _moved_by(moves, images)
        task.predictor = best
        if told:
            print(
                f'predicting by {self.chosen}, {plain / best_seconds:.1f} times as '
                f'fast as {first} on {len(images)} images, where keypoints differ by '
                f'at most {told} px (--runtime torch for the plain path)',
                file=sys.stderr,
            )


def largest_move(found: Instances, expected: Instances, side: float) -> float:
    """How far keypoints are from where they should be.

    Args:
        found: of an image.
        expected: of the same image.
        side: of the image, in pixels.

    Returns:
        The largest distance as a share of the side, infinity for another number of
        objects.
    """
    if len(found['keypoints']) != len(expected['keypoints']):
        return float('inf')
    distances = np.linalg.norm(found['keypoints'] - expected['keypoints'], axis=-1)
    return float(distances.max(initial=0.0)) / side


def _moved_by(moves: Sequence[float], images: Sequence[np.ndarray]) -> str:
    pixels = [m * max(image.shape) for m, image in zip(moves, images, strict=True)]
    return f'{max(pixels):.2g}'


def _timed(
    task: PredictionTask, names: Sequence[str], images: Sequence[np.ndarray]
) -> tuple[list[Instances], float]:
    begun = time.perf_counter()
    found = task.predict(names, images)
    return found, time.perf_counter() - begun


@contextmanager
def _first_input(model: Any) -> Iterator[list[Tensor]]:
    """The network input of the first image that a model sees meanwhile."""
    seen: list[Tensor] = []
    extract = model.extract_feat

    def watched(inputs: Tensor) -> Any:
        seen.append(inputs[:1].clone())
        return extract(inputs)

    model.extract_feat = watched
    try:
        yield seen
    finally:
        del model.extract_feat


def _tell(message: str) -> None:
    print_log(message, logger='current', level=logging.DEBUG)
