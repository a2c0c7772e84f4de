# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Conversion of a whole file of OpenPose's weights."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmkp.converters.names import plain_weights, rename
from mmkp.converters.openpose.network_config import read_network
from mmkp.converters.openpose.official_names import (
    BACKBONE,
    PREFIX,
    RULES,
    STAGES,
    Layout,
    detect_layout,
)
from mmkp.converters.readers.caffemodel import read_caffemodel
from mmkp.converters.shape_check import count_children, match_state
from mmkp.converters.vgg19 import convert_vgg19
from mmkp.engine.checkpoint_schemes import load_from_local


def convert_checkpoint(
    official: Mapping[str, Any],
    num_refinements: int | None = None,
    vgg19_input: str = 'openpose',
) -> dict[str, Any]:
    """Convert published weights to a checkpoint that MMEngine loads.

    Taken are: OpenPose's COCO-18, MPI-15 and BODY_25 networks under Caffe's names
    (:func:`name_blobs` for a ``.caffemodel``, or a state dict such as
    ``body_pose_model.pth``) or with numbered layers (``pose_model.pth``); Lightweight
    OpenPose (``checkpoint_iter_*.pth``); torchvision's VGG19, which becomes the
    beginning of a backbone.

    Args:
        official: names to tensors, or a checkpoint with them in ``state_dict``.
        num_refinements: of Lightweight OpenPose, how many refinement stages to keep;
            None keeps all. The first ones do not depend on those behind them.
        vgg19_input: what VGG19 is to be used with, as in :class:`OpenPoseVGG19`.

    Returns:
        ``state_dict`` with the parts ``backbone.`` and ``head.stages.`` of a
        ``BottomupPoseEstimator``, tensors shared with ``official`` where they need no
        change, and ``meta``: ``converted_from``, the number of refinement stages left
        out (``dropped_refinements``), and the configs of ``backbone`` and ``stages``
        (None for VGG19).

    Raises:
        ValueError: none of these networks, a part of one, or fewer refinements than
            asked for.
    """
    named = plain_weights(official, PREFIX)
    layout = detect_layout(named)
    meta: dict[str, Any] = dict(converted_from=layout.value, dropped_refinements=0)
    if layout is Layout.VGG19:
        trunk = convert_vgg19(named, vgg19_input)
        state = {f'{BACKBONE}.{name}': value for name, value in trunk.items()}
        backbone, stages = dict(type='OpenPoseVGG19'), None
    else:
        state = rename(named, RULES[layout], layout.value)
        if num_refinements is not None:
            state, dropped = _drop_refinements(state, layout, num_refinements)
            meta['dropped_refinements'] = dropped
        backbone, stages = read_network(state, layout)
        state = match_state(state, {'backbone': backbone, STAGES: stages})
    meta.update(backbone=backbone, stages=stages)
    return {'meta': meta, 'state_dict': state}


def read_official(path: str | Path) -> Mapping[str, Any]:
    """Read a published file without running code from it.

    Args:
        path: a ``.caffemodel``, or a file that ``torch.save`` wrote.

    Returns:
        Names to tensors, or a checkpoint with them in ``state_dict``, on the CPU.

    Raises:
        FileNotFoundError: there is no such file.
        CheckpointError: the file is truncated, damaged or neither of the two.
        UntrustedCheckpointError: it could run code.
    """
    if Path(path).suffix == '.caffemodel':
        return name_blobs(read_caffemodel(path))
    return load_from_local(str(path), 'cpu')


def name_blobs(layers: Mapping[str, Sequence[np.ndarray]]) -> dict[str, Tensor]:
    """Name the weights of a Caffe model as state dicts of OpenPose's ports do.

    Args:
        layers: of :func:`mmkp.converters.readers.caffemodel.read_caffemodel`.

    Returns:
        ``<layer>.weight`` and ``<layer>.bias``, float32; biases and slopes of PReLUs
        are (C,) whatever the file has.
    """
    named = {}
    for layer, blobs in layers.items():
        kinds = ('weight', 'bias', *(f'blob{i}' for i in range(2, len(blobs))))
        for kind, blob in zip(kinds, blobs, strict=False):
            # Older files give every blob four dimensions.
            flat = kind == 'bias' or 'prelu' in layer
            tensor = torch.from_numpy(blob).float()
            named[f'{layer}.{kind}'] = tensor.flatten() if flat else tensor
    return named


def _drop_refinements(
    state: Mapping[str, Tensor], layout: Layout, keep: int
) -> tuple[dict[str, Tensor], int]:
    """Leave out all refinement stages but the first ``keep``; also says how many."""
    if layout is not Layout.LIGHTWEIGHT:
        raise ValueError(
            f'it is {layout.value}: only Lightweight OpenPose has refinements'
        )
    stages = f'{STAGES}.refinements'
    available = count_children(state, stages)
    if not 0 <= keep <= available:
        raise ValueError(f'it has {available} refinement stages, not {keep}')
    left_out = tuple(f'{stages}.{number}.' for number in range(keep, available))
    kept = {n: value for n, value in state.items() if not n.startswith(left_out)}
    return kept, available - keep
