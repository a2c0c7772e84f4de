"""Tables, DeepLabCut's tables and settings, json, arrays of crops, lists of images."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import STRANGE, Random, chance, choose, damaged_bytes, number
from fuzzing.target import Target
from mmkp.datasets.image_files import find_images
from mmkp.labels import read_json, read_landmarks, read_names, read_skeleton

_TABLES = (
    'file_name,x0,y0,x1,y1\na.jpg,1,2,3.5,4\nb.jpg,5,6,,\n',
    'file_name;nose_x;nose_y;tail.x;tail.y\na.jpg;1,5;2;3;4\n"b;c.jpg";5;6;7;8\n',
    'file_name,keypoints\na.jpg,"[1, 2, 2, 3, 4, 0]"\nb.jpg,"[[1,2],[3,4]]"\n',
    'file_name\tx0\ty0\na.jpg\t1e3\tnan\n\n',
    'scorer,me,me,me,me\nbodyparts,nose,nose,tail,tail\ncoords,x,y,x,y\n'
    'labeled-data/a/img1.png,1,2,3,4\nlabeled-data/a/img2.png,,,5,6\n',
    'scorer,,,me,me,me\nindividuals,,,one,one,one\nbodyparts,,,nose,nose,nose\n'
    'coords,,,x,y,likelihood\nlabeled-data,a,img1.png,1,2,.9\n',
)
_SETTINGS = 'bodyparts:\n- nose\n- tail\nskeleton:\n- - nose\n  - tail\n'
_JSON = json.dumps(dict(a=[1, 2.5, None], b=dict(c='text', d=[[1], [2]])))
_LISTS = ('a.jpg\nb.jpg\n', 'sub/a.jpg\r\n\r\nä.png\r\n', '/tmp/a.png\n../b.png')
_ENCODINGS = ('utf-8', 'utf-8-sig', 'utf-16', 'utf-32', 'latin-1', 'cp1252')


def _text(rng: Random, text: str) -> bytes:
    """Change cells, then bytes, of a text in some encoding."""
    for _ in range(int(rng.integers(3))):
        parts = text.split(choose(rng, (',', '\n', ';', ' ')))
        at = int(rng.integers(len(parts)))
        strange = number(rng) if chance(rng, 0.5) else choose(rng, STRANGE)
        text = text.replace(parts[at], _written(strange), 1)
    content = text.encode(choose(rng, _ENCODINGS), 'replace')
    return damaged_bytes(rng, content) if chance(rng, 0.6) else content


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _make_table(rng: Random) -> tuple[bytes, Any]:
    return _text(rng, choose(rng, _TABLES)), choose(
        rng, (None, None, 'comma', 'semicolon', 'tab', 'blank')
    )


def _use_table(case: tuple[bytes, Any], folder: Path) -> None:
    path = folder / 'table.csv'
    path.write_bytes(case[0])
    found = read_landmarks(path, separator=case[1])
    for entry in found.entries:
        known = ~np.isnan(entry.points).any(1)
        if entry.points.shape != (len(found.names), 2):
            raise AssertionError('another number of points than names')
        if not np.isfinite(entry.points[known]).all():
            raise AssertionError('points are not finite')


def _make_json(rng: Random) -> bytes:
    if chance(rng, 0.1):
        return choose(rng, ('[', '{"a":', '-')).encode() * 10 ** int(rng.integers(1, 6))
    return _text(rng, _JSON)


def _use_json(content: bytes, folder: Path) -> None:
    path = folder / 'some.json'
    path.write_bytes(content)
    read_json(path, nan=len(content) % 2 == 0)


def _use_settings(content: bytes, folder: Path) -> None:
    path = folder / 'config.yaml'
    path.write_bytes(content)
    read_skeleton(path, ['nose', 'tail'])


def _use_list(content: bytes, folder: Path) -> None:
    path = folder / 'names.txt'
    path.write_bytes(content)
    read_names(path)
    find_images(str(folder), str(path))


TARGETS = {
    'table': Target(_make_table, _use_table, 2.0),
    'json': Target(_make_json, _use_json, 2.0),
    'settings': Target(lambda rng: _text(rng, _SETTINGS), _use_settings, 0.5),
    'image-list': Target(lambda rng: _text(rng, choose(rng, _LISTS)), _use_list, 2.0),
}
