# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""All that is drawn of a prediction: pictures, films, maps, and a contact sheet."""

from contextlib import ExitStack
from pathlib import Path
from typing import Literal

import numpy as np

from mmkp.apis.contact_sheet import ContactSheet
from mmkp.apis.drawing import draw_rate
from mmkp.apis.media import Media, Shot
from mmkp.apis.picture_writer import PictureWriter, as_disks_compare
from mmkp.apis.prediction_tasks import Instances, PredictionTask

Draw = Literal['all', 'sheet', 'none']
SHEET = 'sheet.jpg'
# Beside pictures, which must not take their names.
_OTHER_FILES = ('keypoints.json', 'edge_weights.png')


def picture_folder(out_dir: str | Path, kind: str = 'pictures') -> Path:
    """Where pictures go: into a folder of that name, which may be the given one.

    Args:
        out_dir: what the user gave; ``pictures`` itself holds pictures.
        kind: 'pictures', 'heatmaps', 'fields' or 'stacks'.
    """
    out_dir = Path(out_dir)
    return out_dir if out_dir.absolute().name == kind == 'pictures' else out_dir / kind


class PictureSet:
    """Draws images as they are predicted, each kind of picture into its folder.

    Args:
        task: that draws.
        media: what is drawn on.
        folder: of the result.
        draw: 'all' for a picture of each image and a film of each film, 'sheet' for one
            picture of some, 'none'.

    Use as a context manager, which ends films and writes the sheet.
    """

    def __init__(
        self, task: PredictionTask, media: Media, folder: str | Path, draw: Draw = 'all'
    ) -> None:
        self.task, self.media, self.folder, self.draw = task, media, Path(folder), draw
        self._writers: dict[str, PictureWriter] = {}
        self._used = {as_disks_compare(self.folder / name) for name in _OTHER_FILES}
        self._stack = ExitStack()
        self._sheet = ContactSheet()

    def __enter__(self) -> 'PictureSet':
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()
        self._sheet.write(self.folder / SHEET)

    def add(self, shot: Shot, instances: Instances, rates: list[float]) -> str | None:
        """Draw an image or a frame.

        Args:
            shot: what to draw on.
            instances: what was predicted of it.
            rates: written into the corner of frames: of the whole and of the network;
                none where it is empty.

        Returns:
            Name of its picture or film below the folder, None without one.
        """
        if self.draw == 'none':
            return None
        if self.draw == 'sheet':
            taken = self._sheet.takes_next
            drawn = self.task.draw_instances(shot.image, instances) if taken else None
            self._sheet.add(drawn)
            return None
        path = self.folder
        for kind, picture in self.task.draw(shot.image, instances).items():
            written = self._write(kind, shot, picture, rates)
            path = written if kind == 'pictures' else path
        return path.relative_to(self.folder).as_posix()

    def _write(
        self, kind: str, shot: Shot, picture: np.ndarray, rates: list[float]
    ) -> Path:
        if kind not in self._writers:
            folder = picture_folder(self.folder, kind)
            writer = PictureWriter(folder, self.media, self._used)
            self._writers[kind] = self._stack.enter_context(writer)
        if shot.film is not None and rates:
            picture = draw_rate(picture, *rates)
        return self._writers[kind].write(shot.name, picture, shot.time, shot.film)
