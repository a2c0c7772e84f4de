"""Arrays and settings that codecs refuse, and work that has a bound."""

import resource
import time
import tracemalloc

import numpy as np
import pytest

from mmkp.codecs import HourglassHeatmap, PartAffinityField

POINTS = np.full((1, 17, 2), 30.0)


def field(**options):
    return PartAffinityField('CocoDataset', input_size=(64, 64), **options)


@pytest.mark.parametrize('value', [np.nan, -np.inf, np.inf, -5, 1.5])
def test_masks_that_are_no_weights(value):
    mask = np.ones((8, 8), np.float32)
    mask[0, 0] = value
    with pytest.raises(ValueError, match='labeled_mask must hold weights from 0 to 1'):
        field().encode(POINTS, None, None, mask)


def test_people_of_other_shapes():
    with pytest.raises(ValueError, match='keypoints_visible must .* hold numbers'):
        field().encode(POINTS, np.full((1, 17), 'a'))
    for last in (0, 1, 3):
        with pytest.raises(ValueError, match=r'keypoints must have shape \(N, 17, 2\)'):
            field().encode(np.ones((1, 17, last)))


def test_maps_that_are_no_real_arrays():
    with pytest.raises(ValueError, match=r'got \(1, 1, 1\)'):
        field().decode([[1]], [[1]])
    with pytest.raises(ValueError, match='maps must be real numbers, got complex128'):
        field().decode(np.ones((18, 4, 4), complex), np.ones((38, 4, 4), complex))


def test_wide_gaussians_cost_no_more_than_the_map():
    codec = PartAffinityField('coco18', input_size=(128, 64), sigma=1000.0)
    points = np.random.default_rng(0).uniform(0, 64, (3, 17, 2))
    tracemalloc.start()
    maps = codec.encode(points)['heatmaps']
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert (maps[:-1].max((1, 2)) > 0.99).all()


@pytest.mark.parametrize('profile', ['accurate', 'openpose', 'lightweight'])
def test_constant_maps_are_decoded_quickly(profile):
    codec = PartAffinityField('coco18', profile=profile)
    fields = np.random.default_rng(0).normal(0, 0.5, (38, 24, 24)).astype(np.float32)
    heatmaps = np.full((19, 24, 24), 0.5, np.float32)
    codec.decode(heatmaps[:, :4, :4], fields[:, :4, :4])
    before, start = _peak_memory(), time.process_time()
    assert len(codec.decode(heatmaps, fields)[0]) <= 1
    assert time.process_time() - start < 5
    assert _peak_memory() - before < 500_000


def _peak_memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # KB


class TestHourglass:
    codec = HourglassHeatmap((64, 64), (16, 16))

    @pytest.mark.parametrize('shape', [(1, 3), (1, 3, 1), (1, 3, 3)])
    def test_keypoints_of_other_shapes(self, shape):
        with pytest.raises(ValueError, match='keypoints must have shape'):
            self.codec.encode(np.ones(shape))

    def test_flags_of_another_shape(self):
        with pytest.raises(ValueError, match=r'keypoints_visible .* \(1, 3'):
            self.codec.encode(np.ones((1, 3, 2)), np.ones((0, 3)))

    @pytest.mark.parametrize('shape', [(3, 0, 8), (3, 5, 9), (3, 16)])
    def test_maps_of_another_size(self, shape):
        with pytest.raises(ValueError, match=r'reads maps of .* \(16, 16\)'):
            self.codec.decode(np.ones(shape, np.float32))

    @pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e300])
    def test_maps_without_finite_values(self, value):
        keypoints, scores = self.codec.decode(np.full((1, 16, 16), value))
        assert np.isfinite(keypoints).all() and scores == 0

    def test_mirrored_arrays(self):
        maps = np.random.default_rng(0).random((2, 16, 16)).astype(np.float32)
        found = self.codec.decode(maps[:, ::-1])
        np.testing.assert_array_equal(
            found[0], self.codec.decode(maps[:, ::-1].copy())[0]
        )
