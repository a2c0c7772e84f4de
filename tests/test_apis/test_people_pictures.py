"""Many images with their people, and with the maps that they were found in."""

import cv2
import numpy as np
import pytest
import tiny_people

from mmkp.apis import load_model, predict_people
from mmkp.apis.people_pictures import people_and_maps, people_sheet


@pytest.fixture(scope='module')
def found():
    config, checkpoint = tiny_people.made()
    model = load_model(config, checkpoint, device='cpu')
    paths = sorted((config.parent / 'images').glob('*.png'))
    images = [cv2.imread(str(path)) for path in paths]
    return images, predict_people(model, images, with_maps=True), model


def test_sheet(found):
    images, people, model = found
    picture = people_sheet(images, people, model, tile=96, columns=2)
    assert picture.shape == (6 + 96 + 6 + 96 + 6, 6 + 96 + 6 + 96 + 6, 3)
    assert picture.dtype == np.uint8
    titled = people_sheet(images, people, model, 'four images', tile=96, columns=2)
    assert len(titled) == len(picture) + 26
    assert (titled[26:] == picture).all() and titled[:26].min() < 100


def test_row_of_image_maps_and_people(found):
    images, people, model = found
    picture = people_and_maps(images[:1], people[:1], model, tile=192)
    height, width = picture.shape[:2]
    assert width == 4 * 192 + 5 * 6
    assert 96 < height < 150
    tiles = [picture[-102:-6, 6 + i * 198 : 198 + i * 198] for i in range(4)]
    # In the order of colours that it came in, BGR.
    expected = images[0].astype(int)
    assert abs(tiles[0].astype(int) - expected).max() < 30
    for tile in tiles[1:]:
        assert abs(tile.astype(int) - expected).mean() > 5
