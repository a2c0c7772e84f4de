import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

from mmkp.datasets import RandomChannelGain


def gains(count=2000, **arguments):
    """Factors (count, 3) that were applied, up to the rounding to whole numbers."""
    np.random.seed(0)
    transform = RandomChannelGain(**arguments)
    image = np.full((1, 1, 3), 180, np.uint8)
    results = [transform(dict(img=image))['img'] for _ in range(count)]
    assert all(result.dtype == np.uint8 for result in results)
    return np.concatenate(results).reshape(count, 3) / 180


def test_factors_are_uniform_and_independent():
    factors = gains()
    assert factors.min() == pytest.approx(0.6, abs=0.01)
    assert factors.max() == pytest.approx(1.4, abs=0.01)
    assert factors.mean(0) == pytest.approx([1, 1, 1], abs=0.02)
    assert factors.std(0) == pytest.approx([0.8 / np.sqrt(12)] * 3, rel=0.04)
    correlation = np.corrcoef(factors.T)
    assert np.abs(correlation - np.eye(3)).max() < 0.1


def test_every_value_is_multiplied_and_clipped():
    values = np.arange(256, dtype=np.uint8)
    image = np.stack([values] * 3, axis=-1)[:, None]
    np.random.seed(3)
    expected = np.clip(values[:, None] * np.random.uniform(0.6, 1.4, 3), 0, 255)
    np.random.seed(3)
    result = RandomChannelGain()(dict(img=image))['img'][:, 0]
    assert result.max() == 255
    np.testing.assert_allclose(result, expected, atol=0.5)


def test_shared_image_stays_as_it_is():
    image = np.full((4, 5, 3), 100, np.uint8)
    result = RandomChannelGain(0.5, 0.5)(dict(img=image))['img']
    assert (image == 100).all() and (result == 50).all()
    assert result.shape == image.shape


def test_frames_get_the_same_factors():
    frames = [np.full((2, 2, 3), 100, np.uint8) for _ in range(3)]
    first, second, third = RandomChannelGain()(dict(img=frames))['img']
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)
    transform = RandomChannelGain()
    with cache_random_params(transform):
        once, again = (transform(dict(img=frames[0]))['img'] for _ in range(2))
    np.testing.assert_array_equal(once, again)
    assert (frames[0] == 100).all()


def test_impossible_arguments_and_images():
    with pytest.raises(ValueError, match='smaller one first'):
        RandomChannelGain(1.4, 0.6)
    with pytest.raises(ValueError, match='uint8'):
        RandomChannelGain()(dict(img=np.zeros((2, 2, 3), np.float32)))
    assert repr(RandomChannelGain()) == 'RandomChannelGain(low=0.6, high=1.4)'
