# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Draws pictures of puppets with their exact ground truth."""

from dataclasses import dataclass

import cv2
import numpy as np

from mmkp.datasets.body_metainfo import COCO_JOINTS

from .background import paint_background
from .composition import BACKGROUND, compose, stream
from .figure import Figure
from .painter import owners, paint_figure
from .settings import PuppetSettings
from .shapes import Canvas


@dataclass
class Scene:
    """A picture with what it shows; figures are ordered from back to front.

    Args:
        image (np.ndarray): BGR, uint8 of shape (H, W, 3).
        keypoints (np.ndarray): COCO-17 joints, float32 pixels (x, y) of shape
            (N, 17, 2), pixel centres at whole numbers.
        visibility (np.ndarray): COCO's flags, uint8 of shape (N, 17): 2 seen,
            1 covered by another part or figure.
        boxes (np.ndarray): Tight boxes around the whole figures, hidden or
            not, float32 pixels (x1, y1, x2, y2) of shape (N, 4).
        areas (np.ndarray): Pixels in which each figure is seen, float32 (N,).
        labels (np.ndarray): Label of the part seen in each pixel, int32 of
            shape (H, W); 0 is the background.
        parts (dict[int, tuple[int, str]]): Figure and name of the part of
            each label; higher labels were painted later.
    """

    image: np.ndarray
    keypoints: np.ndarray
    visibility: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    labels: np.ndarray
    parts: dict[int, tuple[int, str]]

    def figure_mask(self, number: int) -> np.ndarray:
        """Pixels in which a figure is seen.

        Args:
            number (int): Of the figure, from 0.

        Returns:
            np.ndarray: Bool of shape (H, W).
        """
        own = [label for label, (figure, _) in self.parts.items() if figure == number]
        return np.isin(self.labels, own)


def render(settings: PuppetSettings, index: int) -> Scene:
    """Draw an image.

    Args:
        settings (PuppetSettings): What the pictures show.
        index (int): Number of the image, from 0.

    Returns:
        Scene: The picture and its ground truth; the same for the same
        arguments, in any order, process and state of other generators.
    """
    image = paint_background(
        stream(settings, index, BACKGROUND), settings.background, settings.size
    )
    figures = compose(settings, index)
    return draw(figures, image)


def draw(figures: list[Figure], background: np.ndarray) -> Scene:
    """Draw figures over a background and derive the ground truth.

    Args:
        figures (list[Figure]): From back to front.
        background (np.ndarray): BGR, float32 of shape (3, H, W), 0 to 255;
            drawn upon.

    Returns:
        Scene: The picture and its ground truth.
    """
    labels = np.zeros(background.shape[1:], dtype=np.int32)
    canvas = Canvas(background, labels)
    parts: dict[int, tuple[int, str]] = {}
    for number, figure in enumerate(figures):
        first = len(parts) + 1
        names = paint_figure(canvas, figure, first)
        parts.update({first + i: (number, n) for i, n in enumerate(names)})
    np.rint(background, out=background)
    np.clip(background, 0, 255, out=background)
    image = cv2.merge(list(background.astype(np.uint8)))
    return Scene(
        image=image,
        keypoints=np.stack([figure.joints for figure in figures]),
        visibility=_visibility(figures, labels, parts),
        boxes=np.stack([figure.box for figure in figures]).astype(np.float32),
        areas=_areas(len(figures), labels, parts),
        labels=labels,
        parts=parts,
    )


_OWNERS = [owners(joint) for joint in COCO_JOINTS]
_EARS = [COCO_JOINTS.index(ear) for ear in ('left_ear', 'right_ear')]


def _areas(
    num_figures: int, labels: np.ndarray, parts: dict[int, tuple[int, str]]
) -> np.ndarray:
    """Count the pixels (N,) in which each figure is seen."""
    seen = np.bincount(labels.ravel(), minlength=len(parts) + 1)
    areas = np.zeros(num_figures, dtype=np.float32)
    for label, (figure, _) in parts.items():
        areas[figure] += seen[label]
    return areas


def _visibility(
    figures: list[Figure], labels: np.ndarray, parts: dict[int, tuple[int, str]]
) -> np.ndarray:
    """Flag joints whose nearest pixel shows a part painted over their own."""
    label_of = {part: label for label, part in parts.items()}
    height, width = labels.shape
    flags = np.empty((len(figures), len(COCO_JOINTS)), dtype=np.uint8)
    for number, figure in enumerate(figures):
        nearest = np.rint(figure.joints).astype(int)
        columns = np.clip(nearest[:, 0], 0, width - 1)
        rows = np.clip(nearest[:, 1], 0, height - 1)
        own = [max(label_of[number, part] for part in names) for names in _OWNERS]
        flags[number] = 2 - (labels[rows, columns] > own)
        flags[number, _EARS] -= (flags[number, _EARS] == 2) & figure.hidden_ears
    return flags
