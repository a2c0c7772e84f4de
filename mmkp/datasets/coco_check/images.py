# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The images of a COCO-style file: ids, names and sizes."""

from typing import Any

from .notes import Notes
from .values import as_id, as_number, shown


def check_images(content: dict, notes: Notes, named: bool = True) -> dict:
    """Give each image a whole number as its id, and a size or None.

    Entries of one file are united; ``width`` and ``height`` that are no positive
    numbers become None.

    Args:
        content: Of the file; ``images`` is changed.
        notes: Takes what was changed.
        named: Whether each image must have a ``file_name``.

    Returns:
        The images by the id that annotations may refer to them by.

    Raises:
        ValueError: If images are no list of objects, one has no id or no name, or two
            of different names have one id.
    """
    path, images = notes.path, content.get('images')
    if not isinstance(images, list):
        raise ValueError(
            f'{path}: images is {shown(images)}, a list of objects with id, file_name, '
            'width and height is expected'
        )
    by_id: dict[int | str, dict] = {}
    by_name: dict[str, dict] = {}
    kept: list[dict] = []
    for position, image in enumerate(images):
        key, name = _identity(image, position, path, named)
        same = by_id.get(key)
        if same is not None:
            if same.get('file_name') != name:
                raise ValueError(
                    f'{path}: the images {same.get("file_name")} and {name} have the '
                    f'same id {shown(image["id"])}; give each image an id of its own'
                )
            notes.add('images are listed twice', str(name))
            continue
        if name is not None and name in by_name:
            notes.add('images are listed under a second id and are united', name)
            by_id[key] = by_name[name]
            continue
        by_id[key] = image
        if name is not None:
            by_name[name] = image
        kept.append(image)
        _check_size(image, notes)
    _number(kept, by_id, notes)
    content['images'] = kept
    return by_id


def _identity(
    image: Any, position: int, path: str, named: bool
) -> tuple[int | str, str | None]:
    """Id and name of an image."""
    if not isinstance(image, dict):
        raise ValueError(
            f'{path}: images[{position}] is {shown(image)}, an object with id and '
            'file_name is expected'
        )
    name = image.get('file_name')
    if named and (not isinstance(name, str) or not name.strip()):
        raise ValueError(
            f'{path}: images[{position}] (id {shown(image.get("id"))}) has the '
            f'file_name {shown(name)}; give the name of the image file'
        )
    key = as_id(image.get('id'))
    if key is None:
        raise ValueError(
            f'{path}: images[{position}] ({name}) has the id '
            f'{shown(image.get("id"))}; give each image a whole number of its own'
        )
    return key, name if isinstance(name, str) else None


def _number(images: list[dict], by_id: dict[int | str, dict], notes: Notes) -> None:
    """Make ids whole numbers, which MMPose counts with."""
    if any(isinstance(key, str) for key in by_id):
        for number, image in enumerate(images, 1):
            notes.add(
                'images have text for an id: they are numbered from 1',
                str(image.get('file_name', image['id'])),
            )
            image['id'] = number
        return
    for image in images:
        image['id'] = as_id(image['id'])


def _check_size(image: dict, notes: Notes) -> None:
    """Make width and height positive whole numbers, or None both."""
    width, height = image.get('width'), image.get('height')
    if type(width) is int and type(height) is int and width > 0 and height > 0:
        return
    sides = [as_number(width), as_number(height)]
    usable = all(side is not None and side >= 1 for side in sides)
    if not usable and 'width' in image and 'height' in image:
        notes.add(
            'images have no usable width and height in the file',
            f'{image.get("file_name")} ({shown(width)}x{shown(height)})',
        )
    image['width'], image['height'] = (
        (int(side) if usable and side is not None else None) for side in sides
    )
