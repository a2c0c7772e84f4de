"""What an export says of itself survives a file; damaged ones are refused."""

import json

import pytest

from mmkp.deployment.description import (
    ExportDescription,
    is_export,
    read_description,
)

DESCRIPTION = ExportDescription(
    kind='keypoints',
    model='LMDIS',
    files={'onnx': 'model.onnx'},
    precision='float32',
    config='config.py',
    keypoint_names=['nose', 'tail'],
    links=[[0, 1]],
    swaps=[],
    keypoint_colors=[[255, 0, 0], [0, 255, 0]],
    input=dict(size=[64, 64], dynamic=False),
    placement=dict(type='resize'),
)


def test_a_description_comes_back_as_it_was_written(tmp_path):
    assert not is_export(tmp_path)
    DESCRIPTION.write(tmp_path)
    assert is_export(tmp_path)
    assert read_description(tmp_path) == DESCRIPTION


def test_a_folder_without_one_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='is no export'):
        read_description(tmp_path)


@pytest.mark.parametrize(
    ('change', 'said'),
    [({'version': 2}, "'mmkp export', 2"), ({'kind': None}, 'lacks kind')],
)
def test_another_version_or_a_missing_entry_is_refused(tmp_path, change, said):
    path = DESCRIPTION.write(tmp_path)
    content = {**json.loads(path.read_text()), **change}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))
    with pytest.raises(ValueError, match=said):
        read_description(tmp_path)
