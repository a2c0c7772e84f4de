# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The frames of a film, upright and with their times."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from mmengine.logging import print_log
from PIL import Image

from mmkp.datasets.image_arrays import array_as_image

# How the files of containers begin: at which byte, and with what. Those that name
# other files (playlists) are not among them.
_STARTS = (
    (0, b'\x1aE\xdf\xa3'), (0, b'FLV\x01'), (0, b'\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
    (0, b'\0\0\x01\xba'), (0, b'\0\0\x01\xb3'), (0, b'OggS'), (0, b'.RMF'),
    (0, b'\x06\x0e\x2b\x34'), (0, b'YUV4MPEG2'), (0, b'DKIF'), (0, b'\x1f\x07\0'),
    (0, b'\0\0\0\x01'), (0, b'\0\0\x01\x67'), (8, b'AVI '), (4, b'moov'), (4, b'mdat'),
    (4, b'free'), (4, b'skip'), (4, b'wide'),
)  # fmt: skip
_MOVING_FORMATS = ['GIF', 'WEBP', 'PNG', 'AVIF']
_DEFAULT_RATE = 25.0
# So many frames are looked at to learn how far apart they are.
_MEASURED_FRAMES = 20
_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


class Frame(NamedTuple):
    """One frame of a film."""

    image: np.ndarray  # (H, W, 3), uint8, BGR
    time: float  # in seconds since the first one
    number: int = 0  # counted from 0


_Unread = tuple[int, float, Callable[[], np.ndarray | None]]


def is_film(path: str | Path) -> bool:
    """Whether a file is a film by its content, whatever its name is.

    Args:
        path: a file. An animated GIF, WebP, PNG or AVIF is a film too.
    """
    with open(path, 'rb') as file:
        start = file.read(400)
    if start[4:8] == b'ftyp':
        return start[8:12] not in (b'avif', b'heic', b'heix', b'mif1', b'msf1')
    if any(start[at : at + len(begin)] == begin for at, begin in _STARTS):
        return True
    for first, size in ((0, 188), (4, 192)):  # MPEG transport streams
        if start[first::size] == b'GGG':
            return True
    return _num_moving_frames(path) > 1


class Film:
    """Frames of a film as players show them, read one after the other.

    They are turned as the container says (films of a phone held upright), and come
    with their own times, which need not be equally far apart.

    Args:
        path: a file for which :func:`is_film` holds.

    Raises:
        ValueError: it cannot be opened, or holds no frame that can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.num_read = 0
        self.num_declared: int | None = _num_moving_frames(path)
        self._moves = bool(self.num_declared)  # an image that moves
        self._duration = 0.0
        if self._moves:
            times = [time for _, time, _ in islice(self._images(), 2)]
            self.rate = 1 / max(times[-1] - times[0], 1e-3)
            return
        video = self._open()
        self.rate = video.get(cv2.CAP_PROP_FPS)
        # Some containers do not say how many frames they hold, or say 1.
        declared = int(video.get(cv2.CAP_PROP_FRAME_COUNT))
        self.num_declared = declared if declared > 1 else None
        if self.rate > 0:
            self._duration = (self.num_declared or 0) / self.rate
        measured = self._measured_rate(video)
        # Containers round times; where frames are not equally far apart, they claim
        # anything: the mean, or how finely they count.
        if not 0.9 < self.rate / measured < 1.1:
            self.rate = measured
        video.release()

    def __iter__(self) -> Iterator[Frame]:
        return self.frames()

    def frames(
        self, wanted: Callable[[int], bool] | None = None, stop: int | None = None
    ) -> Iterator[Frame]:
        """Frames of the film, or some of them.

        Args:
            wanted: whether to give the frame of a number, counted from 0.
            stop: at this number.

        Raises:
            ValueError: no frame can be read.
        """
        self.num_read, last = 0, 0.0
        source = self._images if self._moves else self._frames
        for number, time, image_of in source():
            if number == stop:
                return
            self.num_read, last = number + 1, time
            if wanted is not None and not wanted(number):
                continue
            image = image_of()
            if image is None:
                break
            yield Frame(image, time, number)
        if self.num_read == 0:
            raise ValueError(f"video '{self.path}' holds no frame that can be read")
        if self.is_cut_short(last):
            print_log(
                f"video '{self.path}': only {self.num_read} of {self.num_declared} "
                'frames can be read, the rest is missing or damaged',
                logger='current',
                level=logging.WARNING,
            )

    def is_cut_short(self, last_time: float) -> bool:
        """Whether clearly fewer frames were read than there should be.

        Args:
            last_time: of the last frame, in seconds. Containers without a number of
                frames have it guessed from the duration, wrongly so where the rate
                varies; then the last frame is near the end all the same.
        """
        missing = (self.num_declared or 0) - self.num_read
        if missing < 2 or missing <= 0.02 * (self.num_declared or 0):
            return False
        return self._moves or last_time < 0.95 * self._duration - 2 / self.rate

    def _open(self) -> cv2.VideoCapture:
        with quiet_stderr():
            video = cv2.VideoCapture(str(self.path))
        if not video.isOpened():
            raise ValueError(
                f"video '{self.path}' cannot be opened: it is damaged, cut off while "
                'it was recorded, or of a codec that this OpenCV lacks'
            )
        video.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        return video

    def _frames(self) -> Iterator[_Unread]:
        """Number, time, and what decodes the frame, if it is wanted."""
        video = self._open()
        turn = None
        if not video.get(cv2.CAP_PROP_ORIENTATION_AUTO):
            turn = _TURNS.get(int(video.get(cv2.CAP_PROP_ORIENTATION_META)) % 360)

        def image_of() -> np.ndarray | None:
            success, image = video.retrieve()
            if not success or turn is None:
                return image if success else None
            return cv2.rotate(image, turn)

        start = time = None
        for number in count():
            if not video.grab():
                break
            told = video.get(cv2.CAP_PROP_POS_MSEC) / 1000
            start = told if start is None else start
            # Where a container tells no times, frames follow each other at its rate.
            if time is None:
                time = 0.0
            elif told - start > time:
                time = told - start
            else:
                time += 1 / self.rate
            yield number, time, image_of
        video.release()

    def _images(self) -> Iterator[_Unread]:
        """The same of an image that moves."""
        with Image.open(self.path, formats=_MOVING_FORMATS) as image:
            time = 0.0
            for number in range(getattr(image, 'n_frames', 1)):
                try:
                    image.seek(number)
                    frame = array_as_image(image.convert('RGB'))
                except (EOFError, OSError, SyntaxError):
                    return
                yield number, time, partial(np.asarray, frame)
                # As browsers do, no frame is shown for less than 20 ms.
                duration = image.info.get('duration') or 100
                time += max(float(duration), 20.0) / 1000

    def _measured_rate(self, video: cv2.VideoCapture) -> float:
        """Frames a second by the times of the first ones."""
        times: list[float] = []
        while len(times) < _MEASURED_FRAMES and video.grab():
            times.append(video.get(cv2.CAP_PROP_POS_MSEC) / 1000)
        gaps = np.diff(times)
        gaps = gaps[gaps > 0]
        if len(gaps):
            return float(1 / np.median(gaps))
        claimed = video.get(cv2.CAP_PROP_FPS)
        return claimed if claimed > 0 and np.isfinite(claimed) else _DEFAULT_RATE


def _num_moving_frames(path: str | Path) -> int:
    """Number of frames of an animated image, 0 of any other file."""
    try:
        with Image.open(path, formats=_known_formats()) as image:
            number = getattr(image, 'n_frames', 1)
    except Exception:
        return 0
    return number if number > 1 else 0


def _known_formats() -> list[str]:
    Image.init()
    return [name for name in _MOVING_FORMATS if name in Image.OPEN]


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep what FFmpeg remarks on the terminal to itself, for as short as possible."""
    try:
        saved = os.dup(2)
    except OSError:
        yield
        return
    try:
        with open(os.devnull, 'wb') as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
