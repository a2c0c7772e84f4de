# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Write a film that keeps the times of another one and plays in a browser."""

import logging
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from mmkp.apis.films import Frame, quiet_stderr
from mmkp.apis.h264_writer import H264Writer, ffmpeg_program

# What OpenCV's own FFmpeg can write: VP8 plays in every browser; WebM counts in
# milliseconds, so very fast films take VP9, which is slower to write.
_VP8 = ('.webm', 'VP80')
_VP9 = ('.mp4', 'vp09')
_H264 = ('.mp4', 'avc1')
_ANYWHERE = ('.mp4', 'mp4v')
_FASTEST_WEBM = 250.0
# A longer gap is a cut of the recording, not a picture that was looked at.
_LONGEST_STILL = 10.0


class FilmWriter:
    """Writes frames at the times of the film that they are drawn on, without sound.

    Where imageio-ffmpeg is installed they are H.264 in mp4, else what OpenCV can write.
    Files have a constant rate. Where frames lie further apart the earlier one is
    repeated, so that the drawn film runs beside the original. Odd sides are padded by
    one pixel, as most codecs need.

    Args:
        stem: path of the film without its suffix, which follows from the codec.
        rate: frames a second.

    Use as a context manager; ``path`` is what is written, None before the first frame.
    """

    def __init__(self, stem: str | Path, rate: float) -> None:
        self.stem, self.rate = Path(stem), rate
        self.path: Path | None = None
        self._video: cv2.VideoWriter | H264Writer | None = None
        self._size = (0, 0)
        self._last = np.zeros(0)
        self._written, self._cut = 0, 0.0

    def __enter__(self) -> 'FilmWriter':
        return self

    def __exit__(self, *exception: object) -> None:
        if self._video is not None:
            self._video.release()

    def write(self, frame: Frame) -> None:
        """Write one frame, and repeat the one before it until then.

        Args:
            frame: all are of one size, or are scaled to the first one's.

        Raises:
            OSError: no film can be written.
        """
        image = _even(frame.image)
        if self._video is None:
            self._size = (image.shape[1], image.shape[0])
            self._video = self._open()
        elif image.shape[1::-1] != self._size:
            image = cv2.resize(image, self._size, interpolation=cv2.INTER_AREA)
        gap = frame.time - self._cut - self._written / self.rate
        if gap > _LONGEST_STILL:
            self._cut += gap
            gap = 0.0
        for _ in range(round(gap * self.rate) if self._written else 0):
            self._add(self._last)
        self._add(image)
        self._last = image

    def _add(self, image: np.ndarray) -> None:
        assert self._video is not None
        self._video.write(image)
        self._written += 1

    def _open(self) -> cv2.VideoWriter | H264Writer:
        """The first codec that works here, of those that browsers play."""
        if ffmpeg_program() is not None:
            self.path = self.stem.with_name(f'{self.stem.name}.mp4')
            return H264Writer(self.path, self.rate, self._size)
        fast = self.rate > _FASTEST_WEBM
        order = (_VP9, _H264, _VP8) if fast else (_VP8, _H264, _VP9)
        for suffix, codec in (*order, _ANYWHERE):
            path = self.stem.with_name(self.stem.name + suffix)
            with quiet_stderr():
                fourcc = cv2.VideoWriter.fourcc(*codec)
                video = cv2.VideoWriter(str(path), fourcc, self.rate, self._size)
            if video.isOpened():
                break
            video.release()
            path.unlink(missing_ok=True)
        else:
            raise OSError(
                f"video '{self.stem}' of {self.rate:g} frames/s and "
                f'{self._size[0]}x{self._size[1]} pixels cannot be written'
            )
        if codec == _ANYWHERE[1]:
            print_log(
                f'{path} is written as MPEG-4 part 2, which players show and browsers '
                'do not: this OpenCV writes neither VP8, VP9 nor H.264 (pip install '
                'imageio-ffmpeg does)',
                logger='current',
                level=logging.WARNING,
            )
        self.path = path
        return video


def _even(image: np.ndarray) -> np.ndarray:
    """Pad odd sides by a copy of the last row or column."""
    below, right = image.shape[0] % 2, image.shape[1] % 2
    if not below and not right:
        return image
    return cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
