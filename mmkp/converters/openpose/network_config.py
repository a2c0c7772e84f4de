# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which network a converted state dict is of."""

from typing import Any

from mmkp.converters.openpose.official_names import BACKBONE, STAGES, Layout
from mmkp.converters.shape_check import (
    StateDict,
    count_children,
    shape_of,
    without_defaults,
)


def read_network(state: StateDict, layout: Layout) -> tuple[dict, dict]:
    """Read the sizes of a network off its weights.

    Args:
        state: with mmkp's names.
        layout: of the file that they come from, any but VGG19.

    Returns:
        The configs of backbone and stages; the latter with ``in_channels``,
        ``num_keypoints`` and ``num_fields``. What equals a default is left out.

    Raises:
        ValueError: an entry that tells a size is missing.
    """
    read = {Layout.BODY_25: _read_dense, Layout.LIGHTWEIGHT: _read_lightweight}
    backbone, stages = read.get(layout, _read_two_branch)(state)
    return without_defaults(backbone), without_defaults(stages)


def _read_vgg19(state: StateDict, activation: str) -> dict[str, Any]:
    ends = ('conv1_2', 'conv2_2', 'conv3_4', 'conv4_2')
    return dict(
        type='OpenPoseVGG19',
        activation=activation,
        channels=tuple(
            shape_of(state, f'{BACKBONE}.{name}.weight')[0] for name in ends
        ),
        narrow_channels=tuple(
            shape_of(state, f'{BACKBONE}.conv4_{i}_CPM.weight')[0] for i in (3, 4)
        ),
    )


def _read_two_branch(state: StateDict) -> tuple[dict, dict]:
    branches = f'{STAGES}.field_branches'
    first, hidden, output = (
        shape_of(state, f'{branches}.0.{layer}.weight') for layer in (0, 6, 8)
    )
    stages: dict = dict(
        type='TwoBranchStages',
        in_channels=first[1],
        num_keypoints=shape_of(state, f'{STAGES}.heatmap_branches.0.8.weight')[0],
        num_fields=output[0],
        num_stages=count_children(state, branches),
        channels=first[0],
        hidden_channels=hidden[0],
    )
    if stages['num_stages'] > 1:
        stages['kernel_size'] = shape_of(state, f'{branches}.1.0.weight')[-1]
    return _read_vgg19(state, 'relu'), stages


def _read_dense(state: StateDict) -> tuple[dict, dict]:
    fields, heatmaps = f'{STAGES}.field_stages', f'{STAGES}.heatmap_stages'
    num_field_stages = count_children(state, fields)

    def channels(layer: str) -> tuple[int, int]:
        later = min(1, num_field_stages - 1)
        first, second = (
            shape_of(state, f'{fields}.{stage}.{layer}.0.weight')[0]
            for stage in (0, later)
        )
        return first, second

    stages = dict(
        type='FieldsFirstStages',
        in_channels=shape_of(state, f'{fields}.0.blocks.0.convolutions.0.0.weight')[1],
        num_keypoints=shape_of(state, f'{heatmaps}.0.output.weight')[0],
        num_fields=shape_of(state, f'{fields}.0.output.weight')[0],
        num_field_stages=num_field_stages,
        num_heatmap_stages=count_children(state, heatmaps),
        num_blocks=count_children(state, f'{fields}.0.blocks'),
        channels=channels('blocks.0.convolutions.0'),
        hidden_channels=channels('hidden'),
    )
    return _read_vgg19(state, 'prelu'), stages


def _read_lightweight(state: StateDict) -> tuple[dict, dict]:
    align = shape_of(state, f'{STAGES}.adapter.align.0.weight')
    stages = dict(
        type='LightweightStages',
        in_channels=align[1],
        num_keypoints=shape_of(state, f'{STAGES}.initial.heatmaps.1.weight')[0],
        num_fields=shape_of(state, f'{STAGES}.initial.fields.1.weight')[0],
        num_refinements=count_children(state, f'{STAGES}.refinements'),
        channels=align[0],
        hidden_channels=shape_of(state, f'{STAGES}.initial.fields.0.0.weight')[0],
    )
    width = shape_of(state, f'{BACKBONE}.11.3.weight')[0] / 512
    return dict(type='LightweightMobileNetV1', widen_factor=width), stages
