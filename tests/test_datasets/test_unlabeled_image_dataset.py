import json
import time

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

from mmkp.datasets import UnlabeledImageDataset

PIPELINE = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(16, 16)),
    dict(type='PackPoseInputs'),
]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


@pytest.fixture
def folder(tmp_path, picture):
    names = ['b.jpg', 'a.PNG', 'deep/down/c.png', 'deep/d e ü.jpg', 'deep/.hidden.jpg']
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        done, content = cv2.imencode(path.suffix.lower(), picture)
        path.write_bytes(content.tobytes())
    (tmp_path / 'notes.txt').write_text('no image')
    return tmp_path


def names_of(dataset, folder):
    samples = [dataset.get_data_info(index) for index in range(len(dataset))]
    return [sample['img_path'][len(str(folder)) + 1 :] for sample in samples]


def test_folder_is_searched_with_subfolders(folder):
    dataset = UnlabeledImageDataset(3, data_root=str(folder))
    expected = ['a.PNG', 'b.jpg', 'deep/d e ü.jpg', 'deep/down/c.png']
    assert names_of(dataset, folder) == expected
    sample = dataset.get_data_info(2)
    assert (sample['id'], sample['img_id']) == (2, 2)
    assert sample['flip_indices'] == [0, 1, 2]
    assert dataset.metainfo['num_keypoints'] == 3


def test_folder_without_subfolders(folder):
    dataset = UnlabeledImageDataset(3, data_root=str(folder), recursive=False)
    assert names_of(dataset, folder) == ['a.PNG', 'b.jpg']


def test_data_prefix_is_below_data_root(folder):
    dataset = UnlabeledImageDataset(
        3, data_root=str(folder), data_prefix=dict(img='deep/down')
    )
    assert names_of(dataset, folder) == ['deep/down/c.png']


def test_pattern(folder):
    dataset = UnlabeledImageDataset(3, data_root=str(folder), pattern='**/*.jpg')
    assert names_of(dataset, folder) == ['b.jpg', 'deep/d e ü.jpg']


def test_list_and_text_file_keep_their_order(folder):
    names = ['deep/down/c.png', 'a.PNG']
    (folder / 'list.txt').write_text('\n'.join(names) + '\n\n')
    for files in (names, 'list.txt', str(folder / 'list.txt')):
        dataset = UnlabeledImageDataset(3, data_root=str(folder), files=files)
        assert names_of(dataset, folder) == names


def test_linked_folders_are_followed_once(folder):
    (folder / 'deep' / 'loop').symlink_to(folder, target_is_directory=True)
    assert len(UnlabeledImageDataset(3, data_root=str(folder))) == 4


def test_whole_images_through_a_loader(folder):
    dataset = DATASETS.build(
        dict(
            type='UnlabeledImageDataset',
            num_keypoints=3,
            data_root=str(folder),
            pipeline=PIPELINE,
        )
    )
    loader = DataLoader(
        dataset, 2, sampler=DefaultSampler(dataset), collate_fn=pseudo_collate
    )
    batches = list(loader)
    assert [len(batch['inputs']) for batch in batches] == [2, 2]
    sample = batches[0]['data_samples'][0]
    np.testing.assert_array_equal(sample.gt_instances.bboxes, [[0, 0, 48, 32]])
    np.testing.assert_array_equal(sample.gt_instances.bbox_scores, [1])
    assert sample.ori_shape == (32, 48)
    assert batches[0]['inputs'][0].shape == (3, 16, 16)


def test_boxes_from_a_plain_file(folder):
    boxes = {'b.jpg': [[1, 2, 10, 20], [5, 5, 8, 8, 0.5]], 'deep/down/c.png': []}
    (folder / 'boxes.json').write_text(json.dumps(boxes))
    dataset = UnlabeledImageDataset(3, data_root=str(folder), bbox_file='boxes.json')
    assert names_of(dataset, folder) == ['b.jpg', 'b.jpg']
    second = dataset.get_data_info(1)
    np.testing.assert_array_equal(second['bbox'], [[5, 5, 13, 13]])
    np.testing.assert_array_equal(second['bbox_score'], [0.5])
    assert (second['id'], second['img_id']) == (1, 1)


def test_boxes_from_a_coco_file(folder):
    content = dict(
        images=[dict(id=7, file_name='deep/d e ü.jpg'), dict(id=8, file_name='b.jpg')],
        annotations=[
            dict(id=1, image_id=7, bbox=[3, 4, 5, 6]),
            dict(id=2, image_id=8, bbox=[0, 0, 9, 9], iscrowd=1),
        ],
    )
    (folder / 'boxes.json').write_text(json.dumps(content))
    dataset = UnlabeledImageDataset(3, data_root=str(folder), bbox_file='boxes.json')
    assert names_of(dataset, folder) == ['deep/d e ü.jpg']
    np.testing.assert_array_equal(dataset.get_data_info(0)['bbox'], [[3, 4, 8, 10]])


def test_a_pipeline_without_boxes_is_refused_at_once(folder):
    pipeline = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale')]
    with pytest.raises(
        ValueError, match="begin the pipeline with.*'LoadVerifiedImage'"
    ):
        UnlabeledImageDataset(3, data_root=str(folder), pipeline=pipeline)


def test_listing_opens_no_file(tmp_path):
    for index in range(2000):
        (tmp_path / f'{index:05d}.jpg').touch()
    start = time.process_time()
    assert len(UnlabeledImageDataset(3, data_root=str(tmp_path))) == 2000
    assert time.process_time() - start < 2


def test_loader_processes_share_what_they_know_of_damaged_images(folder):
    path = folder / 'b.jpg'
    path.write_bytes(path.read_bytes()[:-40])
    dataset = UnlabeledImageDataset(3, data_root=str(folder), pipeline=PIPELINE)
    torch.manual_seed(0)
    loader = DataLoader(dataset, 1, num_workers=2, collate_fn=pseudo_collate)
    seen = [batch['data_samples'][0].img_path for batch in loader]
    assert len(seen) == 4
    assert str(path) not in seen
    assert dataset.corrupt_images == [1]
