"""MMPose's own functions, inferencers, hooks and visualizers take our models."""

import cv2
import numpy as np
import pytest
import tiny
import torch
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model

from mmkp.apis import load_model, predict_topdown


@pytest.fixture(scope='module')
def model():
    config, checkpoint = tiny.trained()
    return init_model(str(config), str(checkpoint), device='cpu')


@pytest.fixture(scope='module')
def images():
    return sorted((tiny.trained()[0].parent / 'images').glob('*.png'))


@pytest.fixture
def video(tmp_path, images):
    path = tmp_path / 'film.mp4'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'mp4v'), 10, (48, 48))
    for image in images[:5]:
        writer.write(cv2.imread(str(image)))
    writer.release()
    return path


def test_init_model_and_inference_topdown(model, images):
    [whole] = inference_topdown(model, str(images[0]))
    keypoints = whole.pred_instances.keypoints
    assert keypoints.shape == (1, 4, 2)
    assert keypoints.min() > -1 and keypoints.max() < 48
    assert len(model.dataset_meta['keypoint_colors']) == 4
    # A box in a larger image gives the same keypoints, moved by its corner.
    small = cv2.imread(str(images[0]))
    large = np.zeros((90, 100, 3), np.uint8)
    large[20:68, 30:78] = small
    [boxed] = inference_topdown(model, large, np.array([[30, 20, 78, 68]], np.float32))
    moved = boxed.pred_instances.keypoints - (30, 20)
    np.testing.assert_allclose(moved, keypoints, atol=0.5)


def test_discover_equals_inference_topdown(model, images):
    found = predict_topdown(model, images[:3], batch_size=2)
    for path, result in zip(images, found, strict=False):
        [expected] = inference_topdown(model, str(path))
        np.testing.assert_allclose(
            result['keypoints'], expected.pred_instances.keypoints, atol=1e-3
        )


def test_load_model_equals_init_model(model, images):
    config, checkpoint = tiny.trained()
    ours = load_model(config, checkpoint, device='cpu')
    for name, value in ours.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])
    left, right = (predict_topdown(m, images[:1])[0] for m in (ours, model))
    np.testing.assert_array_equal(left['keypoints'], right['keypoints'])


@pytest.fixture(scope='module')
def inferencer():
    config, checkpoint = tiny.trained()
    return MMPoseInferencer(
        pose2d=str(config),
        pose2d_weights=str(checkpoint),
        det_model='whole_image',
        device='cpu',
    )


def test_inferencer_on_an_image(inferencer, images, tmp_path):
    result = next(inferencer(str(images[0]), out_dir=str(tmp_path), draw_heatmap=True))
    [[instance]] = result['predictions']
    assert np.shape(instance['keypoints']) == (4, 2)
    assert (tmp_path / 'predictions' / '000.json').is_file()
    assert (tmp_path / 'visualizations' / '000.png').is_file()


def test_inferencer_on_an_array_equals_discover(inferencer, model, images):
    image = cv2.imread(str(images[1]))
    [[instance]] = next(inferencer(image))['predictions']
    [found] = predict_topdown(model, [image])
    np.testing.assert_allclose(instance['keypoints'], found['keypoints'][0], atol=1e-3)


def test_inferencer_on_a_folder_and_a_video(inferencer, images, video, tmp_path):
    results = list(inferencer(str(images[0].parent)))
    assert len(results) == len(images)
    results = list(inferencer(str(video), vis_out_dir=str(tmp_path / 'out')))
    assert len(results) == 5
    drawn = cv2.VideoCapture(str(tmp_path / 'out' / 'film.mp4'))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 5
