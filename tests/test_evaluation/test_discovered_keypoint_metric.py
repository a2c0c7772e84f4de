"""DiscoveredKeypointMetric gives the figures of a protocol, or refuses samples."""

import json

import numpy as np
import pytest
import torch
from discovery_samples import NUM_FIT, NUM_SCORE, evaluate, make_arrays, make_samples
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmkp.evaluation import DiscoveredKeypointMetric
from mmkp.evaluation.functional import (
    KeypointSamples,
    evaluate_discovery,
    get_protocol,
)


def test_evaluator_gives_the_figures_of_the_protocol(messages):
    figures = evaluate(make_samples())
    discovered, untrained, annotated = make_arrays()
    # Lengths in each crop are proportional to fractions: the same figures.
    parts = (slice(None, NUM_FIT), slice(NUM_FIT, None))
    fit, score = (
        KeypointSamples.from_arrays(discovered[part], annotated[part]) for part in parts
    )
    expected = evaluate_discovery(
        get_protocol('mafl', num_annotated=3),
        fit,
        score,
        tuple(untrained[part] for part in parts),
        shots=(),
    ).figures()
    for name, value in expected.items():
        assert figures[f'mafl/{name}'] == pytest.approx(value), name
    assert all(isinstance(value, float) for value in figures.values())
    for column in ('', '_mean_pose', '_untrained'):
        assert f'mafl/forward_5_shot_median{column}' in figures
        assert f'mafl/backward{column}' in figures
    assert figures['mafl/forward'] < 0.5 * figures['mafl/forward_mean_pose']
    assert figures['mafl/forward'] < 0.5 * figures['mafl/forward_untrained']
    assert messages.find('INFO', 'mean pose') and messages.find('INFO', 'untrained')


def test_without_untrained_keypoints_the_column_is_left_out():
    samples = make_samples(with_untrained=False)
    figures = evaluate(samples)
    assert 'mafl/forward_mean_pose' in figures
    assert not any('untrained' in name for name in figures)


def test_order_and_repeated_images_do_not_matter():
    samples = make_samples()
    expected = evaluate(samples)
    order = np.random.default_rng(0).permutation(len(samples))
    shuffled = [samples[i] for i in order] + [samples[3], samples[55]]
    assert evaluate(shuffled) == expected


def test_tensors_are_read_like_arrays():
    samples = make_samples()
    expected = evaluate(samples)
    for sample in samples:
        for instances in (sample.pred_instances, sample.gt_instances):
            instances.keypoints = torch.from_numpy(np.asarray(instances.keypoints))
    assert evaluate(samples) == pytest.approx(expected)


def test_groups_average_annotated_points():
    arrays = make_arrays()
    expected = evaluate(make_samples(arrays))
    offset = np.array([0.02, -0.01])
    spread_out = np.concatenate(
        [arrays[2][:, [2]], arrays[2][:, [0]] - offset, arrays[2][:, [0]] + offset]
        + [arrays[2][:, [1]]],
        axis=1,
    )
    samples = make_samples((arrays[0], arrays[1], spread_out))
    for sample in samples:
        sample.gt_instances.keypoints_visible = np.ones((1, 4))
    figures = evaluate(samples, keypoint_groups=[[1, 2], 3, 0])
    assert figures == pytest.approx(expected)
    with pytest.raises(ValueError, match=r'point \[4\] but fit/0.png has 4 points'):
        evaluate(samples, keypoint_groups=[[1, 2], 3, 4])


def test_visibility_pairs_use_their_first_entry():
    samples = make_samples()
    plain = make_samples()
    for sample, other in zip(samples, plain, strict=True):
        flags = np.ones((1, 3, 2))
        if sample.id % 4 == 0:
            flags[0, 2, 0] = 0
        sample.gt_instances.keypoints_visible = flags
        other.gt_instances.keypoints_visible = flags[..., 0]
    assert evaluate(samples) == evaluate(plain)


def test_nan_annotations_are_invisible_with_a_warning(messages):
    samples, hidden = make_samples(), make_samples()
    for index in (4, 57):
        samples[index].gt_instances.keypoints[0, 2, 1] = np.nan
        hidden[index].gt_instances.keypoints_visible[0, 2] = 0
    assert evaluate(samples) == pytest.approx(evaluate(hidden))
    assert messages.find('WARNING', '2 annotated keypoints in 2 images')
    assert messages.find('WARNING', 'fit/4.png')


def test_coinciding_eyes_are_skipped_with_a_warning(messages):
    samples = make_samples()
    points = samples[-1].gt_instances.keypoints
    points[0, 0] = points[0, 1]
    figures = evaluate(samples)
    assert np.isfinite(figures['mafl/forward'])
    assert messages.find('WARNING', 'score/61.png')


def test_results_file(tmp_path):
    prefix = tmp_path / 'deep' / 'result'
    figures = evaluate(make_samples(), outfile_prefix=str(prefix))
    content = json.loads((tmp_path / 'deep' / 'result.mafl.json').read_text())
    assert content['figures']['forward'] == figures['mafl/forward']
    assert content['counts'] == dict(
        fit=NUM_FIT, score=NUM_SCORE, discovered=4, annotated=3
    )
    assert len(content['few_shot_per_draw']['5']['detector']) == 3


def test_two_variants_need_two_prefixes():
    init_default_scope('mmpose')
    metric = dict(
        type='DiscoveredKeypointMetric',
        protocol='mafl',
        protocol_options=dict(num_annotated=3),
        shots=(),
    )
    evaluator = Evaluator([metric, dict(metric, variant='scops', prefix='mafl_scops')])
    evaluator.dataset_meta = dict()
    samples = make_samples()
    evaluator.process(samples)
    figures = evaluator.evaluate(len(samples))
    assert figures['mafl/forward'] != figures['mafl_scops/forward']


def broken(index, change):
    samples = make_samples()
    change(samples[index])
    return samples


def set_meta(**values):
    return lambda sample: sample.set_metainfo(values)


def nan_prediction(sample):
    sample.pred_instances.keypoints[0, 2] = np.nan


def other_number(sample):
    sample.pred_instances = InstanceData(keypoints=np.zeros((1, 5, 2)))


def two_people(sample):
    sample.pred_instances = InstanceData(keypoints=np.zeros((2, 4, 2)))


def without_annotations(sample):
    del sample.gt_instances


@pytest.mark.parametrize(
    ('samples', 'message'),
    [
        (broken(2, nan_prediction), r'fit/2.png: predicted keypoint 2 is not finite'),
        (broken(8, other_number), r'fit/0.png has 4 discovered .* fit/8.png has 5'),
        (broken(8, two_people), r'fit/8.png: .*shape \(2, 4, 2\).* one instance'),
        (
            broken(5, set_meta(dataset_name='coco')),
            'ends neither in _fit nor in _score.*DiscoveryEvaluationDataset',
        ),
        (
            broken(5, lambda s: s.pop('input_scale')),
            'fit/5.png: input_scale is missing.*GetBBoxCenterScale',
        ),
        (
            broken(5, without_annotations),
            r'fit/5.png: gt_instances.keypoints is missing.*annotated',
        ),
        (
            broken(5, set_meta(img_path=None, img_id=None, id=None)),
            'neither img_path nor img_id nor id',
        ),
        (make_samples()[:NUM_FIT], 'no image to score: .*ends in _score'),
        (make_samples()[NUM_FIT:], 'no image to fit .*DiscoveryEvaluationDataset'),
    ],
)
def test_unusable_samples_are_refused_with_a_remedy(samples, message):
    with pytest.raises(ValueError, match=message):
        evaluate(samples)


def test_wrong_number_of_annotated_points():
    with pytest.raises(ValueError, match="'mafl' is defined on 5 .*keypoint_groups"):
        evaluate(make_samples(), protocol_options=None)


def test_options_of_a_config_are_checked_when_it_is_built():
    with pytest.raises(ValueError, match='unknown: use one of'):
        DiscoveredKeypointMetric('maffl')
    with pytest.raises(ValueError, match='num_draws=0'):
        DiscoveredKeypointMetric('mafl', num_draws=0)
    metric = DiscoveredKeypointMetric(protocol_options=dict(normalizer=[36, 45]))
    assert metric.protocol.normalizer == (36, 45)


def test_errors_of_groups_of_points_stand_apart():
    groups = dict(first=[0], rest=[1, 2])
    figures = evaluate(make_samples(), error_groups=groups)
    for column in ('', '_mean_pose', '_untrained'):
        first, rest = (figures[f'mafl/forward_{g}{column}'] for g in groups)
        assert (first + 2 * rest) / 3 == pytest.approx(figures[f'mafl/forward{column}'])
    assert figures['mafl/forward_first'] != figures['mafl/forward_rest']
