import cv2
import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mmengine.structures import InstanceData
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.models import BottomupPoseEstimator
from mmpose.registry import DATASETS

from mmkp.datasets import BottomupHeightResize


def to_image(results, points):
    """What MMPose makes of predicted keypoints (N, 2)."""
    keys = ('input_size', 'input_center', 'input_scale')
    sample = PackPoseInputs(meta_keys=keys)(dict(results, img=results['img']))
    instances = InstanceData(
        keypoints=np.asarray(points)[None], keypoint_scores=np.ones((1, len(points)))
    )
    packed = BottomupPoseEstimator.add_pred_to_datasample(
        None, [instances], None, [sample['data_samples']]
    )
    return packed[0].pred_instances.keypoints[0]


def ramp(width, height):
    """A picture (H, W, 3) float32 whose values are the coordinates."""
    columns, rows = np.meshgrid(np.arange(width), np.arange(height))
    return np.stack([columns, rows, rows], -1).astype(np.float32)


@given(
    width=st.integers(20, 300),
    height=st.integers(20, 300),
    target=st.sampled_from([48, 64, 100]),
)
@example(width=640, height=427, target=368)
@settings(max_examples=25, deadline=None)
def test_mapping_back_is_exact_at_every_scale(width, height, target):
    transform = BottomupHeightResize(target, aug_scales=[0.5, 0.7, 1.5, 2])
    results = transform(dict(img=ramp(width, height)))
    base = results['img'][0]
    assert results['input_size'] == base.shape[1::-1]
    for image in results['img']:
        h, w = image.shape[:2]
        # The same point of the picture on the grid of the first scale.
        columns, rows = np.meshgrid(np.arange(w), np.arange(h))
        ratio = np.array(base.shape[1::-1]) / [w, h]
        points = (np.stack([columns, rows], -1) + 0.5) * ratio - 0.5
        single = dict(results, img=base.astype(np.uint8))
        found = to_image(single, points.reshape(-1, 2)).reshape(h, w, 2)
        # Pixels next to the border mix with the padding.
        margin = 2 * np.maximum(np.array([width, height]) / [w, h], 1) + 1
        inside = (found > margin) & (found < np.array([width, height]) - 1 - margin)
        inside = inside.all(-1)
        # Averages of areas take pixels for flat, so a ramp comes out uneven.
        averaged = (results['input_scale'] > [2 * w, 2 * h]).any()
        np.testing.assert_allclose(
            found[inside], image[inside][:, :2], rtol=0, atol=0.1 if averaged else 2e-3
        )


def test_a_painted_dot_comes_back():
    picture = np.zeros((427, 640, 3), np.float32)
    columns, rows = np.meshgrid(np.arange(640), np.arange(427))
    dot = np.array([401.3, 222.8])
    square = (columns - dot[0]) ** 2 + (rows - dot[1]) ** 2
    picture[:] = np.exp(-square / (2 * 12.0**2))[..., None]
    results = BottomupHeightResize(368, pad_val=0)(dict(img=picture))
    seen = results['img'][..., 0].astype(np.float64)
    columns, rows = np.meshgrid(np.arange(seen.shape[1]), np.arange(seen.shape[0]))
    middle = np.array([(seen * columns).sum(), (seen * rows).sum()]) / seen.sum()
    results['img'] = results['img'].astype(np.uint8)
    np.testing.assert_allclose(to_image(results, middle[None])[0], dot, atol=1e-3)


@pytest.mark.parametrize(
    ('size', 'expected'),
    [((640, 480), (496, 368)), ((640, 427), (552, 368)), ((480, 640), (280, 368))],
)
def test_size_follows_the_aspect_ratio(size, expected):
    image = np.zeros((*size[::-1], 3), np.uint8)
    results = BottomupHeightResize(368)(dict(img=image))
    assert results['input_size'] == expected
    assert results['img'].shape == (expected[1], expected[0], 3)
    assert results['img_shape'] == (expected[1], expected[0])
    assert results['aug_scales'] is None
    ratio = results['input_scale'] / expected
    assert abs(ratio[0] / ratio[1] - 1) < 1 / min(size)
    assert results['input_scale'].dtype == np.float32
    assert (results['img'][:, -1] == 128).all() or expected == (552, 368)


def test_scales_are_exact_where_they_are_simple_fractions():
    image = np.zeros((427, 640, 3), np.uint8)
    results = BottomupHeightResize(368, aug_scales=[0.5, 1.5, 2])(dict(img=image))
    sizes = [other.shape[1::-1] for other in results['img']]
    assert sizes == [(560, 368), (280, 184), (840, 552), (1120, 736)]
    assert results['aug_scales'] == [0.5, 1.5, 2]


def test_large_pictures_do_not_alias():
    stripes = np.zeros((800, 800, 3), np.uint8)
    stripes[:, ::2] = 255
    image = BottomupHeightResize(80)(dict(img=stripes))['img']
    assert np.abs(image[:, :79].astype(int) - 127).max() <= 1


def test_refusals():
    for options, message in (
        (dict(height=0), 'height must be a whole number'),
        (dict(height=368.0), 'height must be a whole number'),
        (dict(height=368, size_factor=0), 'size_factor must be'),
        (dict(height=368, aug_scales=[1.5, 0]), 'aug_scales must be positive'),
    ):
        with pytest.raises(ValueError, match=message):
            BottomupHeightResize(**options)
    assert 'height=368, size_factor=8' in repr(BottomupHeightResize(368))


@pytest.mark.filterwarnings('ignore:The metainfo config file')
def test_pyramids_of_real_files(data_dir):
    keys = ('id', 'img_id', 'aug_scales', 'input_size')
    dataset = DATASETS.build(
        dict(
            type='CocoDataset',
            data_mode='bottomup',
            data_root=str(data_dir / 'coco'),
            ann_file='annotations/person_keypoints_val2017.json',
            data_prefix=dict(img='val2017/'),
            indices=2,
            test_mode=True,
            pipeline=[
                dict(type='LoadImage'),
                dict(type='BottomupHeightResize', height=64, aug_scales=[0.5, 1.5]),
                dict(type='PackPoseInputs', meta_keys=keys),
            ],
        )
    )
    for item in dataset:
        width, height = item['data_samples'].metainfo['input_size']
        sizes = [tuple(image.shape[1:]) for image in item['inputs']]
        assert sizes == [
            (height, width),
            (height // 2, width // 2),
            (height * 3 // 2, width * 3 // 2),
        ]
        assert item['data_samples'].metainfo['aug_scales'] == [0.5, 1.5]
        # All scales show the same.
        first, small = (
            cv2.resize(image.permute(1, 2, 0).numpy(), (24, 16), interpolation=3)
            for image in item['inputs'][:2]
        )
        assert np.abs(first.astype(int) - small).mean() < 8
        assert item['inputs'][0].dtype == torch.uint8


@pytest.mark.parametrize(
    ('width', 'height', 'expected'),
    [
        (640, 480, (496, 368)),
        (2000, 250, (2944, 368)),  # as long as is allowed
        (1000, 4, (2944, 16)),
        (20000, 1, (2944, 16)),
        (4, 1000, (16, 368)),
        (1, 60000, (16, 368)),
    ],
)
def test_strips_have_a_bound(width, height, expected, monkeypatch):
    told = []
    monkeypatch.setattr(
        'mmkp.datasets.transforms.bottomup_height_resize.print_log',
        lambda text, **_: told.append(text),
    )
    image = np.full((height, width, 3), 200, np.uint8)
    transform = BottomupHeightResize(368, size_factor=16)
    found = transform(dict(img=image, img_path='strip.png'))
    assert found['input_size'] == expected
    assert found['img'].shape == (*expected[::-1], 3)
    assert found['img'].max() > 135  # more than the padding
    # A point of the input still belongs to the same point of the image.
    size, scale = np.array(expected), found['input_scale']
    corner = found['input_center'] - 0.5 * scale
    inside = (np.array([width, height]) - 1 - corner) * size / scale
    assert (inside < size).all() and (inside > -1).all()
    is_strip = width > 8 * height
    assert [f'strip.png is a strip of {width}x{height} pixels' in t for t in told] == (
        [True] if is_strip else []
    )
