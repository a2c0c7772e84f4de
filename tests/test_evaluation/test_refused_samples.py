"""Arrays that the maths of evaluation refuses instead of hanging or failing inside."""

import numpy as np
import pytest

import mmkp.evaluation.functional as functional
from mmkp.evaluation.functional import KeypointSamples, evaluate_discovery, fit_affine

RANDOM = np.random.default_rng(0)
POINTS = RANDOM.random((12, 3, 2))


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf, 1e200])
@pytest.mark.parametrize('center', [0.0, 'standardize'])
def test_fits_of_what_is_not_finite(value, center):
    inputs, targets = RANDOM.normal(size=(11, 4)), RANDOM.normal(size=(11, 2))
    broken = inputs.copy()
    broken[1, 0] = value
    with pytest.raises(ValueError, match=r'inputs hold .* in row 1'):
        fit_affine(broken, targets, center)
    with pytest.raises(ValueError, match=r'targets hold .* in row 1'):
        fit_affine(targets, broken, center)


def test_fits_of_other_shapes():
    with pytest.raises(ValueError, match=r'inputs must have shape'):
        fit_affine(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match='3 rows of inputs but 4 of targets'):
        fit_affine(np.ones((3, 2)), np.ones((4, 2)))


@pytest.mark.parametrize('value', [np.nan, np.inf, 1e300])
def test_keypoints_that_are_not_finite(value):
    broken = POINTS.copy()
    broken[1, 0] = value
    with pytest.raises(ValueError, match='the discovered keypoints of 1 .*not finite'):
        KeypointSamples.from_arrays(broken, POINTS)
    samples = KeypointSamples.from_arrays(POINTS, POINTS)
    protocol = functional.get_protocol()
    with pytest.raises(ValueError, match='the untrained keypoints of 1 .*not finite'):
        evaluate_discovery(protocol, samples, samples, untrained=(broken, POINTS))
    with pytest.raises(ValueError, match='untrained keypoints must have shape'):
        evaluate_discovery(
            protocol, samples, samples, untrained=(POINTS[..., 0], POINTS)
        )
    with pytest.raises(ValueError, match='11 images have untrained keypoints, but 12'):
        evaluate_discovery(protocol, samples, samples, untrained=(POINTS, POINTS[1:]))


@pytest.mark.parametrize('size', [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize('name', ['crop_size', 'image_size'])
def test_sizes_of_nothing(size, name):
    with pytest.raises(ValueError, match=f'{name} must hold positive widths'):
        KeypointSamples.from_arrays(POINTS, POINTS, **{name: np.full((12, 2), size)})


@pytest.mark.parametrize('shape', [(0, 4, 2), (4, 0, 2), (4, 3), (4, 3, 3)])
def test_collapse_of_nothing(shape):
    with pytest.raises(ValueError, match='at least one of each'):
        functional.collapse_statistics(np.zeros(shape))


def test_collapse_of_a_list():
    assert functional.collapse_statistics([[[1, 2.0]]]).spread == 0


def test_consistency_of_other_shapes():
    points = np.ones((2, 3, 2))
    with pytest.raises(ValueError, match=r'valid \(n, K\)'):
        functional.temporal_consistency(points, points, points, np.ones((2, 4), bool))
