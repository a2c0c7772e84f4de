"""Maps and stacks of top-down models, and MMPose's own functions with them."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import tiny_hourglass
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model
from mmpose.registry import KEYPOINT_CODECS
from mmpose.structures import PoseDataSample

from mmkp.apis import load_model, predict_topdown
from mmkp.apis.instance_maps import instance_maps


@pytest.fixture(scope='module')
def model():
    return load_model(*tiny_hourglass.trained(), device='cpu')


@pytest.fixture(scope='module')
def images():
    return tiny_hourglass.puppets()[0]


def test_stacks_end_in_the_prediction_and_equal_that_of_inference_topdown(
    model, images
):
    before = model.test_cfg
    found = predict_topdown(model, images, batch_size=1, with_stacks=True)
    assert model.test_cfg is before
    for image, instances in zip(images, found, strict=True):
        assert instances['heatmaps'].shape == (1, 17, 16, 16)
        assert instances['stack_heatmaps'].shape == (1, 2, 17, 16, 16)
        assert instances['stack_keypoints'].shape == (1, 2, 17, 2)
        assert instances['stack_scores'].shape == (1, 2, 17)
        last = instances['stack_keypoints'][:, -1]
        np.testing.assert_allclose(last, instances['keypoints'], atol=1e-4)
        first = instances['stack_keypoints'][:, 0]
        assert np.abs(first - last).max() > 1  # the stacks differ
        [expected] = inference_topdown(model, image)
        np.testing.assert_allclose(
            instances['keypoints'], expected.pred_instances.keypoints, atol=1e-3
        )


def test_maps_only_where_asked_for(model, images):
    [plain] = predict_topdown(model, images[:1])
    assert set(plain) == {'keypoints', 'keypoint_scores', 'bboxes', 'bbox_scores'}
    [mapped] = predict_topdown(model, images[:1], with_maps=True)
    assert set(mapped) - set(plain) == {'heatmaps', 'image_to_map'}


def test_images_with_no_box_and_with_several(model, images):
    boxes = [np.zeros((0, 4)), np.array([[0, 0, 64, 64], [8, 8, 40, 60]])]
    none, two = predict_topdown(model, images, boxes, with_maps=True)
    assert none['keypoints'].shape == (0, 17, 2)
    assert two['heatmaps'].shape == (2, 17, 16, 16)
    assert two['image_to_map'].shape == (2, 2, 3)


CODECS = [
    dict(type='HourglassHeatmap', sigma=1.0),
    dict(type='MSRAHeatmap', sigma=2),
    dict(type='MSRAHeatmap', sigma=2, unbiased=True),
    dict(type='UDPHeatmap', sigma=2),
]


def prediction(maps, center=(100.0, 60.0), scale=(80.0, 160.0), stacks=()):
    """What a model predicts of a box with that centre and size."""
    names = {f'heatmaps_stack{index}': stack for index, stack in enumerate(stacks)}
    fields = {'heatmaps': maps, **names}
    sample = PoseDataSample(
        metainfo=dict(input_center=center, input_scale=scale, input_size=(64, 128))
    )
    sample.pred_instances = InstanceData(keypoints=np.zeros((1, len(maps), 2)))
    sample.pred_fields = PixelData(
        **{name: torch.from_numpy(value) for name, value in fields.items()}
    )
    return sample


@pytest.mark.parametrize('codec', CODECS, ids=str)
def test_cells_lie_where_the_codec_says(codec):
    """A keypoint is encoded, and the map's peak lies on it in the image."""
    decoder = KEYPOINT_CODECS.build(
        dict(codec, input_size=(64, 128), heatmap_size=(16, 32))
    )
    points = np.array([[[21.0, 50.0], [40.0, 91.0]]])  # of the network's input
    maps = decoder.encode(points, np.ones((1, 2)))['heatmaps']
    sample = prediction(maps, stacks=[maps, maps])
    head = SimpleNamespace(decoder=decoder)
    found = instance_maps(sample, head, with_stacks=True)
    ratio, corner = np.array([80 / 64, 160 / 128]), np.array([60.0, -20.0])
    expected = points[0] * ratio + corner
    peaks = [np.unravel_index(m.argmax(), m.shape)[::-1] for m in maps]
    to_map = found['image_to_map']
    cells = expected @ to_map[:, :2].T + to_map[:, 2]
    # A peak is in the nearest cell; UDP decodes by another ratio than it encodes.
    assert np.abs(cells - peaks).max() <= 0.75
    np.testing.assert_allclose(found['stack_keypoints'][1], expected, atol=2.6)
    assert found['stack_scores'].shape == (2, 2)
    # The very place of a cell: that of a keypoint which is decoded to it.
    blob = np.exp(
        -np.square(np.mgrid[:32, :16] - np.array([20, 6])[:, None, None]).sum(0) / 4
    )
    [[place]], _ = decoder.decode(blob[None].astype(np.float32))
    cell = to_map[:, :2] @ (place * ratio + corner) + to_map[:, 2]
    np.testing.assert_allclose(cell, (6, 20), atol=0.02)


def test_heads_without_stacks_or_heatmaps():
    decoder = KEYPOINT_CODECS.build(
        dict(CODECS[0], input_size=(64, 128), heatmap_size=(16, 32))
    )
    head = SimpleNamespace(decoder=decoder)
    sample = prediction(np.zeros((2, 32, 16), np.float32))
    with pytest.raises(ValueError, match='predicts no stacks.*StackedHourglassHead'):
        instance_maps(sample, head, with_stacks=True)
    del sample.pred_fields
    with pytest.raises(ValueError, match='predicts no heatmap for each keypoint'):
        instance_maps(sample, head)


def test_one_image_instead_of_a_list(model, images):
    with pytest.raises(ValueError, match='predict_topdown takes a list'):
        predict_topdown(model, images[0])
    with pytest.raises(ValueError, match='2 images but boxes for 1'):
        predict_topdown(model, images, [None])


def test_init_model_and_inferencer_of_mmpose(images, tmp_path):
    config, checkpoint = tiny_hourglass.trained()
    model = init_model(str(config), str(checkpoint), device='cpu')
    [expected] = predict_topdown(model, images[:1])
    inferencer = MMPoseInferencer(
        pose2d=str(config),
        pose2d_weights=str(checkpoint),
        det_model='whole_image',
        device='cpu',
    )
    cv2.imwrite(str(tmp_path / 'in.png'), images[0])
    result = next(
        inferencer(str(tmp_path / 'in.png'), out_dir=str(tmp_path), draw_heatmap=True)
    )
    [[instance]] = result['predictions']
    np.testing.assert_allclose(
        instance['keypoints'], expected['keypoints'][0], atol=1e-3
    )
    drawn = cv2.imread(str(tmp_path / 'visualizations' / 'in.png'))
    assert drawn.shape == (128, 64, 3)  # the heatmaps are below the keypoints
