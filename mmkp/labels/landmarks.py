# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Landmarks as a file of another program gives them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass
class Landmarks:
    """The landmarks of one object in one image.

    Attributes:
        file_name: The image as the table names it.
        points: Landmarks (K, 2), float64, NaN where missing.
        line: Line of the file, counted from 1.
    """

    file_name: str
    points: np.ndarray
    line: int


@dataclass
class LandmarkTable:
    """What a table of landmarks says.

    Attributes:
        path: The file.
        names: Names of the K landmarks.
        entries: One an object; an image may have several.
    """

    path: Path
    names: list[str]
    entries: list[Landmarks]
