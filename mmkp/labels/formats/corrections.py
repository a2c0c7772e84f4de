# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The ``corrections.json`` that the page of a run downloads."""

from typing import Any

import numpy as np

from ..label_set import LabelSet
from .coco import number_or_nan
from .source import Source

FORMAT = 'mmkp corrections'


def recognize(source: Source) -> bool:
    """Tell whether a json file calls itself corrections.

    Args:
        source: What lies at a path.
    """
    content = source.json
    return isinstance(content, dict) and content.get('format') == FORMAT


def read(source: Source) -> LabelSet:
    """Read the points that a person has set; all others are missing.

    Keypoints that were dropped are left out, those merged into another one give it
    their points, and images marked as bad are left out.

    Args:
        source: The file.

    Returns:
        Labels of the images that the person touched.

    Raises:
        ValueError: If it is of a newer version, or an entry cannot be used.
    """
    path, content = source.path, source.json
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds no object {{...}} at its top')
    if content.get('version') != 1:
        raise ValueError(
            f'{path} has version {content.get("version")!r:.40}, this mmkp reads 1'
        )
    known = _keypoints(content, source)
    kept = [k for k, entry in known.items() if not _is_left_out(entry)]
    column = {
        k: kept.index(_target(k, known)) for k in known if _target(k, known) in kept
    }
    images = content.get('images')
    if not isinstance(images, list):
        raise ValueError(f'{path}: "images" is no list')
    names: list[str] = []
    rows: list[tuple[int, np.ndarray, np.ndarray]] = []
    for image in images:
        if not isinstance(image, dict) or not isinstance(image.get('image'), str):
            raise ValueError(f'{path}: an entry of "images" has no name "image"')
        if image.get('bad'):
            continue
        names.append(image['image'])
        for instance in image.get('instances') or []:
            points, seen = _points(instance, column, kept, source)
            if seen.any():
                rows.append((len(names) - 1, points, seen))
    swaps = {
        tuple(sorted((column[k], column[entry['partner']])))
        for k, entry in known.items()
        if isinstance(entry.get('partner'), int)
        and k in column
        and entry['partner'] in column
    }
    return LabelSet(
        keypoint_names=[str(known[k].get('name') or k) for k in kept],
        image_names=names,
        image_index=np.array([place for place, _, _ in rows], np.int64),
        keypoints=np.array([points for _, points, _ in rows]).reshape(
            len(rows), len(kept), 2
        ),
        visibility=np.array([seen for _, _, seen in rows], np.int64).reshape(
            len(rows), len(kept)
        ),
        swaps=[(a, b) for a, b in sorted(swaps) if a != b],
        root=source.path.parent,
    )


def _keypoints(content: dict, source: Source) -> dict[int, dict]:
    """The keypoints by their index."""
    entries = content.get('keypoints')
    if not isinstance(entries, list) or not all(
        isinstance(entry, dict) and type(entry.get('index')) is int for entry in entries
    ):
        raise ValueError(
            f'{source.path}: "keypoints" is no list of objects with an "index"'
        )
    return {entry['index']: entry for entry in entries}


def _is_left_out(entry: dict) -> bool:
    return bool(entry.get('dropped')) or isinstance(entry.get('merged_into'), int)


def _target(index: int, known: dict[int, dict]) -> int:
    """The keypoint that one was merged into, at the end of a chain."""
    seen = {index}
    while index in known and isinstance(known[index].get('merged_into'), int):
        index = known[index]['merged_into']
        if index in seen:
            break
        seen.add(index)
    return index


def _points(
    instance: Any, column: dict[int, int], kept: list[int], source: Source
) -> tuple[np.ndarray, np.ndarray]:
    """Points (K, 2) and visibility (K,) of one object."""
    points, seen = np.full((len(kept), 2), np.nan), np.zeros(len(kept), np.int64)
    corrected = instance.get('corrected') if isinstance(instance, dict) else None
    if not isinstance(corrected, dict):
        raise ValueError(f'{source.path}: an instance has no object "corrected"')
    hidden = {k for k in instance.get('hidden') or [] if isinstance(k, int)}
    # Those merged into another one come first, so that its own points win.
    order = sorted(corrected, key=lambda key: int(key) in kept)
    for key in order:
        if int(key) not in column:
            continue
        point = corrected[key]
        pair = [number_or_nan(v) for v in point] if isinstance(point, list) else []
        if len(pair) != 2 or not np.isfinite(pair).all():
            raise ValueError(f'{source.path}: {point!r:.60} is no point [x, y]')
        points[column[int(key)]] = pair
        seen[column[int(key)]] = 1 if int(key) in hidden else 2
    return points, seen
