"""Errors by ridge regression, with their controls."""

import numpy as np
import pytest

from mmkp.evaluation.functional import KeypointSamples, get_protocol
from mmkp.evaluation.functional.ridge_errors import ridge_errors


@pytest.fixture
def halves():
    """Annotated points that are a linear map of discovered ones."""
    rng = np.random.default_rng(0)
    discovered = rng.uniform(0.2, 0.8, (80, 4, 2))
    samples = KeypointSamples.from_arrays(discovered, 0.5 * discovered[:, :2] + 0.1)
    return samples.select(np.arange(40)), samples.select(np.arange(40, 80))


def test_errors_and_those_of_halves(halves):
    found = ridge_errors(get_protocol('generic'), *halves)
    assert max(found['ridge'], found['fit_ridge']) < 0.05
    annotated = np.concatenate([half.annotated for half in halves])
    spread = 100 * np.linalg.norm(annotated - annotated.mean(0), axis=2).mean()
    assert found['ridge_mean_pose'] == pytest.approx(spread, rel=0.05)
    assert found['fit_ridge_mean_pose'] == pytest.approx(spread, rel=0.05)
    assert 'ridge_untrained' not in found


def test_keypoints_that_know_nothing_fall_back_to_the_mean_pose(halves):
    rng = np.random.default_rng(1)
    untrained = tuple(rng.uniform(0.2, 0.8, half.discovered.shape) for half in halves)
    found = ridge_errors(get_protocol('generic'), *halves, untrained)
    assert found['ridge_untrained'] == pytest.approx(found['ridge_mean_pose'], rel=0.1)
    exact = tuple(half.discovered for half in halves)
    found = ridge_errors(get_protocol('generic'), *halves, exact)
    assert found['ridge_untrained'] == found['ridge']
