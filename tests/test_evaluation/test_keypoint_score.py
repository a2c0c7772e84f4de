"""A score without labels: planted keypoints, good ones and those of each fault."""

import json

import numpy as np
import pytest

from mmkp.evaluation.functional import keypoint_components as parts
from mmkp.evaluation.functional.keypoint_score import (
    COMPONENTS,
    KeypointScores,
    score_components,
)

N, K = 400, 6
GOOD, STILL, TWIN, JUMPS, BORDER = 0, 2, 3, 4, 5


def place(rng):
    """Keypoints of a body that moves, and of what fails; (n, K, 2), fractions."""
    body = np.array([[0.4, 0.35], [0.55, 0.6], [0, 0], [0, 0], [0, 0], [0, 0]])
    keypoints = body + rng.normal(0, 0.08, (N, 1, 2))
    keypoints[:, STILL] = 0.3, 0.8
    keypoints[:, TWIN] = keypoints[:, 1] + rng.normal(0, 1e-3, (N, 2))
    keypoints[:, JUMPS] = rng.uniform(0.1, 0.9, (N, 2))
    keypoints[:, BORDER] = keypoints[:, 0] * [1, 0] + [0, 0.02]
    return keypoints


@pytest.fixture
def planted():
    """Keypoints, those of warped images and what a fixed detector would find there."""
    rng = np.random.default_rng(0)
    keypoints = place(rng)
    carried = keypoints + rng.normal(0, 0.05, (N, 1, 2))  # a shift of each image
    returned = keypoints + rng.normal(0, 0.005, keypoints.shape)
    returned[:, STILL] = carried[:, STILL]
    returned[:, JUMPS] = rng.uniform(0.1, 0.9, (N, 2))
    return keypoints, returned, carried


def components(keypoints, returned, carried):
    return dict(
        movement=parts.movement(keypoints),
        distinctness=parts.distinctness(keypoints),
        inside=parts.inside_share(keypoints),
        equivariance=parts.equivariance(keypoints, returned, carried),
        reliability=parts.reliability(keypoints, returned),
    )


def test_good_ones_score_high_and_each_fault_low(planted):
    found = score_components(components(*planted))
    assert found.scores[GOOD] > 0.9 and found.verdicts[GOOD] == ''
    assert found.scores[[STILL, TWIN, JUMPS, BORDER]].max() < 0.2
    assert [found.verdicts[k] for k in (STILL, TWIN, JUMPS, BORDER)] == [
        COMPONENTS[name][1]
        for name in ('movement', 'distinctness', 'equivariance', 'inside')
    ]
    assert found.verdicts[1] == COMPONENTS['distinctness'][1]  # both of the twins
    # Of the means: the two of the twins and the border count as far as they are found.
    assert found.scores.mean() < found.score < 0.5 and found.level == 'usable'
    sentence = found.sentence()
    assert (
        'usable: 1 of 6 keypoints hold; 1, 3 lie on another keypoint; 2 hardly'
        in sentence
    )


def test_spread_and_extent_are_of_the_formula():
    keypoints = np.array([[[0, 0], [0.6, 0.8]], [[0.2, 0], [0.6, 0.8]]])
    np.testing.assert_allclose(parts.keypoint_spread(keypoints), [0.1, 0])
    # Half the distance of the two, in each image.
    halves = np.array([1.0, np.hypot(0.4, 0.8)]) / 2
    assert parts.object_extent(keypoints) == pytest.approx(np.sqrt(np.mean(halves**2)))


@pytest.mark.parametrize('moves', [0, 0.1, 0.4, 0.9, 3])
def test_movement_is_relative_to_the_object(moves):
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 0.4
    keypoints = np.stack([square, square])
    extent = 0.2 * np.sqrt(2)
    keypoints[1, 0, 0] += 2 * moves * 0.05 * extent  # a spread of that
    assert parts.movement(keypoints)[0] == pytest.approx(min(moves, 1), rel=0.06)
    np.testing.assert_allclose(parts.movement(keypoints)[1:], 0)
    smaller = 0.1 * keypoints + 0.3
    np.testing.assert_allclose(parts.movement(smaller), parts.movement(keypoints))


@pytest.mark.parametrize('part', [0.0, 0.25, 0.5, 1.0, 2.0])
def test_equivariance_is_the_share_of_the_warp_that_is_followed(planted, part):
    keypoints, _, carried = planted
    returned = keypoints + part * (carried - keypoints)
    found = parts.equivariance(keypoints, returned, carried)
    np.testing.assert_allclose(found, max(1 - part, 0), atol=1e-9)
    # Where no warp moves anything, nothing is known.
    assert not parts.equivariance(keypoints, keypoints, keypoints).any()


@pytest.mark.parametrize('ratio', [0.0, 0.5, 1.0, 3.0])
def test_reliability_is_a_share_of_variance(ratio):
    rng = np.random.default_rng(1)
    keypoints = rng.normal(0.5, 0.1, (50, 1, 2))
    spread = parts.keypoint_spread(keypoints)[0]
    returned = keypoints + [0, ratio * spread]
    found = parts.reliability(keypoints, returned)
    np.testing.assert_allclose(found, 1 / (1 + ratio**2))


def test_distinctness_falls_with_the_distance():
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * 0.5
    found = []
    for distance in (0.5, 0.1, 0.05, 0.0):
        points = square.copy()
        points[3] = points[0] + [0, distance]
        found.append(parts.distinctness(points[None])[3])
    assert found[0] == 1 and found[-1] == 0
    assert all(np.diff(found) < 0)
    assert parts.distinctness(np.zeros((3, 1, 2)))[0] == 1


def test_sharpness_and_border():
    np.testing.assert_allclose(
        parts.sharpness([[1, 0.75, 0.2], [1, 0.75, 0.4]]), [0, 0.5, 1]
    )
    keypoints = np.array([[[0.5, 0.5], [0.5, 0.01]], [[0.5, 0.5], [0.5, 0.5]]])
    np.testing.assert_allclose(parts.inside_share(keypoints), [1, 0.5])


def test_cycles_of_features():
    rng = np.random.default_rng(2)
    looks = rng.normal(0, 1, (5, 32))
    clean = looks + rng.normal(0, 0.3, (40, 5, 32))
    clean[:, 3] = rng.normal(0, 1, (40, 32))  # what is below it changes
    found = parts.cycle_consistency(clean)
    assert found[[0, 1, 2, 4]].min() > 0.9 and found[3] < 0.4
    shares = [
        parts.cycle_consistency(looks + rng.normal(0, noise, (40, 5, 32))).mean()
        for noise in (0.3, 2, 6, 100)
    ]
    assert all(np.diff(shares) < 0) and shares[-1] < 0.1
    assert (parts.cycle_consistency(clean[:1]) == 1).all()
    many = np.repeat(clean, 5, axis=0)
    assert parts.cycle_consistency(many, 10).shape == (5,)


def test_agreement_of_two_trainings(planted):
    keypoints = planted[0]
    # Other keypoints of the same body: another order, a linear map and an offset.
    others = np.stack([0.5 * keypoints[:, 0] + 0.1, keypoints[:, 1]], axis=1)
    found = parts.agreement(keypoints, others)
    assert found[[0, 1]].min() > 0.98
    assert found[JUMPS] < 0.05 and found[STILL] == 0
    rng = np.random.default_rng(3)
    noisy = [
        parts.agreement(keypoints, others + rng.normal(0, noise, others.shape))[0]
        for noise in (0, 0.02, 0.08, 1)
    ]
    assert all(np.diff(noisy) < 0) and noisy[-1] < 0.05
    with pytest.raises(ValueError, match='400 images, but others of 399'):
        parts.agreement(keypoints, others[1:])


@pytest.mark.parametrize('name', COMPONENTS)
def test_the_score_rises_with_each_component_until_there_is_enough(name):
    levels = np.linspace(0, 1, 41)
    fixed = {other: np.full(41, 1.0) for other in COMPONENTS if other != name}
    found = score_components({**fixed, name: levels})
    enough = 1.0 if name == 'reliability' else COMPONENTS[name][0]
    rising = np.diff(found.scores)
    least = 0 if name == 'reliability' else 0.05 * enough
    assert (rising[(levels[1:] <= enough) & (levels[1:] > least)] > 0).all()
    assert np.abs(rising[levels[:-1] >= enough]).max(initial=0) == 0
    assert found.scores[0] == (0 if name == 'reliability' else 0.05)
    assert found.scores[-1] == 1
    assert found.verdicts[0] == COMPONENTS[name][1] and found.verdicts[-1] == ''


def test_what_is_foretold_is_the_error_that_is_spared():
    # A place that varies by 3 and is found with an error of 4: 1 - 4 / 5.
    known = dict(reliability=[9 / 25, 9 / 25], movement=[1.0, 0.5])
    found = score_components(known)
    np.testing.assert_allclose(found.scores, [0.2, 0.1])
    assert found.score == pytest.approx(0.2 * 0.75)
    assert found.level == 'doubtful'
    errors = np.random.default_rng(0).normal(0, 1, (2, 100_000))
    seen = 3 * errors[0] + 4 * errors[1]
    foretold = seen * 9 / 25
    spared = 1 - np.std(3 * errors[0] - foretold) / 3
    assert found.scores[0] == pytest.approx(spared, abs=0.01)


def test_what_is_not_known_counts_as_nothing(planted):
    keypoints, returned, carried = (values.copy() for values in planted)
    keypoints[3, 0] = np.nan
    found = score_components(components(keypoints, returned, carried))
    assert found.scores[0] < 0.1 and np.isfinite(found.scores).all()
    json.dumps(found.to_dict(), allow_nan=False)


def test_table_and_file(planted):
    found = score_components(components(*planted))
    assert isinstance(found, KeypointScores)
    lines = found.table().splitlines()
    assert len(lines) == 1 + K and lines[0].split()[:3] == [
        *('keypoint', 'score', 'movement')
    ]
    assert lines[1 + STILL].endswith('hardly move: background?')
    content = found.to_dict()
    assert content['level'] == found.level and len(content['keypoints']) == K
    assert content['keypoints'][STILL]['movement'] < 0.05


@pytest.mark.parametrize(
    'given, message',
    [
        ({}, 'components must be some of'),
        (dict(beauty=[1.0]), r"got \['beauty'\]"),
        (dict(movement=[1.0]), 'reliability among them'),
        (dict(reliability=[1.0], inside=[1.0, 0]), 'must have one shape'),
    ],
)
def test_wrong_components(given, message):
    with pytest.raises(ValueError, match=message):
        score_components(given)


def test_wrong_shapes():
    with pytest.raises(ValueError, match=r'shape \(images, keypoints, 2\)'):
        parts.movement(np.zeros((4, 2)))
    with pytest.raises(ValueError, match='returned must be of 4 images and 2 keyp'):
        parts.reliability(np.zeros((4, 2, 2)), np.zeros((3, 2, 2)))
    with pytest.raises(ValueError, match=r'features must have shape \(n, K, C\)'):
        parts.cycle_consistency(np.zeros((4, 2)))
