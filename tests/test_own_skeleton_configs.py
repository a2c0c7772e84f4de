"""A skeleton and a COCO file of one's own: trained, tested, predicted, dumped."""

import json

import pytest
from tiny import call_tool
from tiny_animals import NAMES, write_animals

from mmkp.engine import ConfigError, load_config
from mmkp.engine.option_values import OptionText

CONFIGS = ('openpose_res18-w32_own-256x256', 'hourglass-s2-w64_own-128x128')


@pytest.mark.parametrize('name', CONFIGS)
def test_train_test_infer(tmp_path, name):
    folder = write_animals(tmp_path / 'my animals')
    options = [
        *(f'data_root={folder}', 'train_cfg.max_iters=2', 'train_cfg.val_interval=2'),
        *('train_dataloader.num_workers=0', 'val_dataloader.num_workers=0'),
        *('train_dataloader.persistent_workers=False', 'train_dataloader.batch_size=2'),
        *('val_dataloader.persistent_workers=False', 'log_level=WARNING'),
        'default_hooks.checkpoint.interval=2',
    ]
    work = tmp_path / 'work'
    call_tool('train.py', name, '--work-dir', work, '--cfg-options', *options)
    # The work folder has the config with its final values.
    config, checkpoint = work / f'{name}.py', work / 'iter_2.pth'
    assert load_config(config).train_dataloader.dataset.data_root == str(folder)
    options = [
        f'test_dataloader.{o}' for o in ('num_workers=0', 'persistent_workers=0')
    ]
    metrics = tmp_path / 'metrics.json'
    call_tool(
        *('test.py', name, checkpoint, '--work-dir', work, '--out', metrics),
        *('--cfg-options', f'data_root={folder}', *options),
    )
    assert 'coco/AP' in json.loads(metrics.read_text())
    call_tool(
        'infer.py', name, checkpoint, folder / 'images', '--out', tmp_path / 'out'
    )
    assert len(list((tmp_path / 'out/pictures').iterdir())) == 4


def test_another_skeleton_is_said_once():
    options = dict(
        keypoints=OptionText('[left_eye, right_eye, nose]'),
        links=OptionText('[[left_eye,nose],[right_eye,nose]]'),
    )
    for name in CONFIGS:
        cfg = load_config(name, options)
        info = cfg.val_dataloader.dataset.metainfo.keypoint_info
        assert [info[i]['name'] for i in range(3)] == ['left_eye', 'right_eye', 'nose']
        assert [info[i]['swap'] for i in range(3)] == ['right_eye', 'left_eye', '']
    assert cfg.model.head.num_keypoints == cfg.model.backbone.num_keypoints == 3
    load_config(CONFIGS[0], options).model.head.decoder.skeleton.keypoint_info[2]


def test_the_skeleton_of_the_file_is_that_of_the_drawings():
    assert load_config(CONFIGS[0]).keypoints == NAMES


def test_a_skeleton_dict_over_a_name_says_what_is_missing(tmp_path):
    path = tmp_path / 'mouse.py'
    path.write_text(
        "_base_ = 'mmkp::openpose_res50_coco-368x368'\n"
        "codec = dict(skeleton=dict(dataset_name='mouse'))\n"
    )
    with pytest.raises(ConfigError, match=r"'skeleton'.*skeleton=dict\(_delete_=True"):
        load_config(path)


def test_a_skeleton_of_another_number_than_the_data_set(tmp_path):
    path = tmp_path / 'mouse.py'
    keypoint = "dict(name={0!r}, id={1}, swap='', color=[0, 0, 0], type='')"
    keypoints = ', '.join(f'{i}: {keypoint.format(n, i)}' for i, n in enumerate('ab'))
    path.write_text(
        f"_base_ = 'mmkp::{CONFIGS[0]}'\n"
        "skeleton = dict(_delete_=True, dataset_name='m', "
        f'keypoint_info={{{keypoints}}}, '
        "skeleton_info={0: dict(link=('a', 'b'), id=0, color=[0, 0, 0])},"
        ' joint_weights=[1, 1], sigmas=[1, 1])\n'
        'model = dict(head=dict(decoder=dict(skeleton=skeleton)))\n'
    )
    with pytest.raises(ConfigError, match=r"2 in model.head.decoder's skeleton; 7 in"):
        load_config(path)
