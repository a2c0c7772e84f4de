# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Boxes of the objects in images, in one call."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.batches import Image
from mmkp.datasets.image_decoding import as_image
from mmkp.datasets.object_detection import BoxDetector, build_detector


def detect_boxes(
    images: Iterable[Image],
    detector: str | Path | BoxDetector,
    classes: str | Sequence[str] | None = None,
    score: float = 0.3,
    **options: Any,
) -> list[np.ndarray]:
    """Find the boxes of objects, for :func:`mmkp.apis.discover` and its like.

    Args:
        images: list or generator of files or arrays, as :func:`mmkp.apis.discover`
            takes them.
        detector: an ONNX file of YOLOX's form, a config or model name of MMDetection,
            or what :func:`mmkp.datasets.object_detection.build_detector` has made
            (which has its own classes and score).
        classes: names of the classes to look for, all when there are none.
        score: boxes below it are left out.
        **options: of :func:`mmkp.datasets.object_detection.build_detector`.

    Returns:
        For each image (N, 5) float32, ``x1, y1, x2, y2, score`` in image pixels, the
        surest first.

    Raises:
        FileNotFoundError: the detector does not exist.
        ValueError: it is none of these forms, a class is unknown, or an array is no
            image.
        CorruptImageError: a file cannot be decoded.
    """
    if not isinstance(detector, BoxDetector):
        detector = build_detector(detector, classes, score=score, **options)
    return [detector(as_image(image)) for image in images]
