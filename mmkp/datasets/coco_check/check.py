# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The one check of COCO-style content that all data sets, metrics and tools share."""

import os
from typing import Any

from .annotations import check_annotations
from .categories import check_categories
from .foreign import refuse_foreign
from .image_files import compare_sizes, fill_sizes, settle_names
from .images import check_images
from .notes import Notes

# Of images that cannot be read, so that nothing is cut.
UNKNOWN_SIDE = 1_000_000


def check_coco(
    content: Any, path: str, image_folder: str | None = None, named: bool = True
) -> dict:
    """Check COCO-style annotations and derive what follows from the rest.

    Afterwards images, annotations and categories have whole numbers for ids, each its
    own, and refer to each other; keypoints are ``x, y, visibility`` with a visibility
    of 0, 1 or 2; boxes and areas are positive; ``num_keypoints``, ``iscrowd`` and
    ``segmentation`` are there. What was derived, corrected or left out is a warning
    with the number of entries and the first one's name, once a process.

    Boxes are derived from the labelled keypoints, with a margin, or from the
    segmentation; areas from polygons, or as 0.53 of the box, as MMPose does. Sizes of
    images are compared with the heads of their files where the file lacks them, where
    annotations reach beyond them, and in a sample of 500 otherwise; the size of the
    image as viewers show it counts.

    Args:
        content: Of the json file; it is changed.
        path: Of the file, for messages.
        image_folder: Of the images, to settle their names and sizes; None to leave
            both as they are.
        named: Whether images must have a ``file_name``.

    Returns:
        The content.

    Raises:
        ValueError: If it is not in COCO's format, or an entry cannot be used and
            nothing follows for it. The message names file, entry, value and remedy.
    """
    if not isinstance(content, dict) or 'images' not in content:
        refuse_foreign(content, path)
    notes = Notes(path)
    images = check_images(content, notes, named)
    listed = content['images']
    if image_folder is not None and named:
        settle_names(listed, image_folder, notes)
        fill_sizes(listed, image_folder, notes)
    categories = check_categories(content, notes)
    if content.get('annotations') is None:
        content.pop('annotations', None)
    else:
        check_annotations(content, images, categories, notes)
        if image_folder is not None and named:
            _settle_sizes(content, image_folder, notes)
    notes.tell()
    return content


def _settle_sizes(content: dict, folder: str, notes: Notes) -> None:
    """Look again where annotations reach beyond an image, and demand sizes."""
    images = {image['id']: image for image in content['images']}
    beyond: dict[int, dict] = {}
    for annotation in content['annotations']:
        image, box = images[annotation['image_id']], annotation.get('bbox')
        if image['width'] is None:
            _refuse_unknown_size(image, folder, notes.path)
            beyond[image['id']] = image
        elif box is not None and (
            box[0] + box[2] > image['width'] + 1
            or box[1] + box[3] > image['height'] + 1
        ):
            beyond[image['id']] = image
    compare_sizes(beyond.values(), folder, notes)
    for image in beyond.values():
        if image['width'] is None:
            # A damaged file, which is left out when it is to be decoded.
            image['width'] = image['height'] = UNKNOWN_SIDE


def _refuse_unknown_size(image: dict, folder: str, path: str) -> None:
    full = os.path.join(folder, image['file_name'])
    if not os.path.isfile(full):
        raise ValueError(
            f'{path}: image {image["file_name"]} has no usable width and height, and '
            f'there is no file {full} to take them from; correct data_prefix, or add '
            'both'
        )
