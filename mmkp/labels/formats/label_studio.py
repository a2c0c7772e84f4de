# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Label Studio's json: a list of tasks, an image each.

sleap-io reads only tasks that it wrote itself, so the regions are read here.
"""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import numpy as np

from ..image_files import sizes_of
from ..label_set import LabelSet
from ..number_text import inverse, plain, write_json
from .coco import box_of, number_or_nan
from .regions import Region, objects_of_regions
from .source import Source

_IMAGE_KEYS = ('image', 'img', 'picture', 'photo', 'url')
_UPLOAD = '/data/upload/'


def recognize(source: Source) -> bool:
    """Tell whether a json file is a list of tasks.

    Args:
        source: What lies at a path.
    """
    content = source.json
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and isinstance(first.get('data'), dict)


def read(source: Source) -> LabelSet:
    """Read keypoints of all tasks; those of one rectangle are one object.

    Which keypoint belongs to which rectangle is said by ``parentID`` or a relation.
    Keypoints without a rectangle make an object until one of them repeats.

    Args:
        source: The file.

    Returns:
        The labels: of each task the last annotation, or else the first prediction.

    Raises:
        ValueError: If a region has no place or size.
    """
    tasks = source.json
    if not isinstance(tasks, list) or not all(
        isinstance(task, dict) and isinstance(task.get('data'), dict) for task in tasks
    ):
        raise ValueError(f'{source.path} is no list of tasks with "data"')
    regions: list[Region] = []
    names, sizes, predicted = [], [], False
    for place, task in enumerate(tasks):
        names.append(_image_name(task['data'], source.path))
        results, is_predicted = _results(task)
        predicted |= is_predicted
        size = [number_or_nan(task['data'].get(key)) for key in ('width', 'height')]
        for result in results:
            known = _size(result)
            size = known if known[0] > 0 else size
        sizes.append([int(side) if 0 < side < 2**31 else 0 for side in size])
        regions += _regions(results, place, source.path)
    declared = next((t['data'].get('keypoint_names') for t in tasks), None)
    labels = objects_of_regions(
        regions, declared if isinstance(declared, list) else [], names
    )
    labels.image_sizes = np.array(sizes, np.int64).reshape(-1, 2)
    if not predicted:
        labels.scores = None
    labels.root = source.path.parent
    return labels


def write(labels: LabelSet, path: Path) -> None:
    """Write a task an image, a rectangle an object and a region a keypoint.

    Labels become annotations, predictions of a model predictions.

    Args:
        labels: To be written.
        path: File.

    Raises:
        ValueError: If the size of an image is unknown.
    """
    sizes = sizes_of(labels, 'Label Studio')
    results: list[list[dict]] = [[] for _ in labels.image_names]
    for index, place in enumerate(labels.image_index.tolist()):
        results[place] += _written(labels, index, sizes[place].tolist())
    key = 'annotations' if labels.scores is None else 'predictions'
    tasks = []
    for number, (name, found, size) in enumerate(
        zip(labels.image_names, results, sizes.tolist(), strict=True), 1
    ):
        data = dict(
            image=f'/data/local-files/?d={quote(name)}',
            keypoint_names=labels.keypoint_names,
            width=size[0],
            height=size[1],
        )
        tasks.append({'id': number, 'data': data, key: [dict(result=found)]})
    write_json(tasks, path)


def _image_name(data: dict[str, Any], path: Path) -> str:
    """Name of the image of a task, without what the server adds."""
    keys = [k for k in _IMAGE_KEYS if isinstance(data.get(k), str)]
    keys += [k for k, value in data.items() if isinstance(value, str)]
    if not keys:
        raise ValueError(f'{path}: a task has no image in its "data"')
    address = data[keys[0]]
    parts = urlsplit(address)
    local = parse_qs(parts.query).get('d')
    if local:
        return local[0]
    name = unquote(parts.path if parts.scheme else address)
    if name.startswith(_UPLOAD):
        name = name.removeprefix(_UPLOAD).split('/', 1)[-1]
        head, _, rest = name.partition('-')
        if rest and len(head) == 8 and all(c in '0123456789abcdef' for c in head):
            name = rest
    return name.lstrip('/') or address


def _results(task: dict) -> tuple[list[dict], bool]:
    """Regions of the last annotation or the first prediction, and which it is."""
    for key, place in (('annotations', -1), ('completions', -1), ('predictions', 0)):
        found = task.get(key)
        if isinstance(found, list) and found and isinstance(found[place], dict):
            results = found[place].get('result')
            if isinstance(results, list):
                is_predicted = key == 'predictions'
                return [r for r in results if isinstance(r, dict)], is_predicted
    return [], False


def _size(result: dict) -> list[float]:
    """Width and height of the image of a region."""
    return [number_or_nan(result.get(f'original_{key}')) for key in ('width', 'height')]


def _regions(results: list[dict], image: int, path: Path) -> list[Region]:
    """Keypoints and rectangles of a task, in pixels."""
    parents = {
        r.get('to_id'): r.get('from_id') for r in results if r.get('type') == 'relation'
    }
    parents |= {v: k for k, v in parents.items()}
    found = []
    for result in results:
        kind, value = result.get('type'), result.get('value')
        if kind not in ('keypointlabels', 'rectanglelabels', 'rectangle', 'keypoint'):
            continue
        width, height = _size(result)
        numbers = [
            number_or_nan(value.get(key)) if isinstance(value, dict) else np.nan
            for key in ('x', 'y', 'width', 'height')
        ]
        x, y = numbers[0] * width / 100, numbers[1] * height / 100
        if not np.isfinite([x, y]).all() or not isinstance(value, dict):
            raise ValueError(
                f'{path}: region {str(result.get("id"))!r:.40} has no x, y, '
                'original_width and original_height'
            )
        words = value.get('keypointlabels') or value.get('rectanglelabels') or []
        label = str(words[0]) if isinstance(words, list) and words else ''
        meta = result.get('meta')
        text = meta.get('text') if isinstance(meta, dict) else None
        is_point = kind.startswith('keypoint')
        key = str(result.get('id'))
        parent = result.get('parentID') or parents.get(result.get('id'))
        box = (x, y, x + numbers[2] * width / 100, y + numbers[3] * height / 100)
        found.append(
            Region(
                image=image,
                group=str(parent or '') if is_point else key,
                label=label if is_point else '',
                point=(x, y) if is_point else None,
                box=None if is_point else box,
                score=number_or_nan(result.get('score')),
                individual=str(text[0]) if isinstance(text, list) and text else '',
            )
        )
    return found


def _written(labels: LabelSet, index: int, size: list[int]) -> list[dict]:
    """Rectangle and keypoints of an object."""
    common = dict(
        original_width=size[0],
        original_height=size[1],
        image_rotation=0,
        to_name='image',
    )
    x, y, w, h = (number_or_nan(value) for value in box_of(labels, index))
    corner = dict(x=100 * x / size[0], y=100 * y / size[1], rotation=0)
    sides = dict(width=100 * w / size[0], height=100 * h / size[1])
    box: dict[str, Any] = dict(
        id=f'object{index}',
        type='rectanglelabels',
        from_name='box',
        value=dict(**corner, **sides, rectanglelabels=['object']),
        **common,
    )
    if labels.individuals[index]:
        box['meta'] = dict(text=[labels.individuals[index]])
    if labels.object_scores is not None:
        box['score'] = plain(labels.object_scores[index])
    results = [box]
    for part, point in enumerate(labels.keypoints[index].tolist()):
        if not np.isfinite(point).all():
            continue
        percent = [_percent(v, n) for v, n in zip(point, size, strict=True)]
        region = dict(
            id=f'object{index}_{part}',
            type='keypointlabels',
            from_name='keypoints',
            parentID=box['id'],
            value=dict(
                x=percent[0],
                y=percent[1],
                width=0.5,
                keypointlabels=[labels.keypoint_names[part]],
            ),
            **common,
        )
        if labels.scores is not None:
            region['score'] = plain(labels.scores[index, part])
        results.append(region)
    return results


def _percent(value: float, length: int) -> float:
    """A coordinate as percent of a side of the image."""
    return inverse(value, 100 * value / length, lambda number: number * length / 100)
