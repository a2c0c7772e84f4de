# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The categories of a COCO-style file, and the landmarks that they describe."""

from collections.abc import Sequence
from typing import Any, NoReturn

from .notes import Notes
from .values import as_id, shown


def check_categories(content: dict, notes: Notes) -> dict[int | str, dict]:
    """Give each category a whole number as its id, and a name.

    Args:
        content: Of the file; ``categories`` is changed.
        notes: Takes what was derived.

    Returns:
        The categories by the id that annotations may refer to them by.

    Raises:
        ValueError: If categories are no list of objects, or two have one id.
    """
    path, used = notes.path, _used_categories(content)
    categories = content.get('categories')
    if categories is None or categories == []:
        numbers = sorted(n for n in used if isinstance(n, int)) or [1]
        categories = [dict(id=n, name='object') for n in numbers]
        if content.get('annotations'):
            notes.add('file has no categories: all is one kind of object', path)
    if not isinstance(categories, list) or not all(
        isinstance(category, dict) for category in categories
    ):
        raise ValueError(
            f'{path}: categories is {shown(categories)}, a list of objects with id, '
            'name and keypoints is expected'
        )
    ids = [as_id(category.get('id')) for category in categories]
    if None in ids:
        if len(ids) > 1:
            name = categories[ids.index(None)].get('name')
            raise ValueError(
                f'{path}: category {shown(name)} has the id null or none at all; give '
                'each category an id of its own'
            )
        ids = [used.pop() if len(used) == 1 and None not in used else 1]
        notes.add('categories have no id: theirs is derived', str(categories[0]))
    by_id: dict[int | str, dict] = {}
    for number, (key, category) in enumerate(zip(ids, categories, strict=True), 1):
        assert key is not None  # for the type checker
        if key in by_id and by_id[key].get('name') != category.get('name'):
            raise ValueError(
                f'{path}: two categories, {shown(by_id[key].get("name"))} and '
                f'{shown(category.get("name"))}, have the id {key}; give each its own'
            )
        by_id.setdefault(key, category)
        if not category.get('name'):
            category['name'] = f'category_{key}'
        if any(isinstance(k, str) for k in ids):
            notes.add('categories have text for an id: they are numbered', str(key))
            category['id'] = number
        else:
            category['id'] = key
    content['categories'] = list(by_id.values())
    return by_id


def _used_categories(content: dict) -> set[int | str | None]:
    """Ids of categories as the annotations say them."""
    annotations = content.get('annotations')
    if not isinstance(annotations, list):
        return set()
    return {as_id(a.get('category_id')) for a in annotations if isinstance(a, dict)}


def number_of_landmarks(category: dict) -> int | None:
    """Return how many keypoints a category names, None if it names none."""
    names = category.get('keypoints')
    return len(names) if isinstance(names, list) and names else None


def landmark_category(content: dict, path: str) -> dict:
    """Find the category that describes the landmarks of a file.

    Args:
        content: Of the file.
        path: Of the file, for messages.

    Returns:
        The first category with keypoints; an empty dict if there is none.

    Raises:
        ValueError: If annotations belong to categories that name other keypoints.
    """
    categories = content.get('categories') or []
    if not isinstance(categories, list):
        raise ValueError(f'{path}: categories is {shown(categories)}, no list')
    described = [c for c in categories if isinstance(c, dict) and c.get('keypoints')]
    if len({str(category['keypoints']) for category in described}) > 1:
        used = _used_categories(content)
        described = [c for c in described if as_id(c.get('id')) in used] or described
        kinds = {str(c['keypoints']): str(c.get('name')) for c in described}
        if len(kinds) > 1:
            raise ValueError(
                f'{path}: the categories {", ".join(kinds.values())} name different '
                'keypoints, but a data set has one skeleton; write one file a category'
            )
    return described[0] if described else {}


def landmark_names(category: dict, path: str) -> list[str]:
    """Read the names of the landmarks of a category.

    Args:
        category: Its ``keypoints`` are names; numbers are taken as names.
        path: Of the file, for messages.

    Returns:
        K names.

    Raises:
        ValueError: If they are no list of names, or repeat.
    """
    names = category.get('keypoints')
    if not isinstance(names, list) or not all(
        isinstance(name, str | int) and not isinstance(name, bool) and name != ''
        for name in names
    ):
        raise ValueError(
            f'{path}: keypoints of category {shown(category.get("name"))} are '
            f'{shown(names)}, a list of names is expected'
        )
    names = [str(name).strip() for name in names]
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(
            f'{path}: the keypoint name {repeated[0]!r} of category '
            f'{shown(category.get("name"))} repeats; give each keypoint its own name'
        )
    return names


def landmark_edges(
    category: dict, names: Sequence[str], path: str
) -> list[tuple[int, int]]:
    """Read the links of a category.

    Numbers count from 1, as COCO's do; a file in which a 0 occurs counts from 0, and a
    warning says so. Names of keypoints are taken as well.

    Args:
        category: Its ``skeleton`` holds pairs, or is null or absent.
        names: K names of the landmarks.
        path: Of the file, for messages.

    Returns:
        Pairs of numbers, from 0; each once, none of a landmark with itself.

    Raises:
        ValueError: If they are no pairs of existing landmarks.
    """
    skeleton = category.get('skeleton')
    if skeleton is None:
        return []
    if not isinstance(skeleton, list):
        _refuse_link(path, category, skeleton, names)
    notes = Notes(path)
    pairs = []
    for link in skeleton:
        ends = [_end(value, names) for value in link] if isinstance(link, list) else []
        if len(ends) != 2 or None in ends:
            _refuse_link(path, category, link, names)
        pairs.append(ends)
    numbers = [n for pair in pairs for n in pair if isinstance(n, int)]
    first = 0 if 0 in numbers else 1
    if numbers and not first:
        notes.add('links of the skeleton count keypoints from 0', str(skeleton[0]))
    edges: list[tuple[int, int]] = []
    for link, pair in zip(skeleton, pairs, strict=True):
        a, b = (n - first if isinstance(n, int) else names.index(n) for n in pair)
        if not (0 <= a < len(names) and 0 <= b < len(names)):
            _refuse_link(path, category, link, names)
        if a == b or (a, b) in edges or (b, a) in edges:
            notes.add('links of the skeleton repeat or join one point', str(link))
        else:
            edges.append((a, b))
    notes.tell()
    return edges


def _end(value: Any, names: Sequence[str]) -> int | str | None:
    """One end of a link, a number as in the file or a name."""
    if isinstance(value, str) and value.strip() in names:
        return value.strip()
    key = as_id(value)
    return key if isinstance(key, int) else None


def _refuse_link(
    path: str, category: dict, link: Any, names: Sequence[str]
) -> NoReturn:
    raise ValueError(
        f'{path}: the skeleton of category {shown(category.get("name"))} has '
        f'{shown(link)}, where pairs of keypoints are expected: numbers from 1 to '
        f'{len(names)}, or names'
    )
