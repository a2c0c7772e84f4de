# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Left and right that are exchanged in labels, on drawn shapes and on real labels."""

import json
from pathlib import Path

import numpy as np
import pytest

from mmkp.evaluation.functional.label_shapes import (
    align,
    directions_spread,
    exchange,
    exchanged_sides,
    mean_shape,
)

DATA = Path(__file__).resolve().parents[2] / 'data'
#: Nose, ears, shoulders, tail.
SHAPE = np.array([[0, 3], [-1, 2], [1, 2], [-1.5, 0], [1.5, 0], [0, -3]], float)
PAIRS = [(1, 2), (3, 4)]


def turned_shapes(number, seed=0, turn=np.pi, noise=0.1):
    generator = np.random.default_rng(seed)
    angles = generator.uniform(-turn, turn, number)
    sizes = generator.uniform(20, 60, number)
    matrices = [[np.cos(angles), -np.sin(angles)], [np.sin(angles), np.cos(angles)]]
    shapes = SHAPE + noise * generator.normal(size=(number, *SHAPE.shape))
    shapes = np.einsum('abn,nkb->nka', np.array(matrices), shapes)
    shift = generator.uniform(0, 500, (number, 1, 2))
    return sizes[:, None, None] * shapes + shift


def coco(name):
    path = DATA / name
    if not path.is_file():
        pytest.skip(f'{path} is not here')
    content = json.loads(path.read_text())
    files = {image['id']: image['file_name'] for image in content['images']}
    objects = content['annotations']
    rows = np.array([one['keypoints'] for one in objects], float)
    rows = rows.reshape(len(objects), -1, 3)
    points = np.where(rows[..., 2:] > 0, rows[..., :2], np.nan)
    return points, [files[one['image_id']] for one in objects]


@pytest.mark.parametrize('number', [5, 30])
def test_whole_exchanges_and_single_pairs_are_found(number):
    labels = turned_shapes(number)
    labels[1] = exchange(labels[1], PAIRS)
    labels[3] = exchange(labels[3], PAIRS[:1])
    labels[4, 0] = np.nan  # a nose is missing
    found, gains = exchanged_sides(labels, PAIRS)
    assert found == [[0, 1] if i == 1 else [0] if i == 3 else [] for i in range(number)]
    assert min(gains[1], gains[3]) > 4
    assert np.delete(gains, [1, 3]).max() < 1


def test_alignment_undoes_turns_sizes_and_places():
    labels = turned_shapes(20, noise=0.0)
    shape = mean_shape(labels)
    expected = np.repeat(shape.points[None], 20, 0)
    np.testing.assert_allclose(align(labels, shape), expected, atol=1e-6)
    assert np.square(shape.points).mean() == pytest.approx(1)


def test_directions():
    assert directions_spread(turned_shapes(200, turn=0.3)) == pytest.approx(
        0.173, abs=0.02
    )
    assert directions_spread(turned_shapes(200)) > 1.5
    assert directions_spread(np.zeros((4, 1, 2))) == 0


def test_bees():
    labels, files = coco('bees/bees_train.json')
    pairs = [(1, 2), (6, 7), *((8 + i, 20 + i) for i in range(12))]
    found, _ = exchanged_sides(labels, pairs)
    wrong = {file: some for file, some in zip(files, found, strict=True) if some}
    whole = {file for file, some in wrong.items() if len(some) == 14}
    assert whole == {file for file in files if 'video_1536_bee_id5353' in file}
    assert len(whole) == 8
    heads = {file: some for file, some in wrong.items() if file not in whole}
    assert list(heads.values()) == [[0], [0]]
    assert all('id4663' in file for file in heads)


@pytest.mark.parametrize('seed', range(3))
def test_three_mice(seed):
    labels, _ = coco('openfield/openfield_train.json')
    wrong = np.random.default_rng(seed).choice(len(labels), 3, replace=False)
    labels[wrong] = exchange(labels[wrong], [(1, 2)])
    found, _ = exchanged_sides(labels, [(1, 2)])
    assert [i for i, some in enumerate(found) if some] == sorted(wrong)


def test_faces_are_all_as_they_should_be():
    labels, _ = coco('celeba/celeba_fit.json')
    found, _ = exchanged_sides(labels, [(0, 1), (3, 4)])
    assert not any(found)
