"""The label-free metric names each kind of collapse."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

import mmkp  # noqa: F401


def samples(fractions: np.ndarray) -> list[dict]:
    """Wrap keypoints (n, K, 2), fractions of the crop, as predictions in image px."""
    scale, center = np.array([40.0, 80.0]), np.array([100.0, 60.0])
    return [
        {
            'pred_instances': {
                'keypoints': (points * scale + center - scale / 2)[None]
            },
            'input_scale': scale,
            'input_center': center,
        }
        for points in fractions
    ]


def evaluate(fractions: np.ndarray) -> tuple[dict, list[str]]:
    metric = METRICS.build({'type': 'KeypointCollapseMetric'})
    metric.process(None, samples(fractions))
    statistics = metric.evaluate(len(fractions))
    from mmkp.evaluation.functional import collapse_statistics

    return statistics, metric.limits.warnings(collapse_statistics(fractions))


def test_healthy_keypoints_raise_no_warning():
    generator = np.random.default_rng(0)
    centers = generator.uniform(0.2, 0.8, (1, 6, 2))
    statistics, warnings = evaluate(centers + generator.normal(0, 0.05, (200, 6, 2)))
    assert warnings == []
    assert statistics['collapse/spread'] == pytest.approx(0.05 * 2**0.5, rel=0.05)
    assert statistics['collapse/border_share'] < 0.02


@pytest.mark.parametrize(
    ('fractions', 'message'),
    [
        (np.linspace(0.2, 0.8, 8).reshape(1, 4, 2).repeat(9, 0), 'hardly move'),
        (
            np.linspace(0.2, 0.8, 9)[:, None, None].repeat(4, 1).repeat(2, 2),
            'one another',
        ),
        (np.random.default_rng(1).uniform(0, 0.04, (9, 4, 2)), 'stick to the border'),
    ],
)
def test_each_collapse_is_named(fractions, message):
    _, warnings = evaluate(fractions)
    assert any(message in warning for warning in warnings)


def normalized_gaussian_maps(count: int, sigma: float) -> np.ndarray:
    """Maps (count, 32, 32), each divided by its peak as heads give them."""
    square = (np.arange(32) - 15.5) ** 2 / (2 * sigma**2)
    maps = np.exp(-(square[:, None] + square))
    return np.repeat((maps / maps.max())[None], count, 0).astype(np.float32)


def healthy_samples(**prediction: np.ndarray) -> list[dict]:
    generator = np.random.default_rng(0)
    centers = generator.uniform(0.2, 0.8, (1, 6, 2))
    found = samples(centers + generator.normal(0, 0.05, (20, 6, 2)))
    for sample in found:
        sample['pred_instances'].update(prediction)
    return found


def evaluate_samples(
    data_samples: list[dict], monkeypatch: pytest.MonkeyPatch, **options: float
) -> tuple[dict, list[str]]:
    metric = METRICS.build({'type': 'KeypointCollapseMetric', **options})
    warnings: list[str] = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'warning', warnings.append)
    metric.process(None, data_samples)
    return metric.evaluate(len(data_samples)), warnings


def test_diffuse_maps_are_told_of_with_the_loss_to_change(monkeypatch):
    found = healthy_samples()
    for sample in found:
        sample['pred_fields'] = {'heatmaps': normalized_gaussian_maps(6, 30.0)}
    figures, warnings = evaluate_samples(found, monkeypatch)
    assert figures['collapse/entropy'] > 0.95
    [told] = warnings
    for part in ('diffuse (entropy 1.00', 'ConcentrationLoss', "variant='expected'"):
        assert part in told
    for sample in found:
        sample['pred_fields'] = {'heatmaps': normalized_gaussian_maps(6, 2.0)}
    figures, warnings = evaluate_samples(found, monkeypatch)
    expected = np.log(2 * np.pi * np.e * 4) / np.log(32 * 32)
    assert figures['collapse/entropy'] == pytest.approx(expected, rel=1e-3)
    assert warnings == []


def test_a_map_without_mass_is_diffuse(monkeypatch):
    found = healthy_samples()
    for sample in found:
        sample['pred_fields'] = {'heatmaps': np.zeros((6, 8, 8), np.float32)}
    figures, warnings = evaluate_samples(found, monkeypatch)
    assert figures['collapse/entropy'] == pytest.approx(1)
    assert len(warnings) == 1


def test_scores_tell_of_diffuse_maps_where_there_are_none(monkeypatch):
    diffuse = healthy_samples(keypoint_scores=np.full((1, 6), 0.05))
    figures, warnings = evaluate_samples(diffuse, monkeypatch)
    assert figures['collapse/score'] == pytest.approx(0.05)
    assert 'collapse/entropy' not in figures
    assert ['mean score 0.050' in warning for warning in warnings] == [True]
    assert (
        evaluate_samples(diffuse, monkeypatch, collapse_limits=dict(score_limit=0.0))[1]
        == []
    )
    sharp = healthy_samples(keypoint_scores=np.full((1, 6), 0.7))
    assert evaluate_samples(sharp, monkeypatch)[1] == []


def test_nothing_is_reported_of_what_is_unknown(monkeypatch):
    figures, warnings = evaluate_samples(healthy_samples(), monkeypatch)
    assert set(figures) == {
        f'collapse/{name}'
        for name in ('spread', 'spread_min', 'min_distance', 'border_share')
    }
    assert warnings == []


@pytest.mark.parametrize(
    ('fractions', 'losses'),
    [
        (np.linspace(0.2, 0.8, 8).reshape(1, 4, 2).repeat(9, 0), ['EquivarianceLoss']),
        (
            np.linspace(0.2, 0.8, 9)[:, None, None].repeat(4, 1).repeat(2, 2),
            ['DiversityLoss', 'SeparationLoss'],
        ),
        (
            np.random.default_rng(1).uniform(0, 0.04, (9, 4, 2)),
            ['DiversityLoss', 'SeparationLoss'],
        ),
    ],
)
def test_each_warning_names_the_loss_whose_weight_to_change(fractions, losses):
    _, warnings = evaluate(fractions)
    assert all(any(loss in warning for warning in warnings) for loss in losses)


CONFIGS = Path(__file__).resolve().parents[2] / 'configs/unsupervised_2d_keypoint'
EXPERIMENTS = sorted(p for p in CONFIGS.rglob('*.py') if '_base_' not in p.parts)


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_every_unsupervised_config_watches_for_collapse(path):
    cfg = Config.fromfile(path)
    if 'KeypointRegressionLoss' in {
        v.type for v in cfg.model.get('losses', {}).values()
    }:
        return  # labels keep keypoints apart, and score them
    evaluators = cfg.val_evaluator
    evaluators = evaluators if isinstance(evaluators, list) else [evaluators]
    types = {evaluator.type for evaluator in evaluators}
    assert types & {'KeypointCollapseMetric', 'DiscoveredKeypointMetric'}


def test_images_that_stand_in_for_damaged_ones_do_not_count():
    generator = np.random.default_rng(0)
    points = generator.uniform(0.2, 0.8, (20, 6, 2))
    expected, _ = evaluate(points)
    metric = METRICS.build({'type': 'KeypointCollapseMetric'})
    extra = {**samples(points[:1])[0], 'stands_in': True}
    metric.process(None, [*samples(points), extra])
    assert metric.evaluate(21) == expected
