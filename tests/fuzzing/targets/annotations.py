"""Annotation files of every data set, detections, boxes and found keypoints."""

import copy
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.registry import DATASETS
from mmpose.utils import register_all_modules

import mmkp.datasets
from fuzzing.mutations import Random, chance, damaged_json
from fuzzing.target import Target
from mmkp.datasets.coco_check.detections import detected_boxes
from mmkp.datasets.found_keypoints import read_found_keypoints
from mmkp.datasets.image_boxes import read_boxes

register_all_modules()

_IMAGES = [
    dict(id=1, file_name='a.jpg', width=40, height=30),
    dict(id=2, file_name='b.jpg', width=40, height=30),
]


def _annotation(number: int, keypoints: int, **more: Any) -> dict:
    box: list[float] = [2, 3, 20, 21.5]
    return dict(
        dict(id=number, image_id=number, category_id=1, bbox=box, iscrowd=0, area=300),
        keypoints=[5.0, 6, 2, 8, 9, 1, 0, 0, 0] + [4, 4, 2] * (keypoints - 3),
        num_keypoints=keypoints - 1,
        **more,
    )


def _coco(keypoints: int, names: bool = True, **more: Any) -> dict:
    category: dict[str, Any] = dict(id=1, name='person')
    if names:
        category |= dict(
            keypoints=['left_a', 'right_a', 'b'], skeleton=[[1, 2], [2, 3]]
        )
    return dict(
        info=dict(dataset_name='some'),
        images=_IMAGES,
        annotations=[_annotation(n, keypoints, **more) for n in (1, 2)],
        categories=[category],
    )


_POLYGON = dict(segmentation=[[2, 3, 20, 3, 20, 20, 2, 20]])
_RUNS = dict(segmentation=dict(size=[30, 40], counts=[0, 100, 1100]))
_DETECTIONS = [
    dict(image_id=n, category_id=1, bbox=[1, 2, 9, 9], score=0.5) for n in (1, 2)
]
_MPII = [
    dict(
        image=f'{n:09d}.jpg',
        scale=1.5,
        center=[20.0, 15.0],
        joints=[[float(n), 4.0]] * 16,
        joints_vis=[1] * 16,
    )
    for n in (1, 2)
]
_KINDS: dict[str, tuple[str, Any]] = {
    'landmarks': ('LandmarkDataset', _coco(3)),
    'coco': ('CocoDataset', _coco(17, False, **_POLYGON)),
    'coco-runs': ('CocoDataset', _coco(17, False, **_RUNS)),
    'body-foot': ('CocoBodyFootDataset', _coco(17, False, foot_kpts=[3, 3, 2] * 6)),
    'lsp': ('LspDataset', _coco(14, False)),
    'flic': ('FlicDataset', _coco(11, False)),
    'mpii': ('MpiiPeopleDataset', _MPII),
}


def _make(rng: Random) -> tuple[str, bytes, str]:
    kind = list(_KINDS)[int(rng.integers(len(_KINDS)))]
    mode = 'bottomup' if chance(rng, 0.3) or kind == 'mpii' else 'topdown'
    return kind, damaged_json(rng, _KINDS[kind][1]), mode


def _use(case: tuple[str, bytes, str], folder: Path) -> None:
    kind, content, mode = case
    (folder / 'annotations.json').write_bytes(content)
    data_set = DATASETS.build(
        dict(
            type=_KINDS[kind][0],
            ann_file='annotations.json',
            data_root=str(folder),
            data_mode=mode,
            test_mode=True,
        )
    )
    for index in range(len(data_set)):
        sample = data_set.get_data_info(index)
        for key in ('bbox', 'keypoints', 'keypoints_visible'):
            if key in sample and not np.isfinite(sample[key]).all():
                raise AssertionError(f'{key} are not finite')


def _make_boxes(rng: Random) -> bytes:
    if chance(rng, 0.5):
        return damaged_json(rng, {'a.jpg': [[1, 2, 3, 4], [1, 2, 3, 4, 0.5]], 'b': []})
    return damaged_json(rng, copy.deepcopy(_coco(3)))


def _use_boxes(content: bytes, folder: Path) -> None:
    path = folder / 'boxes.json'
    path.write_bytes(content)
    kept, _ = read_boxes(str(path))
    if not all(np.isfinite(boxes).all() for boxes in kept.values()):
        raise AssertionError('boxes are not finite')


def _make_detections(rng: Random) -> tuple[bytes, bytes]:
    return damaged_json(rng, _DETECTIONS), damaged_json(rng, _coco(3))


def _use_detections(case: tuple[bytes, bytes], folder: Path) -> None:
    (folder / 'found.json').write_bytes(case[0])
    (folder / 'coco.json').write_bytes(case[1])
    items, _ = detected_boxes(
        str(folder / 'found.json'),
        str(folder / 'coco.json'),
        str(folder),
        dict(num_keypoints=3),
    )
    if not all(np.isfinite(item['bbox']).all() for item in items):
        raise AssertionError('boxes are not finite')


def _make_found(rng: Random) -> bytes:
    found = dict(keypoints=[[1.5, 2], [3, None]], bbox=[0, 0, 9, 9], bbox_score=1.0)
    record = dict(image='a.jpg', width=40, height=30, instances=[found, found])
    content = dict(source='x', num_keypoints=2, edges=[], images=[record])
    return damaged_json(rng, copy.deepcopy(content))


def _use_found(content: bytes, folder: Path) -> None:
    path = folder / 'keypoints.json'
    path.write_bytes(content)
    for boxes, keypoints in read_found_keypoints(str(path), 2).values():
        if not np.isfinite(keypoints).all() or len(boxes) != len(keypoints):
            raise AssertionError('keypoints are not finite, or of other objects')


TARGETS = {
    'annotations': Target(_make, _use, 0.3),
    'boxes': Target(_make_boxes, _use_boxes),
    'found-keypoints': Target(_make_found, _use_found),
    'detections': Target(_make_detections, _use_detections, 0.5),
}

__all__ = ['TARGETS', 'mmkp']
