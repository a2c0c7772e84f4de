"""Each way to name a checkpoint ends in the loader that runs no code."""

import os
import sys
import types

import mmengine.runner.checkpoint as of_mmengine
import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from mmkp.engine import (
    CheckpointError,
    UntrustedCheckpointError,
    checkpoint_schemes,
    load_from_http,
)


class Evil:
    def __reduce__(self):
        return os.system, ('touch owned',)


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A folder with a good and an evil file, behind every scheme."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path))
    torch.save(dict(a=torch.ones(2)), 'good.pth')
    torch.save(dict(a=torch.ones(2), b=Evil()), 'evil.pth')

    class Backend:
        def get(self, address):
            return (tmp_path / address.rpartition('/')[2]).read_bytes()

    class Model:
        def __init__(self, name):
            self.name = name

        def download(self, path):
            content = (tmp_path / self.name).read_bytes()
            with open(path, 'wb') as file:
                file.write(content)

    pavi = types.ModuleType('pavi')
    pavi.modelcloud = types.SimpleNamespace(get=Model)
    monkeypatch.setitem(sys.modules, 'pavi', pavi)
    monkeypatch.setattr(
        checkpoint_schemes, 'get_file_backend', lambda *_, **__: Backend()
    )
    names = dict(good='good.pth', evil='evil.pth')
    monkeypatch.setattr(of_mmengine, 'get_external_models', lambda: names)
    yield tmp_path
    assert not (tmp_path / 'owned').exists()


ADDRESSES = {
    'local': '{}.pth',
    's3': 's3://bucket/{}.pth',
    'petrel': 'petrel://bucket/{}.pth',
    'cluster': 'cluster:s3://bucket/{}.pth',
    'pavi': 'pavi://{}.pth',
    'open-mmlab': 'open-mmlab://{}',
    'openmmlab': 'openmmlab://{}',
}


@pytest.mark.parametrize('scheme', ADDRESSES)
def test_schemes(scheme, store):
    load = CheckpointLoader.load_checkpoint
    assert load(ADDRESSES[scheme].format('good'))['a'].tolist() == [1, 1]
    with pytest.raises(UntrustedCheckpointError, match='posix.system|nt.system'):
        load(ADDRESSES[scheme].format('evil'))


def test_no_scheme_of_mmengine_is_left_unguarded():
    for prefix, loader in CheckpointLoader._schemes.items():
        guarded = loader.__module__ == checkpoint_schemes.__name__
        # These find an address in a list and hand it on.
        assert guarded or prefix in ('modelzoo://', 'torchvision://', 'mmcls://')


@pytest.mark.parametrize('address', ['s3://bucket/a.pth', 'pavi://a.pth'])
def test_missing_clients_are_told(address):
    with pytest.raises(ImportError, match='not installed: install it, or download'):
        CheckpointLoader.load_checkpoint(address)


def test_unknown_prefixes_are_told():
    with pytest.raises(FileNotFoundError, match='begin with gs://: give the path'):
        CheckpointLoader.load_checkpoint('gs://bucket/a.pth')


def test_a_file_of_the_second_machine(tmp_path, monkeypatch):
    # The first process of a machine without a shared home is not of rank 0.
    torch.save(dict(a=torch.ones(1)), tmp_path / 'a.pth')
    calls = []
    download = torch.hub.download_url_to_file
    monkeypatch.setattr(
        torch.hub,
        'download_url_to_file',
        lambda *a, **k: calls.append(a) or download(*a, **k),
    )
    monkeypatch.setattr(checkpoint_schemes, 'get_rank', lambda: 4)
    reached = []
    monkeypatch.setattr(checkpoint_schemes, 'barrier', lambda: reached.append(calls[:]))
    address = f'file://{tmp_path}/a.pth'
    monkeypatch.setenv('LOCAL_RANK', '0')
    load_from_http(address, model_dir=tmp_path / 'second')
    assert len(reached[0]) == 1  # before the others look for it
    monkeypatch.setenv('LOCAL_RANK', '1')
    load_from_http(address, model_dir=tmp_path / 'second')
    assert len(calls) == 1
    monkeypatch.delenv('LOCAL_RANK')
    load_from_http(address, model_dir=tmp_path / 'third')
    assert len(calls) == 2 and not list((tmp_path / 'third').glob('*partial*'))


def test_what_cannot_be_downloaded(tmp_path, monkeypatch):
    reached = []
    monkeypatch.setattr(checkpoint_schemes, 'barrier', lambda: reached.append(1))
    with pytest.raises(CheckpointError, match='cannot be downloaded'):
        load_from_http(f'file://{tmp_path}/absent.pth', model_dir=tmp_path)
    assert reached  # or the other processes wait for ever
    with pytest.raises(CheckpointError, match='names no file'):
        load_from_http('https://example.org/')
