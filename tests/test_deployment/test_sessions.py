"""Files of networks, run by each runtime."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mmkp.deployment.description import ExportDescription
from mmkp.deployment.sessions import RUNTIMES, is_installed, open_session

DESCRIPTION = ExportDescription(
    kind='keypoints',
    model='Tiny',
    files={'onnx': 'model.onnx', 'torch': 'model.pt'},
    precision='float32',
    config='config.py',
    keypoint_names=['0'],
    links=[],
    swaps=[],
    keypoint_colors=[[255, 0, 0]],
    input=dict(size=[16, 16], dynamic=True),
    placement=dict(type='resize'),
)


class Tiny(nn.Module):
    """Keypoints of nothing: means of a convolution, and a score."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3, padding=1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        means = self.conv(images).mean((2, 3))
        return means[:, None], means.sum(1, keepdim=True)


@pytest.fixture(scope='module')
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export with an ONNX and a torch file, and what torch computes."""
    pytest.importorskip('onnxscript')
    folder = tmp_path_factory.mktemp('export')
    torch.manual_seed(0)
    model, images = Tiny().eval(), torch.zeros(2, 3, 16, 16)
    sizes = {0: torch.export.Dim('batch'), 2: torch.export.Dim('height')}
    program = torch.export.export(model, (images,), dynamic_shapes=(sizes,))
    torch.jit.trace(model, images).save(folder / 'model.pt')
    torch.onnx.export(
        program,
        f=str(folder / 'model.onnx'),
        input_names=['images'],
        output_names=['keypoints', 'keypoint_scores'],
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    DESCRIPTION.write(folder)
    return folder


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_runtimes_compute_what_torch_does(export: Path, runtime: str) -> None:
    """Of any number of images of any height, by name."""
    if not is_installed(runtime):
        pytest.skip(f'{runtime} is not installed')
    session = open_session(export, runtime, threads=1)
    torch.manual_seed(0)
    model = Tiny().eval()
    generator = np.random.default_rng(0)
    results = []
    for number, height in ((1, 16), (3, 24), (1, 16)):
        images = generator.uniform(-2, 2, (number, 3, height, 16)).astype(np.float32)
        found = session.run({'images': images})
        with torch.inference_mode():
            expected = model(torch.from_numpy(images))
        results.append((found, expected))
    for found, expected in results:  # later runs leave earlier results alone
        assert set(found) == {'keypoints', 'keypoint_scores'}
        for array, tensor in zip(found.values(), expected, strict=True):
            np.testing.assert_allclose(array, tensor.numpy(), atol=1e-5)
    assert session.precision == 'float32'


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_outputs_can_be_left_out(export: Path, runtime: str) -> None:
    """Only those that are asked for come back."""
    if not is_installed(runtime):
        pytest.skip(f'{runtime} is not installed')
    session = open_session(export, runtime, 1, outputs=['keypoint_scores'])
    found = session.run({'images': np.ones((1, 3, 16, 16), np.float32)})
    assert list(found) == ['keypoint_scores']


@pytest.mark.parametrize('runtime', ['openvino', 'torch'])
def test_bfloat16_rounds_a_little(export: Path, runtime: str) -> None:
    """It is another computation, and near."""
    if not is_installed(runtime):
        pytest.skip(f'{runtime} is not installed')
    plain, rounded = (
        open_session(export, runtime, 1, bfloat16) for bfloat16 in (False, True)
    )
    images = np.random.default_rng(0).uniform(-2, 2, (4, 3, 16, 16))
    inputs = {'images': images.astype(np.float32)}
    expected, found = plain.run(inputs), rounded.run(inputs)
    assert rounded.precision == 'bfloat16'
    assert found['keypoints'].dtype == np.float32
    np.testing.assert_allclose(found['keypoints'], expected['keypoints'], atol=0.02)


def test_mistakes_are_told(export: Path, tmp_path: Path) -> None:
    """Each in one sentence that names what is wrong."""
    with pytest.raises(ValueError, match="'onyx' is unknown, did you mean 'onnx'"):
        open_session(export, 'onyx')
    with pytest.raises(ValueError, match='no bfloat16'):
        open_session(export, 'onnx', bfloat16=True)
    with pytest.raises(FileNotFoundError, match='there is no file'):
        open_session(tmp_path / 'none.onnx', 'onnx')
    with pytest.raises(ValueError, match=r'torch reads \.pt,'):
        open_session(export / 'model.onnx', 'torch')
    with pytest.raises(ValueError, match=r'model.onnx.* images \(1, 3, 8, 15\)'):
        images = np.zeros((1, 3, 8, 15), np.float32)
        open_session(export, 'onnx').run({'images': images})
    replace(DESCRIPTION, files={'onnx': 'model.onnx'}).write(tmp_path)
    with pytest.raises(FileNotFoundError, match='-f torch'):
        open_session(tmp_path, 'torch')


@pytest.mark.parametrize('runtime', RUNTIMES)
def test_a_damaged_file_is_told(tmp_path: Path, runtime: str) -> None:
    """By a sentence that names it."""
    if not is_installed(runtime):
        pytest.skip(f'{runtime} is not installed')
    path = tmp_path / ('model.pt' if runtime == 'torch' else 'model.onnx')
    path.write_bytes(b'nothing of the kind')
    with pytest.raises(ValueError, match=f'{runtime} cannot read .*{path.name}'):
        open_session(path, runtime)


def test_a_runtime_that_is_missing_is_told(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the command that brings it."""
    monkeypatch.setitem(__import__('sys').modules, 'onnxruntime', None)
    assert not is_installed('onnx')
    with pytest.raises(ImportError, match='pip install onnxruntime'):
        open_session(export, 'onnx')
