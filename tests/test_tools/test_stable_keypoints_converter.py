"""Converter of the official StableKeypoints' tokens, on small files of its format."""

import importlib.util
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the model
from mmkp.converters.stable_keypoints import convert_checkpoint
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools/model_converters/stable_keypoints_to_mmkp.py'
CONFIGS = ROOT / 'configs/unsupervised_2d_keypoint/stable_keypoints'
CELEBA = CONFIGS / 'celeba/stable-keypoints_celeba-aligned-512x512.py'
N, K, C = 9, 3, 12


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('stable_keypoints_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def files(tmp_path):
    """The two files of a training, and where to write."""
    embedding, indices = tmp_path / 'embedding.pt', tmp_path / 'indices.pt'
    torch.manual_seed(0)
    torch.save(torch.randn(1, N, C, requires_grad=True), embedding)
    torch.save(torch.tensor([7, 2, 5]), indices)
    return [embedding, indices, tmp_path / 'new/tokens.pth']


def refusal(tool, *arguments):
    """The message with which the command ends, and nothing is written."""
    with pytest.raises((OSError, RuntimeError, ValueError)) as caught:
        tool.main([str(a) for a in arguments])
    assert not Path(arguments[2]).is_file()
    return str(caught.value)


def test_command_writes_what_the_model_loads(tool, files, capsys):
    tool.main([str(path) for path in files])
    printed = capsys.readouterr().out
    assert f'num_tokens={N}, num_keypoints={K}, token_width={C}' in printed
    init_default_scope('mmpose')
    backbone = dict(type='FrozenVGG', layers=('relu1_2',), base_channels=C)
    model = MODELS.build(
        dict(
            type='StableKeypoints',
            backbone=dict(type='FeatureAttention', backbone=backbone, in_channels=(C,)),
            head=dict(type='TokenHead', num_tokens=N, num_keypoints=K, map_size=(8, 8)),
        )
    )
    loaded = load_checkpoint(model, str(files[2]), 'cpu', strict=True)
    assert torch.equal(model.head.tokens, torch.load(files[0])[0])
    assert model.head.token_indices.tolist() == [7, 2, 5]
    assert model.head.untrained_token_indices.tolist() == [-1] * K
    assert loaded['meta']['dataset_meta']['num_keypoints'] == K
    # The keypoints are the maps of those tokens, in their order.
    images = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        every = attention_maps_by_rows(model.attend(images), (8, 8))
    assert torch.equal(model.keypoint_maps(images), every[:, [7, 2, 5]])


def test_half_precision_and_short_integers_become_the_types_of_a_checkpoint(files):
    torch.save(torch.ones(1, N, C, dtype=torch.float16), files[0])
    torch.save(torch.tensor([1, 0], dtype=torch.int32), files[1])
    state = convert_checkpoint(*files[:2])['state_dict']
    assert state['head.tokens'].dtype == torch.float32
    assert state['head.token_indices'].dtype == torch.int64
    assert state['backbone.base_fingerprint'].dtype == torch.uint8


def test_the_config_is_compared(tool, files, tmp_path):
    message = refusal(tool, *files, '--config', CELEBA)
    assert f'num_tokens=500, the files have {N}' in message
    assert f'--cfg-options model.head.num_tokens={N}' in message
    torch.save(torch.randn(1, 500, 768), files[0])
    torch.save(torch.arange(10), files[1])
    tool.main([*map(str, files), '--config', str(CELEBA)])
    files[2].unlink()
    autolink = CONFIGS.parent / 'autolink/celeba/autolink_celeba-wild-128x128.py'
    message = refusal(tool, *files, '--config', autolink)
    assert 'is of AutoLink, not of StableKeypoints' in message
    absent = tmp_path / 'absent.py'
    assert f"{absent}' does not exist" in refusal(tool, *files, '--config', absent)


class TestBadFiles:
    def test_swapped(self, tool, files):
        message = refusal(tool, files[1], files[0], files[2])
        assert 'are the two files in the right order, embedding.pt first?' in message

    @pytest.mark.parametrize('shape', [(N, C), (2, N, C), (1, N, C, 1)])
    def test_shape_of_the_tokens(self, tool, files, shape):
        torch.save(torch.zeros(shape), files[0])
        message = refusal(tool, *files)
        assert f'{files[0]} holds a torch.float32 tensor of shape {shape}' in message
        assert 'floats of shape (1, N, C)' in message

    def test_tokens_that_are_not_finite(self, tool, files):
        torch.save(torch.full((1, N, C), float('nan')), files[0])
        assert 'some that are not finite' in refusal(tool, *files)

    @pytest.mark.parametrize(
        'content',
        [torch.rand(K), torch.ones(K, dtype=torch.bool), torch.zeros(1, K).long()],
        ids=['floats', 'truths', 'matrix'],
    )
    def test_indices_of_another_kind(self, tool, files, content):
        torch.save(content, files[1])
        message = refusal(tool, *files)
        assert f'{files[1]} holds a {content.dtype} tensor' in message
        assert 'whole numbers of shape (K,)' in message

    def test_indices_out_of_range(self, tool, files):
        torch.save(torch.tensor([0, N, -1]), files[1])
        message = refusal(tool, *files)
        assert f'names tokens [{N}, -1], but the embedding has {N}' in message

    def test_indices_twice(self, tool, files):
        torch.save(torch.tensor([4, 1, 4]), files[1])
        assert 'names a token twice: [4, 1, 4]' in refusal(tool, *files)

    def test_absent(self, tool, files):
        files[1].unlink()
        assert f'{files[1]} can not be found' in refusal(tool, *files)

    def test_truncated(self, tool, files):
        files[0].write_bytes(files[0].read_bytes()[:200])
        assert 'is truncated' in refusal(tool, *files)

    def test_a_checkpoint_of_mmkp(self, tool, files):
        torch.save({'state_dict': {}}, files[0])
        assert 'holds a dict, not one tensor' in refusal(tool, *files)

    def test_code(self, tool, files, tmp_path):
        class Harmful:
            def __reduce__(self):
                return (Path.touch, (tmp_path / 'touched',))

        torch.save(Harmful(), files[0])
        assert 'could run code' in refusal(tool, *files)
        assert not (tmp_path / 'touched').exists()

    def test_a_folder_to_write_to(self, tool, files, tmp_path):
        with pytest.raises(ValueError, match='is a folder'):
            tool.main([str(files[0]), str(files[1]), str(tmp_path)])
