import numpy as np
import pytest

from mmkp.evaluation.functional import KeypointSamples, RegressionProtocol
from mmkp.evaluation.functional.evaluate_discovery import evaluate_discovery
from mmkp.evaluation.functional.swap_rate import pairs_of, swap_rate, swapped_pairs
from mmkp.evaluation.functional.swap_shares import (
    add_swapped_keypoints,
    add_swapped_points,
)

EYES = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.7]])


def test_rate_is_the_share_of_known_images_that_fit_exchanged():
    reference = np.broadcast_to(EYES, (5, 3, 2))
    points = reference + 0.05
    points[:2] = points[:2, [1, 0, 2]]
    pairs = [(0, 1), (1, 2)]
    assert swapped_pairs(points, reference, pairs)[:, 0].tolist() == [1, 1, 0, 0, 0]
    assert swap_rate(points, reference, pairs)[0] == 40
    visible = np.ones((5, 3), bool)
    visible[0, 1] = visible[:, 2] = False
    rates = swap_rate(points, reference, pairs, visible)
    assert rates[0] == 25 and np.isnan(rates[1])


def test_pairs_of_a_table_are_listed_once():
    assert pairs_of([3, 1, 4, 0, 2]) == [(0, 3), (2, 4)]
    assert pairs_of([0, 1]) == []


@pytest.fixture
def samples():
    """Faces that move; keypoints 0 and 1 exchange their sides in a quarter of them."""
    rng = np.random.default_rng(0)
    annotated = EYES + 0.02 * rng.standard_normal((80, 1, 2))
    discovered = annotated.copy()
    discovered[::4] = discovered[::4, [1, 0, 2]]
    return KeypointSamples.from_arrays(discovered, annotated)


def test_report_tells_exchanged_points_and_keypoints(samples):
    report = evaluate_discovery(RegressionProtocol(), samples, samples, shots=())
    add_swapped_points(report, [(0, 1)], ['left eye', 'right eye', 'mouth'])
    add_swapped_keypoints(report, samples, [(0, 1)])
    figures = report.figures()
    assert figures['keypoints_swapped'] == 25
    assert figures['swapped_mean_pose'] == 0  # which never moves far
    assert 0 <= figures['swapped'] <= 25
    pair = report.to_dict()['swapped_pairs'][0]
    assert pair['pair'] == ['left eye', 'right eye'] and pair['mean_pose'] == 0
    assert report.to_dict()['swapped_keypoints'] == [{'pair': [0, 1], 'detector': 25.0}]
    assert '% keypoints swapped' in report.table()


def test_no_pairs_no_figure(samples):
    report = evaluate_discovery(RegressionProtocol(), samples, samples, shots=())
    add_swapped_keypoints(report, samples, [])
    assert 'keypoints_swapped' not in report.figures()
