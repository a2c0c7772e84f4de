"""Two processes must give the figures of one, by every metric, to the last bit."""

import cv2
import numpy as np
import pytest
import test_bottomup_coco_metric as bodies
import test_keypoint_collapse_metric as collapse
import test_percentage_of_correct_keypoints as correct
import test_temporal_consistency_metric as films
from discovery_samples import make_samples
from mmengine.dataset import DefaultSampler
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope
from mmpose.registry import METRICS
from two_processes import in_two_processes, needs_fork

from mmkp.datasets import CocoBodyFootDataset

NUMBER = 13  # odd, so that two processes cannot share evenly


def coco_samples(folder):
    points = np.random.default_rng(0).uniform(10, 190, (NUMBER, 23, 3))
    points[..., 2] = 2
    path = bodies.ground_truth(folder, points)
    found = points[:, None, :, :2] + np.random.default_rng(1).normal(
        0, 4, (NUMBER, 1, 23, 2)
    )
    samples = [
        dict(
            id=[number],
            img_id=number,
            gt_instances={},
            pred_instances=dict(
                keypoints=people,
                keypoint_scores=np.ones(people.shape[:2]),
                bbox_scores=np.full(1, 0.9 - 0.01 * number),
                bboxes=np.zeros((1, 4)),
            ),
        )
        for number, people in enumerate(found)
    ]
    config = dict(
        type='BottomupCocoMetric',
        ann_file=path,
        annotation_keys=('keypoints', 'foot_kpts'),
    )
    return config, samples, CocoBodyFootDataset(lazy_init=True).metainfo


def film_samples(folder):
    clip = folder / 'clip'
    clip.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (200, 200, 3)).astype('f4')
    picture = cv2.normalize(cv2.GaussianBlur(noise, None, 3), None, 0, 255, 32)
    for index in range(NUMBER):
        part = picture[index : index + films.SIDE, 60 : 60 + films.SIDE]
        cv2.imwrite(str(clip / f'{index:04d}.png'), part.astype(np.uint8))
    draw = np.random.default_rng(2)
    samples = [
        films.sample(path, films.START + draw.normal(0, 2, films.START.shape))
        for path in sorted(clip.iterdir())
    ]
    return dict(type='TemporalConsistencyMetric'), samples, {}


def experiments(folder):
    """Name -> metric, samples and the data set's meta."""
    draw = np.random.default_rng(3)
    centers = draw.uniform(0.2, 0.8, (1, 6, 2))
    placed = collapse.samples(centers + draw.normal(0, 0.05, (NUMBER, 6, 2)))
    people = [correct.sample(draw.uniform(0, 30), n % 5) for n in range(NUMBER)]
    few = dict(
        type='DiscoveredKeypointMetric',
        protocol='mafl',
        protocol_options=dict(num_annotated=3),
        shots=(1, 5),
        num_draws=3,
    )
    discovered = [s.to_dict() for s in make_samples()[:61]]
    return {
        'discovered': (few, discovered, {}),
        'correct': (
            dict(type='PercentageOfCorrectKeypoints'),
            people,
            correct.META,
        ),
        'bodies': coco_samples(folder),
        'collapse': (dict(type='KeypointCollapseMetric'), placed, {}),
        'films': film_samples(folder),
    }


def figures(experiment, order=None, device='cpu'):
    """What a metric says of samples, or of the process' share of them."""
    config, samples, meta = experiment
    init_default_scope('mmpose')
    metric = METRICS.build(dict(config, collect_device=device))
    metric.dataset_meta = meta
    MessageHub.get_current_instance().pop_info('coco_body_foot_ann_file', None)
    for index in range(len(samples)) if order is None else order:
        metric.process({}, [samples[index]])
    return metric.evaluate(len(samples))


def of_process(rank, every):
    found = {}
    for name, experiment in every.items():
        for round_up, device in ((True, 'cpu'), (False, 'gpu')):
            samples = experiment[1]
            order = list(DefaultSampler(samples, shuffle=False, round_up=round_up))
            assert len(order) == len(samples) // 2 + (round_up or rank == 0)
            found[name, round_up] = figures(experiment, order, device)
    return found


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp('figures')
    every = experiments(folder)
    expected = {name: figures(experiment) for name, experiment in every.items()}
    return expected, in_two_processes(of_process, folder, every)


@needs_fork
@pytest.mark.parametrize('round_up', [True, False], ids=['padded', 'uneven'])
@pytest.mark.parametrize(
    'name', ['discovered', 'correct', 'bodies', 'collapse', 'films']
)
def test_two_processes_agree_with_one(name, round_up, found):
    expected, ranks = found
    assert expected[name]
    for rank in ranks:
        assert rank[name, round_up].keys() == expected[name].keys()
        for key, value in expected[name].items():
            assert rank[name, round_up][key] == pytest.approx(value, abs=0, rel=0), key
