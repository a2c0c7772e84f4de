# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A few images that cannot be read do not end a training of thousands."""

import json
import pickle

import pytest
import tiny
import torch
from mmengine.dataset import RepeatDataset
from mmpose.registry import DATASETS
from tiny_training import assert_same_bits

from mmkp.datasets.damaged_images import DamagedImages, leave_out_damaged_images
from mmkp.datasets.image_decoding import CorruptImageError
from mmkp.engine import load_checkpoint_file

EXTRA = """
test_evaluator = val_evaluator = dict(type='KeypointCollapseMetric')
"""


def damage(folder, every):
    for path in sorted(folder.iterdir())[::every]:
        path.write_bytes(path.read_bytes()[:-40])


@pytest.fixture
def labelled(tmp_path):
    """A data set in COCO's format, every tenth of its forty images truncated."""
    tiny.draw_figures(tmp_path / 'images', 40)
    damage(tmp_path / 'images', 10)
    names = sorted(path.name for path in (tmp_path / 'images').iterdir())
    points = [20, 20, 2] * 17
    content = dict(
        images=[
            dict(id=i, file_name=name, width=48, height=48)
            for i, name in enumerate(names)
        ],
        annotations=[
            dict(
                id=i,
                image_id=i,
                category_id=1,
                keypoints=points,
                num_keypoints=17,
                bbox=[2, 2, 40, 40],
                area=1600,
                iscrowd=0,
            )
            for i in range(40)
        ],
        categories=[dict(id=1, name='person')],
    )
    (tmp_path / 'a.json').write_text(json.dumps(content))
    return dict(
        type='CocoDataset',
        data_root=str(tmp_path),
        ann_file='a.json',
        data_prefix=dict(img='images/'),
        pipeline=[dict(type='LoadVerifiedImage')],
    )


def test_labelled_images_are_replaced_in_training(labelled, caplog):
    dataset = DATASETS.build(labelled)
    with pytest.raises(CorruptImageError):
        dataset[10]
    leave_out_damaged_images(dataset)
    dataset = pickle.loads(pickle.dumps(dataset))  # as workers get it
    seen = [dataset[index]['img_path'] for index in range(40)]
    assert len(seen) == 40 and not any(name.endswith('010.png') for name in seen)
    assert dataset.prepare_data.damaged.met.nonzero().flatten().tolist() == [
        0,
        10,
        20,
        30,
    ]


def test_those_of_an_evaluation_stay_errors(labelled):
    dataset = DATASETS.build(dict(labelled, test_mode=True))
    leave_out_damaged_images(dataset)
    with pytest.raises(CorruptImageError, match='truncated'):
        dataset[10]


def test_within_wrappers(labelled):
    inner = DATASETS.build(labelled)
    leave_out_damaged_images(RepeatDataset(inner, 2))
    assert not inner[10]['img_path'].endswith('010.png')


def test_each_is_named_once_and_ten_at_most(capsys, monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmkp.datasets.damaged_images.print_log', lambda text, **kw: said.append(text)
    )
    damaged = DamagedImages(1000, 'photos')
    for index in range(100):
        for _ in range(2):
            error = CorruptImageError(f'{index}.png is empty')
            damaged.note(index, error, 'training')
    assert [line.split()[0] for line in said] == [f'{i}.png' for i in range(10)]
    assert said[0].endswith('images.py photos') and 'counted only' in said[9]
    with pytest.raises(
        CorruptImageError, match='101 of the 1000 images of photos are damaged'
    ):
        damaged.note(100, CorruptImageError('100.png is empty'), 'training')
    few = DamagedImages(30, '')
    for index in range(20):
        few.note(index, CorruptImageError('x'), 'training')
    with pytest.raises(CorruptImageError, match='21 of the 30'):
        few.note(20, CorruptImageError('x'), 'training')


@pytest.mark.parametrize('workers', [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_resumed_training_replaces_them_by_the_same(tmp_path, workers):
    tiny.draw_figures(tmp_path / 'images', 30)
    damage(tmp_path / 'images', 4)
    config = tiny.write_config(tmp_path, extra=EXTRA, num_workers=workers)
    for name, runs in dict(whole=[14], halves=[6, 14]).items():
        for steps in runs:
            tiny.call_tool(
                *('train.py', config, '--work-dir', tmp_path / name, '--resume'),
                *('--no-validate', '--cfg-options', f'train_cfg.max_iters={steps}'),
            )
    left, right = (
        load_checkpoint_file(tmp_path / name / 'iter_14.pth')['state_dict']
        for name in ('whole', 'halves')
    )
    assert all(torch.isfinite(value).all() for value in left.values())
    assert_same_bits(left, right)
