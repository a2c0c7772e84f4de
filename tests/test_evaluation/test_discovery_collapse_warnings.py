"""DiscoveredKeypointMetric warns of keypoints that collapsed, beside its figures."""

import json

import numpy as np
import pytest
from discovery_samples import (
    NUM_FIT,
    evaluate,
    make_arrays,
    make_evaluator,
    make_samples,
)


def certain(samples, entropy, score):
    """The samples with one entropy and one score for all keypoints."""
    for sample in samples:
        count = sample.pred_instances.keypoints.shape[1]
        sample.pred_instances.keypoint_entropies = np.full((1, count), entropy)
        sample.pred_instances.keypoint_scores = np.full((1, count), score)
    return samples


def test_healthy_keypoints_raise_no_warning_of_collapse(messages):
    figures = evaluate(certain(make_samples(), entropy=0.4, score=0.9))
    assert figures['mafl/entropy'] == pytest.approx(0.4)
    assert figures['mafl/score'] == pytest.approx(0.9)
    # A uniform distribution between .1 and .9 along both axes.
    assert figures['mafl/spread'] == pytest.approx(0.8 / 6**0.5, rel=0.15)
    assert not any(level == 'WARNING' for level, _ in messages.texts)
    assert messages.find('INFO', 'entropy of the maps / uniform')


@pytest.mark.parametrize(
    ('squeeze', 'told', 'remedy'),
    [
        # All keypoints of an image in one place, which moves between images.
        (lambda d: 0 * d + d[:, :1], 'lie on one another (0.0000', 'DiversityLoss'),
        # Each keypoint at its place, whatever the image.
        (lambda d: d[:1] + 1e-3 * d, 'hardly move', 'weight of EquivarianceLoss'),
        (lambda d: 0.04 * d, '100% of the keypoints stick to the border', 'Separation'),
    ],
)
def test_each_collapse_is_a_warning_beside_the_figures(messages, squeeze, told, remedy):
    discovered, untrained, annotated = make_arrays()
    arrays = squeeze(discovered), untrained, annotated
    evaluate(certain(make_samples(arrays), entropy=0.4, score=0.9))
    assert messages.find('WARNING', told)
    assert messages.find('WARNING', remedy)
    # The table that is kept with the figures says so, too.
    assert messages.find('INFO', 'note: ')


def test_diffuse_maps_are_a_warning_beside_the_figures(messages, tmp_path):
    figures = evaluate(
        certain(make_samples(), entropy=0.97, score=0.9),
        outfile_prefix=str(tmp_path / 'figures'),
    )
    assert figures['mafl/entropy'] == pytest.approx(0.97)
    assert messages.find('WARNING', 'diffuse (entropy 0.97')
    assert messages.find('WARNING', 'raise the weight of ConcentrationLoss')
    written = json.loads((tmp_path / 'figures.mafl.json').read_text())
    assert any('diffuse' in remark for remark in written['remarks'])


def test_limits_of_collapse_can_be_changed(messages):
    samples = certain(make_samples(), entropy=0.97, score=0.9)
    evaluate(samples, collapse_limits=dict(entropy_limit=0.99))
    assert not messages.find('WARNING', 'diffuse')
    with pytest.raises(TypeError, match='spraed_limit'):
        make_evaluator(collapse_limits=dict(spraed_limit=0.1))


def test_only_scored_images_count_as_collapsed(messages):
    discovered, untrained, annotated = make_arrays()
    discovered[:NUM_FIT] = discovered[:1]
    evaluate(certain(make_samples((discovered, untrained, annotated)), 0.4, 0.9))
    assert not messages.find('WARNING', 'hardly move')
