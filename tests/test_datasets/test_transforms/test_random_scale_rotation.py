import math

import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS

from mmkp.datasets import RandomScaleRotation

COUNT = 40000


def draw(**arguments):
    """Factors (n,) and degrees (n,) of many people."""
    np.random.seed(0)
    boxes = np.full((COUNT, 2), 200, np.float32)
    result = RandomScaleRotation(**arguments)(dict(bbox_scale=boxes))
    assert (result['bbox_scale'][:, 0] == result['bbox_scale'][:, 1]).all()
    assert result['bbox_scale'].dtype == np.float32
    assert result['bbox_rotation'].shape == (COUNT,)
    return result['bbox_scale'][:, 0] / 200, result['bbox_rotation']


def clipped_normal_std(limit):
    """Of a standard normal that is clipped at +/- ``limit``."""
    inside = math.erf(limit / math.sqrt(2))
    density = math.exp(-(limit**2) / 2) / math.sqrt(2 * math.pi)
    return math.sqrt(inside - 2 * limit * density + limit**2 * (1 - inside))


def test_author_draws_exponents_of_two():
    factors, _ = draw()
    exponents = np.log2(factors)
    assert exponents.min() == pytest.approx(-0.5, abs=1e-6)
    assert exponents.max() == pytest.approx(0.5, abs=1e-6)
    assert exponents.mean() == pytest.approx(0, abs=0.005)
    assert exponents.std() == pytest.approx(0.25 * clipped_normal_std(2), rel=0.01)
    # Two standard deviations: 4.55 % lie at the limits, where they gather.
    at_limit = np.abs(exponents) > 0.5 - 1e-6
    assert at_limit.mean() == pytest.approx(0.0455, abs=0.004)


def test_author_leaves_six_of_ten_upright():
    _, degrees = draw()
    assert (degrees == 0).mean() == pytest.approx(0.6, abs=0.01)
    turned = degrees[degrees != 0]
    assert np.abs(turned).max() == 60
    assert turned.mean() == pytest.approx(0, abs=0.8)
    assert turned.std() == pytest.approx(30 * clipped_normal_std(2), rel=0.02)


def test_linear_law():
    factors, degrees = draw(
        law='linear', scale_exponent_limit=0.25, rotation_probability=0.6
    )
    assert factors.min() == 0.75 and factors.max() == 1.25
    assert factors.mean() == pytest.approx(1, abs=0.005)
    assert factors.std() == pytest.approx(0.25 * clipped_normal_std(1), rel=0.01)
    assert (degrees == 0).mean() == pytest.approx(0.4, abs=0.01)


def test_uniform_law():
    factors, degrees = draw(
        law='uniform',
        scale_exponent_limit=0.25,
        rotation_limit=30,
        rotation_probability=1,
    )
    for values, middle, limit in ((factors, 1, 0.25), (degrees, 0, 30)):
        assert values.mean() == pytest.approx(middle, abs=limit / 50)
        assert values.std() == pytest.approx(limit / math.sqrt(3), rel=0.01)
        assert np.abs(values - middle).max() <= limit + 1e-6


def sample():
    return dict(
        img=np.zeros((120, 160, 3), np.uint8),
        bbox_center=np.float32([[80, 60]]),
        bbox_scale=np.float32([[100, 100]]),
        keypoints=np.float32([[[80, 60], [90, 40], [60, 75]]]),
        keypoints_visible=np.ones((1, 3), np.float32),
    )


def test_image_and_keypoints_follow():
    init_default_scope('mmpose')
    affine = TRANSFORMS.build(dict(type='TopdownAffine', input_size=(64, 64)))
    transform = RandomScaleRotation(rotation_probability=1)
    for seed in range(5):
        np.random.seed(seed)
        before = sample()
        # A white dot at the last keypoint is found at its new place.
        before['img'][73:78, 58:63] = 255
        boxed = transform(before)
        factor = boxed['bbox_scale'][0, 0] / 100
        angle = np.deg2rad(boxed['bbox_rotation'][0])
        assert angle != 0 and factor != 1
        after = affine(boxed)
        moved = after['transformed_keypoints'][0]
        np.testing.assert_allclose(moved[0], [32, 32], atol=1e-3)
        offsets = sample()['keypoints'][0] - [80, 60]
        lengths = np.linalg.norm(moved - moved[0], axis=1)
        expected = np.linalg.norm(offsets, axis=1) * 0.64 / factor
        np.testing.assert_allclose(lengths, expected, rtol=1e-4)
        turned = np.arctan2(*(moved[1] - moved[0])[::-1]) - np.arctan2(-20, 10)
        assert abs(math.remainder(abs(turned) - abs(angle), 2 * math.pi)) < 1e-3
        weights = after['img'][..., 0].astype(float)
        rows, columns = np.indices(weights.shape)
        center = [(axis * weights).sum() / weights.sum() for axis in (columns, rows)]
        np.testing.assert_allclose(center, moved[2], atol=0.3)


def test_shared_arrays_stay_as_they_are():
    results = sample()
    boxes = results['bbox_scale']
    np.random.seed(0)
    RandomScaleRotation()(results)
    np.testing.assert_array_equal(boxes, [[100, 100]])
    assert results['bbox_scale'] is not boxes


def test_frames_of_one_sample_can_share_random_numbers():
    transform = RandomScaleRotation(rotation_probability=1)
    with cache_random_params(transform):
        first, second = transform(sample()), transform(sample())
    np.testing.assert_array_equal(first['bbox_scale'], second['bbox_scale'])
    np.testing.assert_array_equal(first['bbox_rotation'], second['bbox_rotation'])
    third = transform(sample())
    assert third['bbox_rotation'] != first['bbox_rotation']


@pytest.mark.parametrize(
    'arguments',
    [
        dict(law='normal'),
        dict(rotation_std=-1),
        dict(scale_exponent_limit=-0.1),
        dict(rotation_probability=1.5),
        dict(law='linear', scale_exponent_limit=1),
    ],
)
def test_impossible_arguments(arguments):
    with pytest.raises(ValueError, match='must'):
        RandomScaleRotation(**arguments)


def test_repr_names_the_arguments():
    assert "law='uniform'" in repr(RandomScaleRotation('uniform'))
