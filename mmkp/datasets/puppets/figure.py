# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A puppet ready to be drawn."""

from dataclasses import dataclass

import numpy as np

from mmkp.datasets.body_metainfo import COCO_JOINTS

from .appearance import Appearance
from .pose import POINT_INDEX, POINTS

# How far the drawing reaches beyond a point, in statures.
_REACH = dict(
    head=0.145,
    neck=0.05,
    pelvis=0.095,
    shoulder=0.04,
    elbow=0.036,
    wrist=0.032,
    hand=0.033,
    hip=0.05,
    knee=0.042,
    ankle=0.038,
    toe=0.032,
)
#: The same for each of the ``POINTS``, of shape (P, 1).
REACH = np.array([[_REACH.get(name.split('_')[-1], 0.0)] for name in POINTS])


@dataclass
class Figure:
    """One figure in one picture.

    Args:
        points (np.ndarray): The ``POINTS`` (COCO-17 joints, then landmarks),
            float32 pixels of shape (P, 2), multiples of 1/64.
        stature (float): Stature in pixels.
        head_axis (np.ndarray): Unit vector from crown to chin, (2,).
        head_angles (np.ndarray): Turn and nod of the head in radians, (2,).
        breadth (float): Apparent breadth of the trunk, 0 to 1.
        hidden_ears (np.ndarray): Whether the (left, right) ear is covered by
            the head, bool (2,).
        arms_behind (tuple[bool, bool]): Whether the (left, right) arm passes
            behind the trunk.
        appearance (Appearance): Colours and clothes.
    """

    points: np.ndarray
    stature: float
    head_axis: np.ndarray
    head_angles: np.ndarray
    breadth: float
    hidden_ears: np.ndarray
    arms_behind: tuple[bool, bool]
    appearance: Appearance

    @property
    def joints(self) -> np.ndarray:
        """COCO-17 joints, float32 pixels of shape (17, 2)."""
        return self.points[: len(COCO_JOINTS)]

    @property
    def box(self) -> np.ndarray:
        """Box (x1, y1, x2, y2) around everything that is drawn, pixels."""
        reach = REACH * self.stature
        low, high = (self.points - reach).min(axis=0), (self.points + reach).max(axis=0)
        return np.concatenate([low, high])

    @property
    def outline(self) -> float:
        """Thickness of the outline in pixels."""
        return max(0.009 * self.stature, 0.45)

    def point(self, name: str) -> np.ndarray:
        """Position (2,) of a joint or landmark in pixels."""
        return self.points[POINT_INDEX[name]]

    def chain(self, *names: str) -> np.ndarray:
        """Positions (len(names), 2) of joints or landmarks in pixels."""
        return self.points[[POINT_INDEX[name] for name in names]]
