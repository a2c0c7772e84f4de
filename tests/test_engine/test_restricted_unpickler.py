"""Pickles that are more than data are refused, however they are written."""

import argparse
import codecs
import copyreg
import functools
import io
import operator
import os
import pathlib
import pickle
import pickletools
import subprocess
import tarfile
import zipfile
from collections import OrderedDict

import mmengine.runner.checkpoint
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

from mmkp.engine import (
    CheckpointError,
    UntrustedCheckpointError,
    load_checkpoint_file,
)
from mmkp.engine.checkpoint import InertObject

DATA = dict(
    numbers=[1, -(2**40), 2**100, 1.5, True, None, 2 + 1j, b'\xff', {1, 2}],
    arrays=[np.arange(6).reshape(2, 3), np.array([1, 'a'], dtype=object)],
    values=[np.float64(0.5), torch.float16, torch.Size([1, 2])],
    history=HistoryBuffer([1.0, 2.0], [1, 1]),
)


class Call:
    """Pickles as a call, which is how malicious pickles are written."""

    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced

    def __call__(self):
        raise NotImplementedError('lets the result of a call be called')


def assert_refused(path, match=None):
    with pytest.raises(UntrustedCheckpointError, match=match) as caught:
        load_checkpoint_file(path)
    assert str(path) in str(caught.value)
    assert 'MMKP_TRUST_CHECKPOINTS' in str(caught.value)


CODE = "open('{}', 'w')"
GLOBALS_OF_METHOD = Call(getattr, HistoryBuffer.mean, '__globals__')
ATTACKS = {
    'posix.system': lambda mark: Call(os.system, f'touch {mark}'),
    'builtins.eval': lambda mark: Call(eval, CODE.format(mark)),
    'builtins.exec': lambda mark: Call(exec, CODE.format(mark)),
    'builtins.__import__': lambda mark: Call(__import__, 'os'),
    'io.open': lambda mark: Call(open, str(mark), 'w'),
    'builtins.__import__.*': lambda mark: Call(
        Call(getattr, Call(__import__, 'builtins'), 'eval'), CODE.format(mark)
    ),
    'builtins.getattr.*__globals__': lambda mark: GLOBALS_OF_METHOD,
    'builtins.getattr.*__init__': lambda mark: Call(getattr, HistoryBuffer, '__init__'),
    'builtins.getattr.*statistics': lambda mark: Call(
        getattr, HistoryBuffer, 'statistics'
    ),
    'builtins.getattr.*__class__': lambda mark: Call(
        getattr, Call(getattr, torch.Size, '__class__'), 'mro'
    ),
    'functools.partial': lambda mark: functools.partial(os.system, f'touch {mark}'),
    'operator.attrgetter': lambda mark: Call(operator.attrgetter('system'), 'anything'),
    '(subprocess|commands).Popen': lambda mark: Call(
        subprocess.Popen, ['touch', str(mark)]
    ),
    '(subprocess|commands).check_output': lambda mark: Call(
        subprocess.check_output, ['touch', str(mark)]
    ),
    'torch.hub.load': lambda mark: Call(torch.hub.load, 'owner/repository', 'model'),
    'torch.storage._load_from_bytes': lambda mark: Call(
        torch.storage._load_from_bytes, pickle.dumps(Call(open, str(mark), 'w'))
    ),
    'torch.serialization.load': lambda mark: Call(torch.load, str(mark)),
    'torch._tensor._rebuild_from_type_v2': lambda mark: Call(
        torch._tensor._rebuild_from_type_v2, eval, torch.Tensor, (CODE,), {}
    ),
    'numpy.*load': lambda mark: Call(np.load, str(mark), None, True),
    'numpy.testing._private.utils.runstring': lambda mark: Call(
        np.testing._private.utils.runstring, CODE.format(mark), {}
    ),
    'numpy.*_reconstruct of': lambda mark: Call(
        np.zeros(1).__reduce__()[0], torch.float32, (0,), b'b'
    ),
    'numpy.dtype': lambda mark: Call(np.dtype, [('field', 'f8')]),
    '_codecs.encode to': lambda mark: Call(codecs.encode, 'text', 'rot13'),
    'pathlib': lambda mark: pathlib.PurePosixPath(str(mark)),
    'argparse.Namespace': lambda mark: argparse.Namespace(a=1),
    'mmengine.config.config.Config': lambda mark: mmengine.Config(dict(a=1)),
    'builtins.map': lambda mark: Call(map, eval, [CODE.format(mark)]),
    'builtins.type': lambda mark: Call(type, 'A', (), {}),
}
PLACES = {
    'alone': lambda attack: attack,
    'in meta': lambda attack: dict(meta=dict(cfg=attack), state_dict={}),
    'as a key': lambda attack: {1: 2, attack: 3},
    'in the optimizer': lambda attack: dict(optimizer=dict(state={0: [(attack,)]})),
    'in an array': lambda attack: np.array([attack, None], dtype=object),
    'in a HistoryBuffer': lambda attack: history_with(attack),
    'beside tensors': lambda attack: OrderedDict(a=torch.ones(2), b=attack),
}


def history_with(attack):
    buffer = HistoryBuffer([1.0], [1])
    buffer.max_length = attack
    return buffer


class TestCodeIsRefused:
    @pytest.mark.parametrize('protocol', [2, 4])
    @pytest.mark.parametrize('named', ATTACKS)
    def test_every_attack(self, named, protocol, tmp_path):
        mark = tmp_path / 'executed'
        torch.save(
            ATTACKS[named](mark), tmp_path / 'evil.pth', pickle_protocol=protocol
        )
        assert_refused(tmp_path / 'evil.pth', match=named)
        assert not mark.exists()

    @pytest.mark.parametrize('zip_format', [True, False])
    @pytest.mark.parametrize('place', PLACES)
    def test_in_every_place(self, place, zip_format, tmp_path):
        mark = tmp_path / 'executed'
        torch.save(
            PLACES[place](Call(os.system, f'touch {mark}')),
            tmp_path / 'evil.pth',
            _use_new_zipfile_serialization=zip_format,
        )
        assert_refused(tmp_path / 'evil.pth', match='posix.system|nt.system')
        assert not mark.exists()

    def test_the_attacks_do_work_where_trusted(self, tmp_path, monkeypatch):
        mark = tmp_path / 'executed'
        torch.save(Call(open, str(mark), 'w'), tmp_path / 'evil.pth')
        load_checkpoint_file(tmp_path / 'evil.pth', trusted=True).close()
        assert mark.exists()
        mark.unlink()
        monkeypatch.setenv('MMKP_TRUST_CHECKPOINTS', '1')
        load_checkpoint_file(tmp_path / 'evil.pth').close()
        assert mark.exists()
        with pytest.raises(UntrustedCheckpointError):
            load_checkpoint_file(tmp_path / 'evil.pth', trusted=False)

    def test_downloaded_files_too(self, tmp_path, monkeypatch):
        mark = tmp_path / 'executed'
        torch.save(Call(open, str(mark), 'w'), tmp_path / 'evil.pth')
        torch.save(dict(a=torch.ones(1)), tmp_path / 'good.pth')
        monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'hub'))
        # Every scheme that downloads ends in the loader for addresses.
        load = CheckpointLoader._get_checkpoint_loader('https://example.org/a.pth')
        assert load is mmengine.runner.checkpoint.load_from_http
        assert load(f'file://{tmp_path}/good.pth') == dict(a=torch.ones(1))
        assert (tmp_path / 'hub/hub/checkpoints/good.pth').is_file()
        with pytest.raises(UntrustedCheckpointError, match='evil.pth'):
            load(f'file://{tmp_path}/evil.pth')
        assert not mark.exists()

    def test_a_damaged_file_is_not_what_it_is_called(self):
        # A fallback to the checkpoint before the damaged one must not swallow this.
        assert not issubclass(UntrustedCheckpointError, CheckpointError)


def write_pickle(path, program):
    """Write a file in torch's format around a pickle given as bytes."""
    buffer = io.BytesIO()
    torch.save(0, buffer)
    with zipfile.ZipFile(buffer) as source, zipfile.ZipFile(path, 'w') as target:
        for name in source.namelist():
            target.writestr(
                name, program if name.endswith('data.pkl') else source.read(name)
            )


HISTORY = b'cmmengine.logging.history_buffer\nHistoryBuffer\n'
METHOD = b'cmmengine.logging.history_buffer\nHistoryBuffer.%s\n'
MEAN = METHOD % b'mean'
ORDERED_DICT = b'ccollections\nOrderedDict\n'


def text(value):
    return pickle.SHORT_BINUNICODE + bytes([len(value)]) + value.encode()


def stack_global(module, name):
    return text(module) + text(name) + pickle.STACK_GLOBAL


def array_of(code, shape, data):
    """Program of an array with any type, shape and data."""
    return (
        b'cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R'
        + b'(K\x01'
        + shape
        + b'cnumpy\ndtype\n'
        + text(code)
        + b'\x89\x88\x87R\x89'
        + data
        + b'tb.'
    )


PROGRAMS = {
    'GLOBAL with the old name of builtins': b'c__builtin__\neval\n'
    + text('1')
    + b'\x85R.',
    'STACK_GLOBAL': stack_global('os', 'system') + text('true') + b'\x85R.',
    'dotted name below an allowed module': stack_global(
        'mmengine.logging.history_buffer', 'HistoryBuffer.mean.__globals__'
    )
    + b'.',
    'module attribute of an allowed module': stack_global('torch', 'os.system') + b'.',
    'dotted name split elsewhere': stack_global(
        'mmengine.logging', 'history_buffer.HistoryBuffer'
    )
    + b'.',
    'np in a module of ours': stack_global('mmengine.logging.history_buffer', 'np')
    + b'.',
    'INST': b'(' + text('true') + b'ios\nsystem\n.',
    'INST of something allowed': b'(icollections\nOrderedDict\n.',
    'OBJ': b'(' + ORDERED_DICT + b'o.',
    'NEWOBJ of a class that is a mere value': b'cnumpy\nndarray\n)\x81.',
    'NEWOBJ of HistoryBuffer with arguments': HISTORY + b'K\x01\x85\x81.',
    'NEWOBJ_EX': HISTORY + b')}\x92.',
    'call of HistoryBuffer': HISTORY + b')R.',
    'call of a method': MEAN + b'K\x01\x85R.',
    'call of a dtype': b'ctorch\nfloat32\n)R.',
    'call with a list for arguments': ORDERED_DICT + b']R.',
    'state for a class': HISTORY + b'}' + text('mean') + MEAN + b'sb.',
    'slots for a class': HISTORY + b'N}' + text('mean') + METHOD % b'max' + b's\x86b.',
    'state for a function': MEAN + b'}' + text('__defaults__') + b')sb.',
    'method in an OrderedDict': ORDERED_DICT + b')R}' + text('items') + MEAN + b'sb.',
    'slots for an OrderedDict': ORDERED_DICT + b')RN}' + text('a') + b'Ks\x86b.',
    'method in a HistoryBuffer': HISTORY + b')\x81}' + text('mean') + MEAN + b'sb.',
    'statistics renamed': HISTORY
    + b')\x81}'
    + text('statistics_methods')
    + b'}'
    + text('mean')
    + METHOD % b'max'
    + b'ssb.',
    'statistics added': HISTORY
    + b')\x81}'
    + text('statistics_methods')
    + b'}'
    + text('new')
    + ORDERED_DICT
    + b'ssb.',
    'append to a HistoryBuffer': HISTORY + b')\x81K\x01a.',
    'appends to a set': b'\x8f(K\x01e.',
    'item of a list': b'](K\x01K\x02u.',
    'item of a HistoryBuffer': HISTORY + b')\x81K\x01K\x02s.',
    'bytearray of a size': b'cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R.',
    'items added to a dict': b'}(K\x01\x90.',
    'text id of persistent objects': b'Psomething\n.',
    'extension registry': b'\x82\xf0.',
    'out-of-band buffer': b'\x97.',
    'objects from bytes': array_of('O8', b'K\x01\x85', b'C\x08ABCDEFGH'),
    'more objects than the list has': array_of('O8', b'K\x99\x85', b'(K\x01l'),
    'more numbers than the bytes hold': array_of('f8', b'K\x99\x85', b'C\x08ABCDEFGH'),
    'shape with a negative size': array_of('f8', b'J\xff\xff\xff\xff\x85', b'C\x00'),
    'shape of another type': array_of('f8', b'K\x01', b'C\x08ABCDEFGH'),
    'dtype that renounces its flags': b'cnumpy\ndtype\n'
    + text('f8')
    + b'\x89\x88\x87R(K\x03'
    + text('|')
    + b'NN'
    + text('x')
    + b'J\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb.',
    'scalar of objects': b'cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n'
    + text('O8')
    + b'\x89\x88\x87RC\x08ABCDEFGH\x86R.',
}


class TestInstructions:
    """Pickles that no pickler writes."""

    @pytest.mark.parametrize('name', PROGRAMS)
    def test_refused(self, name, tmp_path):
        copyreg.add_extension('os', 'system', 0xF0)
        try:
            write_pickle(tmp_path / 'evil.pth', b'\x80\x04' + PROGRAMS[name])
            assert_refused(tmp_path / 'evil.pth')
        finally:
            copyreg.remove_extension('os', 'system', 0xF0)
        assert HistoryBuffer.mean.__defaults__ == (None,)
        assert HistoryBuffer([1.0, 2.0], [1, 1]).statistics('mean') == 1.5

    def test_each_of_them_is_a_sound_pickle(self):
        for name, program in PROGRAMS.items():
            instructions = list(pickletools.genops(b'\x80\x04' + program))
            assert instructions[-1][0].name == 'STOP', name

    def test_numpy_is_never_followed_beyond_its_data(self, tmp_path):
        program = (
            b'cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\n'
            + text('f8')
            + b'\x89\x88\x87RC\x04ABCD\x86R.'
        )
        write_pickle(tmp_path / 'short.pth', b'\x80\x04' + program)
        with pytest.raises(CheckpointError, match='too small'):
            load_checkpoint_file(tmp_path / 'short.pth')

    def test_extra_globals_stand_in_for_names(self, tmp_path):
        program = (
            b'}'
            + text('callbacks')
            + stack_global('lightning.callbacks', 'Checkpoint')
            + b')\x81}'
            + text('best')
            + b'K\x01sbs'
            + text('weights')
            + b']K\x01as.'
        )
        write_pickle(tmp_path / 'foreign.ckpt', b'\x80\x04' + program)
        assert_refused(
            tmp_path / 'foreign.ckpt', match='lightning.callbacks.Checkpoint'
        )
        loaded = load_checkpoint_file(
            tmp_path / 'foreign.ckpt',
            extra_globals={'lightning.callbacks.Checkpoint': InertObject},
        )
        assert loaded['weights'] == [1]
        assert type(loaded['callbacks']) is InertObject
        assert not vars(loaded['callbacks'])
        # The list is for one call only.
        assert_refused(tmp_path / 'foreign.ckpt')


class TestContainers:
    @pytest.mark.filterwarnings('ignore')
    def test_torchscript_is_refused(self, tmp_path):
        torch.jit.script(torch.nn.ReLU()).save(str(tmp_path / 'script.pth'))
        assert_refused(tmp_path / 'script.pth', match='TorchScript')

    def test_tar_is_refused(self, tmp_path):
        with tarfile.open(tmp_path / 'old.pth', 'w') as archive:
            archive.addfile(tarfile.TarInfo('storages'))
        assert_refused(tmp_path / 'old.pth', match='tar')

    @settings(max_examples=150, deadline=None)
    @given(data=st.data())
    def test_flipped_bytes_never_do_anything_else(self, data, tmp_path_factory):
        program = bytearray(pickle.dumps(DATA, 2))
        for _ in range(data.draw(st.integers(1, 4))):
            position = data.draw(st.integers(2, len(program) - 1))
            program[position] = data.draw(st.integers(0, 255))
        path = tmp_path_factory.getbasetemp() / 'flipped.pth'
        write_pickle(path, bytes(program))
        try:
            load_checkpoint_file(path)
        except (CheckpointError, UntrustedCheckpointError) as error:
            assert 'flipped.pth' in str(error)
