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
_VARIABLE = re.compile(
    r'(?:^|/)(?:(?P<layer>conv2d|deconv2d|group_connected)(?:_(?P<number>\d+))?/)?'
    r'(?P<norm>batch_norm(?:alize|alization)?(?:_(?P<norm_number>\d+))?/)?'
    r'(?P<part>weights|biases|bias|gamma|beta|moving_mean|moving_variance)$'
)
#: What is in a layer there and here.
_PARTS = {
    'weights': 'weight',
    'biases': 'bias',
    'bias': 'bias',
    'gamma': 'norm.weight',
    'beta': 'norm.bias',
    'moving_mean': 'norm.running_mean',
    'moving_variance': 'norm.running_var',
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
        linear = [('group_connected', LINEAR_MAPS[key])] if key in LINEAR_MAPS else []
        layers = _layers(own, scope)
        state.update(_convert_network(layers, scope, model, hourglass, last, linear))
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
    layers: Layers,
    scope: str,
    model: nn.Module,
    hourglass: str,
    last: str | None,
    linear: list[tuple[str, str]],
) -> dict[str, Tensor]:
    """Convert one scope in the only order that its shapes allow."""
    network = model.get_submodule(hourglass)
    if not isinstance(network, LMDISHourglass):
        raise ValueError(
            f'{hourglass} is a {type(network).__name__}: released weights are those of '
            'a LMDISHourglass'
        )
    fitting: list[dict[str, Tensor]] = []
    problems = []
    for order in ORDERS:
        names = [*creation_order(network, hourglass, last, *order), *linear]
        try:
            fitting.append(_assign(layers, names, model, scope))
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
    layers: Layers = defaultdict(lambda: defaultdict(dict))
    for name, value in own.items():
        found = _VARIABLE.search(name)
        is_beside = found and not found['layer'] and found['norm'] and not found.start()
        if not found or not (found['layer'] or is_beside):
            raise ValueError(
                f'{scope}/{name} is no variable of a convolution, its normalisation or '
                'a landmark-specific linear map: the checkpoint is of another network'
            )
        number = found['norm_number'] if is_beside else found['number']
        kind = found['layer'] or 'norm'
        layers[kind][int(number or 0)][_PARTS[found['part']]] = value
    return layers


def _assign(
    groups: Layers, names: list[tuple[str, str]], model: nn.Module, scope: str
) -> dict[str, Tensor]:
    """Give the n-th layer of a kind to our n-th layer of it."""
    state: dict[str, Tensor] = {}
    queues = {kind: sorted(layers) for kind, layers in groups.items()}
    for kind in ('conv2d', 'deconv2d', 'group_connected'):
        needed = [other for other, _ in names].count(kind)
        there = len(queues.get(kind, ()))
        if there != needed:
            raise ValueError(
                f'{scope} has {there} layers {kind}, but the model needs {needed}: set '
                'the widths of the release in the config'
            )
    for kind, name in names:
        number = queues[kind].pop(0)
        arrays = dict(groups[kind][number])
        if kind != 'group_connected' and queues.get('norm'):
            arrays.update(groups['norm'][queues['norm'].pop(0)])
        where = f'{scope}/{kind}' + (f'_{number}' if number else '')
        state.update(_convert_layer(arrays, kind, where, model, name))
    return state


def _convert_layer(
    arrays: dict[str, np.ndarray], kind: str, where: str, model: nn.Module, name: str
) -> dict[str, Tensor]:
    """Convert a convolution and its normalisation, or a linear map."""
    layer = model.get_submodule(name)
    if kind != 'group_connected':
        if not isinstance(layer, NormalizedConvolution):
            raise ValueError(
                f'{name} is a {type(layer).__name__}: released weights have a batch '
                'normalisation in each layer, set final_norm=True in the head'
            )
        arrays = _as_ours(arrays, transposed=kind == 'deconv2d')
    converted = {
        key: torch.from_numpy(np.array(value, np.float32, order='C'))
        for key, value in arrays.items()
    }
    expected = layer.state_dict()
    expected.pop('norm.num_batches_tracked', None)
    check_shapes(
        converted,
        expected,
        f'{name} as {where}',
        'set num_keypoints and the widths of the release in the config',
    )
    return {f'{name}.{key}': value for key, value in converted.items()}


def _as_ours(arrays: dict[str, np.ndarray], transposed: bool) -> dict[str, np.ndarray]:
    """Turn a kernel, and take the bias before a normalisation off its mean."""
    ours = {key: value for key, value in arrays.items() if key.startswith('norm.')}
    if 'bias' in arrays and 'norm.running_mean' in ours:
        ours['norm.running_mean'] = ours['norm.running_mean'] - arrays['bias']
    kernel = arrays.get('weight')
    if kernel is not None:
        if kernel.ndim == 4 and transposed:
            kernel = kernel.transpose(2, 3, 0, 1)[..., ::-1, ::-1]
        elif kernel.ndim == 4:
            kernel = kernel.transpose(3, 2, 0, 1)
        ours['convolution.weight'] = kernel
    return ours
