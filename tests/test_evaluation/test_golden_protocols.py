"""Every figure of the official evaluation code, on its stored synthetic sets."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmkp.evaluation.functional import (
    KeypointSamples,
    evaluate_backward,
    evaluate_few_shot,
    fit_protocol,
    get_protocol,
    score_protocol,
    without_inputs,
)

TOLERANCE = 1e-6
CENTERS = {'0': 0.0, '0.5': 0.5, 'std': 'standardize'}


@pytest.fixture(scope='module')
def evaluation_dir(golden_dir):
    return golden_dir / 'evaluation'


@pytest.fixture(scope='module')
def expected(evaluation_dir):
    return json.loads((evaluation_dir / 'numbers.json').read_text())


@pytest.fixture(scope='module')
def arrays(evaluation_dir):
    def load(name):
        with np.load(evaluation_dir / f'{name}.npz') as stored:
            return {key: stored[key] for key in stored.files}

    return load


def sample_sets(stored, divisor=1.0, visible=None):
    """Return the (fit, score) samples of a stored set."""
    sets = []
    for part in ('train', 'test'):
        flags = stored.get(f'{part}_vis')
        if visible is not None:
            flags = visible(stored[f'{part}_gt'])
        sets.append(
            KeypointSamples.from_arrays(
                stored[f'{part}_pred'],
                stored[f'{part}_gt'].astype(np.float64) / divisor,
                flags,
            )
        )
    return sets


def run(protocol, fit, score):
    fitted = fit_protocol(protocol, fit)
    return fitted, score_protocol(protocol, fitted, score)


@pytest.fixture(scope='module')
def faces(arrays):
    return arrays('faces')


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('center', list(CENTERS))
def test_golden_faces_forward_and_backward(faces, expected, center, bias):
    fit, score = sample_sets(faces)
    protocol = get_protocol('mafl', center=CENTERS[center], bias=bias, scale=1.0)
    key = f'center={center},bias={bias}'
    forward = run(protocol, fit, score)[1].figure
    assert forward == pytest.approx(expected['faces']['forward'][key], rel=TOLERANCE)
    backward = evaluate_backward(protocol, fit, score)
    assert backward == pytest.approx(expected['faces']['backward'][key], rel=TOLERANCE)
    by_image = run(replace(protocol, normalizer='crop'), fit, score)[1].figure
    assert by_image == pytest.approx(
        expected['faces']['forward_image_normalised'][key], rel=TOLERANCE
    )


@pytest.mark.parametrize(
    ('variant', 'key'),
    [
        ('autolink', 'official_autolink_celeba_wild'),
        ('stable_keypoints', 'official_stablekeypoints_inter_eye'),
        ('lmdis', 'official_stablekeypoints_inter_eye'),
        ('scops', 'official_scops'),
    ],
)
@pytest.mark.parametrize('name', ['mafl', 'celeba', 'aflw'])
def test_golden_faces_official_variants(faces, expected, name, variant, key):
    fit, score = sample_sets(faces)
    figure = run(get_protocol(name, variant), fit, score)[1].figure
    assert figure / 100 == pytest.approx(expected['faces'][key], rel=TOLERANCE)


def test_golden_faces_official_float32_run_is_close(faces, expected):
    fit, score = sample_sets(faces)
    figure = run(get_protocol('mafl'), fit, score)[1].figure / 100
    single = expected['faces']['official_autolink_celeba_wild_fp32']
    assert figure == pytest.approx(single, abs=5e-7)


def test_golden_faces_mean_pose_and_points(faces, expected):
    fit, score = sample_sets(faces)
    protocol = get_protocol('mafl', scale=1.0)
    rules, mean_fit = without_inputs(protocol, fit)
    mean_pose = run(rules, mean_fit, without_inputs(protocol, score)[1])[1].figure
    assert mean_pose == pytest.approx(expected['faces']['mean_pose'], rel=TOLERANCE)
    # The stored figures per point are those of the fit centred at .5.
    per_point = run(replace(protocol, center=0.5), fit, score)[1].per_point
    assert per_point == pytest.approx(
        expected['faces']['forward_macro_over_points'], rel=TOLERANCE
    )


@pytest.mark.parametrize('bias', [False, True])
@pytest.mark.parametrize('shots', [1, 5, 10, 20, 50])
def test_golden_faces_few_shot(faces, expected, shots, bias):
    fit, score = sample_sets(faces)
    protocol = get_protocol('mafl', 'stable_keypoints', bias=bias, scale=1.0)
    draws = faces[f'few_{shots}'].astype(np.int64)
    summary = evaluate_few_shot(protocol, fit, score, draws)
    stored = expected['faces']['few_shot'][f'n={shots},bias={bias}']
    # Twenty images of ten points without a bias: equations equal unknowns.
    tolerance = 1e-4 if shots == 20 and not bias else TOLERANCE
    assert summary.per_draw == pytest.approx(stored['per_draw'], rel=tolerance)
    assert summary.mean == pytest.approx(stored['mean'], rel=tolerance)
    assert summary.sd == pytest.approx(stored['sd'], rel=tolerance)
    assert summary.median == pytest.approx(np.median(stored['per_draw']), rel=tolerance)


def test_golden_cub(arrays, expected):
    fit, score = sample_sets(arrays('cub'))
    numbers = expected['cub']
    pooled = get_protocol('cub', scale=1.0)
    assert run(pooled, fit, score)[1].figure == pytest.approx(
        numbers['autolink_sum_over_visible'], rel=TOLERANCE
    )
    per_image = get_protocol('cub', 'stable_keypoints', scale=1.0)
    assert run(per_image, fit, score)[1].figure == pytest.approx(
        numbers['stablekeypoints_visible_mean_of_image_means'], rel=TOLERANCE
    )
    centered = replace(per_image, reduction='pooled')
    assert run(centered, fit, score)[1].figure == pytest.approx(
        numbers['stablekeypoints_regressor_pooled_over_visible'], rel=TOLERANCE
    )
    rules, mean_fit = without_inputs(pooled, fit)
    mean_pose = run(rules, mean_fit, without_inputs(pooled, score)[1])[1].figure
    assert mean_pose == pytest.approx(numbers['mean_pose_pooled'], rel=TOLERANCE)


def test_golden_cub_point_never_visible(arrays, expected):
    stored = arrays('cub')
    stored['train_vis'] = stored['train_vis'].copy()
    stored['train_vis'][:, 14] = 0
    fit, score = sample_sets(stored)
    figure = run(get_protocol('cub', scale=1.0), fit, score)[1].figure
    assert figure == pytest.approx(
        expected['cub']['autolink_point14_never_visible_in_training'], rel=TOLERANCE
    )


@pytest.mark.parametrize('legacy_pairs', [True, False])
def test_golden_human36m(arrays, expected, legacy_pairs):
    fit, score = sample_sets(arrays('h36m'))
    stored = expected['h36m'][f'autolink_legacy_pairs={legacy_pairs}']
    protocol = get_protocol('human36m', legacy_pairs=legacy_pairs, scale=1.0)
    fitted, scored = run(protocol, fit, score)
    assert list(fitted.swaps_per_iteration) == stored['train_swaps_per_iteration']
    assert fitted.num_rejected == stored['dropped']
    assert list(scored.swaps_per_iteration) == stored['test_swaps_per_iteration']
    assert scored.figure == pytest.approx(stored['value'], rel=TOLERANCE)
    assert scored.figure == pytest.approx(stored['per_sample_minimum'], rel=TOLERANCE)

    stored = expected['h36m'][f'stablekeypoints_legacy_pairs={legacy_pairs}']
    protocol = get_protocol('human36m', 'stable_keypoints', legacy_pairs=legacy_pairs)
    _, scored = run(protocol, fit, score)
    assert scored.figure == pytest.approx(stored['value_x128'], rel=TOLERANCE)
    assert scored.swaps_per_iteration == (stored['swapped_at_test'],)


def test_golden_taichi(arrays, expected):
    stored, numbers = arrays('taichi'), expected['taichi']
    fit, score = sample_sets(stored, divisor=255, visible=lambda gt: gt != -1)
    figure = run(get_protocol('taichi'), fit, score)[1].figure
    assert figure == pytest.approx(numbers['autolink_L1_sum'], rel=TOLERANCE)

    fit, score = sample_sets(
        stored, divisor=256, visible=lambda gt: (gt > 0).all(axis=2)
    )
    protocol = get_protocol('taichi', 'stable_keypoints')
    figure = run(protocol, fit, score)[1].figure
    assert figure == pytest.approx(numbers['stablekeypoints_L2_sum'], rel=TOLERANCE)
    pooled = run(replace(protocol, reduction='pooled'), fit, score)[1].figure
    assert pooled == pytest.approx(
        numbers['stablekeypoints_per_visible_joint'], rel=TOLERANCE
    )
    assert score.point_visible.sum(axis=1).mean() == pytest.approx(
        numbers['visible_joints_per_image']
    )


def test_golden_deepfashion(arrays, expected):
    fit, score = sample_sets(arrays('deepfashion'), divisor=255)
    numbers = expected['deepfashion']
    protocol = get_protocol('deepfashion')
    figure = run(protocol, fit, score)[1].figure
    assert figure / 100 == pytest.approx(numbers['autolink_pck6_at_255'], rel=TOLERANCE)
    protocol = get_protocol('deepfashion', 'stable_keypoints')
    figure = run(protocol, fit, score)[1].figure
    assert figure / 100 == pytest.approx(
        numbers['stablekeypoints_pck6_at_256'], rel=TOLERANCE
    )
    # Move the threshold: the nearest error lies this far from it (stored to 2e-4).
    gap = numbers['closest_distance_to_threshold_px']
    for move, changed in ((0.99 * gap, False), (1.01 * gap, True)):
        moved = [
            run(replace(protocol, threshold=6 + sign * move), fit, score)[1].figure
            for sign in (-1, 1)
        ]
        assert (moved != [figure, figure]) == changed
