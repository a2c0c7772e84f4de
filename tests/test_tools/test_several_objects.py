# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Boxes of a detector where several processes train, and in films."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmpose.registry import HOOKS
from two_processes import in_two_processes, needs_fork

from mmkp.datasets.image_boxes import read_boxes
from mmkp.engine import load_checkpoint_file

DETECTOR = 'detectors/yolox_nano.onnx'
EXTRA = """
boxes = dict(data_root={photos!r}, detector=dict(model={detector!r}, classes='person'))
train_dataloader.update(dataset=dict(train_dataloader['dataset'], **boxes))
val_dataloader.update(dataset=dict(dataset, **boxes))
train_cfg.update(max_iters=2, val_interval=2)
param_scheduler = []
custom_hooks = [dict(type='NoteBoxes')]
"""


@HOOKS.register_module()
class NoteBoxes(Hook):
    """Notes the boxes that this process trains on, and those of each step."""

    def before_train(self, runner):
        data = runner.train_dataloader.dataset
        self.boxes = [
            (Path(sample['img_path']).name, *map(float, sample['bbox'][0]))
            for sample in (data.get_data_info(index) for index in range(len(data)))
        ]
        self.seen = []

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen += [int(sample.id) for sample in data_batch['data_samples']]

    def after_train(self, runner):
        path = Path(runner.work_dir) / f'boxes{get_rank()}.json'
        path.write_text(json.dumps([self.boxes, self.seen]))


@pytest.fixture
def people(data_dir):
    """Four pictures of people."""
    return sorted((data_dir / 'coco' / 'val2017').glob('*.jpg'))[:4]


def train(rank, config, work):
    arguments = (config, '--work-dir', work, '--launcher', 'pytorch')
    tiny.call_tool('train.py', *arguments)


@needs_fork
def test_two_processes_train_on_the_same_boxes(data_dir, people, tmp_path, monkeypatch):
    photos, work = tmp_path / 'photos', tmp_path / 'work'
    photos.mkdir()
    for path in people:
        shutil.copy(path, photos)
    monkeypatch.chdir(tmp_path)
    found = dict(photos=str(photos), detector=str(data_dir / DETECTOR))
    config = tiny.write_config(tmp_path, extra=EXTRA.format(**found))
    in_two_processes(train, tmp_path, config, work)
    # One file, whole, whichever process has written it.
    [path] = (tmp_path / 'work_dirs' / 'boxes').iterdir()
    (first, seen), (second, others) = (
        json.loads((work / f'boxes{rank}.json').read_text()) for rank in range(2)
    )
    assert first == second and {box[0] for box in first} == {p.name for p in people}
    assert len(first) == sum(map(len, read_boxes(str(path))[0].values())) > 3
    assert len(seen) == len(others) == 4 and not set(seen) & set(others)
    assert load_checkpoint_file(work / 'iter_2.pth')['meta']['iter'] == 2


def test_a_detector_follows_people_through_a_film(data_dir, people, tmp_path):
    still, shift, film = cv2.imread(str(people[0])), 24, tmp_path / 'film.avi'
    height, width = still.shape[:2]
    size = width // 2, height // 2
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter.fourcc(*'MJPG'), 10, size)
    for frame in range(3):
        moved = np.roll(cv2.resize(still, size), shift * frame, axis=1)
        writer.write(moved)
    writer.write(np.zeros_like(moved))
    writer.release()
    config, checkpoint = tiny.trained()
    options = ('--boxes', data_dir / DETECTOR, '--classes', 'person', '--device', 'cpu')
    out = tmp_path / 'out'
    tiny.call_tool('infer.py', config, checkpoint, film, '--out', out, *options)
    content = json.loads((out / 'keypoints.json').read_text())
    # Nobody is in the last frame.
    names = [record['image'] for record in content['images']]
    assert names == ['film_000000', 'film_000001', 'film_000002']
    assert [record['time'] for record in content['images']] == [0, 0.1, 0.2]
    boxes = np.array([r['instances'][0]['bbox'] for r in content['images']])
    centers = (boxes[:, 0] + boxes[:, 2]) / 2
    np.testing.assert_allclose(np.diff(centers), shift, atol=8)
    assert list((out / 'pictures').glob('film.*'))
