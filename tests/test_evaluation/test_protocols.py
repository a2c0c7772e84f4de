from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.evaluation.functional import (
    PROTOCOLS,
    VARIANTS,
    KeypointSamples,
    collapse_statistics,
    draw_few_shot,
    errors_per_point,
    evaluate_backward,
    evaluate_discovery,
    evaluate_few_shot,
    fit_protocol,
    get_protocol,
    human36m_permutation,
    normalizer_lengths,
    reduce_errors,
    score_protocol,
    swap_permutation,
    without_inputs,
)


def synthetic(seed=0, num=60, discovered=4, annotated=5, noise=0.0):
    """Samples whose annotations are an affine map of the discovered points."""
    generator = np.random.default_rng(seed)
    points = generator.uniform(0.2, 0.8, (num, discovered, 2))
    weights = np.random.default_rng(100).normal(
        size=(discovered * 2, annotated * 2), scale=0.2
    )
    target = points.reshape(num, -1) @ weights + 0.3
    target = target.reshape(num, annotated, 2)
    return KeypointSamples.from_arrays(
        points, target + noise * generator.normal(size=target.shape)
    )


def figure(protocol, fit, score):
    return score_protocol(protocol, fit_protocol(protocol, fit), score).figure


AFFINE = get_protocol('generic', bias=True, normalizer='crop')


def test_known_affine_map_has_no_error():
    assert figure(AFFINE, synthetic(0), synthetic(1)) < 1e-10
    # Without bias at the wrong origin the offset cannot be represented.
    linear = replace(AFFINE, bias=False)
    assert figure(linear, synthetic(0), synthetic(1)) > 1


def test_error_is_the_distance_that_was_put_in():
    fit, score = synthetic(0), synthetic(1)
    moved = replace(score, annotated=score.annotated + np.array([0.03, 0.04]))
    assert figure(AFFINE, fit, moved) == pytest.approx(5.0)
    # A crop of 200 x 100 pixels: (6, 4) px over the side of an equal square.
    wide = replace(moved, crop_size=np.broadcast_to([200.0, 100.0], (60, 2)))
    expected = 100 * np.hypot(6, 4) / np.sqrt(200 * 100)
    assert figure(AFFINE, fit, wide) == pytest.approx(expected)
    assert figure(replace(AFFINE, frame='crop'), fit, wide) == pytest.approx(5.0)
    pixels = replace(AFFINE, normalizer='none', scale=1.0)
    assert figure(pixels, fit, wide) == pytest.approx(np.hypot(6, 4))
    assert figure(replace(pixels, normalizer=2.0), fit, wide) == pytest.approx(
        np.hypot(6, 4) / 2
    )


def test_normalisers():
    samples = KeypointSamples.from_arrays(
        np.full((3, 1, 2), 0.5),
        [[[0.1, 0.1], [0.4, 0.5]], [[0.2, 0.2], [0.2, 0.2]], [[0, 0], [1, 1]]],
        [[1, 1], [1, 1], [0, 1]],
        crop_size=[100, 50],
        image_size=[400, 100],
    )
    lengths, usable = normalizer_lengths(samples, (0, 1))
    assert lengths[0] == pytest.approx(np.hypot(30, 20))
    # Coinciding points and an invisible one give no length.
    assert usable.tolist() == [True, False, False]
    assert normalizer_lengths(samples, 'image')[0].tolist() == [200] * 3
    for wrong in ('iod', (0, 0), (0, 5), -1.0, (0, 1, 2)):
        with pytest.raises(ValueError, match='normaliser|normalizer'):
            normalizer_lengths(samples, wrong)


def test_images_without_length_are_left_out_and_named():
    fit, score = synthetic(0), synthetic(1, num=20)
    annotated = score.annotated.copy()
    annotated[3, 1] = annotated[3, 0]
    score = replace(score, annotated=annotated)
    protocol = get_protocol('mafl', bias=True)
    result = score_protocol(protocol, fit_protocol(protocol, fit), score)
    assert result.unscored == ('3',)
    assert len(result.samples) == 19
    assert np.isfinite(result.figure)
    hidden = replace(score, annotated=np.zeros_like(annotated))
    with pytest.raises(ValueError, match='no image to score has a usable normaliser'):
        score_protocol(protocol, fit_protocol(protocol, fit), hidden)


def test_reductions_differ_as_documented():
    errors = np.array([[1.0, 2.0], [3.0, 50.0]])
    visible = np.array([[True, True], [True, False]])
    assert reduce_errors(errors, visible, 'pooled') == pytest.approx(2)
    found = reduce_errors(errors, visible, 'root_mean_square')
    assert found == pytest.approx((14 / 3) ** 0.5)
    assert reduce_errors(errors, visible, 'per_image') == pytest.approx((1.5 + 3) / 2)
    assert reduce_errors(errors, visible, 'sum_of_point_means') == pytest.approx(4)
    assert reduce_errors(errors, visible, 'mean_of_image_sums') == pytest.approx(3)
    assert reduce_errors(errors, visible, 'pck', 2.5) == pytest.approx(2 / 3)
    assert np.isnan(reduce_errors(errors, np.zeros_like(visible), 'pooled'))
    assert errors_per_point(errors, visible).tolist() == [2.0, 2.0]
    never = visible.copy()
    never[:, 1] = False
    assert np.isnan(errors_per_point(errors, never)[1])


def test_invisible_points_neither_teach_nor_count():
    fit, score = synthetic(0), synthetic(1)
    visible = np.random.default_rng(3).random((60, 5)) > 0.3
    wrong = np.where(visible[..., None], fit.annotated, 99.0)
    fit = KeypointSamples.from_arrays(fit.discovered, wrong, visible)
    wrong = np.where(visible[..., None], score.annotated, np.nan)
    score = KeypointSamples.from_arrays(score.discovered, wrong)
    assert figure(AFFINE, fit, score) < 1e-10


@settings(max_examples=20, deadline=None)
@given(
    st.integers(0, 1000),
    st.permutations(range(4)),
    st.sampled_from(sorted(VARIANTS)),
    st.sampled_from(['mafl', 'celeba', 'aflw']),
)
def test_names_of_discovered_keypoints_do_not_matter(seed, order, variant, name):
    fit, score = synthetic(seed, noise=0.02), synthetic(seed + 1, noise=0.02)
    protocol = get_protocol(name, variant)
    renamed = [s.with_discovered(s.discovered[:, order]) for s in (fit, score)]
    assert figure(protocol, *renamed) == pytest.approx(figure(protocol, fit, score))
    assert evaluate_backward(protocol, *renamed) == pytest.approx(
        evaluate_backward(protocol, fit, score)
    )


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(-3, 3), st.floats(-3, 3))
def test_a_shift_of_discovered_keypoints_does_not_matter_with_bias(seed, dx, dy):
    fit, score = synthetic(seed, noise=0.02), synthetic(seed + 1, noise=0.02)
    moved = [s.with_discovered(s.discovered + [dx, dy]) for s in (fit, score)]
    assert figure(AFFINE, *moved) == pytest.approx(figure(AFFINE, fit, score))


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_order_of_images_does_not_matter(seed):
    fit, score = synthetic(seed, noise=0.02), synthetic(seed + 1, noise=0.02)
    order = np.random.default_rng(seed).permutation(60)
    for name in ('mafl', 'generic'):
        protocol = get_protocol(name)
        assert figure(protocol, fit.select(order), score.select(order)) == (
            pytest.approx(figure(protocol, fit, score))
        )


def test_backward_exposes_what_forward_ignores():
    # One discovered point wanders at random: annotations do not need it.
    fit, score = synthetic(0, discovered=3), synthetic(1, discovered=3)
    wandering = []
    for seed, samples in enumerate((fit, score)):
        extra = np.random.default_rng(seed).uniform(size=(60, 1, 2))
        discovered = np.concatenate([samples.discovered, extra], axis=1)
        wandering.append(samples.with_discovered(discovered))
    assert figure(AFFINE, *wandering) < 1e-10
    assert evaluate_backward(AFFINE, fit, score) < 1e-8
    assert evaluate_backward(AFFINE, *wandering) > 5


def test_backward_needs_complete_annotations():
    fit, score = synthetic(0), synthetic(1)
    visible = np.ones((60, 5), dtype=bool)
    visible[2:, 0] = False
    partly = KeypointSamples.from_arrays(fit.discovered, fit.annotated, visible)
    complete = fit.select(np.arange(2))
    assert evaluate_backward(AFFINE, partly, score) == pytest.approx(
        evaluate_backward(AFFINE, complete, score)
    )
    visible[:, 0] = False
    never = KeypointSamples.from_arrays(fit.discovered, fit.annotated, visible)
    assert np.isnan(evaluate_backward(AFFINE, never, score))


def test_mean_pose_is_the_training_mean():
    fit, score = synthetic(0), synthetic(1)
    protocol, mean_fit = without_inputs(get_protocol('mafl', scale=1.0), fit)
    baseline = figure(protocol, mean_fit, without_inputs(protocol, score)[1])
    mean = fit.annotated.mean(axis=0)
    distances = np.linalg.norm(score.annotated - mean, axis=2)
    eyes = np.linalg.norm(score.annotated[:, 0] - score.annotated[:, 1], axis=1)
    assert baseline == pytest.approx((distances / eyes[:, None]).mean())


def mirrored_people(seed, num=200, outliers=0):
    """Bodies whose annotated sides are exchanged in 40 % of the images."""
    generator = np.random.default_rng(seed)
    discovered = generator.uniform(0.2, 0.8, (num, 4, 2))
    annotated = np.concatenate(
        [
            discovered[:, [0]],
            discovered[:, [1]],
            discovered[:, [2, 3]].mean(1)[:, None],
        ],
        axis=1,
    )
    # Left (0) lies left of right (1), as bodies seen from the front.
    discovered[:, 0, 0] *= 0.4
    annotated[:, 0] = discovered[:, 0]
    exchanged = generator.random(num) < 0.4
    annotated[exchanged] = annotated[exchanged][:, [1, 0, 2]]
    annotated[:outliers] += 3.0
    return KeypointSamples.from_arrays(discovered, annotated)


def test_left_and_right_are_settled_and_outliers_dropped():
    trusting = get_protocol('generic')
    permutation = swap_permutation([(0, 1)], 3)
    agnostic = replace(trusting, permutation=permutation, max_swaps=0, reject_sigma=3.0)
    fit, score = mirrored_people(0, outliers=3), mirrored_people(1)
    assert figure(trusting, fit, score) > 5
    fitted = fit_protocol(agnostic, fit)
    assert fitted.num_rejected == 3
    assert len(fitted.samples) == 197
    scored = score_protocol(agnostic, fitted, score)
    assert scored.figure < 1e-8
    exchanging = replace(agnostic, swap_predictions=True)
    assert score_protocol(exchanging, fitted, score).figure < 1e-8
    # The backward fit sees the settled sides.
    assert evaluate_backward(agnostic, fitted.samples, scored.samples) < (
        0.8 * evaluate_backward(agnostic, fit, score)
    )


def test_legacy_pairs_are_no_exchange():
    table = np.array(human36m_permutation())
    assert (table[table] == np.arange(32)).all()
    legacy = np.array(human36m_permutation(legacy_pairs=True))
    assert legacy[[28, 20, 21, 29]].tolist() == [21, 28, 28, 29]
    assert (legacy[legacy] != np.arange(32)).any()


def test_few_shot_draws_are_seeded_and_without_replacement():
    draws = draw_few_shot(30, 10, num_draws=5, seed=3)
    assert draws.shape == (5, 10)
    assert all(len(set(draw)) == 10 for draw in draws.tolist())
    assert (draws == draw_few_shot(30, 10, num_draws=5, seed=3)).all()
    assert (draws != draw_few_shot(30, 10, num_draws=5, seed=4)).any()
    with pytest.raises(ValueError, match='31 of 30'):
        draw_few_shot(30, 31)


def test_few_shot_summary_is_of_the_draws():
    fit, score = synthetic(0, noise=0.05), synthetic(1, noise=0.05)
    draws = draw_few_shot(60, 20, num_draws=4)
    summary = evaluate_few_shot(AFFINE, fit, score, draws)
    alone = [figure(AFFINE, fit.select(draw), score) for draw in draws]
    assert summary.per_draw == pytest.approx(alone)
    assert summary.median == pytest.approx(np.median(alone))
    assert summary.sd == pytest.approx(np.std(alone))


def test_collapse_statistics():
    # Two keypoints: one still at the border, one that moves .3 up and down.
    discovered = np.array([[[0.01, 0.5], [0.5, 0.2]], [[0.01, 0.5], [0.5, 0.8]]])
    statistics = collapse_statistics(discovered)
    assert statistics.spread == pytest.approx(0.15)
    assert statistics.spread_min == 0
    assert statistics.min_distance == pytest.approx(np.hypot(0.49, 0.3))
    assert statistics.border_share == pytest.approx(0.5)
    assert np.isnan(collapse_statistics(discovered[:, :1]).min_distance)


@pytest.mark.parametrize('variant', VARIANTS)
@pytest.mark.parametrize('name', sorted(PROTOCOLS))
def test_every_protocol_reports_all_columns(name, variant):
    protocol = get_protocol(name, variant)
    generator = np.random.default_rng(0)
    num_points = protocol.num_annotated or 7
    sets = []
    for num in (40, 15):
        annotated = generator.uniform(0.1, 0.9, (num, num_points, 2))
        visible = np.ones((num, num_points), dtype=bool)
        visible[: num // 3, 2] = False
        sets.append(
            KeypointSamples.from_arrays(annotated[:, [0, 3, 4]], annotated, visible)
        )
    untrained = tuple(generator.uniform(size=(n, 3, 2)) for n in (40, 15))
    report = evaluate_discovery(protocol, *sets, untrained, shots=(1, 5, 400))
    figures = report.figures()
    for key in ('forward', 'backward', 'forward_5_shot_median', 'spread'):
        assert np.isfinite(figures[key])
        assert np.isfinite(figures[f'{key}_untrained'])
    assert 'forward_mean_pose' in figures and 'backward_mean_pose' in figures
    assert not any('400' in key for key in figures)
    table = report.table()
    assert table.startswith(f'{protocol.name}: {protocol.unit}')
    assert ('higher is better' in table) == (name == 'deepfashion')
    assert f'{figures["forward"]:.2f}'[:4] in table


def test_report_warns_about_few_images_and_the_peak():
    fit, score = synthetic(0, noise=0.05), synthetic(1, noise=0.05)
    report = evaluate_discovery(get_protocol('mafl'), fit, score, shots=(2, 8, 50))
    assert report.peak_shots == {8}
    assert 'forward, 8 annotated *' in report.table()
    assert report.remarks == []
    report = evaluate_discovery(get_protocol('mafl'), fit.select(np.arange(9)), score)
    forward, backward = report.remarks
    assert 'forward: only 9 images for 8 coefficients' in forward
    assert 'backward: only 9 images for 10 coefficients' in backward
    assert 'errors peak' in report.table()
    report = evaluate_discovery(get_protocol('mafl'), fit.select(np.arange(3)), score)
    assert 'interpolates' in report.remarks[0]


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(name='maffl'), "protocol 'maffl' is unknown: use one of generic, mafl"),
        (dict(variant='imm'), "variant 'imm' is unknown"),
        (dict(middle=0.5), r"\['middle'\] are no fields of a protocol"),
        (dict(reduction='median'), "reduction='median' is unknown"),
        (dict(reduction='pck'), 'positive threshold'),
        (dict(distance='l3'), "distance='l3' is unknown"),
        (dict(frame='world'), "frame='world' is unknown"),
        (dict(legacy_pairs=True), 'legacy_pairs'),
    ],
)
def test_wrong_protocols_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        get_protocol(**arguments)


def test_wrong_samples_are_refused():
    good = synthetic(0)
    with pytest.raises(ValueError, match=r'shape \(images, points, 2\)'):
        KeypointSamples.from_arrays(good.discovered[0], good.annotated)
    with pytest.raises(ValueError, match='60 images .* but 59'):
        KeypointSamples.from_arrays(good.discovered, good.annotated[1:])
    broken = good.discovered.copy()
    broken[7, 0, 0] = np.nan
    with pytest.raises(ValueError, match='discovered keypoints of 7 .* not finite'):
        KeypointSamples.from_arrays(broken, good.annotated)
    with pytest.raises(ValueError, match='defined on 15 annotated points'):
        fit_protocol(get_protocol('cub'), good)
    fitted = fit_protocol(AFFINE, good)
    with pytest.raises(ValueError, match='saw 4 discovered .* have 3'):
        score_protocol(AFFINE, fitted, synthetic(1, discovered=3))
