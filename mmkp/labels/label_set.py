# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of objects in images, whichever program's file they come from or go to."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class LabelSet:
    """Keypoints of N objects in M images: labels of people or predictions of a model.

    Coordinates are ``(x, y)`` pixels of the image, pixel centres at integers.

    Attributes:
        keypoint_names: K names.
        image_names: M names, relative to ``root``, with forward slashes; frames of a
            film are called ``<film>_000000`` and so on.
        image_index: (N,) int64, in which image each object is; images without an
            object stay.
        keypoints: (N, K, 2) float64, NaN where missing.
        scores: (N, K) float64 of a model's confidence, None of labels.
        object_scores: (N,) float64 of whole objects, None of labels.
        visibility: (N, K) int64, 0 missing, 1 hidden, 2 visible, as in COCO; by default
            2 wherever there is a point.
        boxes: (N, 4) float64, ``x1, y1, x2, y2``, NaN where there is none.
        individuals: N names of animals or tracks, '' where there is none.
        image_sizes: (M, 2) int64, width and height, 0 where unknown.
        times: (M,) float64, seconds of a film's frames, None of images.
        links: pairs of keypoints, counted from 0, that are drawn as lines.
        swaps: pairs of keypoints, left and right.
        root: folder of the images.
        film: that the images are frames of.
        frames_per_second: of the film, 0 of images.
        scorer: person or model that the keypoints are of, as DeepLabCut names it.
    """

    keypoint_names: list[str]
    image_names: list[str]
    image_index: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray | None = None
    visibility: np.ndarray = field(default_factory=lambda: np.empty(0))
    boxes: np.ndarray = field(default_factory=lambda: np.empty(0))
    individuals: list[str] = field(default_factory=list)
    image_sizes: np.ndarray = field(default_factory=lambda: np.empty(0))
    times: np.ndarray | None = None
    links: list[tuple[int, int]] = field(default_factory=list)
    swaps: list[tuple[int, int]] = field(default_factory=list)
    root: Path = Path('.')
    film: Path | None = None
    frames_per_second: float = 0.0
    scorer: str = ''
    object_scores: np.ndarray | None = None

    def __post_init__(self) -> None:
        number, images = len(self.keypoints), len(self.image_names)
        self.image_index = np.asarray(self.image_index, np.int64).reshape(number)
        shape = (number, len(self.keypoint_names), 2)
        self.keypoints = np.asarray(self.keypoints, np.float64).reshape(shape)
        if not self.visibility.size:
            self.visibility = 2 * np.isfinite(self.keypoints).all(-1).astype(np.int64)
        if not self.boxes.size:
            self.boxes = np.full((number, 4), np.nan)
        if not self.image_sizes.size:
            self.image_sizes = np.zeros((images, 2), np.int64)
        self.individuals = self.individuals or [''] * number

    def __len__(self) -> int:
        """Number N of objects."""
        return len(self.keypoints)

    def of_image(self, index: int) -> np.ndarray:
        """Which objects are in an image.

        Args:
            index: of the image.
        """
        return np.flatnonzero(self.image_index == index)
