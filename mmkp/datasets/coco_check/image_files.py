# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The image files that a COCO-style file names: where they are, and how large."""

import os
from collections.abc import Iterable
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

from .notes import Notes

# Files are looked at one by one up to these numbers; of more, so many spread evenly.
_MANY_NAMES, _MANY_SIZES = 50, 500
_ORIENTATION = 0x0112  # EXIF; from 5 on, width and height change places


def shown_size(path: str) -> tuple[int, int] | None:
    """Read the size of an image as viewers show it, from the head of its file.

    Args:
        path: Of the image.

    Returns:
        Width and height in pixels after the EXIF orientation; None if there is no
        such file, or it is no image.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
            turned = image.getexif().get(_ORIENTATION, 1) in (5, 6, 7, 8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return (height, width) if turned else (width, height)


def settle_names(images: list[dict], folder: str, notes: Notes) -> None:
    """Correct names of images that lead nowhere as they are, where one file fits.

    Tools write backslashes, the folder of another machine, URLs or a folder that is
    part of the data set's prefix already. Names are looked up if they look so, or if
    some of the others lead nowhere.

    Args:
        images: Their ``file_name`` is changed.
        folder: Of the images.
        notes: Takes what was corrected.

    Raises:
        ValueError: If two names would become one.
    """
    if not os.path.isdir(folder):
        return
    found: dict[str, str] = {}
    odd = [image for image in images if _is_odd(image['file_name'])]
    if any(not _is_file(folder, i['file_name']) for i in _spread(images, _MANY_NAMES)):
        odd = images
    for image in odd:
        name = image['file_name']
        if _is_file(folder, name):
            continue
        better = next((n for n in _readings(name) if _is_file(folder, n)), None)
        if better is None:
            notes.add(f'images are not in {folder}; check data_prefix', name)
            continue
        if found.setdefault(better, name) != name:
            raise ValueError(
                f'{notes.path}: {found[better]} and {name} are not in {folder}, and '
                f'both could be its {better}; correct data_prefix or the names'
            )
        notes.add(
            f'images are not in {folder} under the name in the file',
            f'{name}, taken to be {better}',
        )
        image['file_name'] = better


def fill_sizes(images: list[dict], folder: str, notes: Notes) -> None:
    """Take sizes that the file lacks from the images, and compare some of the others.

    Args:
        images: ``width`` and ``height`` are changed, None where they stay unknown.
        folder: Of the images.
        notes: Takes what was changed.
    """
    if not os.path.isdir(folder):
        return
    unknown = [image for image in images if image['width'] is None]
    compare_sizes(unknown, folder, notes)
    known = [image for image in images if image['width'] is not None]
    sample = _spread(known, _MANY_SIZES)
    if compare_sizes(sample, folder, notes) and len(sample) < len(known):
        seen = {id(image) for image in sample}
        rest = [image for image in known if id(image) not in seen]
        compare_sizes(rest, folder, notes)


def compare_sizes(images: Iterable[dict], folder: str, notes: Notes) -> int:
    """Correct the sizes of images by their files.

    Args:
        images: ``width`` and ``height`` are changed.
        folder: Of the images.
        notes: Takes what was changed.

    Returns:
        How many were wrong.
    """
    wrong = 0
    for image in images:
        size = shown_size(os.path.join(folder, image['file_name']))
        if size is None or size == (image['width'], image['height']):
            continue
        if image['width'] is not None:
            wrong += 1
            notes.add(
                "images have another size than the file says: the image's own counts",
                f'{image["file_name"]} ({size[0]}x{size[1]}, the file says '
                f'{image["width"]}x{image["height"]})',
            )
        image['width'], image['height'] = size
    return wrong


def _is_file(folder: str, name: str) -> bool:
    return os.path.isfile(os.path.join(folder, name))


def _is_odd(name: str) -> bool:
    return '\\' in name or ':' in name or name.startswith(('/', '.', ' '))


def _spread(images: list[dict], number: int) -> list[dict]:
    """At most so many of the images, from first to last."""
    if len(images) <= number:
        return images
    step = (len(images) - 1) / (number - 1)
    return [images[round(i * step)] for i in range(number)]


def _readings(name: str) -> Iterable[str]:
    """Names below the folder that may be meant, the most complete first."""
    plain = name.strip().replace('\\', '/')
    if '://' in plain or '?' in plain:
        parts = urlsplit(plain)
        # Label Studio serves local files as /data/local-files/?d=folder/a.jpg.
        plain = parse_qs(parts.query).get('d', [parts.path])[0]
    for text in dict.fromkeys((plain, unquote(plain))):
        steps = [step for step in text.split('/') if step not in ('', '.', '..')]
        for start in range(len(steps)):
            reading = '/'.join(steps[start:])
            yield reading
            stem, suffix = os.path.splitext(reading)
            yield from (stem + suffix.lower(), stem + suffix.upper())
