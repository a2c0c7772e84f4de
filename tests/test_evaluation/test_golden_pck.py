"""The published predictions for MPII, counted joint by joint."""

import json

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import METRICS

from mmkp.evaluation.functional import PCKSummary, count_correct_keypoints

THRESHOLDS = (0.5, 0.1, 0.2)
MEANS = (
    'mean14_pooled',
    'mean14_unweighted',
    'mean16_pooled',
    'mean16_unweighted',
    'mean7_groups',
)
META = parse_pose_metainfo(dict(from_file='configs/_base_/datasets/mpii.py'))
NAMES = [META['keypoint_id2name'][index] for index in range(16)]


@pytest.fixture(scope='module')
def expected(golden_dir):
    return json.loads((golden_dir / 'pck' / 'expected.json').read_text())


@pytest.fixture(scope='module')
def people(golden_dir):
    with np.load(golden_dir / 'pck' / 'mpii_valid.npz') as stored:
        return {name: stored[name] for name in stored.files}


def as_samples(people, offset=0.0):
    """The stored people as a top-down data set of MPII gives them."""
    arrays = (people['pred'], people['gt'], people['valid'], people['normalize'])
    return [
        {
            'pred_instances': {'keypoints': predicted[None] + offset},
            'gt_instances': {
                'keypoints': target[None].astype(np.float32),
                'keypoints_visible': valid[None].astype(np.float32),
                'head_size': length.reshape(1, 1),
            },
        }
        for predicted, target, valid, length in zip(*arrays, strict=True)
    ]


@pytest.mark.parametrize('index', range(3))
def test_golden_counts_are_exact_and_means_agree(people, expected, index):
    stored = expected[f'PCKh@{THRESHOLDS[index]:g}']
    counts = count_correct_keypoints(
        people['pred'],
        people['gt'],
        people['valid'],
        people['normalize'],
        THRESHOLDS,
    )
    assert counts.correct[index].tolist() == stored['correct']
    assert counts.count.tolist() == stored['count']
    figures = PCKSummary(NAMES, 'mpii').summarize(counts, index)
    for mean in MEANS:
        assert figures[mean] == pytest.approx(stored[mean], abs=1e-9)
    groups = stored['group_mean_of_two_joints']
    assert {name: figures[name] for name in groups} == pytest.approx(groups, abs=1e-9)


def test_golden_figures_of_the_metric(people, expected):
    metric = METRICS.build(
        dict(
            type='PercentageOfCorrectKeypoints',
            norm_item='head_size',
            thresholds=THRESHOLDS,
            means='mpii',
        )
    )
    metric.dataset_meta = META
    metric.process(None, as_samples(people))
    figures = metric.evaluate(len(people['pred']))
    assert len(figures) == 3 * (len(MEANS) + 7 + 16)
    for name, stored in expected.items():
        for mean in MEANS:
            assert figures[f'{name}/{mean}'] == pytest.approx(stored[mean], abs=1e-9)
        # The file lists joints in MPII's order, under names of its own.
        per_joint = list(stored['per_joint'].values())
        for joint, value in zip(NAMES, per_joint, strict=True):
            assert figures[f'{name}/{joint}'] == pytest.approx(value, abs=1e-9)


def test_golden_pooled_mean_of_14_is_what_mmpose_calls_pck(people, expected):
    metric = METRICS.build(dict(type='MpiiPCKAccuracy'))
    metric.dataset_meta = META
    # It adds one pixel to predictions alone, so the frame is kept by taking it away.
    metric.process(None, as_samples(people, offset=-1.0))
    figures = metric.evaluate(len(people['pred']))
    # It takes errors below the threshold only, so that a few exact ones differ.
    half, tenth = expected['PCKh@0.5'], expected['PCKh@0.1']
    assert figures['PCK'] == pytest.approx(half['mean14_pooled'], abs=0.02)
    assert figures['PCK@0.1'] == pytest.approx(tenth['mean14_pooled'], abs=0.02)
    assert figures['Wrist PCK'] == pytest.approx(
        half['group_mean_of_two_joints']['wrist'], abs=0.05
    )
    head_top = half['per_joint']['head_top']
    assert figures['Head PCK'] == pytest.approx(head_top, abs=0.05)
