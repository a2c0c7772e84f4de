"""Damaged images of every format that is read, and arrays that stand for images."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fuzzing.mutations import Random, array, choose, damaged_bytes
from fuzzing.target import Target
from mmkp.datasets.image_decoding import as_image, read_image
from mmkp.datasets.image_size import image_size

_FORMATS = (
    *('PNG', 'JPEG', 'BMP', 'GIF', 'TIFF', 'WEBP', 'PPM', 'TGA', 'PCX', 'ICO'),
    'JPEG2000',
)


def _saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    pixels = np.arange(16 * 20 * 3, dtype=np.uint32).reshape(16, 20, 3) % 256
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, kind)
    return buffer.getvalue()


_SEEDS = {kind: _saved(kind) for kind in _FORMATS}


def _make(rng: Random) -> bytes:
    kind = choose(rng, _FORMATS)
    return damaged_bytes(rng, _SEEDS[kind], _SEEDS[choose(rng, _FORMATS)])


def _use(content: bytes, folder: Path) -> None:
    path = folder / 'image.png'
    path.write_bytes(content)
    _check(read_image(path))
    image_size(path)


def _make_array(rng: Random) -> Any:
    shape = choose(rng, ((4, 5, 3), (4, 5), (4, 5, 4), (4, 5, 1), (1, 1, 3), (2, 2, 2)))
    return array(rng, shape, choose(rng, (0.3, 100.0)))


def _use_array(values: Any, folder: Path) -> None:
    _check(as_image(values))


def _check(image: np.ndarray) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise AssertionError(f'{image.dtype} of {image.shape}')


TARGETS = {
    'image': Target(_make, _use),
    'image-array': Target(_make_array, _use_array, 2.0),
}
