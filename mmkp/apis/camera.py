# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The frames of a camera, as those of a film."""

import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import cv2

from mmkp.apis.films import Frame, quiet_stderr

_DEFAULT_RATE = 30.0


class Camera:
    """Frames of a camera, with the times at which they came, until it is stopped.

    Args:
        index: of the camera, as OpenCV counts them.

    Raises:
        ValueError: it cannot be opened.
    """

    num_declared: int | None = None

    def __init__(self, index: int) -> None:
        self.path = Path(f'camera_{index}')
        with quiet_stderr():
            self._video = cv2.VideoCapture(index)
        if not self._video.isOpened():
            raise ValueError(
                f'camera {index} cannot be opened: it is not connected, or another '
                'program has it (a file of that name is written ./'
                f'{index})'
            )
        self.rate = self._video.get(cv2.CAP_PROP_FPS) or _DEFAULT_RATE

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(
        self, wanted: Callable[[int], bool] | None = None, stop: int | None = None
    ) -> Iterator[Frame]:
        """Frames as they come, see :meth:`mmkp.apis.films.Film.frames`.

        Args:
            wanted: whether to give the frame of a number, counted from 0.
            stop: at this number; by default they go on until Ctrl-C.
        """
        start = time.monotonic()
        for number in count():
            if number == stop:
                return
            success, image = self._video.read()
            if not success:
                return
            if wanted is None or wanted(number):
                yield Frame(image, time.monotonic() - start, number)
