# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the variables of the released LMDIS (TensorFlow 1) to mmkp's parameter names.

The release numbers its layers by the order in which they are made, within a scope for
each network: ``.../conv2d``, ``.../conv2d_1``, ..., ``.../deconv2d``, and so on. This
module pairs the n-th layer there with the n-th here and checks every shape. No released
file could be read while it was written: where the order leaves a choice (``ORDERS``),
all are tried, and it must be settled by the shapes.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.converters.conversion import discovered_meta
from mmkp.converters.shape_check import check_shapes
from mmkp.engine.config import load_config
from mmkp.models.backbones.lmdis_hourglass import LMDISHourglass
from mmkp.models.layers.normalized_convolution import NormalizedConvolution

#: Scope there -> our hourglass and the layer that follows it, None if there is none.
SCOPES = {
    'structure': (
        'vae/encoder/deterministic/structure',
        'backbone',
        'head.final_layer',
    ),
    'feature': ('vae/encoder/deterministic/feature', 'generator.features', None),
    'image': ('vae/decoder/deterministic', 'generator.decoder', 'generator.output'),
}
#: Landmark-specific linear maps of our model, by the scope that has one.
LINEAR_MAPS = {'feature': 'generator.reduce', 'image': 'generator.expand'}
#: When the convolutions of a skip are made: as its level is left on the way down, or
#: as it is joined on the way up; and whether they are transposed.
ORDERS = [(when, kind) for when in ('up', 'down') for kind in ('conv2d', 'deconv2d')]
_LAYER = re.compile(r'(?:^|/)(conv2d|deconv2d)(?:_(\d+))?/(weights|biases|bias)$')
_NORM = re.compile(
    r'(?:^|(?P<layer>(?:conv2d|deconv2d)(?:_\d+)?)/)batch_norm(?:alize|alization)?'
    r'(?:_(?P<number>\d+))?/(?P<kind>beta|gamma|moving_mean|moving_variance)$'
)
_LINEAR = re.compile(r'(?:^|/)group_connected(?:_\d+)?/(weights|biases|bias)$')
_NORM_NAMES = {
    'gamma': 'weight',
    'beta': 'bias',
    'moving_mean': 'running_mean',
    'moving_variance': 'running_var',
}
Variables = Mapping[str, np.ndarray]
#: Kind of layer -> its number -> its arrays.
Layers = dict[str, dict[int, dict[str, np.ndarray]]]


def build_model(config: str | Path) -> Any:
    """Build the ``LMDIS`` of a config, without its losses.

    Args:
        config: file of the config; the widths are those of the release.

    Returns:
        The model.

    Raises:
        FileNotFoundError: there is no such config.
        ValueError: it is of another model.
    """
    settings = load_config(config, check=False).get('model', {})
    if settings.get('type') != 'LMDIS':
        raise ValueError(f'{config} is of a {settings.get("type")}, not of LMDIS')
    # Weights of losses may lie elsewhere, and are not part of the checkpoint.
    return MODELS.build({**settings, 'losses': None})


def convert_checkpoint(variables: Variables, model: Any) -> dict[str, Any]:
    """Bring the variables of a release into a checkpoint that MMEngine loads.

    Its ``state_dict`` is that of :func:`convert_variables`, with the same arguments.
    """
    meta = discovered_meta(model.num_keypoints, converted_from='LMDIS (TensorFlow 1)')
    return {'meta': meta, 'state_dict': convert_variables(variables, model)}


def convert_variables(variables: Variables, model: nn.Module) -> dict[str, Tensor]:
    """Bring the variables of a release into the state dict of a model.

    Kernels are turned to (out, in, height, width), those of transposed convolutions
    rotated by half a turn, since ours are convolutions; the biases before a batch
    normalisation are taken off its running mean, which is the same. Optimiser slots
    and other scopes are left out.

    Args:
        variables: name -> array, as in the checkpoint.
        model: an ``LMDIS`` of :class:`LMDISHourglass` networks of the same widths.

    Returns:
        A complete state dict of the model.

    Raises:
        ValueError: the networks are not of that kind, or the variables do not fit.
    """
    state = dict(model.state_dict())
    for key, (scope, hourglass, last) in SCOPES.items():
        own = _within(variables, scope)
        if not own:
            raise ValueError(
                f'there is no variable in {scope}: give the .npz of all variables of a '
                'checkpoint of LMDIS, under their names'
            )
        state.update(_convert_network(own, scope, model, hourglass, last))
        if key in LINEAR_MAPS:
            state.update(_linear(own, scope, model, LINEAR_MAPS[key]))
    return state


def _within(variables: Variables, scope: str) -> dict[str, np.ndarray]:
    """Variables of a scope, their names from there on, without optimiser slots."""
    found = {}
    for name, value in variables.items():
        _, there, rest = name.removesuffix(':0').partition(scope + '/')
        if there and not re.search(r'/(Adam(_\d+)?|ExponentialMovingAverage)$', rest):
            found[rest] = np.asarray(value)
    return found


def _convert_network(
    own: dict[str, np.ndarray],
    scope: str,
    model: nn.Module,
    hourglass: str,
    last: str | None,
) -> dict[str, Tensor]:
    """Convert one scope in the only order that its shapes allow."""
    network = model.get_submodule(hourglass)
    if not isinstance(network, LMDISHourglass):
        raise ValueError(
            f'{hourglass} is a {type(network).__name__}: released weights are those of '
            'a LMDISHourglass'
        )
    groups = _layers(own, scope)
    fitting: list[dict[str, Tensor]] = []
    problems = []
    for order in ORDERS:
        names = list(creation_order(network, hourglass, last, *order))
        try:
            fitting.append(_assign(groups, names, model, scope))
        except ValueError as error:
            problems.append(str(error))
    if not fitting:
        raise ValueError(problems[0])
    first = fitting[0]
    if any(
        not torch.equal(first[name], other[name])
        for other in fitting[1:]
        for name in first
    ):
        raise ValueError(
            f'the shapes of {scope} fit several orders of its layers, so that it '
            'cannot be told which weights belong where'
        )
    return first


def creation_order(
    network: LMDISHourglass, prefix: str, last: str | None, when: str, skip_kind: str
) -> Iterator[tuple[str, str]]:
    """List the layers of a network in the order in which the release makes them.

    Args:
        network: one of the three.
        prefix: its name in the model.
        last: name of the layer that follows it, if any.
        when: whether a skip is made on the way ``'up'`` or ``'down'``.
        skip_kind: ``'conv2d'`` or ``'deconv2d'``, what skips are made of.

    Yields:
        ``'conv2d'`` or ``'deconv2d'`` and the name of our layer.
    """

    def chain(name: str, kind: str) -> Iterator[tuple[str, str]]:
        count = len(list(network.get_submodule(name).children()))
        yield from ((kind, f'{prefix}.{name}.{i}') for i in range(count))

    depth, skips = len(network.encoder), len(network.skips)
    for level in range(depth):
        yield from chain(f'encoder.{level}', 'conv2d')
        # The first skip joins the smallest maps.
        index = depth - 1 - level
        if when == 'down' and index < skips:
            yield from chain(f'skips.{index}', skip_kind)
    yield from chain('bottleneck', 'conv2d')
    for level in range(len(network.decoder)):
        if level and when == 'up':
            yield from chain(f'skips.{level - 1}', skip_kind)
        yield from chain(f'decoder.{level}', 'deconv2d')
    if last:
        yield 'deconv2d', last


def _layers(own: dict[str, np.ndarray], scope: str) -> Layers:
    """Arrays of each layer: kind -> number -> weights, bias and normalisation.

    Normalisations lie in their layer's scope, or are numbered beside the layers in one
    sequence, then under the kind ``'norm'``.
    """
    groups: Layers = defaultdict(lambda: defaultdict(dict))
    for name, value in own.items():
        if found := _LAYER.search(name):
            part = 'weights' if found[3] == 'weights' else 'bias'
            groups[found[1]][int(found[2] or 0)][part] = value
        elif found := _NORM.search(name):
            kind, number = 'norm', found['number']
            if found['layer']:
                kind, _, number = found['layer'].partition('_')
            groups[kind][int(number or 0)][found['kind']] = value
        elif not _LINEAR.search(name):
            raise ValueError(
                f'{scope}/{name} is no variable of a convolution, its normalisation or '
                'a landmark-specific linear map: the checkpoint is of another network'
            )
    return groups


def _assign(
    groups: Layers,
    names: list[tuple[str, str]],
    model: nn.Module,
    scope: str,
) -> dict[str, Tensor]:
    """Give the n-th layer of a kind to our n-th layer of it."""
    state: dict[str, Tensor] = {}
    queues = {kind: sorted(layers) for kind, layers in groups.items()}
    for kind in ('conv2d', 'deconv2d'):
        needed = sum(1 for other, _ in names if other == kind)
        there = len(queues.get(kind, ()))
        if there != needed:
            raise ValueError(
                f'{scope} has {there} layers {kind}, but the model needs {needed}: set '
                'the widths of the release in the config'
            )
    for kind, name in names:
        number = queues[kind].pop(0)
        arrays = dict(groups[kind][number])
        if queues.get('norm'):
            arrays.update(groups['norm'][queues['norm'].pop(0)])
        where = f'{scope}/{kind}' + (f'_{number}' if number else '')
        state.update(_convert_layer(arrays, kind, where, model, name))
    return state


def _convert_layer(
    arrays: dict[str, np.ndarray], kind: str, where: str, model: nn.Module, name: str
) -> dict[str, Tensor]:
    """Convert a convolution and its normalisation."""
    layer = model.get_submodule(name)
    if not isinstance(layer, NormalizedConvolution):
        raise ValueError(
            f'{name} is a {type(layer).__name__}: released weights have a batch '
            'normalisation in each layer, set final_norm=True in the head'
        )
    missing = [part for part in ('weights', *_NORM_NAMES) if part not in arrays]
    if missing:
        raise ValueError(f'{where} has no {", ".join(missing)}')
    kernel = arrays['weights']
    if kernel.ndim == 4:
        if kind == 'conv2d':
            kernel = kernel.transpose(3, 2, 0, 1)
        else:
            kernel = kernel.transpose(2, 3, 0, 1)[..., ::-1, ::-1]
    mean = arrays['moving_mean'] - arrays.get('bias', np.float32(0))
    values = {'convolution.weight': kernel}
    for part, ours in _NORM_NAMES.items():
        values[f'norm.{ours}'] = mean if part == 'moving_mean' else arrays[part]
    return _fitting(values, model, name, where)


def _linear(
    own: dict[str, np.ndarray], scope: str, model: nn.Module, target: str
) -> dict[str, Tensor]:
    """Convert the landmark-specific linear map of a scope."""
    found = {
        'weight' if match[1] == 'weights' else 'bias': value
        for name, value in own.items()
        if (match := _LINEAR.search(name))
    }
    if set(found) != {'weight', 'bias'}:
        raise ValueError(
            f'{scope} needs group_connected/weights and its bias, found {sorted(found)}'
        )
    return _fitting(found, model, target, f'{scope}/group_connected')


def _fitting(
    values: Mapping[str, np.ndarray], model: nn.Module, name: str, where: str
) -> dict[str, Tensor]:
    """Arrays as parameters of a module, whose shapes they have to have."""
    converted = {
        key: torch.from_numpy(np.array(value, np.float32, order='C'))
        for key, value in values.items()
    }
    expected = model.get_submodule(name).state_dict()
    expected.pop('norm.num_batches_tracked', None)
    check_shapes(
        converted,
        expected,
        f'{name} as {where}',
        'set num_keypoints and the widths of the release in the config',
    )
    return {f'{name}.{key}': value for key, value in converted.items()}
