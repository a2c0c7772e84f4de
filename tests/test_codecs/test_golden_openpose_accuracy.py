"""Average precision on COCO: of a real network's maps, and of drawn ones."""

import json

import numpy as np
import pytest
from coco_average_precision import CocoPeople, resized

from mmkp.codecs import PartAffinityField

INPUT_SIZE = (432, 368)


@pytest.fixture(scope='module')
def coco(data_dir):
    return CocoPeople(data_dir / 'coco/annotations/person_keypoints_val2017.json')


def test_golden_network_is_read_better_than_by_any_other_decoder(coco, golden_dir):
    folder = golden_dir / 'openpose_raw'
    with np.load(folder / 'thin_432x368.npz') as arrays:
        images, sizes = arrays['image_id'], arrays['image_size_wh']
        maps = arrays['out57'].astype(np.float32)
    # The network was trained by tf-pose, which draws fields where the heatmaps are.
    codec = PartAffinityField('coco18', INPUT_SIZE, field_alignment='centred')
    people = codec.batch_decode(maps[:, :19], maps[:, 19:])
    predictions = {
        image: (resized(keypoints, INPUT_SIZE, size), scores, instance_scores)
        for image, size, keypoints, scores, instance_scores in zip(
            images, sizes, *people, strict=True
        )
    }
    precision = coco.average_precision(predictions)
    anchors = json.loads((folder / 'anchors.json').read_text())
    others = anchors['thin_432x368']['AP_AP50_AP75_AR'].values()
    assert len(predictions) == 142
    assert precision > max(25.5, *(values[0] for values in others))


@pytest.mark.parametrize(('stride', 'least'), [(8, 85), (4, 88)])
@pytest.mark.parametrize('alignment', ['openpose', 'centred'])
def test_golden_annotations_survive_their_maps(coco, stride, least, alignment):
    codec = PartAffinityField(
        'coco18', INPUT_SIZE, stride=stride, field_alignment=alignment
    )
    predictions, annotated, found = {}, 0, 0
    for image in coco.fully_annotated():
        size, people = coco.size(image), coco.people(image)
        points = resized(people[..., :2], size, INPUT_SIZE)
        encoded = codec.encode(points, people[..., 2])
        keypoints, *scores = codec.decode(
            encoded['heatmaps'], encoded['part_affinity_fields']
        )
        predictions[image] = (resized(keypoints, INPUT_SIZE, size), *scores)
        annotated += np.count_nonzero((people[..., 2] > 0).sum(1) >= 3)
        found += len(keypoints)
    assert len(predictions) == 92
    assert found == pytest.approx(annotated, rel=0.02)
    # It also counts people with one or two keypoints, who are not looked for.
    assert coco.average_precision(predictions) > least
