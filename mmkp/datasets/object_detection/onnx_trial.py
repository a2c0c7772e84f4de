# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Try an ONNX file in a process of its own: OpenCV may crash on damaged ones.

This file is also the program of that process, so it imports little.
"""

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

_PATIENCE = 300


class OnnxTrialError(ValueError):
    """A file that OpenCV cannot read or compute."""


def output_shape(path: str | Path, side: int) -> tuple[int, ...]:
    """Shape of what a network returns for one image.

    Args:
        path: of the ONNX file.
        side: of the input (1, 3, side, side), float32.

    Returns:
        The shape.

    Raises:
        OnnxTrialError: OpenCV cannot read or compute it, or crashes.
    """
    found = os.stat(path)
    return _tried(os.path.abspath(path), side, (found.st_size, found.st_mtime_ns))


@functools.lru_cache(maxsize=64)
def _tried(path: str, side: int, version: tuple[int, int]) -> tuple[int, ...]:
    """The shape, once for each state of a file."""
    del version
    try:
        done = subprocess.run(
            [sys.executable, __file__, path, str(side)],
            capture_output=True,
            text=True,
            errors='replace',
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OnnxTrialError(f'one image takes over {_PATIENCE} seconds') from error
    if done.returncode:
        raise OnnxTrialError(f'OpenCV crashes on it ({done.returncode})')
    answer = json.loads(done.stdout.splitlines()[-1])
    if isinstance(answer, str):
        raise OnnxTrialError(answer)
    return tuple(answer)


def _answer(path: str, side: int) -> list[int] | str:
    import cv2
    import numpy as np

    try:
        # Through memory: OpenCV opens no names that its system's encoding lacks.
        net = cv2.dnn.readNetFromONNX(np.fromfile(path, np.uint8))
        net.setInput(np.zeros((1, 3, side, side), np.float32))
        return list(net.forward().shape)
    except cv2.error as error:
        return ' '.join(str(error.err or error).split())


if __name__ == '__main__':
    print(json.dumps(_answer(sys.argv[1], int(sys.argv[2]))))
