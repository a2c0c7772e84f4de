"""Folders of pictures as people have them, drawn."""

from pathlib import Path

import cv2
import numpy as np
from PIL import Image


def photo(number, size=(96, 72)):
    """A picture (H, W, 3), BGR, of a face-like thing before a textured background."""
    rng = np.random.default_rng(number)
    width, height = size
    noise = rng.integers(0, 255, (6, 8, 3)).astype(np.uint8)
    image = cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    x, y = width / 2 + rng.normal(0, 4), height / 2 + rng.normal(0, 4)
    center = (round(x), round(y))
    cv2.circle(image, center, height // 3, (120, 160, 220), -1)
    for side in (-1, 1):
        eye = (round(x + side * height / 8), round(y - height / 10))
        cv2.circle(image, eye, 4, (40, 30, 20), -1)
    return image


def figure(number, size=(96, 72), ground=(230, 230, 230)):
    """A dark object that moves and turns before one color."""
    rng = np.random.default_rng(number)
    image = np.full((size[1], size[0], 3), ground, np.uint8)
    image += rng.integers(0, 4, image.shape).astype(np.uint8)
    x, y = rng.uniform(25, size[0] - 25), rng.uniform(22, size[1] - 22)
    angle = rng.uniform(0, 360)
    cv2.ellipse(image, ((x, y), (36, 14), angle), (40, 40, 40), -1)
    return image


def mixed_folder(folder: Path, number=12):
    """Photographs of two sizes and formats, turned by EXIF, copied, one damaged."""
    below = folder / 'Käfer und Bienen'
    below.mkdir(parents=True)
    for index in range(number):
        image = photo(index, (96, 72) if index % 3 else (64, 64))[..., ::-1]
        name = f'IMG {index}.png' if index % 2 else f'bild_ü{index}.jpg'
        exif = Image.Exif()
        if index == 2:
            exif[0x0112] = 6
        Image.fromarray(image).save(below / name, exif=exif)
    copy = below / 'IMG 1.png'
    (folder / 'copy of 1.png').write_bytes(copy.read_bytes())
    whole = (below / 'bild_ü0.jpg').read_bytes()
    (folder / 'broken.jpg').write_bytes(whole[: len(whole) // 2])
    return folder
