# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Configs are shallow and short, and each says its number of keypoints once."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import mmpose
import pytest

from mmkp.engine import ConfigError, load_config
from mmkp.engine.config_names import configs_folder

FOLDER = configs_folder()
CONFIGS = sorted(FOLDER.rglob('*.py'))
LEAVES = [path for path in CONFIGS if '_base_' not in path.parts]
METHOD_BASES = [
    path
    for path in CONFIGS
    if path.parent.name == '_base_' and path.parent != FOLDER / '_base_'
]
DATASETS = [path for path in CONFIGS if path.parent == FOLDER / '_base_/datasets']
# Keys whose value is the number of keypoints.
COUNTS = {'num_keypoints', 'num_joints', 'num_selected'}
# These take it from a skeleton.
HAVE_SKELETONS = [path for path in LEAVES if 'openpose' in path.parts]
HAVE_SKELETONS += [path for path in LEAVES if path.parent.name == 'own']
UNSUPERVISED = [path for path in LEAVES if 'unsupervised_2d_keypoint' in path.parts]


def relative(path):
    return str(path.relative_to(FOLDER))


def stem(path):
    return path.stem


def bases(path):
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            names = ast.literal_eval(node.value)
            names = [names] if isinstance(names, str) else names
            return [(path.parent / name).resolve() for name in names]
    return []


@cache
def depth(path):
    return max((1 + depth(base) for base in bases(path)), default=0)


def chain(path):
    return {path}.union(*map(chain, bases(path)))


def literal_counts(path):
    """Every number that a file gives to a key which counts keypoints."""
    for node in ast.walk(ast.parse(path.read_text())):
        pairs = []
        if isinstance(node, ast.keyword):
            pairs = [(node.arg, node.value)]
        elif isinstance(node, ast.Assign):
            pairs = [(getattr(node.targets[0], 'id', None), node.value)]
        elif isinstance(node, ast.Dict):
            keys = (getattr(key, 'value', None) for key in node.keys)
            pairs = list(zip(keys, node.values, strict=True))
        for key, value in pairs:
            is_number = isinstance(value, ast.Constant) and value.value is not None
            if key in COUNTS and is_number:
                yield value.value


def lines(path):
    return len(path.read_text().splitlines())


def test_at_most_two_levels_of_bases():
    depths = Counter(map(depth, LEAVES))
    assert set(depths) <= {1, 2}, {relative(p): depth(p) for p in LEAVES}


def test_nothing_inherits_from_a_leaf():
    for path in CONFIGS:
        assert not set(bases(path)) & set(LEAVES), relative(path)


def test_short():
    long = {relative(path): lines(path) for path in LEAVES if lines(path) > 15}
    assert not long
    long = {relative(path): lines(path) for path in METHOD_BASES if lines(path) > 60}
    assert not long


def test_data_sets_have_neither_size_nor_pipeline_nor_kin_in_other_tasks():
    for path in DATASETS:
        assert not re.search(r'\d+x\d+', path.stem), relative(path)
        assert 'pipeline' not in {
            target.id
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Assign)
            for target in node.targets
        }
        assert {base.parent for base in bases(path)} <= {path.parent}
    faces = [path for path in DATASETS if re.match('face|aflw|celeba', path.stem)]
    for path in faces:
        frames = {base.stem for base in chain(path)} - {p.stem for p in faces}
        assert frames <= {'topdown', 'labeled'}


def test_data_sets_are_not_called_as_metainfo_of_mmpose():
    # MMPose opens `configs/_base_/datasets/coco.py` of the folder in which it is run.
    theirs = Path(mmpose.__file__).parent / '.mim/configs/_base_/datasets'
    names = {path.name for path in theirs.glob('*.py')}
    assert 'coco.py' in names and not names & {path.name for path in DATASETS}


def test_american_names():
    assert not [path for path in CONFIGS if 'labelled' in path.stem]


@pytest.mark.parametrize('path', LEAVES, ids=stem)
def test_the_number_of_keypoints_is_said_once(path):
    found = [count for file in sorted(chain(path)) for count in literal_counts(file)]
    if path in HAVE_SKELETONS:
        assert not found
        return
    assert len(found) == 1
    code = [line for line in path.read_text().splitlines() if line[0] != '#']
    assert f'num_keypoints = {found[0]}' in code[:2]


@pytest.mark.parametrize('path', LEAVES, ids=stem)
def test_passes_the_check_and_all_parts_follow_the_number(path):
    cfg = load_config(path)
    # Of people, and of models that learn some labels, the labels say the number.
    if path not in UNSUPERVISED or 'num_keypoints' not in cfg.val_dataloader.dataset:
        return
    cfg = load_config(path, dict(num_keypoints=7))
    assert cfg.model.head.num_keypoints == 7
    loaders = (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader)
    assert [loader.dataset.num_keypoints for loader in loaders] == [7, 7, 7]


def test_a_data_set_of_another_number_is_told_before_training():
    with pytest.raises(ConfigError, match=r'9 in model.head.*; 16 in train_data'):
        load_config('hourglass-s2_mpii-256x256', dict(num_keypoints=9))
