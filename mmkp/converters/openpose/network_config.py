# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which network a converted state dict is of, and whether it is all there."""

import inspect
import re
from collections.abc import Mapping
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.converters.openpose.official_names import BACKBONE, STAGES, Layout

StateDict = Mapping[str, Tensor]


def read_network(state: StateDict, layout: Layout) -> tuple[dict, dict]:
    """Read the sizes of a network off its weights, and check that they are complete.

    Args:
        state: with mmkp's names.
        layout: of the file that they come from, any but VGG19.

    Returns:
        The configs of backbone and stages; the latter with ``in_channels``,
        ``num_keypoints`` and ``num_fields``. What equals a default is left out.

    Raises:
        ValueError: entries are missing, have another shape than the rest asks for, or
            belong to no such network.
    """
    read = {Layout.BODY_25: _read_dense, Layout.LIGHTWEIGHT: _read_lightweight}
    backbone, stages = read.get(layout, _read_two_branch)(state)
    configs = _without_defaults(backbone), _without_defaults(stages)
    _check(state, *configs)
    return configs


def _read_vgg19(state: StateDict, activation: str) -> dict[str, Any]:
    ends = ('conv1_2', 'conv2_2', 'conv3_4', 'conv4_2')
    return dict(
        type='OpenPoseVGG19',
        activation=activation,
        channels=tuple(_shape(state, f'{BACKBONE}{name}.weight')[0] for name in ends),
        narrow_channels=tuple(
            _shape(state, f'{BACKBONE}conv4_{i}_CPM.weight')[0] for i in (3, 4)
        ),
    )


def _read_two_branch(state: StateDict) -> tuple[dict, dict]:
    branches = f'{STAGES}field_branches'
    first, hidden, output = (
        _shape(state, f'{branches}.0.{layer}.weight') for layer in (0, 6, 8)
    )
    stages: dict = dict(
        type='TwoBranchStages',
        in_channels=first[1],
        num_keypoints=_shape(state, f'{STAGES}heatmap_branches.0.8.weight')[0],
        num_fields=output[0],
        num_stages=_count(state, branches),
        channels=first[0],
        hidden_channels=hidden[0],
    )
    if stages['num_stages'] > 1:
        stages['kernel_size'] = _shape(state, f'{branches}.1.0.weight')[-1]
    return _read_vgg19(state, 'relu'), stages


def _read_dense(state: StateDict) -> tuple[dict, dict]:
    fields, heatmaps = f'{STAGES}field_stages', f'{STAGES}heatmap_stages'
    num_field_stages = _count(state, fields)

    def channels(layer: str) -> tuple[int, int]:
        later = min(1, num_field_stages - 1)
        first, second = (
            _shape(state, f'{fields}.{stage}.{layer}.0.weight')[0]
            for stage in (0, later)
        )
        return first, second

    stages = dict(
        type='FieldsFirstStages',
        in_channels=_shape(state, f'{fields}.0.blocks.0.convolutions.0.0.weight')[1],
        num_keypoints=_shape(state, f'{heatmaps}.0.output.weight')[0],
        num_fields=_shape(state, f'{fields}.0.output.weight')[0],
        num_field_stages=num_field_stages,
        num_heatmap_stages=_count(state, heatmaps),
        num_blocks=_count(state, f'{fields}.0.blocks'),
        channels=channels('blocks.0.convolutions.0'),
        hidden_channels=channels('hidden'),
    )
    return _read_vgg19(state, 'prelu'), stages


def _read_lightweight(state: StateDict) -> tuple[dict, dict]:
    align = _shape(state, f'{STAGES}adapter.align.0.weight')
    stages = dict(
        type='LightweightStages',
        in_channels=align[1],
        num_keypoints=_shape(state, f'{STAGES}initial.heatmaps.1.weight')[0],
        num_fields=_shape(state, f'{STAGES}initial.fields.1.weight')[0],
        num_refinements=_count(state, f'{STAGES}refinements'),
        channels=align[0],
        hidden_channels=_shape(state, f'{STAGES}initial.fields.0.0.weight')[0],
    )
    width = _shape(state, f'{BACKBONE}11.3.weight')[0] / 512
    return dict(type='LightweightMobileNetV1', widen_factor=width), stages


def _shape(state: StateDict, name: str) -> tuple[int, ...]:
    if name not in state:
        raise ValueError(f'{name} is missing: the file is of a part of the network')
    return tuple(state[name].shape)


def _count(state: StateDict, prefix: str) -> int:
    """Count the numbered children of a module."""
    pattern = re.compile(rf'{re.escape(prefix)}\.(\d+)\.')
    return len({found[1] for name in state if (found := pattern.match(name))})


def _without_defaults(config: dict[str, Any]) -> dict[str, Any]:
    parameters = inspect.signature(MODELS.get(config['type'])).parameters
    return {
        name: value
        for name, value in config.items()
        if name == 'type' or value != parameters[name].default
    }


def _check(state: StateDict, backbone: dict, stages: dict) -> None:
    """Compare names and shapes with those of the network that the configs describe."""
    with torch.device('meta'):
        head = nn.ModuleDict({'stages': MODELS.build(stages)})
        network = nn.ModuleDict({'backbone': MODELS.build(backbone), 'head': head})
    expected = {name: tuple(v.shape) for name, v in network.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    wrong = [
        f'{name} is {found[name]} instead of {expected[name]}'
        for name in expected
        if name in found and found[name] != expected[name]
    ]
    wrong += [f'{name} is missing' for name in expected if name not in found]
    wrong += [f'{name} is too many' for name in found if name not in expected]
    if wrong:
        raise ValueError(
            f'{len(wrong)} entries do not fit {stages["type"]} of the sizes in the '
            f'file: {"; ".join(wrong[:3])}'
        )
