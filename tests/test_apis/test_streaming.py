"""Images are read as they are needed, and may be whatever a notebook holds."""

import tracemalloc

import cv2
import numpy as np
import pytest
import tiny
import tiny_people
import torch
from PIL import Image

from mmkp.apis import (
    as_image,
    draw_people,
    draw_predictions,
    load_model,
    predict_people,
    predict_topdown,
    skeleton_style,
)


@pytest.fixture(scope='module')
def model():
    config, checkpoint = tiny.trained()
    return load_model(config, checkpoint, device='cpu')


@pytest.fixture(scope='module')
def people_model():
    config, checkpoint = tiny_people.made()
    return load_model(config, checkpoint, device='cpu')


@pytest.fixture(params=['predict_topdown', 'predict_people'])
def predict(request, model, people_model):
    """Function and model, with the network passes counted in ``passes``."""
    chosen = people_model if request.param == 'predict_people' else model
    function = {f.__name__: f for f in (predict_topdown, predict_people)}
    return lambda *args, **options: function[request.param](chosen, *args, **options)


def test_prediction_begins_before_all_images_are_read(
    predict, model, people_model, monkeypatch
):
    read, at_pass = [], []

    def images():
        for index in range(40):
            read.append(index)
            yield np.full((96, 96, 3), 60, np.uint8)

    for chosen in (model, people_model):
        original = chosen.test_step

        def counted(data, original=original):
            at_pass.append(len(read))
            return original(data)

        monkeypatch.setattr(chosen, 'test_step', counted)
    assert len(predict(images(), batch_size=2)) == 40
    # Four batches are read ahead, to find inputs of one size among them.
    assert at_pass[:5] == [8, 8, 8, 8, 16] and len(at_pass) == 20


def test_memory_does_not_grow_with_the_number_of_images(model):
    image = np.full((400, 400, 3), 60, np.uint8)

    def peak(number):
        tracemalloc.start()
        predict_topdown(model, (image.copy() for _ in range(number)), batch_size=1)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(4)
    # Less than a fifth of the further images' own 48 MB.
    assert peak(120) - peak(20) < 10e6


def test_all_ways_to_hold_an_image_give_the_same(predict):
    path = tiny_people.made()[0].parent / 'images' / '000.png'
    bgr = cv2.imread(str(path))
    rgb = torch.from_numpy(bgr[..., ::-1].transpose(2, 0, 1).copy())
    held = [bgr, bgr.astype(float), rgb, rgb / 255, Image.open(path), path, str(path)]
    results = predict(held)
    for result in results[1:]:
        for name, value in results[0].items():
            np.testing.assert_array_equal(result[name], value)
    batch = predict(np.stack([bgr, bgr]))
    np.testing.assert_array_equal(batch[1]['keypoints'], results[0]['keypoints'])


@pytest.mark.parametrize('image', [np.zeros((9, 9, 3), np.uint8), 'a.jpg', 7, None])
def test_one_image_instead_of_a_list(predict, image):
    with pytest.raises(ValueError, match=r'takes a list of images: write .*\[x\]'):
        predict(image)


def test_what_is_no_image_is_named(predict, tmp_path):
    good = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(ValueError, match='image 1 has no pixels'):
        predict([good, good[:0]])
    with pytest.raises(ValueError, match='is a folder: write'):
        predict(tmp_path)
    with pytest.raises(FileNotFoundError, match='gone.png does not exist'):
        predict([tmp_path / 'gone.png'])
    with pytest.raises(ValueError, match='batch_size must be at least 1'):
        predict([good], batch_size=0)


def test_boxes_of_generators(model):
    images = [np.zeros((40, 40, 3), np.uint8)] * 2
    box = np.array([[1, 1, 9, 9]])
    found = predict_topdown(model, iter(images), [box, []])
    assert [len(one['keypoints']) for one in found] == [1, 0]
    for boxes, message in (([box], 'more images than'), ([box] * 3, '2 images but')):
        with pytest.raises(ValueError, match=message):
            predict_topdown(model, iter(images), boxes)
    with pytest.raises(ValueError, match=r'boxes have the shape \(1, 3\)'):
        predict_topdown(model, images, [box[:, :3], box])


def test_drawing_takes_what_a_notebook_has(model, people_model, tmp_path):
    path = tiny.draw_figures(tmp_path, 1) / '000.png'
    image = Image.open(path)
    for given in (image, path, as_image(image)):
        drawn = draw_predictions(given, predict_topdown(model, [given])[0])
        assert drawn.shape == (384, 384, 3)
    [people] = predict_people(people_model, [image])
    assert draw_people(image, people, skeleton_style(people_model)).dtype == np.uint8


def test_heatmaps_of_discovery_models_lie_where_the_keypoints_are(model):
    image = cv2.imread(str(tiny.trained()[0].parent / 'images' / '000.png'))
    large = cv2.resize(image, (200, 160))
    [found] = predict_topdown(model, [large], with_maps=True)
    [maps], [to_map] = found['heatmaps'], found['image_to_map']
    total = maps.sum((1, 2))
    y, x = np.mgrid[: maps.shape[1], : maps.shape[2]]
    means = np.stack([(maps * axis).sum((1, 2)) / total for axis in (x, y)], -1)
    cells = found['keypoints'][0] @ to_map[:, :2].T + to_map[:, 2]
    np.testing.assert_allclose(cells, means, atol=0.02)
