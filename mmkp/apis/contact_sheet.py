# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Some of many pictures, side by side."""

from pathlib import Path

import numpy as np

from mmkp.datasets.coco_writer import write_image
from mmkp.visualization.canvas import amid_white, enlarged, tiled

_SIDE = 256


class ContactSheet:
    """Keeps pictures that are spread evenly over a stream of unknown length.

    When there are twice as many as are to be kept, each second one is dropped, and from
    then on each second one is taken.

    Args:
        least: so many pictures are kept at least, and fewer than twice as many.
    """

    def __init__(self, least: int = 12) -> None:
        self.least, self.every, self.number = least, 1, 0
        self.tiles: list[np.ndarray] = []

    @property
    def takes_next(self) -> bool:
        """Whether the next picture is one to keep."""
        return self.number % self.every == 0

    def add(self, picture: np.ndarray | None) -> None:
        """Look at the next picture.

        Args:
            picture: (H, W, 3), uint8, BGR; None where ``takes_next`` is not.
        """
        if picture is not None and self.takes_next:
            self.tiles.append(enlarged(picture, _SIDE))
            if len(self.tiles) == 2 * self.least:
                self.tiles, self.every = self.tiles[::2], 2 * self.every
        self.number += 1

    def write(self, path: str | Path) -> None:
        """Write the sheet.

        Args:
            path: of a JPEG or PNG file; nothing is written without a picture.
        """
        if self.tiles:
            height, width = (max(t.shape[axis] for t in self.tiles) for axis in (0, 1))
            tiles = [amid_white(tile, width, height) for tile in self.tiles]
            write_image(path, tiled(tiles, 6), 88)
