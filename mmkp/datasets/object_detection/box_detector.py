# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a detector of objects does for keypoints, whoever wrote it."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.ops.arguments import one_of


def class_list(classes: str | Sequence[str] | None) -> tuple[str, ...]:
    """Names of classes from a list, or from a text with commas between them."""
    names = classes.split(',') if isinstance(classes, str) else classes or ()
    # MMDetection's own way to write them.
    return tuple(str(n).strip().replace(' ', '_') for n in names if str(n).strip())


class BoxDetector:
    """Finds the boxes of the objects of some classes in an image.

    A subclass says how to :meth:`detect`; which boxes are of use is said here.

    Args:
        model: what the detector was made of, for messages.
        class_names: of all classes that the network knows.
        classes: names of those to look for, all when there are none.
        score: boxes below it are left out, in [0, 1].
        min_size: boxes whose longer side is shorter are left out, in pixels.

    Raises:
        ValueError: A class is unknown, or a number is out of its range.
    """

    def __init__(
        self,
        model: str | Path,
        class_names: Sequence[str],
        classes: str | Sequence[str] | None = None,
        score: float = 0.3,
        min_size: float = 32,
    ) -> None:
        self.model, self.class_names = str(model), class_list(class_names)
        if not 0 <= score <= 1:
            raise ValueError(f'score of a box must lie in [0, 1], got {score}')
        if not (min_size >= 0 and math.isfinite(min_size)):
            raise ValueError(f'min_size of a box must not be negative, got {min_size}')
        self.score, self.min_size = score, min_size
        self.classes = class_list(classes) or self.class_names
        for name in self.classes:
            one_of(f'class of {self.model}', name, self.class_names)
        self.labels = np.array([self.class_names.index(n) for n in self.classes])

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Boxes ``x1, y1, x2, y2, score`` (N, 5) of the classes of an image, BGR."""
        raise NotImplementedError

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Find the boxes of an image.

        Args:
            image: (H, W, 3), uint8, BGR.

        Returns:
            (N, 5) float32, ``x1, y1, x2, y2, score`` in pixels of the image and within
            it, the surest first.
        """
        boxes = np.array(self.detect(image), np.float32).reshape(-1, 5)
        height, width = image.shape[:2]
        boxes[:, :4] = boxes[:, :4].clip(0, [width, height, width, height])
        sides = boxes[:, 2:4] - boxes[:, :2]
        large = (sides.min(axis=1) > 0) & (sides.max(axis=1) >= self.min_size)
        boxes = boxes[large & (boxes[:, 4] >= self.score)]
        return boxes[np.argsort(-boxes[:, 4], kind='stable')]

    def __repr__(self) -> str:
        every = self.classes == self.class_names
        what = 'any class' if every else ', '.join(self.classes)
        return f'{self.model} ({what}, score {self.score} and more)'


def is_detector_file(path: Any) -> bool:
    """Whether a file is a detector by its name, and no file of boxes."""
    return str(path).lower().endswith('.onnx')


def build_detector(
    model: str | Path,
    classes: str | Sequence[str] | None = None,
    weights: str | Path | None = None,
    **options: Any,
) -> BoxDetector:
    """Make a detector of what a user names.

    Args:
        model: An ONNX file of YOLOX's form, or a config or model name of MMDetection.
        classes: Names of the classes to look for, all when there are none.
        weights: Checkpoint of a model of MMDetection.
        **options: Other arguments of :class:`YoloxDetector` or :class:`MMDetDetector`.

    Returns:
        The detector.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: It is no detector of these forms, or a class is unknown.
    """
    from .mmdet_detector import MMDetDetector
    from .yolox_detector import YoloxDetector

    if is_detector_file(model):
        return YoloxDetector(model, classes, **options)
    return MMDetDetector(model, weights, classes, **options)
