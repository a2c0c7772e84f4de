"""The label-free metric names each kind of collapse."""

import numpy as np
import pytest
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

    return statistics, metric.warnings(collapse_statistics(fractions))


def test_healthy_keypoints_raise_no_warning():
    generator = np.random.default_rng(0)
    centres = generator.uniform(0.2, 0.8, (1, 6, 2))
    statistics, warnings = evaluate(centres + generator.normal(0, 0.05, (200, 6, 2)))
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
