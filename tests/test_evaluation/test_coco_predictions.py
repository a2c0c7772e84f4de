"""Predictions that lack a category or are not finite, by COCO's protocol."""

import json

import numpy as np
import pytest
from mmengine.logging import MessageHub
from mmpose.evaluation.metrics import CocoMetric

from mmkp.datasets import CocoBodyFootDataset
from mmkp.evaluation import BottomupCocoMetric
from mmkp.ops.finite import finite_or_none

PEOPLE = np.random.default_rng(0).uniform(10, 190, (4, 17, 3))
PEOPLE[..., 2] = 2


def truth(folder, category=1, **changes):
    annotations = [
        dict(
            id=n + 1,
            image_id=n,
            category_id=category,
            keypoints=person.ravel().tolist(),
            bbox=[5, 5, 190, 190],
            area=6000.0,
            iscrowd=0,
        )
        | changes
        for n, person in enumerate(PEOPLE)
    ]
    content = dict(
        images=[dict(id=n) for n in range(len(PEOPLE))],
        annotations=[
            {k: v for k, v in annotation.items() if v is not ...}
            for annotation in annotations
        ],
        categories=[dict(id=category, name='thing')],
    )
    path = folder / 'truth.json'
    path.write_text(json.dumps(content), encoding='utf-8-sig')
    return str(path)


def precision(metric, people=PEOPLE, **sample):
    MessageHub.get_current_instance().pop_info('coco_body_foot_ann_file', None)
    meta = CocoBodyFootDataset(lazy_init=True).metainfo
    metric.dataset_meta = dict(meta, num_keypoints=17, sigmas=meta['sigmas'][:17])
    for number, points in enumerate(people):
        predicted = dict(
            keypoints=points[None, :, :2].copy(),
            keypoint_scores=np.ones((1, 17)),
            bbox_scores=np.ones(1),
            bboxes=np.zeros((1, 4)),
        )
        found = dict(
            id=[number], img_id=number, gt_instances={}, pred_instances=predicted
        )
        metric.process({}, [found | sample])
    return metric.evaluate(len(people))['coco/AP']


@pytest.mark.parametrize('kind', [CocoMetric, BottomupCocoMetric])
@pytest.mark.parametrize('category', [1, 9, 0, '9', 'mouse'])
def test_perfect_predictions_of_any_category(tmp_path, kind, category):
    options = dict(
        ann_file=truth(tmp_path, category), nms_mode='none', score_mode='bbox'
    )
    assert precision(kind(**options)) == pytest.approx(1)
    # A bottom-up sample holds the categories of all annotated people.
    if category == 9:
        assert precision(kind(**options), category_id=[9, 9]) == pytest.approx(1)
        assert precision(kind(**options), category_id=np.array(9)) == pytest.approx(1)


@pytest.mark.parametrize('kind', [CocoMetric, BottomupCocoMetric])
@pytest.mark.parametrize('absent', ['area', 'bbox', 'iscrowd', 'id', 'category_id'])
def test_what_annotations_lack_is_derived(tmp_path, kind, absent):
    path = truth(tmp_path, **{absent: ...})
    metric = kind(ann_file=path, nms_mode='none', score_mode='bbox')
    assert precision(metric) == pytest.approx(1)


def test_predictions_that_are_not_finite_are_not_found(tmp_path):
    people = PEOPLE.copy()
    people[0, 3, 0] = np.nan
    people[1, 5, 1] = np.inf
    prefix = str(tmp_path / 'out')
    metric = CocoMetric(
        ann_file=truth(tmp_path),
        nms_mode='none',
        score_mode='bbox',
        outfile_prefix=prefix,
    )
    assert 0 < precision(metric, people) < 1

    def refuse(constant):
        raise AssertionError(constant)

    text = (tmp_path / 'out.keypoints.json').read_text()
    assert len(json.loads(text, parse_constant=refuse)) == 4


def test_figures_that_are_not_finite_are_null():
    content = dict(a=float('nan'), b=[1.5, float('inf')], c=(dict(d=-float('inf')),))
    assert json.loads(json.dumps(finite_or_none(content))) == dict(
        a=None, b=[1.5, None], c=[dict(d=None)]
    )
