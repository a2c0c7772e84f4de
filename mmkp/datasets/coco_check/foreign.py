# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which program wrote a json file that is not in COCO's format."""

from typing import Any, NoReturn

_REMEDY = (
    "export it as 'COCO Keypoints', or convert it with one of tools/dataset_converters"
)


def refuse_foreign(content: Any, path: str) -> NoReturn:
    """Say what a file holds instead of COCO-style annotations.

    Args:
        content: Of the json file.
        path: Of the file.

    Raises:
        ValueError: Always.
    """
    kind = _kind(content)
    if kind:
        raise ValueError(f'{path} is {kind}, not COCO-style annotations: {_REMEDY}')
    found = f'a {type(content).__name__}'
    if isinstance(content, dict):
        keys = ', '.join(map(str, list(content)[:6]))
        found = f'an object with {keys}' if keys else 'an empty object'
    raise ValueError(
        f'{path} holds {found}, where COCO-style annotations have lists named images, '
        f'annotations and categories: {_REMEDY}'
    )


def _kind(content: Any) -> str:
    """Name the kind of file, '' if it is not known."""
    first = content[0] if isinstance(content, list) and content else None
    if isinstance(first, dict):
        if 'image_id' in first and 'score' in first:
            return "a list of results in COCO's format (predictions)"
        if 'joints' in first or 'joints_vis' in first:
            return "a list of people in the format of MMPose's MPII files"
        if 'data' in first and 'annotations' in first:
            return "Label Studio's own json"
        if 'image_id' in first and 'keypoints' in first:
            return 'the list of annotations alone'
    if isinstance(content, dict):
        values = list(content.values())
        if '_via_img_metadata' in content or (
            values and isinstance(values[0], dict) and 'regions' in values[0]
        ):
            return "VIA's own json"
        if 'shapes' in content and 'imagePath' in content:
            return "labelme's own json, of one image"
        if 'objects' in content and 'size' in content:
            return "Supervisely's own json, of one image"
        if 'items' in content and 'categories' in content:
            return "Datumaro's own json"
    return ''
