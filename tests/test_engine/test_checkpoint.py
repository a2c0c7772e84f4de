"""Checkpoints: what loads, and what is said of those that do not."""

import io
import zipfile
from collections import Counter, OrderedDict

import mmengine.optim.scheduler
import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import Runner
from mmengine.runner.checkpoint import CheckpointLoader

from mmkp.engine import (
    CheckpointError,
    UntrustedCheckpointError,
    load_checkpoint_file,
)


class ToyModel(mmengine.model.BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)
        )

    def train_step(self, data, optim_wrapper):
        loss = self.layers(torch.stack(data)).square().mean()
        optim_wrapper.update_params(loss)
        return dict(loss=loss)

    def forward(self, inputs):
        return self.layers(inputs)


@pytest.fixture(scope='module')
def runner_checkpoint(tmp_path_factory):
    """Path of what a Runner wrote after two epochs, its optimizer and hub included."""
    folder = tmp_path_factory.mktemp('run')
    runner = Runner(
        ToyModel(),
        work_dir=str(folder),
        train_dataloader=dict(
            dataset=list(torch.randn(8, 3)),
            batch_size=4,
            sampler=dict(type='DefaultSampler', shuffle=True),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.01)),
        param_scheduler=[
            dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=2),
            dict(type='MultiStepLR', milestones=[1]),
        ],
        custom_hooks=[dict(type='EMAHook')],
        experiment_name=f'test_checkpoint_{folder.name}',
        log_level='WARNING',
    )
    runner.train()
    return folder / 'epoch_2.pth'


def bits(tensor):
    return tensor.detach().reshape(-1).view(torch.uint8)


def assert_same(left, right):
    assert type(left) is type(right)
    if isinstance(left, torch.Tensor):
        assert left.dtype == right.dtype and left.shape == right.shape
        assert torch.equal(bits(left), bits(right))
    elif isinstance(left, np.ndarray):
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right)
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            assert_same(left[key], right[key])
        if isinstance(left, OrderedDict):
            assert vars(left) == vars(right)
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for pair in zip(left, right, strict=True):
            assert_same(*pair)
    elif isinstance(left, HistoryBuffer):
        assert_same(left.data, right.data)
        assert left.statistics('mean') == right.statistics('mean')
    else:
        assert left == right


class TestWhatMMEngineWrites:
    def test_runner_checkpoint_loads_through_mmengine(self, runner_checkpoint):
        loaded = CheckpointLoader.load_checkpoint(str(runner_checkpoint), 'cpu')
        assert_same(loaded, torch.load(runner_checkpoint, weights_only=False))
        history = loaded['message_hub']['log_scalars']['train/loss']
        assert isinstance(history, HistoryBuffer) and len(history.data[0]) == 4
        assert loaded['optimizer']['state'][0]['exp_avg'].shape == (4, 3)
        assert loaded['param_schedulers'][1]['milestones'] == Counter([1])
        assert 'ema_state_dict' in loaded and loaded['meta']['epoch'] == 2

    def test_training_resumes(self, runner_checkpoint, tmp_path):
        runner = Runner(
            ToyModel(),
            work_dir=str(tmp_path),
            load_from=str(runner_checkpoint),
            resume=True,
            train_dataloader=dict(
                dataset=list(torch.randn(8, 3)),
                batch_size=4,
                sampler=dict(type='DefaultSampler', shuffle=True),
            ),
            train_cfg=dict(by_epoch=True, max_epochs=3),
            optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.01)),
            custom_hooks=[dict(type='EMAHook')],
            experiment_name=f'test_resume_{tmp_path.name}',
            log_level='WARNING',
        )
        runner.train()
        assert runner.epoch == 3
        history = runner.message_hub.get_scalar('train/loss')
        assert len(history.data[0]) == 6

    @pytest.mark.parametrize(
        'name, arguments',
        [
            ('ConstantLR', {}),
            ('CosineAnnealingLR', dict(T_max=5)),
            (
                'CosineRestartLR',
                dict(periods=[2, 3], restart_weights=[1, 0.5], eta_min=0),
            ),
            ('ExponentialLR', dict(gamma=0.9)),
            ('LinearLR', {}),
            ('MultiStepLR', dict(milestones=[2, 3])),
            ('OneCycleLR', dict(eta_max=1, total_steps=9)),
            ('PolyLR', {}),
            ('ReduceOnPlateauLR', {}),
            ('StepLR', dict(step_size=2)),
        ],
    )
    def test_scheduler_state(self, name, arguments, tmp_path):
        optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1, 0.9)
        if name == 'ReduceOnPlateauLR':
            arguments = dict(monitor='loss')
        scheduler = getattr(mmengine.optim.scheduler, name)(optimizer, **arguments)
        state = scheduler.state_dict()
        torch.save(state, tmp_path / 'state.pth')
        assert_same(load_checkpoint_file(tmp_path / 'state.pth'), state)

    def test_registered_statistics_need_the_function(self, tmp_path, monkeypatch):
        methods = dict(HistoryBuffer._statistics_methods, median=median)
        monkeypatch.setattr(HistoryBuffer, '_statistics_methods', methods)
        torch.save(HistoryBuffer([1, 2, 4], [1, 1, 1]), tmp_path / 'median.pth')
        name = f'{median.__module__}.median'
        with pytest.raises(UntrustedCheckpointError, match=name):
            load_checkpoint_file(tmp_path / 'median.pth')
        loaded = load_checkpoint_file(
            tmp_path / 'median.pth', extra_globals={name: median}
        )
        assert loaded.statistics('median') == 2


def median(buffer):
    return np.median(buffer.data[0])


DTYPES = [
    torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.complex64,
    torch.complex128, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64,
    torch.bool,
]  # fmt: skip
PLAIN = dict(
    none=None,
    numbers=[1, -(2**40), 2**100, 1.5, True, 2 + 1j],
    text='Gesicht é 顔',
    octets=[b'', b'\x00\xff', bytearray(b'ab')],
    containers=[(), (1,), tuple(range(5)), {1, 2}, frozenset('ab'), Counter('aab')],
    arrays=[
        np.arange(6).reshape(2, 3),
        np.asfortranarray(np.arange(6.0, dtype=np.float32).reshape(2, 3)),
        np.zeros((0, 3)),
        np.array(['nose', 'ear']),
        np.array([1, 'a', None], dtype=object),
        np.array([True, False]),
    ],
    scalars=[np.float64(0.5), np.float16(2), np.int64(3), np.bool_(True), np.str_('a')],
    random_state=np.random.RandomState(0).get_state(),
    torch_values=[torch.float16, torch.Size([1, 2]), torch.device('cpu')],
)


class TestPlainData:
    @pytest.mark.parametrize('protocol', [2, 3, 4])
    @pytest.mark.parametrize('zip_format', [True, False])
    def test_python_numpy_and_torch_values(self, protocol, zip_format, tmp_path):
        tensors = [torch.ones(2, 3).to(dtype) for dtype in DTYPES]
        tensors += [torch.nn.Parameter(torch.ones(2))]
        tensors += [torch.arange(12.0).reshape(3, 4)[:, 1:3], torch.tensor(2.0)]
        shared = torch.arange(4.0)
        saved = dict(
            PLAIN,
            tensors=tensors,
            views=[shared[:2], shared[2:]],
            state_dict=torch.nn.BatchNorm2d(3).state_dict(),
            history=HistoryBuffer([1.0, 2.0], [1, 1]),
        )
        torch.save(
            saved,
            tmp_path / 'all.pth',
            pickle_protocol=protocol,
            _use_new_zipfile_serialization=zip_format,
        )
        loaded = load_checkpoint_file(tmp_path / 'all.pth')
        assert_same(loaded, saved)
        views = [view.untyped_storage().data_ptr() for view in loaded['views']]
        assert views[0] == views[1]

    @pytest.mark.parametrize('kind', ['uint16', 'uint64', 'float8_e4m3fn'])
    def test_new_tensor_types(self, kind, tmp_path):
        if not hasattr(torch, kind):
            pytest.skip(f'this torch has no {kind}')
        tensor = torch.ones(2).to(getattr(torch, kind))
        try:
            torch.save(tensor, tmp_path / 'tensor.pth')
        except KeyError:  # float8 on torch 2.1
            pytest.skip(f'this torch does not save {kind}')
        assert_same(load_checkpoint_file(tmp_path / 'tensor.pth'), tensor)

    def test_map_location(self, tmp_path):
        torch.save(torch.ones(3), tmp_path / 'tensor.pth')
        assert load_checkpoint_file(tmp_path / 'tensor.pth', 'meta').is_meta


class TestContainers:
    @pytest.mark.parametrize('kept', [0, 1, 4, 100, 0.5, 0.9, -1])
    def test_truncated(self, kept, runner_checkpoint, tmp_path):
        data = runner_checkpoint.read_bytes()
        size = int(kept * len(data)) if isinstance(kept, float) else kept
        (tmp_path / 'cut.pth').write_bytes(data[:size])
        with pytest.raises(
            CheckpointError, match=r'cut\.pth \(\d+ bytes\) is (trunc|empty|no check)'
        ):
            CheckpointLoader.load_checkpoint(str(tmp_path / 'cut.pth'), 'cpu')

    @pytest.mark.parametrize(
        'content',
        [b'<html>not found</html>', bytes(5000), b'PK\x03\x04', b'\x80\x02}.'],
    )
    def test_something_else(self, content, tmp_path):
        (tmp_path / 'other.pth').write_bytes(content)
        with pytest.raises(CheckpointError, match='other.pth'):
            load_checkpoint_file(tmp_path / 'other.pth')

    def test_zip_of_something_else(self, tmp_path):
        with zipfile.ZipFile(tmp_path / 'other.pth', 'w') as archive:
            archive.writestr('weights/readme.txt', 'hello')
        with pytest.raises(CheckpointError, match='other.pth'):
            load_checkpoint_file(tmp_path / 'other.pth')

    def test_missing(self, tmp_path):
        for path in (tmp_path / 'no.pth', tmp_path):
            with pytest.raises(FileNotFoundError, match=path.name):
                load_checkpoint_file(path)

    def test_missing_device_is_not_blamed_on_the_file(self, tmp_path, monkeypatch):
        monkeypatch.setattr(torch.cuda, 'is_available', lambda: False)
        buffer = io.BytesIO()
        torch.save(torch.ones(2), buffer)
        with zipfile.ZipFile(buffer) as archive:
            name = next(n for n in archive.namelist() if n.endswith('data.pkl'))
            program = archive.read(name)
        cpu, cuda = (b'X%c\x00\x00\x00%s' % (len(d), d) for d in (b'cpu', b'cuda:0'))
        assert cpu in program
        buffer2 = io.BytesIO()
        with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(buffer2, 'w') as new:
            for entry in old.namelist():
                content = old.read(entry)
                new.writestr(entry, content.replace(cpu, cuda))
        (tmp_path / 'gpu.pth').write_bytes(buffer2.getvalue())
        with pytest.raises(RuntimeError, match='on a CUDA device') as caught:
            load_checkpoint_file(tmp_path / 'gpu.pth')
        assert not isinstance(caught.value, CheckpointError)
        assert load_checkpoint_file(tmp_path / 'gpu.pth', 'cpu').tolist() == [1, 1]
