# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a person has corrected on the page of a run, as labels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.run import Run
from mmkp.labels import LabelSet, read_json
from mmkp.ops.arguments import is_real

FORMAT = 'mmkp corrections'
_SIDES = ('width', 'height')


@dataclass(frozen=True)
class Corrections:
    """Keypoints that are kept, and where a person moved them.

    Args:
        labels: objects that were touched; keypoints that were not moved are where the
            run has them, hidden ones are missing.
        weights: (P, L) float, which of the run's P keypoints make each of the L that
            are kept; those of merged ones are averaged.
    """

    labels: LabelSet
    weights: np.ndarray


def is_corrections(path: str | Path) -> bool:
    """Whether a file is one that the page writes.

    Args:
        path: of any file.
    """
    if Path(path).suffix.lower() != '.json' or not Path(path).is_file():
        return False
    content = read_json(str(path))
    return isinstance(content, dict) and content.get('format') == FORMAT


def read_corrections(path: str | Path, run: Run) -> Corrections:
    """Read what a page of a run has written.

    Args:
        path: of ``corrections.json``.
        run: that the page shows; its source is where it was.

    Returns:
        The corrections.

    Raises:
        ValueError: they are of another run, or nothing is left.
        FileNotFoundError: the run has no source or no keypoints.
    """
    content = read_json(str(path), dict)
    try:
        return _read(content, path, run)
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError(
            f"'{path}' is not what the page of a run writes: "
            f'{type(error).__name__}: {error}'
        ) from error


def _read(content: dict[str, Any], path: str | Path, run: Run) -> Corrections:
    """What :func:`read_corrections` does, of content that may be of any form."""
    if run.source is None or not Path(run.source).exists():
        raise FileNotFoundError(
            f"the images of run '{run.path}' are not there: its source is "
            f'{run.source!r}'
        )
    predicted = run.keypoints
    known = {record['image']: record for record in predicted['images']}
    told = sorted(content.get('keypoints', ()), key=lambda one: one['index'])
    if [one['index'] for one in told] != list(range(predicted['num_keypoints'])):
        raise ValueError(
            f"'{path}' tells of {len(told)} keypoints, run '{run.path}' has "
            f'{predicted["num_keypoints"]}: give the run whose page wrote it'
        )
    kept, weights = _kept(told)
    images = [one for one in content.get('images', ()) if not one.get('bad')]
    for one in images:
        if one['image'] not in known:
            raise ValueError(
                f"'{path}' corrects image {one['image']!r}, which run '{run.path}' "
                'does not have'
            )
    rows = [
        (index, *_labels(touched, known[one['image']], weights))
        for index, one in enumerate(images)
        for touched in one.get('instances', ())
    ]
    if not kept or not rows:
        what = 'drops every keypoint' if not kept else 'corrects no object'
        raise ValueError(f"'{path}' {what}")
    places, points, boxes = (list(part) for part in zip(*rows, strict=True))
    sizes = [[known[one['image']][side] for side in _SIDES] for one in images]
    source = Path(run.source)
    labels = LabelSet(
        [told[i]['name'] or f'keypoint_{i}' for i in kept],
        [one['image'] for one in images],
        np.array(places, np.int64),
        np.array(points),
        boxes=np.array(boxes, float),
        image_sizes=np.array(sizes, np.int64),
        swaps=_pairs(told, kept),
        root=source if source.is_dir() else source.parent,
        film=source if 'frames_declared' in predicted else None,
    )
    return Corrections(labels, weights)


def _pairs(told: list[dict[str, Any]], kept: list[int]) -> list[tuple[int, int]]:
    """Left and right among the keypoints that stay."""
    places = {index: place for place, index in enumerate(kept)}
    found = {
        (place, places[told[index]['partner']])
        for index, place in places.items()
        if told[index].get('partner') in places
    }
    return sorted({(min(pair), max(pair)) for pair in found if pair[0] != pair[1]})


def _kept(told: list[dict[str, Any]]) -> tuple[list[int], np.ndarray]:
    """Keypoints that stay, and which of all each is the mean of."""

    def root(index: int) -> int:
        seen = {index}
        while (into := told[index].get('merged_into')) is not None and into not in seen:
            seen.add(into)
            index = into
        return index

    gone = {one['index'] for one in told if one.get('dropped')}
    kept = [i for i in range(len(told)) if root(i) == i and i not in gone]
    weights = np.zeros((len(told), len(kept)))
    for index in range(len(told)):
        if root(index) in kept and index not in gone:
            weights[index, kept.index(root(index))] = 1
    return kept, weights / weights.sum(0, keepdims=True).clip(1)


def _labels(
    touched: dict[str, Any], record: dict[str, Any], weights: np.ndarray
) -> tuple[np.ndarray, list[float]]:
    """Where the kept keypoints of one object are, and its box."""
    instance = record['instances'][touched['index']]
    found = weights.T @ np.array(instance['keypoints'], float)
    for key, place in (touched.get('corrected') or {}).items():
        if not (_is_index(key) and len(place) == 2 and all(map(is_real, place))):
            raise ValueError(
                f'image {record["image"]!r} has keypoint {key} corrected to {place}, '
                'must be [x, y]'
            )
        found[weights[int(key)] > 0] = place
    for key in filter(_is_index, touched.get('hidden') or ()):
        found[weights[int(key)] > 0] = np.nan
    return found, instance['bbox']


def _is_index(key: Any) -> bool:
    """Whether a key of json is the number of a keypoint."""
    return str(key).isdecimal()
