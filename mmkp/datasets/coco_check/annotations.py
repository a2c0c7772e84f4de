# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The annotations of a COCO-style file, one after another."""

from typing import Any

from .boxes import are_corners, box_of_keypoints, usable_box
from .keypoints import KeypointCheck, counts_of_keypoints, is_finite_box
from .notes import Notes
from .segmentation import (
    area_of_polygons,
    box_of_segmentation,
    usable_segmentation,
)
from .values import MAX_COORDINATE, as_id, as_number, shown

# Of its box a person covers about so much; MMPose and pycocotools' users take it too.
AREA_SHARE = 0.53


def check_annotations(
    content: dict,
    images: dict[int | str, dict],
    categories: dict[int | str, dict],
    notes: Notes,
) -> None:
    """Check all annotations and derive what they lack, in place.

    Args:
        content: Of the file; ``annotations`` is changed.
        images: By the id that annotations may refer to them by.
        categories: Likewise.
        notes: Takes what was changed.

    Raises:
        ValueError: If an entry cannot be used and nothing follows for it.
    """
    path = notes.path
    entries = content['annotations']
    if not isinstance(entries, list):
        raise ValueError(
            f'{path}: annotations is {shown(entries)}, a list of objects is expected'
        )
    kept = _referring(entries, images, categories, notes)
    if entries and not kept:
        raise ValueError(
            f'{path}: none of the {len(entries)} annotations belongs to an image of '
            'the file: image_id must be the id of an image'
        )
    by_id = {image['id']: image for image in images.values()}
    _number(kept, by_id, notes)
    counts = counts_of_keypoints(kept, categories)
    described = any(category.get('keypoints') for category in categories.values())
    if are_corners(kept, by_id):
        for annotation in kept:
            box = annotation.get('bbox')
            if is_finite_box(box):
                x, y, right, bottom = box
                annotation['bbox'] = [x, y, right - x, bottom - y]
                notes.add(
                    'boxes are two corners (x1, y1, x2, y2) and are read so',
                    _name(annotation, by_id[annotation['image_id']]),
                )
    if any(annotation.get('segmentation') for annotation in kept):
        for annotation in kept:
            # MMPose joins the lists of all people of an image.
            annotation.setdefault('segmentation', [])
    keypoints = KeypointCheck(notes)
    usable = []
    for annotation in kept:
        image = by_id[annotation['image_id']]
        number = counts.get(annotation['category_id'])
        if number is None and 'keypoints' not in annotation and described:
            continue  # of something that has no keypoints, such as a ball
        if _complete(annotation, image, number, keypoints, notes):
            usable.append(annotation)
    if keypoints.has_labels and not keypoints.has_pixels:
        raise ValueError(
            f'{path}: all keypoints lie between 0 and 1: they seem to be fractions of '
            'the images, but pixels are expected; multiply x by the width and y by '
            'the height of the image'
        )
    content['annotations'] = usable


def _referring(
    entries: list, images: dict, categories: dict, notes: Notes
) -> list[dict]:
    """Annotations of existing images and categories, by the ids of these."""
    path, kept = notes.path, []
    only = next(iter(categories.values())) if len(categories) == 1 else None
    for position, annotation in enumerate(entries):
        if not isinstance(annotation, dict):
            raise ValueError(
                f'{path}: annotations[{position}] is {shown(annotation)}, an object is '
                'expected'
            )
        name = f'annotation {annotation.get("id", f"number {position + 1}")}'
        reference = annotation.get('image_id')
        key = as_id(reference)
        if key is None:
            raise ValueError(
                f'{path}: {name} has the image_id {shown(reference)}; give the id of '
                'its image'
            )
        image = images.get(key)
        if image is None:
            notes.add(
                'annotations are left out: their image is not in the file',
                f'{name}, image_id {shown(reference)}',
            )
            continue
        annotation['image_id'] = image['id']
        reference = annotation.get('category_id')
        key = as_id(reference)
        category = None if key is None else categories.get(key)
        if category is None and only is None:
            raise ValueError(
                f'{path}: {name} of {image.get("file_name")} has the category_id '
                f'{shown(reference)}, but the categories are {list(categories)}'
            )
        if category is None:
            notes.add(
                'annotations have no id of a category: they take the only one', name
            )
            category = only
        assert category is not None
        annotation['category_id'] = category['id']
        kept.append(annotation)
    return kept


def _number(annotations: list[dict], images: dict, notes: Notes) -> None:
    """Give each annotation a whole number of its own."""
    seen: set[int] = set()
    again = []
    for annotation in annotations:
        key = as_id(annotation.get('id'))
        if not isinstance(key, int):
            notes.add(
                'annotations have no whole number for an id: they are numbered',
                f'that of {images[annotation["image_id"]].get("file_name")}',
            )
            again.append(annotation)
        elif key in seen:
            notes.add(
                'annotations have the id of another one: they get new ids',
                _name(annotation, images[annotation['image_id']]),
            )
            again.append(annotation)
        else:
            seen.add(key)
            annotation['id'] = key
    first = max(seen, default=0) + 1
    for number, annotation in enumerate(again, max(first, 1)):
        annotation['id'] = number


def _name(annotation: dict, image: dict) -> str:
    return f'annotation {annotation["id"]} of {image.get("file_name", image["id"])}'


def _complete(
    annotation: dict,
    image: dict,
    number: int | None,
    keypoints: KeypointCheck,
    notes: Notes,
) -> bool:
    """Check one annotation and derive what it lacks; whether it is of any use."""
    crowd = annotation.get('iscrowd')
    if type(crowd) is not int or crowd not in (0, 1):
        annotation['iscrowd'] = int(bool(as_number(crowd)))
    segmentation = annotation.get('segmentation', [])
    if not _is_plain(segmentation):
        annotation['segmentation'] = _segmentation(segmentation, image, notes)
    labeled = 0
    if number is not None:
        labeled = keypoints(annotation, number, _name(annotation, image))
    box: Any = annotation.get('bbox')
    if not (is_finite_box(box) and box[2] > 0 and box[3] > 0):
        if number is None and 'bbox' in annotation:
            return True  # a file of boxes, whose reader tells which it leaves out
        if not _derive_box(annotation, image, labeled, notes):
            return False
        box = annotation['bbox']
    area: Any = annotation.get('area')
    if type(area) not in (int, float) or not 0 < area < MAX_COORDINATE**2:
        polygons = annotation.get('segmentation')
        drawn = area_of_polygons(polygons) if isinstance(polygons, list) else 0.0
        annotation['area'] = drawn or AREA_SHARE * box[2] * box[3]
    return True


def _is_plain(segmentation: Any) -> bool:
    """Whether a segmentation is polygons of numbers, or empty."""
    if type(segmentation) is not list:
        return False
    for polygon in segmentation:
        if type(polygon) is not list or len(polygon) < 6 or len(polygon) % 2:
            return False
        try:
            if not abs(sum(polygon)) < float('inf'):
                return False
            if max(polygon) >= MAX_COORDINATE or min(polygon) <= -MAX_COORDINATE:
                return False
        except TypeError:
            return False
    return True


def _segmentation(segmentation: Any, image: dict, notes: Notes) -> list | dict:
    """A segmentation that can be drawn; empty if there is none."""
    if segmentation is None:
        return []
    usable = usable_segmentation(segmentation, (image['height'], image['width']))
    if usable is None:
        notes.add(
            'segmentations are left out: they are no polygons of 3 points or more, nor '
            "run lengths of the image's size",
            f'that of {image.get("file_name", image["id"])}',
        )
        return []
    return usable


def _derive_box(annotation: dict, image: dict, labeled: int, notes: Notes) -> bool:
    """Give an annotation a box; False if nothing says where it is."""
    name, given = _name(annotation, image), annotation.get('bbox')
    box, remark = usable_box(given), 'boxes have a negative size or text for numbers'
    if box is None and labeled:
        size = (image['width'], image['height'])
        box = box_of_keypoints(annotation['keypoints'], size)
        remark = 'annotations have no usable box: it is derived from the keypoints'
    if box is None and annotation.get('segmentation'):
        box = box_of_segmentation(annotation['segmentation'])
        remark = 'annotations have no usable box: it is derived from the segmentation'
    if box is None:
        notes.add(
            'annotations are left out: they have neither a usable box nor labelled '
            'keypoints nor a segmentation',
            name,
        )
        return False
    notes.add(remark, name if given is None else f'{name} ({shown(given)})')
    annotation['bbox'] = box
    return True
