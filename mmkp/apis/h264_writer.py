# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""H.264 films by the FFmpeg of the optional package imageio-ffmpeg.

OpenCV's wheels hold no encoder of H.264; VP8, which they hold, takes four times as long
and six times as many bytes.
"""

import subprocess
from pathlib import Path

import numpy as np


class H264Writer:
    """Writes frames into an mp4 file that browsers play (yuv420p, index first).

    Also where this program is killed, FFmpeg ends the film behind the frames that it
    was given.

    Args:
        path: of the film.
        rate: frames a second.
        size: width and height, both even.

    Raises:
        OSError: FFmpeg cannot be started.
    """

    def __init__(self, path: Path, rate: float, size: tuple[int, int]) -> None:
        self.path = path
        program = ffmpeg_program()
        if program is None:
            raise OSError('imageio-ffmpeg is not installed')
        width, height = size
        # A child of its own session hears no Ctrl-C.
        self._process = subprocess.Popen(
            [
                *(program, '-y', '-loglevel', 'error'),
                *('-f', 'rawvideo', '-pix_fmt', 'bgr24', '-s', f'{width}x{height}'),
                *('-r', f'{rate:.6f}', '-i', 'pipe:0', '-an', '-c:v', 'libx264'),
                *('-preset', 'veryfast', '-crf', '18', '-pix_fmt', 'yuv420p'),
                *('-threads', '2', '-movflags', '+faststart', str(path.absolute())),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def write(self, image: np.ndarray) -> None:
        """Write a frame.

        Args:
            image: (H, W, 3), uint8, BGR.

        Raises:
            OSError: FFmpeg has ended.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(image).data)
        except BrokenPipeError:
            raise OSError(f"film '{self.path}' cannot be written by FFmpeg") from None

    def release(self) -> None:
        """End the film."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:  # it has ended, and told so when it was written to
            pass
        self._process.wait()


def ffmpeg_program() -> str | None:
    """Path of imageio-ffmpeg's FFmpeg, None where it is not installed."""
    try:
        from imageio_ffmpeg import get_ffmpeg_exe  # optional

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None
