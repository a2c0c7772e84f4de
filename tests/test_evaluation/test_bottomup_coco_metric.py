"""Parts of bodies, and animals of any species, by COCO's protocol."""

import json

import numpy as np
import pytest
from mmengine.logging import MessageHub

from mmkp.datasets import CocoBodyFootDataset
from mmkp.evaluation import BottomupCocoMetric

FEET = [f'{s}_{p}' for s in ('left', 'right') for p in ('big_toe', 'small_toe', 'heel')]


def ground_truth(folder, people, species=(1,)):
    """Write an annotation file; ``people`` are keypoints (23, 3), one an image."""
    annotations = [
        dict(
            id=number + 1,
            image_id=number,
            category_id=species[number % len(species)],
            keypoints=points[:17].ravel().tolist(),
            foot_kpts=points[17:].ravel().tolist(),
            num_keypoints=int((points[:17, 2] > 0).sum()),
            bbox=[0, 0, 100, 100],
            area=6000.0,
            iscrowd=0,
        )
        for number, points in enumerate(people)
    ]
    content = dict(
        images=[dict(id=n, width=200, height=200) for n in range(len(people))],
        annotations=annotations,
        categories=[dict(id=n, name=f'species {n}') for n in sorted(set(species))],
    )
    path = folder / 'truth.json'
    path.write_text(json.dumps(content))
    return str(path)


@pytest.fixture
def people():
    points = np.random.default_rng(0).uniform(10, 190, (4, 23, 3))
    points[..., 2] = 2
    return points


def evaluate(metric, predictions):
    MessageHub.get_current_instance().pop_info('coco_body_foot_ann_file', None)
    metric.dataset_meta = CocoBodyFootDataset(lazy_init=True).metainfo
    for number, people in enumerate(predictions):
        scores = np.ones(people.shape[:2]) if people.shape[2] == 2 else people[..., 2]
        sample = dict(
            id=[number],
            img_id=number,
            gt_instances={},
            pred_instances=dict(
                keypoints=people[..., :2],
                keypoint_scores=scores,
                bbox_scores=np.full(len(people), 0.9),
                bboxes=np.zeros((len(people), 4)),
            ),
        )
        metric.process({}, [sample])
    return metric.evaluate(len(predictions))


class TestParts:
    def options(self, folder, people):
        path = ground_truth(folder, people)
        return dict(ann_file=path, annotation_keys=('keypoints', 'foot_kpts'))

    def test_feet_and_body_are_scored_apart(self, tmp_path, people):
        options = self.options(tmp_path, people)
        predictions = people[:, None, :, :2].copy()
        predictions[:, :, 17:] += 60
        everything = evaluate(BottomupCocoMetric(**options), predictions)
        bodies = evaluate(
            BottomupCocoMetric(keypoints=range(17), prefix='body', **options),
            predictions,
        )
        feet = evaluate(
            BottomupCocoMetric(keypoints=FEET, prefix='foot', **options), predictions
        )
        assert bodies['body/AP'] == pytest.approx(1)
        assert feet['foot/AP'] == 0
        assert 0 < everything['coco/AP'] < 1

    def test_people_without_feet_do_not_count(self, tmp_path, people):
        truth = people.copy()
        truth[1, 17:] = 0
        predictions = np.ones((4, 1, 23, 3))
        predictions[..., :2] = people[:, None, :, :2]
        # No feet were found where none are, which is no mistake.
        predictions[1, :, 17:, 2] = 0
        options = self.options(tmp_path, truth)
        feet = evaluate(BottomupCocoMetric(keypoints=FEET, **options), predictions)
        assert feet['coco/AP'] == pytest.approx(1)

    def test_unknown_names_are_refused(self):
        metric = BottomupCocoMetric(keypoints=['tail', 23])
        with pytest.raises(ValueError, match='tail, 23, which data set coco_body'):
            metric.dataset_meta = CocoBodyFootDataset(lazy_init=True).metainfo


def test_species_count_as_one_on_request(tmp_path, people):
    path = ground_truth(tmp_path, people, species=(3, 8))
    options = dict(ann_file=path, annotation_keys=('keypoints', 'foot_kpts'))
    metric = BottomupCocoMetric(class_agnostic=True, **options)
    result = evaluate(metric, people[:, None, :, :2])
    assert result['coco/AP'] == pytest.approx(1)
    # Evaluated again, as in every validation.
    assert evaluate(metric, people[:, None, :, :2]) == result
    with pytest.raises(ValueError, match=r'3 \(species 3\), 8 \(species 8\), but'):
        evaluate(BottomupCocoMetric(**options), people[:, None, :, :2])
