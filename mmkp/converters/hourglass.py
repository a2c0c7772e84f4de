# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From published weights of Stacked Hourglass networks to mmkp's parameter names.

Three ways of naming are known: that of Princeton's PyTorch port, the same one without
the convolutions that it builds and never uses (the author's network, with several
residuals at a spot where it has them), and that of bearpaw's pytorch-pose.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor

BACKBONE = 'backbone.'

#: A level of a recursive hourglass there and here.
_BRANCHES = {'up1': 'up', 'low1': 'down', 'low2': 'inner', 'low3': 'out'}
#: The same in an hourglass that is a list of levels.
_NUMBERED_BRANCHES = ('up', 'down', 'out', 'inner')

_PRINCETON = (
    (r'pre\.0\.conv', 'stem.convolution'),
    (r'pre\.0\.bn', 'stem.norm'),
    (r'features\.(\d+)\.1\.conv', r'stacks.\1.linear.convolution'),
    (r'features\.(\d+)\.1\.bn', r'stacks.\1.linear.norm'),
    (r'outs\.(\d+)\.conv', r'stacks.\1.heatmap_convolution'),
    (r'merge_features\.(\d+)\.conv\.conv', r'stacks.\1.feature_feedback'),
    (r'merge_preds\.(\d+)\.conv\.conv', r'stacks.\1.heatmap_feedback'),
)
_BEARPAW = (
    (r'conv1', 'stem.convolution'),
    (r'bn1', 'stem.norm'),
    (r'fc\.(\d+)\.0', r'stacks.\1.linear.convolution'),
    (r'fc\.(\d+)\.1', r'stacks.\1.linear.norm'),
    (r'score\.(\d+)', r'stacks.\1.heatmap_convolution'),
    (r'fc_\.(\d+)', r'stacks.\1.feature_feedback'),
    (r'score_\.(\d+)', r'stacks.\1.heatmap_feedback'),
)
_RESIDUAL_PRINCETON = (
    (r'bn([123])', r'norm\1'),
    (r'conv([123])\.conv', r'convolution\1'),
    (r'skip_layer\.conv', 'skip'),
)
_RESIDUAL_BEARPAW = (
    (r'bn([123])', r'norm\1'),
    (r'conv([123])', r'convolution\1'),
    (r'downsample\.0', 'skip'),
)


class Layout(Enum):
    """Whose names a file uses; the value is what users call it."""

    PRINCETON = "Princeton's pytorch_stacked_hourglass"
    AUTHOR = "the author's network in PyTorch"
    BEARPAW = "bearpaw's pytorch-pose"


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
    named = _tensors(official)
    dead = _dead_names(named)
    layout = _detect_layout(named, bool(dead))
    translated = _translate(named.keys() - dead, named, layout)
    state = {f'{BACKBONE}{ours}': named[name] for ours, name in translated.items()}
    backbone = _read_backbone(state)
    state = _complete(state, backbone)
    # Princeton and the author give the network RGB in [0, 1] as it is.
    mean = (0.4404, 0.4440, 0.4327) if layout is Layout.BEARPAW else (0.0, 0.0, 0.0)
    preprocessor = dict(
        type='PoseDataPreprocessor',
        mean=[round(255 * value, 4) for value in mean],
        std=[255.0] * 3,
        bgr_to_rgb=True,
    )
    meta = dict(
        converted_from=layout.value, backbone=backbone, data_preprocessor=preprocessor
    )
    return {'meta': meta, 'state_dict': state}


def _tensors(official: Mapping[str, Any]) -> dict[str, Tensor]:
    """Take the state dict out of a checkpoint, with plain names."""
    state = official.get('state_dict', official)
    if not isinstance(state, Mapping):
        raise ValueError(f'its state_dict is a {type(state).__name__}, not a dict')
    named: dict[str, Tensor] = {}
    for name, value in state.items():
        if isinstance(value, Tensor):
            plain = re.sub(r'^(model\.)?(module\.)?', '', str(name))
            if plain in named:
                raise ValueError(f'{plain} is there twice, with and without a prefix')
            named[plain] = value
    if not named:
        raise ValueError('it holds no weights')
    return named


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
        return Layout.PRINCETON if has_dead_names else Layout.AUTHOR
    if any(re.match(r'hg\.\d+\.hg\.\d+\.', name) for name in named):
        return Layout.BEARPAW
    raise ValueError(
        'it is no Stacked Hourglass of Princeton, of the author or of bearpaw: it '
        f'holds {", ".join(list(named)[:3])}, ...'
    )


def _translate(
    names: set[str], order_of_names: Mapping[str, Any], layout: Layout
) -> dict[str, str]:
    """Find the file's name for each of ours."""
    ordered = [name for name in order_of_names if name in names]
    depths = (re.match(r'hg\.\d+\.hg\.(\d+)\.', name) for name in ordered)
    deepest = max((int(found[1]) for found in depths if found), default=0)
    translated: dict[str, str] = {}
    unknown = []
    for name in ordered:
        module, _, kind = name.rpartition('.')
        ours = (
            _bearpaw_module(module, deepest)
            if layout is Layout.BEARPAW
            else _princeton_module(module)
        )
        if ours is None:
            unknown.append(name)
        elif (ours_name := f'{ours}.{kind}') in translated:
            raise ValueError(
                f'{name} and {translated[ours_name]} are the same parameter'
            )
        else:
            translated[ours_name] = name
    if unknown:
        raise ValueError(
            f'{len(unknown)} entries are not of {layout.value}, e.g. '
            f'{", ".join(unknown[:3])}'
        )
    return translated


def _princeton_module(module: str) -> str | None:
    if ours := _look_up(module, _PRINCETON):
        return ours
    if found := re.fullmatch(r'pre\.([134])\.(.+)', module):
        place = f'stem.residual{ {"1": 1, "3": 2, "4": 3}[found[1]] }'
        rest = found[2]
    elif found := re.fullmatch(
        r'hgs\.(\d+)\.0\.((?:low2\.)*?)(up1|low[123])(?:\.(\d+))?\.'
        r'((?:bn|conv|skip).+)',
        module,
    ):
        stack, levels, branch, repeat, rest = found.groups()
        level = levels.replace('low2', 'inner')
        place = f'stacks.{stack}.hourglass.{level}{_BRANCHES[branch]}.{repeat or 0}'
    elif found := re.fullmatch(
        r'features\.(\d+)\.0(?:\.(\d+))?\.((?:bn|conv|skip).+)', module
    ):
        place, rest = f'stacks.{found[1]}.residuals.{found[2] or 0}', found[3]
    else:
        return None
    layer = _look_up(rest, _RESIDUAL_PRINCETON)
    return layer and f'{place}.{layer}'


def _bearpaw_module(module: str, deepest: int) -> str | None:
    """Name a module of bearpaw's; ``deepest`` is the number of the outermost level."""
    if ours := _look_up(module, _BEARPAW):
        return ours
    if found := re.fullmatch(r'layer([123])\.0\.(.+)', module):
        place, rest = f'stem.residual{found[1]}', found[2]
    elif found := re.fullmatch(r'hg\.(\d+)\.hg\.(\d+)\.([0-3])\.(\d+)\.(.+)', module):
        stack, depth, branch, repeat, rest = found.groups()
        level = 'inner.' * (deepest - int(depth)) + _NUMBERED_BRANCHES[int(branch)]
        place = f'stacks.{stack}.hourglass.{level}.{repeat}'
    elif found := re.fullmatch(r'res\.(\d+)\.(\d+)\.(.+)', module):
        place, rest = f'stacks.{found[1]}.residuals.{found[2]}', found[3]
    else:
        return None
    layer = _look_up(rest, _RESIDUAL_BEARPAW)
    return layer and f'{place}.{layer}'


def _look_up(name: str, table: tuple[tuple[str, str], ...]) -> str | None:
    for pattern, replacement in table:
        if found := re.fullmatch(pattern, name):
            return found.expand(replacement)
    return None


def _read_backbone(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read the sizes of the network off its weights."""

    def shape(name: str) -> tuple[int, ...]:
        name = f'{BACKBONE}{name}.weight'
        if name not in state or state[name].ndim != 4:
            raise ValueError(
                f'{name} is missing or no convolution: the file is of a part of the '
                'network'
            )
        return tuple(state[name].shape)

    def numbers(pattern: str) -> set[str]:
        found = (re.match(re.escape(BACKBONE) + pattern, name) for name in state)
        return {match[1] for match in found if match}

    width, in_channels = shape('stem.convolution')[:2]
    middle = shape('stem.residual2.convolution3')[0]
    levels = numbers(r'stacks\.0\.hourglass\.((?:inner\.)*)up\.')
    order = 1 + max((level.count('inner') for level in levels), default=0)
    config = dict(
        type='StackedHourglass',
        num_stacks=len(numbers(r'stacks\.(\d+)\.')),
        num_keypoints=shape('stacks.0.heatmap_convolution')[0],
        order=order,
        channels=shape('stem.residual3.convolution3')[0],
        num_residuals=len(numbers(r'stacks\.0\.residuals\.(\d+)\.')),
        stem='newell' if middle == 2 * width else 'bearpaw',
        stem_channels=width,
        in_channels=in_channels,
    )
    # Published networks have these sizes, which a config need not repeat.
    usual = dict(
        order=4, channels=256, num_residuals=1, stem_channels=64, in_channels=3
    )
    return {n: value for n, value in config.items() if value != usual.get(n)}


def _complete(state: dict[str, Tensor], backbone: dict[str, Any]) -> dict[str, Tensor]:
    """Compare with the network that the config describes; add counters of batches."""
    try:
        with torch.device('meta'):
            network = MODELS.build(backbone)
    except ValueError as error:
        raise ValueError(f'no network has the sizes in the file: {error}') from error
    wrong, complete = [], {}
    for name, value in network.state_dict(prefix=BACKBONE).items():
        found = state.pop(name, None)
        if found is None and name.endswith('.num_batches_tracked'):
            found = torch.zeros((), dtype=torch.long)
        if found is None:
            wrong.append(f'{name} is missing')
        elif found.shape != value.shape:
            wrong.append(
                f'{name} is {tuple(found.shape)} instead of {tuple(value.shape)}'
            )
        else:
            complete[name] = found
    wrong += [f'{name} is too many' for name in state]
    if wrong:
        raise ValueError(
            f'{len(wrong)} entries do not fit a StackedHourglass of the sizes in the '
            f'file: {"; ".join(wrong[:3])}'
        )
    return complete
