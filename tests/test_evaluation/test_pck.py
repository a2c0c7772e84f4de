"""Counting correct keypoints, and the means of the counts."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.evaluation.functional import (
    MeanDefinition,
    PCKSummary,
    count_correct_keypoints,
    group_percentages,
    keypoint_percentages,
    left_right_groups,
    mean_of_groups,
    pooled_percentage,
    unweighted_percentage,
)

NAMES = ('nose', 'left_wrist', 'right_wrist', 'left_hip')


def random_people(seed, num=40, num_keypoints=5):
    generator = np.random.default_rng(seed)
    target = generator.uniform(0, 100, (num, num_keypoints, 2))
    predicted = target + generator.normal(0, 8, target.shape)
    valid = generator.random((num, num_keypoints)) < 0.8
    valid[:, 0] = True
    return predicted, target, valid, generator.uniform(10, 40, num)


def test_counts_by_hand_with_the_threshold_included():
    target = np.zeros((2, 2, 2))
    predicted = np.array([[[3.0, 4.0], [6.0, 8.0]], [[0.0, 5.1], [0.0, 0.0]]])
    valid = np.array([[True, True], [True, False]])
    counts = count_correct_keypoints(
        predicted, target, valid, np.array([10.0, 10.0]), (0.5, 1.0, 0.49)
    )
    # 5 px of 10 px is exactly the first threshold and counts, 5.1 px does not.
    assert counts.correct.tolist() == [[1, 0], [2, 1], [0, 0]]
    assert counts.count.tolist() == [2, 1]
    assert counts.thresholds == (0.5, 1.0, 0.49)


def test_a_tenth_needs_float64():
    # 0.1 of 2 ** 24 + 1 px: in float32 the length loses its last pixel.
    length = 2.0**24 + 1
    predicted = np.array([[[length * 0.1, 0.0]]])
    inputs = (np.zeros((1, 1, 2)), np.ones((1, 1), bool), np.array([length]), (0.1,))
    assert count_correct_keypoints(predicted, *inputs).correct.tolist() == [[1]]
    assert count_correct_keypoints(predicted + 1e-3, *inputs).correct.item() == 0


def test_samples_without_a_length_or_a_keypoint_are_told_and_left_out():
    predicted = target = np.zeros((5, 2, 2))
    valid = np.ones((5, 2), bool)
    valid[4] = False
    lengths = np.array([1.0, 0.0, np.nan, -2.0, 1.0])
    with pytest.warns(UserWarning, match='of 5 samples, PCK leaves out 3 .* and 1 '):
        counts = count_correct_keypoints(predicted, target, valid, lengths, (0.5,))
    assert counts.count.tolist() == [1, 1] and counts.correct.tolist() == [[1, 1]]
    assert (counts.num_without_length, counts.num_without_keypoint) == (3, 1)


def test_nan_predictions_are_wrong_and_unknown_annotations_are_not_read():
    predicted = np.array([[[np.nan, 0.0], [0.0, 0.0]]])
    target = np.array([[[0.0, 0.0], [np.nan, np.nan]]])
    flags = np.array([[True, False]])
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        counts = count_correct_keypoints(predicted, target, flags, np.ones(1), (9.0,))
    assert counts.correct.tolist() == [[0, 0]] and counts.count.tolist() == [1, 0]
    with pytest.raises(ValueError, match='keypoint 1 of sample 0 is marked valid'):
        count_correct_keypoints(predicted, target, ~flags, np.ones(1), (9.0,))


@pytest.mark.parametrize(
    'changed, message',
    [
        (dict(predicted=np.zeros((2, 3, 2))), r'\(2, 3, 2\) and annotations \(2, 2'),
        (dict(lengths=np.ones(3)), r'lengths \(3,\) do not fit 2 samples'),
        (dict(thresholds=(-0.1,)), r'thresholds=\[-0.1\]'),
        (dict(thresholds=()), r'thresholds=\[\]'),
    ],
)
def test_bad_inputs_are_named(changed, message):
    inputs = dict(
        predicted=np.zeros((2, 2, 2)),
        target=np.zeros((2, 2, 2)),
        valid=np.ones((2, 2), bool),
        lengths=np.ones(2),
        thresholds=(0.5,),
    )
    with pytest.raises(ValueError, match=message):
        count_correct_keypoints(**{**inputs, **changed})


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), exponent=st.integers(-8, 8))
def test_scale_and_translation_change_nothing(seed, exponent):
    predicted, target, valid, lengths = random_people(seed)
    # Powers of two and whole pixels keep the arithmetic exact enough for equality.
    scale, shift = 2.0**exponent, np.array([3.0, -7.0])
    plain = count_correct_keypoints(predicted, target, valid, lengths, (0.2, 0.5))
    moved = count_correct_keypoints(
        predicted * scale + shift,
        target * scale + shift,
        valid,
        lengths * scale,
        (0.2, 0.5),
    )
    np.testing.assert_array_equal(moved.correct, plain.correct)
    np.testing.assert_array_equal(moved.count, plain.count)


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    thresholds=st.lists(st.floats(0, 5), min_size=2, max_size=6).map(sorted),
)
def test_larger_thresholds_find_no_fewer(seed, thresholds):
    people = random_people(seed)
    counts = count_correct_keypoints(*people, thresholds)
    assert (np.diff(counts.correct, axis=0) >= 0).all()
    assert (counts.correct <= counts.count).all()
    everything = count_correct_keypoints(*people, (np.inf,))
    np.testing.assert_array_equal(everything.correct[0], everything.count)


def test_means_by_hand():
    correct, count = np.array([1, 30, 0]), np.array([2, 40, 0])
    percentages = keypoint_percentages(correct, count)
    np.testing.assert_array_equal(percentages, [50.0, 75.0, np.nan])
    assert pooled_percentage(correct, count, (0, 1, 2)) == pytest.approx(3100 / 42)
    assert unweighted_percentage(correct, count, (0, 1, 2)) == 62.5
    groups = ((0, 1), (1,), (2,))
    np.testing.assert_array_equal(
        group_percentages(correct, count, groups), [62.5, 75.0, np.nan]
    )
    assert mean_of_groups(correct, count, groups) == 68.75
    assert np.isnan(pooled_percentage(correct, count, (2,)))
    assert np.isnan(unweighted_percentage(correct, count, (2,)))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_equal_counts_make_all_means_equal(seed):
    correct = np.random.default_rng(seed).integers(0, 51, 6)
    count = np.full(6, 50)
    pooled = pooled_percentage(correct, count, range(6))
    assert unweighted_percentage(correct, count, range(6)) == pytest.approx(pooled)
    groups = ((0, 3), (1, 2), (4, 5))
    assert mean_of_groups(correct, count, groups) == pytest.approx(pooled)


def hand_counts():
    target = np.zeros((2, 4, 2))
    predicted = target.copy()
    predicted[0, 1] = predicted[:, 3] = 9.0
    valid = np.array([[1, 1, 1, 1], [1, 1, 0, 1]], bool)
    return count_correct_keypoints(predicted, target, valid, np.ones(2), (0.2,))


def test_summary_without_a_preset_pairs_left_and_right():
    assert PCKSummary(NAMES).summarize(hand_counts(), 0) == {
        'mean': 62.5,
        'mean_pooled': pytest.approx(400 / 7),
        'wrist': 75.0,
        'nose': 100.0,
        'left_wrist': 50.0,
        'right_wrist': 100.0,
        'left_hip': 0.0,
    }


def test_summary_of_named_means_and_groups():
    means = {
        'arms': dict(keypoints=['left_wrist', 'right_wrist']),
        'arms_unweighted': MeanDefinition('unweighted', ('left_wrist', 'right_wrist')),
        'of_groups': dict(average='groups'),
    }
    groups = {'hand': ['left_wrist', 'right_wrist'], 'rest': ['nose', 'left_hip']}
    figures = PCKSummary(NAMES, means, groups).summarize(hand_counts(), 0)
    assert list(figures)[:5] == [*means, *groups]
    assert figures['arms'] == pytest.approx(200 / 3)
    assert figures['arms_unweighted'] == 75.0
    assert figures['rest'] == 50.0 and figures['of_groups'] == 62.5


def test_names_that_collide_form_no_group():
    assert left_right_groups(('left_eye', 'eye', 'right_eye', 'left_ear')) == {}
    assert left_right_groups(('right_eye', 'left_eye')) == {
        'eye': ('left_eye', 'right_eye')
    }


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(means='mpi'), "means='mpi' is no preset"),
        (dict(groups='mpi'), "groups='mpi' is no preset"),
        (dict(means='mpii'), "names the keypoint 'upper_neck', which the data set"),
        (dict(means='mpii', groups={'a': ['nose']}), 'leave out groups'),
        (dict(means={'m': dict(average='median')}), "average='median'"),
        (dict(means={'m': dict(keypoint=['nose'])}), r"unknown keys \['keypoint'\]"),
        (dict(means={'m': dict(keypoints='nose')}), 'must be a list'),
        (
            dict(means={'m': dict(average='groups', keypoints=['nose'])}),
            'leave out keypoints',
        ),
        (dict(groups={'head': []}), r"groups\['head'\]=\[\] must be a list"),
        (dict(groups={'nose': ['nose']}), r"\['nose'\] name more than one"),
    ],
)
def test_bad_settings_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        PCKSummary(NAMES, **arguments)
