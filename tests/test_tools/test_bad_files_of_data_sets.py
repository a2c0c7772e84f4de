# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Converters name the damaged file of a data set in a sentence, and write nothing."""

import shutil

import pytest
from test_bad_files import KINDS, stop_of
from test_body_converters import crops, flic  # noqa: F401  fixtures
from test_dataset_converters import cub, human36m  # noqa: F401
from test_face_converters import celeba, faces  # noqa: F401
from test_unsupervised_converters import cats, digits  # noqa: F401

FILES = [
    ('cat_heads_to_coco', 'cats', 'CAT_01/00000002_000.jpg'),
    ('cat_heads_to_coco', 'cats', 'CAT_01/00000002_000.jpg.cat'),
    ('celeba_to_coco', 'celeba', 'Anno/list_landmarks_celeba.txt'),
    ('celeba_to_coco', 'celeba', 'Anno/list_bbox_celeba.txt'),
    ('celeba_to_coco', 'celeba', 'Eval/list_eval_partition.txt'),
    ('celeba_to_coco', 'celeba', 'MAFL/training.txt'),
    ('celeba_to_coco', 'celeba', 'Img/img_celeba/000004.jpg'),
    ('cub_to_coco', 'cub', 'train_cub_cleaned.mat'),
    ('faces68_to_coco', 'faces', 'landmarks.npz'),
    ('faces68_to_coco', 'faces', 'images/1.png'),
    ('flic_to_coco', 'flic', 'examples.mat'),
    ('flic_to_coco', 'flic', 'images/a.jpg'),
    ('human36m_simplified_to_coco', 'human36m', 'S5/Landmarks/Posing_1.mat'),
    ('human36m_simplified_to_coco', 'human36m', 'S5/WithBackground/Posing_1.jpg'),
    ('human36m_simplified_to_coco', 'human36m', 'S5/BackgroudMask/Posing_1.png'),
    ('idx_to_images', 'digits', 'train-images-idx3-ubyte.gz'),
    ('idx_to_images', 'digits', 'train-labels-idx1-ubyte'),
    ('lsp_to_coco', 'crops', 'joints.npz'),
    ('lsp_to_coco', 'crops', 'images/1.jpg'),
]
OPTIONS = {
    'cub_to_coco': ['--splits', 'train'],
    'human36m_simplified_to_coco': ['--remove-background'],
    'idx_to_images': ['--classes', '1'],
}
DAMAGES = [*KINDS, 'first half', 'most', 'changed']


def damage(path, kind):
    content = path.read_bytes()
    path.unlink()
    if kind == 'folder':
        path.mkdir()
    elif kind == 'first half':
        path.write_bytes(content[: len(content) // 2])
    elif kind == 'most':
        path.write_bytes(content[:-20])
    elif kind == 'changed':
        middle = len(content) // 2
        path.write_bytes(content[:middle] + b'\xff\x00' * 9 + content[middle + 18 :])
    elif kind != 'absent':
        path.write_bytes(KINDS[kind])


@pytest.mark.parametrize('kind', DAMAGES)
@pytest.mark.parametrize(('tool', 'data', 'file'), FILES)
def test_damaged_files_are_named(request, tmp_path, capsys, tool, data, file, kind):
    root = request.getfixturevalue(data)
    root = root[0] if isinstance(root, tuple) else root
    damage(root / file, kind)
    arguments = [root, '--out', tmp_path / 'out', *OPTIONS.get(tool, [])]
    status = stop_of(f'dataset_converters/{tool}.py', *arguments)
    said = capsys.readouterr().err
    assert 'Traceback' not in said
    if status != 0:
        assert status == 2
        assert said.splitlines()[-1].startswith('error: ')
        assert file.rsplit('/')[-1].split('.')[0] in said
    elif kind in KINDS:  # an image and its points are left out together
        assert (data, kind) in (('cats', 'absent'), ('human36m', 'absent'))
    # The rest of a text, and pixels after the header, do not tell that they are lost.
    shutil.rmtree(tmp_path / 'out', ignore_errors=True)
