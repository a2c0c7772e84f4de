import cv2
import numpy as np
import pytest
from mmengine.dataset import Compose
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS

from mmkp.datasets import TopdownResize


def sample(image, box, **fields):
    box = np.array([box], np.float32)
    return dict(
        img=image,
        img_shape=image.shape[:2],
        bbox_center=(box[:, :2] + box[:, 2:]) / 2,
        bbox_scale=box[:, 2:] - box[:, :2],
        **fields,
    )


def to_image(points, result):
    """Map input pixels to image pixels as MMPose does."""
    size, scale = np.array(result['input_size']), result['input_scale']
    return points / size * scale + result['input_center'] - 0.5 * scale


def blobs(shape, centers, spread):
    """Paint one Gaussian a channel."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    return np.stack(
        [
            255 * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * spread**2))
            for x, y in centers
        ],
        axis=-1,
    ).astype(np.float32)


def centroids(image):
    rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
    mass = image.sum((0, 1))
    x = (image * columns[..., None]).sum((0, 1)) / mass
    y = (image * rows[..., None]).sum((0, 1)) / mass
    return np.stack([x, y], -1)


@pytest.mark.parametrize(
    'box, input_size, keep',
    [
        ((0, 0, 200, 120), (64, 64), False),
        ((0, 0, 200, 120), (300, 96), False),
        ((0, 0, 200, 120), (400, 360), False),
        ((0, 0, 200, 120), (64, 64), True),
        ((0, 0, 200, 120), (50, 100), True),
        ((20, 10, 170, 110), (64, 48), False),
        ((-30, -20, 210, 130), (96, 64), False),
    ],
)
def test_what_is_painted_is_found_where_the_mapping_says(box, input_size, keep):
    centers = np.array([[60.0, 40.0], [100.0, 75.5], [140.25, 60.0]])
    image = blobs((120, 200), centers, 5)
    keypoints = centers[None].astype(np.float32)
    transform = TopdownResize(input_size, keep_aspect_ratio=keep)
    result = transform(sample(image, box, keypoints=keypoints))
    assert result['img'].shape == (input_size[1], input_size[0], 3)
    found = centroids(result['img'])
    np.testing.assert_allclose(found, result['transformed_keypoints'][0], atol=0.03)
    np.testing.assert_allclose(to_image(found, result), centers, atol=0.1)
    back = to_image(result['transformed_keypoints'][0], result)
    np.testing.assert_allclose(back, centers, atol=1e-4)


def test_aspect_ratio_is_kept_when_asked():
    image = np.zeros((120, 200, 3), np.uint8)
    result = TopdownResize((64, 32), True)(sample(image, (50, 50, 100, 100)))
    np.testing.assert_array_equal(result['input_scale'], [100, 50])
    squashed = TopdownResize((64, 32))(sample(image, (50, 50, 100, 100)))
    np.testing.assert_array_equal(squashed['input_scale'], [50, 50])


def test_shrinking_averages():
    """Stripes of one pixel become grey instead of a moire."""
    stripes = np.zeros((90, 90, 3), np.uint8)
    stripes[:, ::2] = 255
    result = TopdownResize((9, 9))(sample(stripes, (0, 0, 90, 90)))
    assert np.abs(result['img'].astype(int) - 127).max() <= 1


def test_outside_of_the_image_is_padded():
    image = np.full((10, 10, 3), 200, np.uint8)
    result = TopdownResize((20, 20), pad_val=7)(sample(image, (-5, -5, 15, 15)))
    expected = np.full((20, 20, 3), 7)
    expected[5:15, 5:15] = 200
    np.testing.assert_array_equal(result['img'], expected)
    far = TopdownResize((4, 4), pad_val=7)(sample(image, (50, 50, 60, 60)))
    np.testing.assert_array_equal(far['img'], np.full((4, 4, 3), 7))


def test_a_mirrored_whole_image_is_whole():
    init_default_scope('mmpose')
    image = np.random.default_rng(0).integers(0, 255, (24, 36, 3), dtype=np.uint8)
    steps = [
        dict(type='GetBBoxCenterScale', padding=1.0),
        dict(type='RandomFlip', prob=1.0),
        dict(type='TopdownResize', input_size=(36, 24)),
    ]
    box = np.array([[0, 0, 36, 24]], np.float32)
    points = np.array([[[3.0, 5.0]]], np.float32)
    data = dict(
        img=image,
        img_shape=(24, 36),
        bbox=box,
        keypoints=points,
        keypoints_visible=np.ones((1, 1)),
        flip_indices=[0],
    )
    result = Compose([TRANSFORMS.build(step) for step in steps])(data)
    np.testing.assert_array_equal(result['img'], cv2.flip(image, 1))
    np.testing.assert_allclose(result['transformed_keypoints'], [[[32, 5]]])


@pytest.mark.parametrize('size', [(64,), (0, 64), (64.0, 64), (1, 2, 3)])
def test_refuses_input_sizes(size):
    with pytest.raises(ValueError, match='input_size must be .width, height.'):
        TopdownResize(size)


@pytest.mark.parametrize('box', [(5, 5, 5, 9), (9, 5, 5, 9), (0, 0, np.nan, 9)])
def test_refuses_boxes(box):
    image = np.zeros((10, 10, 3), np.uint8)
    with pytest.raises(ValueError, match='x.jpg: the box .* is empty or not finite'):
        TopdownResize((8, 8))(sample(image, box, img_path='x.jpg'))
