"""Grids, matrices and sheets, and the model's values turned back into pictures."""

import numpy as np
import pytest
import torch
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.registry import DATASETS
from mmpose.structures import PoseDataSample

from mmkp.datasets.metainfo import distinct_colors
from mmkp.visualization import discovery_grid, edge_weight_matrix, keypoint_sheet
from mmkp.visualization.canvas import GAP, beside, caption, grid, stack
from mmkp.visualization.dataset_pictures import picture_dataset
from mmkp.visualization.discovery_grid import color_map
from mmkp.visualization.model_pictures import keypoint_colors, to_pictures


def solid(height, width, value):
    return np.full((height, width, 3), value, np.uint8)


def test_grid_puts_each_tile_below_its_title():
    columns = {'a': [solid(20, 50, 10), solid(20, 50, 20)], 'b': [solid(20, 30, 30)]}
    drawn = grid(columns)
    head = len(caption('a', 50))
    assert drawn.shape == (head + 2 * (20 + GAP) + 2 * GAP, 50 + 30 + 3 * GAP, 3)
    top = GAP + head + GAP
    assert (drawn[top : top + 20, GAP : GAP + 50] == 10).all()
    assert (drawn[top + 20 + GAP :][:20, GAP : GAP + 50] == 20).all()
    assert (drawn[top : top + 20, GAP + 50 + GAP :][:, :30] == 30).all()


def test_stack_and_beside_fill_with_white():
    pictures = [solid(4, 6, 0), solid(2, 3, 0)]
    below, side = stack(pictures, 1), beside(pictures, 1)
    assert below.shape == (7, 6, 3) and side.shape == (4, 10, 3)
    assert (below[5:, 3:] == 255).all() and (side[2:, 7:] == 255).all()


@pytest.mark.parametrize('number', [1, 2, 40])
@pytest.mark.parametrize('size', [(32, 32), (48, 32), (256, 256)])
def test_discovery_grid_with_and_without_a_generator(number, size):
    height, width = size
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (2, height, width, 3), dtype=np.uint8)
    keypoints = rng.uniform(0, 32, (2, number, 2))
    colors = np.array(distinct_colors(number))
    heatmaps = rng.random((2, number, 8, 8))
    plain = discovery_grid(images, keypoints, colors, heatmaps)
    edges = np.stack(np.triu_indices(number, 1), 1)
    weights = rng.random(len(edges))
    full = discovery_grid(
        images, keypoints, colors, heatmaps, edges, weights,
        rng.random((2, height, width)), images, images, title='title',
    )  # fmt: skip
    side = max(192, height)
    assert plain.shape[1] >= 2 * side * width / max(size)
    columns = 6 if len(edges) else 5
    assert full.shape[1] >= columns * side * width / max(size)
    assert full.dtype == plain.dtype == np.uint8


def test_edge_weight_matrix_shows_each_weight_twice():
    colors = np.array(distinct_colors(4))
    edges = np.array([[0, 1], [2, 3]])
    drawn = edge_weight_matrix(edges, np.array([2.0, 1.0]), colors, 'title')
    strongest, half = (color_map(np.array([[v]]))[0, 0] for v in (1.0, 0.5))
    cell = 36
    # Each edge fills two cells, above and below the diagonal.
    for color in (strongest, half):
        area = (drawn[:, : -(16 + 64 + 14)] == color).all(-1).sum()
        assert area == pytest.approx(2 * cell**2, rel=0.02)


def test_heatmaps_in_their_colours():
    heatmaps = np.zeros((2, 8, 8))
    heatmaps[0, 2, 2], heatmaps[1, 6, 6] = 1e-3, 5.0
    colors = np.array([(250, 0, 0), (0, 0, 250)])
    grid = discovery_grid(
        solid(64, 64, 100)[None], np.zeros((1, 2, 2)), colors, heatmaps[None], tile=64
    )
    drawn = grid[-64 - GAP : -GAP, -64 - GAP : -GAP]
    assert drawn[20, 20, 0] > 200 > 100 > drawn[20, 20, 2]
    assert drawn[52, 52, 2] > 200 > 100 > drawn[52, 52, 0]
    assert (drawn[0, 63] == 120).all()


def test_keypoint_sheet():
    images = np.stack([solid(20, 40, value) for value in range(0, 70, 10)])
    keypoints = np.full((7, 1, 2), 10.0)
    sheet = keypoint_sheet(images, keypoints, np.array([(1, 2, 3)]), tile=80, columns=3)
    assert sheet.shape[1] == 3 * 80 + 4 * GAP
    assert (sheet == (1, 2, 3)).all(-1).any()


@pytest.mark.parametrize('bgr_to_rgb', [True, False])
def test_network_inputs_become_the_pictures_that_they_were(bgr_to_rgb):
    image = torch.randint(0, 256, (3, 8, 9), dtype=torch.uint8)  # BGR
    preprocessor = PoseDataPreprocessor(
        mean=[100.0, 120, 130], std=[50.0, 60, 70], bgr_to_rgb=bgr_to_rgb
    )
    batch = dict(inputs=[image], data_samples=[PoseDataSample()])
    inputs = preprocessor(batch)['inputs']
    [picture] = to_pictures(inputs, preprocessor)
    assert np.array_equal(picture, image.numpy()[::-1].transpose(1, 2, 0))
    outside = torch.tensor([[[[1e6]], [[-1e6]], [[np.nan]]]])
    assert to_pictures(outside, None).tolist() == [[[[0, 0, 255]]]]


def test_colours_of_the_data_set_where_they_fit():
    metainfo = dict(keypoint_colors=np.array([(1, 2, 3), (4, 5, 6)]))
    assert keypoint_colors(2, metainfo).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert keypoint_colors(3, metainfo).shape == (3, 3)
    assert keypoint_colors(3, None).tolist() == np.array(distinct_colors(3)).tolist()


@pytest.mark.parametrize('mode', ['original', 'transformed'])
def test_contact_sheet_shows_annotations(mode):
    cfg = dict(
        type='PuppetDataset',
        num_images=5,
        image_size=64,
        pipeline=[
            dict(type='LoadVerifiedImage'),
            dict(type='GetBBoxCenterScale', padding=1.0),
            dict(type='TopdownAffine', input_size=(32, 32)),
            dict(type='PackPoseInputs'),
        ],
    )
    drawn = picture_dataset(cfg, number=4, mode=mode, tile=96)
    assert drawn.shape[1] == 3 * 96 + 4 * GAP
    color = DATASETS.build(cfg).metainfo['keypoint_colors'][-1]
    # The last joint of each of the four figures, which no other one covers.
    assert (drawn == color).all(-1).sum() >= 4 * 9
    assert cfg['pipeline'][-1] == dict(type='PackPoseInputs')
    with pytest.raises(ValueError, match='mode must be one of'):
        picture_dataset(cfg, mode='else')


def test_captions_tell_letters_apart_that_english_has_not():
    drawn = [caption(text, 40).tobytes() for text in 'uüößΩж']
    assert len(set(drawn)) == len(drawn)
