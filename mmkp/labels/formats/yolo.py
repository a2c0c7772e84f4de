# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""YOLO-pose: a folder of data.yaml, images/ and labels/, a text file an image."""

import csv
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from ..image_files import copy_images, sizes_of
from ..label_set import LabelSet
from ..number_text import plain_text
from ..text_file import read_text
from .coco import box_of, number_or_nan
from .source import Source

_NUMBER = re.compile(r'[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d{1,3})?', re.A)
_SUFFIXES = ('.jpg', '.jpeg', '.png', '.bmp', '.tif', '.tiff', '.webp')


def recognize(source: Source) -> bool:
    """Tell whether a folder, or a yaml file, describes keypoints for Ultralytics.

    Args:
        source: What lies at a path.
    """
    path = _settings_of(source)
    return path.is_file() and b'kpt_shape' in path.read_bytes()[:1_000_000]


def read(source: Source) -> LabelSet:
    """Read all images of all splits; an image without a text file has no object.

    Args:
        source: The folder, or its data.yaml.

    Returns:
        The labels, or predictions where the third numbers are not all 0, 1 or 2.

    Raises:
        ValueError: If a line does not fit ``kpt_shape``, or an image's size is unknown.
    """
    path = _settings_of(source)
    settings = _settings(path)
    number, depth = settings['kpt_shape']
    root, files = _label_files(path, settings)
    sizes = _listed_sizes(path.parent)
    names, index, rows = [], [], []
    image_sizes = []
    for place, (name, file) in enumerate(files.items()):
        names.append(name)
        image_sizes.append(sizes.get(name) or _size(root / name, path))
        if file.is_file() and file.stat().st_size:
            found = _rows(file, number, depth)
            rows += [_pixels(row, image_sizes[-1], number, depth) for row in found]
            index += [place] * len(found)
    triplets = np.array([row[1] for row in rows]).reshape(len(rows), number, 3)
    third = triplets[..., 2]
    is_label = bool(np.isin(third, (0, 1, 2)).all())
    missing = (third == 0) & (is_label | (triplets[..., :2] == 0).all(-1))
    triplets[missing] = np.nan
    flip = settings.get('flip_idx')
    flip = flip if isinstance(flip, list) and len(flip) == number else []
    return LabelSet(
        keypoint_names=_names(settings, number, path),
        image_names=names,
        image_index=np.array(index, np.int64),
        keypoints=triplets[..., :2],
        visibility=np.where(missing, 0, third if is_label else 2).astype(np.int64),
        scores=None if is_label else triplets[..., 2],
        boxes=np.array([row[0] for row in rows]).reshape(-1, 4),
        image_sizes=np.array(image_sizes, np.int64).reshape(-1, 2),
        swaps=[
            (a, b) for a, b in enumerate(flip) if isinstance(b, int) and a < b < number
        ],
        root=root,
    )


def write(labels: LabelSet, path: Path) -> None:
    """Write the folder; images that are there are copied, all sizes are listed.

    Args:
        labels: To be written.
        path: Folder.

    Raises:
        ValueError: If the size of an image is unknown.
    """
    sizes = sizes_of(labels, 'YOLO-pose')
    (path / 'labels').mkdir(parents=True, exist_ok=True)
    (path / 'images').mkdir(exist_ok=True)
    names = labels.image_names
    copy_images(labels, path / 'images', {name: name for name in names})
    lines: list[list[str]] = [[] for _ in names]
    for index, place in enumerate(labels.image_index.tolist()):
        lines[place].append(_fractions(labels, index, sizes[place].tolist()))
    for name, found in zip(names, lines, strict=True):
        file = _text_name(path / 'labels', name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(''.join(f'{line}\n' for line in found))
    number = len(labels.keypoint_names)
    flip = list(range(number))
    for left, right in labels.swaps:
        flip[left], flip[right] = int(right), int(left)
    content = dict(
        train='images',
        val='images',
        kpt_shape=[number, 3],
        flip_idx=flip,
        names={0: 'object'},
        kpt_names={0: list(labels.keypoint_names)},
    )
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (path / 'data.yaml').write_text(text, encoding='utf-8')
    with (path / 'sizes.csv').open('w', newline='', encoding='utf-8') as listing:
        table = csv.writer(listing, lineterminator='\n')
        table.writerow(['image', 'width', 'height'])
        table.writerows([n, *s] for n, s in zip(names, sizes.tolist(), strict=True))


def _settings_of(source: Source) -> Path:
    """The yaml file of a folder."""
    if not source.is_folder:
        return source.path if source.path.suffix in ('.yaml', '.yml') else Path('')
    found = [source.path / 'data.yaml', *sorted(source.path.glob('*.y*ml'))]
    return next((file for file in found if file.is_file()), found[0])


def _settings(path: Path) -> dict[str, Any]:
    """Content of data.yaml with a usable kpt_shape."""
    try:
        content = yaml.safe_load(read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(
            f'{path}: no YAML of plain data: {type(error).__name__}'
        ) from None
    shape = content.get('kpt_shape') if isinstance(content, dict) else None
    if (
        not isinstance(shape, list)
        or len(shape) != 2
        or not all(type(n) is int for n in shape)
        or shape[1] not in (2, 3)
        or not 0 < shape[0] < 10_000
    ):
        raise ValueError(
            f'{path}: kpt_shape is no list [K, 2] or [K, 3], of the number of '
            'keypoints and of numbers a keypoint'
        )
    return content


def _names(settings: dict[str, Any], number: int, path: Path) -> list[str]:
    """Names of the keypoints, or their numbers."""
    names = settings.get('kpt_names')
    if isinstance(names, dict):
        names = next(iter(names.values()), None)
    if isinstance(names, list) and len(names) == number:
        return [plain_text(name, path) for name in names]
    return [str(k) for k in range(number)]


def _label_files(path: Path, settings: dict) -> tuple[Path, dict[str, Path]]:
    """Folder of all images, and the text file of each by its name."""
    base = path.parent / plain_text(settings.get('path') or '', path)
    base = base if base.is_dir() else path.parent
    folders: list[Path] = []
    for split in ('train', 'val', 'test'):
        given = settings.get(split)
        for entry in given if isinstance(given, list) else [given]:
            if entry and (base / plain_text(entry, path)).is_dir():
                folders.append(base / str(entry))
    folders = list(dict.fromkeys(folders)) or [base / 'images']
    root = folders[0] if len(folders) == 1 else base / 'images'
    if any(not folder.is_relative_to(root) for folder in folders):
        root = base
    files: dict[str, Path] = {}
    for folder in folders:
        labels = Path(*_renamed(folder.parts))
        for image in _images_below(folder):
            relative = image.relative_to(folder).as_posix()
            files[image.relative_to(root).as_posix()] = _text_name(labels, relative)
    for name in _listed_sizes(path.parent):
        files.setdefault(name, _text_name(base / 'labels', name))
    listed = [name for name in _listed_sizes(path.parent) if name in files]
    files = {name: files[name] for name in [*listed, *sorted({*files} - {*listed})]}
    if not files:
        raise ValueError(f'{path}: no images in {", ".join(map(str, folders))}')
    return root, files


def _renamed(parts: tuple[str, ...]) -> list[str]:
    """Parts of a path, labels in place of the last images."""
    last = max((i for i, part in enumerate(parts) if part == 'images'), default=None)
    return ['labels' if i == last else part for i, part in enumerate(parts)]


def _images_below(folder: Path) -> Iterator[Path]:
    files = sorted(folder.rglob('*')) if folder.is_dir() else []
    return (file for file in files if file.suffix.lower() in _SUFFIXES)


def _text_name(folder: Path, name: str) -> Path:
    """The text file of an image; a frame's name has no suffix to replace."""
    stem = name.rsplit('.', 1)[0] if name.lower().endswith(_SUFFIXES) else name
    return folder / f'{stem}.txt'


def _listed_sizes(folder: Path) -> dict[str, list[int]]:
    """Sizes of images by sizes.csv, which mmkp writes."""
    file = folder / 'sizes.csv'
    if not file.is_file():
        return {}
    rows = list(csv.reader(read_text(file).splitlines()))[1:]
    if not all(
        len(row) == 3 and row[1].isdecimal() and row[2].isdecimal() for row in rows
    ):
        raise ValueError(f'{file} has other columns than image, width, height')
    return {row[0]: [int(row[1]), int(row[2])] for row in rows}


def _size(image: Path, path: Path) -> list[int]:
    """Width and height of an image that has to be there."""
    from mmkp.datasets.image_size import image_size

    if not image.is_file():
        raise ValueError(
            f'{path}: {image} is not there, and labels are fractions of it'
        )
    return list(image_size(image))


def _rows(file: Path, number: int, depth: int) -> list[list[Decimal]]:
    """Numbers of the lines of a text file, with all the digits they have there."""
    expected, rows = 5 + number * depth, []
    for line, text in enumerate(read_text(file).splitlines(), 1):
        words = text.split()
        if not words:
            continue
        good = all(len(word) < 50 and _NUMBER.fullmatch(word) for word in words)
        if not good or len(words) not in (expected, expected + 1):
            raise ValueError(
                f'{file}, line {line}: {len(words)} words, where class, box and '
                f'{number} keypoints of {depth} numbers make {expected}'
            )
        rows.append([Decimal(word) for word in words[:expected]])
    return rows


def _pixels(
    row: list[Decimal], size: list[int], number: int, depth: int
) -> tuple[list[float], np.ndarray]:
    """Box (4,) and keypoints (K, 3) of a line, in pixels."""
    x, y, w, h = row[1:5]
    edges = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    box = [float(edge * side) for edge, side in zip(edges, [*size, *size], strict=True)]
    triplets = np.full((number, 3), 2.0)
    for place, values in enumerate(zip(*[iter(row[5:])] * depth, strict=True)):
        triplets[place, :2] = [float(v * n) for v, n in zip(values, size, strict=False)]
        triplets[place, 2:depth] = [float(v) for v in values[2:]]
    if depth == 2:
        triplets[(triplets[:, :2] == 0).all(1), 2] = 0
    return box, triplets


def _fractions(labels: LabelSet, index: int, size: list[int]) -> str:
    """Line of an object: class, box and keypoints as fractions of its image.

    With 20 digits, so that a reader of decimal numbers gets the same pixels back.
    """
    x, y, w, h = (Decimal(number_or_nan(value)) for value in box_of(labels, index))
    values = [x + w / 2, y + h / 2, w, h]
    words = [_word(v / n) for v, n in zip(values, [*size, *size], strict=True)]
    for point, seen in zip(
        labels.keypoints[index].tolist(), labels.visibility[index].tolist(), strict=True
    ):
        if not seen or not np.isfinite(point).all():
            words += ['0', '0', '0']
            continue
        words += [_word(Decimal(v) / n) for v, n in zip(point, size, strict=True)]
        words.append(str(seen))
    return ' '.join(['0', *words])


def _word(value: Decimal) -> str:
    """A number of 20 digits."""
    return f'{value:.20g}'
