"""Films for tests: made by OpenCV, their containers changed where it cannot do it."""

import struct
from pathlib import Path

import cv2
import numpy as np

_PARENTS = (b'moov', b'trak', b'mdia', b'minf', b'stbl')


def picture(number, size=(96, 64)):
    """A frame (H, W, 3) whose left third is red, darker with each frame."""
    image = np.zeros((size[1], size[0], 3), np.uint8)
    image[:, : size[0] // 3] = (0, 0, 255 - 8 * (number % 16))
    return image


def write(path, number=12, rate=10, size=(96, 64), codec=None):
    """Write a film of so many frames."""
    codec = codec or ('MJPG' if Path(path).suffix == '.avi' else 'mp4v')
    fourcc = cv2.VideoWriter.fourcc(*codec)
    writer = cv2.VideoWriter(str(path), fourcc, rate, size)
    for index in range(number):
        writer.write(picture(index, size))
    writer.release()
    return path


def turn(path):
    """Let the container of an mp4 say: turned by 90 degrees clockwise."""
    data = bytearray(path.read_bytes())
    start = data.find(b'tkhd') + 4 + 4 + 4 * 5 + 8 + 8
    matrix = (0, 0x10000, 0, -0x10000, 0, 0, 64 << 16, 0, 0x40000000)
    data[start : start + 36] = struct.pack('>9i', *matrix)
    path.write_bytes(data)
    return path


def set_durations(path, durations):
    """Let the frames of an mp4 last so many times as long as they did."""
    data = bytearray(path.read_bytes())
    place = data.find(b'stts') - 4
    size, _, _, _, _, delta = struct.unpack('>I4sIIII', data[place : place + 24])
    table = b''.join(struct.pack('>II', 1, delta * d) for d in durations)
    box = struct.pack('>I4sII', 16 + len(table), b'stts', 0, len(durations)) + table
    data[place : place + size] = box
    for name in _PARENTS:
        start = data.find(name) - 4
        (old,) = struct.unpack('>I', data[start : start + 4])
        data[start : start + 4] = struct.pack('>I', old + len(box) - size)
    # The edit list shows as much of the film as there was.
    start = data.find(b'elst') + 12
    if start > 12:
        data[start : start + 4] = struct.pack('>I', 10**6)
    path.write_bytes(data)
    return path
