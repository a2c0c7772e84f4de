"""Narrow networks of tf-pose in each of the formats."""

from itertools import product
from typing import NamedTuple

import numpy as np
from graph_def_writer import constant, node

from mmkp.models.backbones.tfpose_mobilenet_v2 import channel_plan

POINTWISE = 'Openpose/MConv_Stage1_L2_5_pointwise'


OURS = 'head.stages.heatmap_branches.0.4.pointwise'


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
