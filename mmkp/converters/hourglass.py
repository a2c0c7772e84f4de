# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From published weights of Stacked Hourglass networks to mmkp's parameter names.

Three ways of naming are known: that of Princeton's PyTorch port, the same one without
the convolutions that it builds and never uses (the author's network, with several
residuals at a spot where it has them), and that of bearpaw's pytorch-pose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from mmkp.converters.names import Rule, look_up, plain_weights, rename
from mmkp.converters.shape_check import (
    count_children,
    match_state,
    shape_of,
    without_defaults,
)


@dataclass(frozen=True)
class Layout:
    """Names of one program and ours.

    Attributes:
        origin: what users call it.
        layers: rules for modules outside of residuals.
        residuals: rules for the places of residuals.
        inside: what a layer of a residual is called, and here.
    """

    origin: str
    layers: tuple[Rule, ...]
    residuals: tuple[Rule, ...]
    inside: Mapping[str, str]

    def module(self, name: str) -> str | None:
        """Translate the name of a module, None where it is unknown."""
        for layer, ours in self.inside.items():
            place = look_up(name.removesuffix(f'.{layer}'), self.residuals)
            if place and name.endswith(f'.{layer}'):
                return f'{place}.{ours}'
        return look_up(name, self.layers)


_NORMS = {'bn1': 'norm1', 'bn2': 'norm2', 'bn3': 'norm3'}
#: A level of a recursive hourglass there and here.
_BRANCHES = {'up1': 'up', 'low1': 'down', 'low2': 'inner', 'low3': 'out'}
#: The same in an hourglass that is a list of levels.
_NUMBERED_BRANCHES = ('up', 'down', 'out', 'inner')


def _recursive_place(found: re.Match) -> str:
    stack, levels, branch, repeat = found.groups()
    level = levels.replace('low2', 'inner') + _BRANCHES[branch]
    return f'stacks.{stack}.hourglass.{level}.{repeat or 0}'


PRINCETON = Layout(
    "Princeton's pytorch_stacked_hourglass",
    layers=(
        (r'pre\.0\.conv', 'backbone.stem.convolution'),
        (r'pre\.0\.bn', 'backbone.stem.norm'),
        (r'features\.(\d+)\.1\.conv', r'backbone.stacks.\1.linear.convolution'),
        (r'features\.(\d+)\.1\.bn', r'backbone.stacks.\1.linear.norm'),
        (r'outs\.(\d+)\.conv', r'backbone.stacks.\1.heatmap_convolution'),
        (r'merge_features\.(\d+)\.conv\.conv', r'backbone.stacks.\1.feature_feedback'),
        (r'merge_preds\.(\d+)\.conv\.conv', r'backbone.stacks.\1.heatmap_feedback'),
    ),
    residuals=(
        (r'pre\.1', 'backbone.stem.residual1'),
        (r'pre\.3', 'backbone.stem.residual2'),
        (r'pre\.4', 'backbone.stem.residual3'),
        (r'features\.(\d+)\.0', r'backbone.stacks.\1.residuals.0'),
        (r'features\.(\d+)\.0\.(\d+)', r'backbone.stacks.\1.residuals.\2'),
        (
            r'hgs\.(\d+)\.0\.((?:low2\.)*?)(up1|low[123])(?:\.(\d+))?',
            lambda found: f'backbone.{_recursive_place(found)}',
        ),
    ),
    inside=_NORMS
    | {f'conv{i}.conv': f'convolution{i}' for i in (1, 2, 3)}
    | {'skip_layer.conv': 'skip'},
)
AUTHOR = Layout(
    "the author's network in PyTorch",
    PRINCETON.layers,
    PRINCETON.residuals,
    PRINCETON.inside,
)


def _bearpaw(deepest: int) -> Layout:
    """Names of bearpaw's; ``deepest`` is the number of the outermost level."""

    def numbered_place(found: re.Match) -> str:
        stack, depth, branch, repeat = found.groups()
        level = 'inner.' * (deepest - int(depth)) + _NUMBERED_BRANCHES[int(branch)]
        return f'backbone.stacks.{stack}.hourglass.{level}.{repeat}'

    return Layout(
        "bearpaw's pytorch-pose",
        layers=(
            (r'conv1', 'backbone.stem.convolution'),
            (r'bn1', 'backbone.stem.norm'),
            (r'fc\.(\d+)\.0', r'backbone.stacks.\1.linear.convolution'),
            (r'fc\.(\d+)\.1', r'backbone.stacks.\1.linear.norm'),
            (r'score\.(\d+)', r'backbone.stacks.\1.heatmap_convolution'),
            (r'fc_\.(\d+)', r'backbone.stacks.\1.feature_feedback'),
            (r'score_\.(\d+)', r'backbone.stacks.\1.heatmap_feedback'),
        ),
        residuals=(
            (r'layer([123])\.0', r'backbone.stem.residual\1'),
            (r'res\.(\d+)\.(\d+)', r'backbone.stacks.\1.residuals.\2'),
            (r'hg\.(\d+)\.hg\.(\d+)\.([0-3])\.(\d+)', numbered_place),
        ),
        inside=_NORMS
        | {f'conv{i}': f'convolution{i}' for i in (1, 2, 3)}
        | {'downsample.0': 'skip'},
    )


def convert_checkpoint(official: Mapping[str, Any]) -> dict[str, Any]:
    """Convert published weights to a checkpoint that MMEngine loads.

    Args:
        official: names to tensors, or a checkpoint with them in ``state_dict``.
            ``model.`` and ``module.`` before the names are ignored, and so are
            convolutions on the skip paths of residuals whose widths are equal, which
            the network does not use. Counters of batches, which files of torch before
            0.4.1 lack, start at 0.

    Returns:
        ``state_dict``, with :class:`StackedHourglass`'s names behind ``backbone.`` and
        tensors shared with ``official``; and ``meta``: ``converted_from``, and the
        configs of ``backbone`` and ``data_preprocessor`` to use the weights with.

    Raises:
        ValueError: none of these networks, or not all of one.
    """
    named = plain_weights(official, r'(model\.)?(module\.)?')
    dead = _dead_names(named)
    layout = _detect_layout(named, bool(dead))
    used = {name: value for name, value in named.items() if name not in dead}
    state = rename(used, layout.module, layout.origin)
    backbone = _read_backbone(state)
    state = match_state(state, {'backbone': backbone})
    # Princeton and the author give the network RGB in [0, 1] as it is.
    is_raw = layout in (PRINCETON, AUTHOR)
    mean = (0.0, 0.0, 0.0) if is_raw else (0.4404, 0.4440, 0.4327)
    preprocessor = dict(
        type='PoseDataPreprocessor',
        mean=[round(255 * value, 4) for value in mean],
        std=[255.0] * 3,
        bgr_to_rgb=True,
    )
    meta = dict(
        converted_from=layout.origin, backbone=backbone, data_preprocessor=preprocessor
    )
    return {'meta': meta, 'state_dict': state}


def _dead_names(named: Mapping[str, Tensor]) -> set[str]:
    """Skip paths that Princeton's port builds although the widths are equal."""
    return {
        f'{name.removesuffix("weight")}{kind}'
        for name, value in named.items()
        if name.endswith('.skip_layer.conv.weight')
        and value.shape[:1] == value.shape[1:2]
        for kind in ('weight', 'bias')
    }


def _detect_layout(named: Mapping[str, Tensor], has_dead_names: bool) -> Layout:
    if any(re.match(r'hgs\.\d+\.0\.', name) for name in named):
        return PRINCETON if has_dead_names else AUTHOR
    levels = (re.match(r'hg\.\d+\.hg\.(\d+)\.', name) for name in named)
    depths = [int(found[1]) for found in levels if found]
    if depths:
        return _bearpaw(max(depths))
    raise ValueError(
        'it is no Stacked Hourglass of Princeton, of the author or of bearpaw: it '
        f'holds {", ".join(list(named)[:3]) or "no weights"}, ...'
    )


def _read_backbone(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read the sizes of the network off its weights."""

    def shape(name: str) -> tuple[int, ...]:
        found = shape_of(state, f'backbone.{name}.weight')
        if len(found) != 4:
            raise ValueError(
                f'backbone.{name}.weight is no kernel: its shape is {found}'
            )
        return found

    width, in_channels = shape('stem.convolution')[:2]
    middle = shape('stem.residual2.convolution3')[0]
    levels = (
        re.match(r'backbone\.stacks\.0\.hourglass\.((?:inner\.)*)up\.', name)
        for name in state
    )
    deepest = max((found[1].count('inner') for found in levels if found), default=0)
    return without_defaults(
        dict(
            type='StackedHourglass',
            num_stacks=count_children(state, 'backbone.stacks'),
            num_keypoints=shape('stacks.0.heatmap_convolution')[0],
            order=1 + deepest,
            channels=shape('stem.residual3.convolution3')[0],
            num_residuals=count_children(state, 'backbone.stacks.0.residuals'),
            stem='newell' if middle == 2 * width else 'bearpaw',
            stem_channels=width,
            in_channels=in_channels,
        ),
        keep=('num_stacks', 'num_keypoints', 'stem'),
    )
