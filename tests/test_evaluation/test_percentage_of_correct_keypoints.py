"""The registered PCK metric."""

import numpy as np
import pytest
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample

import mmkp  # noqa: F401

NAMES = ('nose', 'left_shoulder', 'right_shoulder', 'left_hip', 'right_hip')
META = dict(dataset_name='five', keypoint_id2name=dict(enumerate(NAMES)))
# A torso of 50 px from the right shoulder to the left hip, 40 px between the others.
PERSON = np.array([[20, 0], [0, 10], [30, 10], [0, 50], [30, 50]], np.float32)


def build(**settings):
    metric = METRICS.build(dict(type='PercentageOfCorrectKeypoints', **settings))
    metric.dataset_meta = META
    return metric


def sample(error=0.0, keypoint=0, visible=(1, 1, 1, 1, 1), **annotations):
    predicted = PERSON.copy()
    predicted[keypoint, 0] += error
    return {
        'img_path': 'person.png',
        'pred_instances': {'keypoints': predicted[None]},
        'gt_instances': {
            'keypoints': PERSON[None],
            'keypoints_visible': np.array([visible], np.float32),
            **annotations,
        },
    }


def evaluate(samples, **settings):
    metric = build(**settings)
    metric.process(None, samples)
    return metric.evaluate(len(samples))


@pytest.mark.parametrize(
    'settings, annotations, length',
    [
        (dict(), {}, 50),
        (dict(norm_item='torso', torso=('left_shoulder', 'right_hip')), {}, 50),
        (dict(norm_item=('left_shoulder', 'left_hip')), {}, 40),
        (dict(norm_item='bbox'), {'bboxes': np.array([[0.0, 0, 60, 90]])}, 90),
        (dict(norm_item='head_size'), {'head_size': np.array([[20.0]])}, 20),
    ],
)
def test_each_length(settings, annotations, length):
    samples = [
        sample(0.2 * length - 0.01, **annotations),
        sample(0.2 * length + 0.01, **annotations),
    ]
    figures = evaluate(samples, thresholds=(0.2, 0.201), **settings)
    measure = 'PCKh' if settings.get('norm_item') == 'head_size' else 'PCK'
    assert figures[f'{measure}@0.2/nose'] == 50.0
    assert figures[f'{measure}@0.201/nose'] == 100.0
    assert figures[f'{measure}@0.2/mean'] == 90.0
    assert figures[f'{measure}@0.2/shoulder'] == 100.0


def test_invisible_keypoints_do_not_count_and_pairs_of_flags_are_read():
    wrong = sample(99.0, visible=(0, 1, 1, 1, 1))
    flags = wrong['gt_instances']['keypoints_visible']
    paired = sample(99.0)
    # The second of a pair weighs the loss.
    paired['gt_instances']['keypoints_visible'] = np.stack(
        [flags, np.ones_like(flags)], axis=-1
    )
    for samples in ([wrong, sample()], [paired, sample()]):
        assert evaluate(samples)['PCK@0.5/mean_pooled'] == 100.0


def test_a_person_without_a_torso_is_left_out():
    with pytest.warns(UserWarning, match='of 2 samples, PCK leaves out 1 without'):
        figures = evaluate([sample(), sample(99.0, visible=(1, 1, 0, 1, 1))])
    assert figures['PCK@0.5/mean'] == 100.0


def test_keypoints_without_annotation_are_nan_and_told(caplog):
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        figures = evaluate([sample(99.0, visible=(0, 1, 1, 1, 1))])
    finally:
        logger.removeHandler(caplog.handler)
    assert np.isnan(figures['PCK@0.5/nose']) and figures['PCK@0.5/mean'] == 100.0
    assert 'no sample counts for the keypoints nose' in caplog.text


def test_prefix_and_fewer_figures():
    figures = evaluate(
        [sample()],
        thresholds=(0.2,),
        means={'mean': dict(average='unweighted')},
        groups={},
        per_keypoint=False,
        prefix='torso',
    )
    assert figures == {'torso/PCK@0.2/mean': 100.0}


def test_it_reads_what_mmpose_packs():
    data_sample = PoseDataSample(
        gt_instances=InstanceData(
            keypoints=PERSON[None], keypoints_visible=np.ones((1, 5))
        ),
        pred_instances=InstanceData(keypoints=PERSON[None] + 1),
    )
    evaluator = Evaluator(dict(type='PercentageOfCorrectKeypoints'))
    evaluator.dataset_meta = META
    evaluator.process([data_sample])
    assert evaluator.evaluate(1)['PCK@0.1/mean'] == 100.0


@pytest.mark.parametrize(
    'settings, message',
    [
        (dict(norm_item='head'), "norm_item='head' is unknown"),
        (dict(norm_item=('nose',)), 'must name two different keypoints'),
        (dict(torso=('nose', 'nose')), 'torso=.* must name two different keypoints'),
        (dict(torso=('nose', 'tail')), "torso names the keypoint 'tail'"),
        (dict(norm_item='head_size'), 'person.png: .* headbox_file'),
        (dict(norm_item='bbox'), 'person.png: .* gt_instances.bboxes'),
        (dict(means='mpii'), r"groups\['head'\] names the keypoint 'upper_neck'"),
    ],
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        evaluate([sample()], **settings)


def test_bad_samples_are_named():
    two = sample()
    two['gt_instances']['keypoints'] = np.repeat(PERSON[None], 2, axis=0)
    with pytest.raises(ValueError, match="person.png: .*data_mode='topdown'"):
        evaluate([two])
    nameless = build()
    nameless.dataset_meta = None
    with pytest.raises(ValueError, match='no names of keypoints'):
        nameless.process(None, [sample()])


def test_order_and_shares_of_processes_do_not_matter():
    generator = np.random.default_rng(0)
    samples = [
        sample(generator.normal(0, 20), int(generator.integers(5))) for _ in range(30)
    ]
    whole = build()
    whole.process(None, samples)
    halves = build(), build()
    for rank, metric in enumerate(halves):
        metric.process(None, samples[rank::2])
    joined = [result for metric in halves for result in metric.results]
    assert whole.compute_metrics(joined) == whole.compute_metrics(whole.results)
