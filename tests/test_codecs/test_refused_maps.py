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
    with pytest.raises(ValueError, match='heatmaps must be .* real.* complex128'):
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


NO_NUMBERS = {
    'complex': np.full((1, 17, 2), 30 + 1j),
    'objects': np.full((1, 17, 2), None),
    'texts': np.full((1, 17, 2), b'30'),
    'rows of two lengths': [[[1.0, 2.0], [3.0]]],
    'digits': [[[10**400, 1.0]] * 17],
}


@pytest.mark.parametrize('kind', NO_NUMBERS)
def test_keypoints_that_are_no_real_numbers(kind):
    for codec in (field(), HourglassHeatmap((64, 64), (16, 16))):
        with pytest.raises(ValueError, match='keypoints must be an array of real'):
            codec.encode(NO_NUMBERS[kind])


LENGTHS = (np.inf, np.nan, 0, -1, 1e9, 10**400, (7, 7), '7', None, True)


@pytest.mark.parametrize('value', LENGTHS)
def test_widths_that_are_none(value):
    for name in ('sigma', 'limb_half_width'):
        with pytest.raises(ValueError, match=f'{name} must be a positive number'):
            field(**{name: value})
    with pytest.raises(ValueError, match='sigma must be a positive number'):
        HourglassHeatmap((64, 64), (16, 16), sigma=value)


@pytest.mark.parametrize('size', [(0, 8), (True, 8), (8.0, 8), 8, (1 << 20, 1 << 20)])
def test_sizes_that_are_none(size):
    with pytest.raises(ValueError, match='heatmap_size'):
        HourglassHeatmap((64, 64), size)


@pytest.mark.parametrize('options', [dict(sigma=1e5), dict(patch_size=2**40 + 1)])
def test_patches_that_would_fill_the_memory(options):
    with pytest.raises(ValueError, match='more than 2049 x 2049'):
        HourglassHeatmap((64, 64), (16, 16), **options)


@pytest.mark.parametrize('place', [np.nan, np.inf, -np.inf, 1e300, -1e300, 1e5])
def test_keypoints_that_are_nowhere(place):
    points = np.array([[[place, 8.0], [8.0, 8.0]]])
    found = HourglassHeatmap((64, 64), (16, 16)).encode(points)
    assert found['keypoint_weights'].tolist() == [[0, 1]]
    assert (found['heatmaps'].max((1, 2)) == [0, 1]).all()


DECODER_OPTIONS = {
    'max_peaks': (0, 1e9, np.inf, np.nan, 2.5, '127', None, True),
    'num_samples': (0, 10**9, 1.5, [], None),
    'upsample': (0, 1.5, 1000, np.nan, '8'),
    'peak_threshold': (0, -1, np.nan, np.inf, None, '0.1'),
    'min_fraction': (-0.1, 1.1, np.nan, None),
    'min_peak_distance': (-1, np.nan, np.inf, '6'),
    'max_gap': (np.inf, np.nan, None),
    'merge': ('yes', 2, None, np.nan),
    'instance_score': ('max', 1, None, [10**400]),
}


@pytest.mark.parametrize('name', DECODER_OPTIONS)
def test_options_of_the_decoder_are_refused_when_it_is_built(name):
    for value in DECODER_OPTIONS[name]:
        with pytest.raises(ValueError, match=f'decoder option {name} must be'):
            field(decoder={name: value})
    with pytest.raises(ValueError, match='unknown decoder option backend'):
        field(decoder=dict(backend='numba'))


def test_large_finite_maps_are_finite(recwarn):
    # The sum of their squares is not.
    maps = np.full((18, 6, 6), 1e30, np.float32)
    field().decode(maps, np.full((38, 6, 6), 1e30, np.float32))
    assert not [w for w in recwarn if 'not finite' in str(w.message)]


def test_maps_without_cells():
    with pytest.raises(ValueError, match='have no cells'):
        field().decode(np.ones((18, 0, 4)), np.ones((38, 0, 4)))
