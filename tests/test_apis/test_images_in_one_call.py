"""Keypoints of images in one call, and what may be passed to it."""

import numpy as np
import pytest
import tiny

from mmkp.apis import load_model, predict_topdown
from mmkp.datasets.image_decoding import CorruptImageError


@pytest.fixture(scope='module')
def model():
    config, checkpoint = tiny.trained()
    return load_model(config, checkpoint, device='cpu')


def test_boxes_none_and_several_in_any_order_of_batches(model):
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 255, (40, 60, 3), dtype=np.uint8) for _ in range(4)]
    boxes = [
        np.array([[0, 0, 30, 30], [10, 10, 40, 40]]),
        np.zeros((0, 4)),
        None,
        np.array([[5, 5, 25, 25, 0.25]]),
    ]
    one, three = (predict_topdown(model, images, boxes, batch_size=n) for n in (1, 3))
    assert [len(found['keypoints']) for found in one] == [2, 0, 1, 1]
    assert one[1]['keypoints'].shape == (0, 4, 2)
    assert one[3]['bbox_scores'] == pytest.approx([0.25])
    np.testing.assert_array_equal(one[2]['bboxes'], [[0, 0, 60, 40]])
    for left, right in zip(one, three, strict=True):
        np.testing.assert_allclose(left['keypoints'], right['keypoints'], atol=1e-3)


def test_wrong_arguments(model, tmp_path):
    image = np.zeros((9, 9, 3), np.uint8)
    with pytest.raises(ValueError, match='write predict_topdown'):
        predict_topdown(model, image)
    with pytest.raises(ValueError, match='2 images but boxes for 1'):
        predict_topdown(model, [image, image], [None])
    path = tmp_path / 'text.jpg'
    path.write_text('no image')
    with pytest.raises(CorruptImageError, match=r'text\.jpg'):
        predict_topdown(model, [path])


def test_loading_needs_neither_the_data_nor_the_weights_of_a_loss(tmp_path):
    extra = """
model['losses']['perceptual']['weights'] = 'absent.pth'
train_dataloader['dataset']['data_root'] = 'absent'
model['backbone']['init_cfg'] = dict(type='Pretrained', checkpoint='absent.pth')
"""
    config = tiny.write_config(tmp_path, extra=extra)
    model = load_model(config, tiny.trained()[1], 'cpu')
    assert len(model.dataset_meta['keypoint_colors']) == model.num_keypoints == 4
