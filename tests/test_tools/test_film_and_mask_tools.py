# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Frames of a film, and masks drawn around annotated points."""

import importlib.util
import json
from pathlib import Path

import cv2
import films
import numpy as np
import pytest

TOOLS = Path(__file__).parents[2] / 'tools' / 'dataset_converters'


def tool(name):
    spec = importlib.util.spec_from_file_location(name, TOOLS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_third_frame_is_written(tmp_path):
    film = films.write(tmp_path / 'film.avi', number=8)
    out = tmp_path / 'frames'
    tool('film_to_frames').main([str(film), str(out), '--every', '3'])
    names = ['img0000.jpg', 'img0003.jpg', 'img0006.jpg']
    assert sorted(path.name for path in out.iterdir()) == names
    for number in (0, 3, 6):
        image = cv2.imread(str(out / f'img{number:04d}.jpg'))
        expected = films.picture(number)[32, 8]
        assert np.abs(image[32, 8].astype(int) - expected).max() < 12
    with pytest.raises(ValueError, match='--every 0'):
        tool('film_to_frames').main([str(film), str(out), '--every', '0'])


def test_a_mask_is_the_object_around_its_points(tmp_path):
    image = np.full((80, 100, 3), (200, 190, 180), np.uint8)
    noise = np.random.default_rng(0).integers(-8, 9, image.shape)
    expected = np.zeros((80, 100), bool)
    expected[30:50, 20:70] = True
    image[expected] = (30, 40, 50)
    image = (image + noise).clip(0, 255).astype(np.uint8)
    image[5:15, 80:95] = (30, 40, 50)  # far away, of the same color
    cv2.imwrite(str(tmp_path / 'a.png'), image)
    content = dict(
        images=[dict(id=1, file_name='a.png', width=100, height=80)],
        annotations=[
            dict(
                id=1,
                image_id=1,
                category_id=1,
                bbox=[20, 30, 50, 20],
                keypoints=[24, 33, 2, 66, 46, 2, 45, 46, 2, 0, 0, 0],
            )
        ],
        categories=[
            dict(id=1, name='x', keypoints=['a', 'b', 'c', 'd'], skeleton=[[1, 2]])
        ],
    )
    path = tmp_path / 'points.json'
    path.write_text(json.dumps(content))
    main = tool('masks_from_points').main
    main([str(path), str(tmp_path), str(tmp_path / 'masks')])
    mask = cv2.imread(str(tmp_path / 'masks/a.png'), 0) > 127
    assert (mask != expected).mean() < 0.01
    path.write_text('{"frames": []}')
    with pytest.raises(ValueError, match=r'points\.json'):
        main([str(path), str(tmp_path), str(tmp_path / 'masks')])
