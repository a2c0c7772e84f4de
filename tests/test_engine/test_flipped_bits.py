# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One flipped bit of a weight is refused wherever weights are loaded."""

import zipfile

import pytest
import tiny
from mmpose.apis import init_model
from tiny_training import train

from mmkp.apis import load_model
from mmkp.engine import CheckpointError, find_resumable_checkpoint, load_checkpoint_file
from mmkp.engine.publish import publish_checkpoint


@pytest.fixture
def flipped(tmp_path):
    """Config and checkpoint of a training, one bit of its largest tensor flipped."""
    config, good = tiny.trained()
    content = bytearray(good.read_bytes())
    with zipfile.ZipFile(good) as archive:
        info = max(
            (i for i in archive.infolist() if '/data/' in i.filename),
            key=lambda i: i.file_size,
        )
        start = content.index(archive.read(info))
    content[start + 3] ^= 0x40
    path = tmp_path / 'work' / 'iter_14.pth'
    path.parent.mkdir()
    path.write_bytes(content)
    return config, path


def test_in_python(flipped, tmp_path):
    config, path = flipped
    for load in (
        lambda: load_checkpoint_file(path),
        lambda: init_model(str(config), str(path), 'cpu'),
        lambda: load_model(config, path),
        lambda: publish_checkpoint(path, tmp_path / 'public.pth'),
        lambda: train(config, tmp_path / 'next', load_from=str(path)),
    ):
        with pytest.raises(
            CheckpointError, match=r'iter_14\.pth .*Bad CRC-32 for file'
        ):
            load()


@pytest.mark.parametrize('tool', ['test', 'resume', 'resume named', 'infer', 'publish'])
def test_in_tools(flipped, tmp_path, tool, capsys):
    config, path = flipped
    words = {
        'test': ('test.py', config, path),
        'resume': ('train.py', config, '--work-dir', path.parent, '--resume'),
        'resume named': ('train.py', config, '--resume', path),
        'infer': ('infer.py', config, path, tmp_path, '--out', tmp_path / 'out'),
        'publish': ('misc/publish_model.py', path, tmp_path / 'public.pth'),
    }[tool]
    with pytest.raises(SystemExit) as stopped:
        tiny.call_tool(*words)
    assert stopped.value.code == 2
    *_, told = capsys.readouterr().err.strip().splitlines()
    assert told.startswith('error: ') and 'data/' in told
    assert 'iter_14.pth' in told or str(path.parent) in told


def test_the_checkpoint_before_is_resumed(flipped):
    _, path = flipped
    before = path.with_name('iter_12.pth')
    before.write_bytes(tiny.trained()[1].read_bytes())
    (path.parent / 'last_checkpoint').write_text(str(path))
    assert find_resumable_checkpoint(path.parent) == before
