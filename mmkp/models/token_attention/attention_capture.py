# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Attention logits of chosen layers of a diffusers UNet, beside its normal forward."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from mmkp.ops.precision import full_precision

#: How many layers the authors' code reads.
NUM_LAYERS = 4


class _LastLayerReachedError(Exception):
    """Ends the forward pass of a UNet whose further layers nobody reads."""


def cross_attention_layers(unet: Any) -> list[str]:
    """Names of the cross-attention layers of a UNet, in the order of execution.

    Args:
        unet: a ``diffusers.UNet2DConditionModel``.

    Returns:
        Names such as ``'up_blocks.1.attentions.0.transformer_blocks.0.attn2'``.
    """
    ending = '.attn2.processor'
    names = [name for name in unet.attn_processors if name.endswith(ending)]
    return sorted((n.removesuffix('.processor') for n in names), key=_execution_order)


def default_layers(unet: Any) -> list[str]:
    """Layers that StableKeypoints reads (Hedlin et al., CVPR 2024, released code).

    The first four cross-attention layers of the up path with at most 32 x 32 queries
    for an image of 512 x 512, that is at most half the latents' resolution. In Stable
    Diffusion 1 and 2 these are the layers of ``up_blocks.1.attentions.0`` to ``2`` and
    of ``up_blocks.2.attentions.0``.

    Args:
        unet: a ``diffusers.UNet2DConditionModel``.

    Returns:
        At most four names, in the order of execution.
    """
    # The last block of the up path has the latents' resolution.
    full_resolution = f'up_blocks.{len(unet.config.block_out_channels) - 1}.'
    names = [
        name
        for name in cross_attention_layers(unet)
        if name.startswith('up_blocks.') and not name.startswith(full_resolution)
    ]
    return names[:NUM_LAYERS]


def find_layers(unet: Any, names: Sequence[str] | None) -> list[str]:
    """Complete the names of layers and put them in the order of execution.

    Args:
        unet: a ``diffusers.UNet2DConditionModel``.
        names: names of cross-attention layers, or of the ``attentions.i`` above them,
            which stand for their first transformer block; None for
            :func:`default_layers`.

    Returns:
        Full names, each once.

    Raises:
        ValueError: a name is unknown, or no layer was found.
    """
    available = cross_attention_layers(unet)
    if names is None:
        found = default_layers(unet)
    else:
        found = []
        for name in names:
            full = name.removesuffix('.processor')
            if full not in available:
                full = f'{name}.transformer_blocks.0.attn2'
            if full not in available:
                raise ValueError(
                    f'layers names {name!r}, which is no cross-attention layer of this '
                    f'UNet; it has {", ".join(available)}'
                )
            found.append(full)
    if not found:
        raise ValueError(
            f'layers={names!r} leaves no attention to read: name some of the '
            f"UNet's cross-attention layers, which are {', '.join(available) or 'none'}"
        )
    return sorted(set(found), key=_execution_order)


def attention_logits(
    attention: nn.Module,
    hidden_states: Tensor,
    context: Tensor | None = None,
    temb: Tensor | None = None,
) -> Tensor:
    """Scaled products of queries and keys of an attention layer.

    Args:
        attention: a ``diffusers`` Attention.
        hidden_states: the layer's input, (B, Q, C) or (B, C, h, w).
        context: what it attends to, (B, N, C'); its input when None.
        temb: embedding for a spatial normalisation, if the layer has one.

    Returns:
        Logits, shape (B, heads, Q, N), at least float32 whatever the layer computes in.
    """
    if attention.spatial_norm is not None:
        hidden_states = attention.spatial_norm(hidden_states, temb)
    if hidden_states.ndim == 4:
        hidden_states = hidden_states.flatten(2).transpose(1, 2)
    if attention.group_norm is not None:
        channels_first = hidden_states.transpose(1, 2)
        hidden_states = attention.group_norm(channels_first).transpose(1, 2)
    if context is None:
        context = hidden_states
    elif attention.norm_cross:
        context = attention.norm_encoder_hidden_states(context)
    query = attention.to_q(hidden_states)
    key = attention.to_k(context)
    query, key = (
        states.unflatten(-1, (attention.heads, -1)).transpose(1, 2)
        for states in (query, key)
    )
    # Layers of other models have these; getattr as early diffusers have not.
    if (norm := getattr(attention, 'norm_q', None)) is not None:
        query = norm(query)
    if (norm := getattr(attention, 'norm_k', None)) is not None:
        key = norm(key)
    with torch.autocast(query.device.type, enabled=False):
        query, key = full_precision(query), full_precision(key)
        return (query * attention.scale) @ key.transpose(-1, -2)


def capture_logits(
    attention: nn.Module,
    record: Callable[[Tensor], None],
    wanted: Callable[[], bool] | None = None,
) -> RemovableHandle:
    """Let a layer hand out its logits before it computes its output.

    A hook of the layer, not a processor in it, stays where other processors are set.

    Args:
        attention: a ``diffusers`` Attention.
        record: called with the logits (B, heads, Q, N).
        wanted: whether they are wanted at the moment; always when None.

    Returns:
        What removes the hook.
    """

    def hook(layer: nn.Module, args: tuple, kwargs: dict) -> None:
        if wanted is None or wanted():
            record(_logits(layer, *args, **kwargs))

    return attention.register_forward_pre_hook(hook, with_kwargs=True)


def _logits(
    layer: nn.Module,
    hidden_states: Tensor,
    encoder_hidden_states: Tensor | None = None,
    attention_mask: Tensor | None = None,
    temb: Tensor | None = None,
    **_: Any,
) -> Tensor:
    """Take what logits depend on from the arguments of ``Attention.forward``."""
    return attention_logits(layer, hidden_states, encoder_hidden_states, temb)


class AttentionCapture:
    """Runs a UNet for the attention logits of some of its layers.

    The layers get hooks for good, which change no output of the UNet: gradient
    checkpointing calls them again during backward.

    Args:
        unet: a ``diffusers.UNet2DConditionModel``.
        layers: see :func:`find_layers`.
        stop_early: end the forward pass after the last of the layers. The gradients
            are the same, as nothing after it is read.
        checkpointing: the UNet's gradient checkpointing is on.

    Attributes:
        layers: full names of the layers, in the order of execution.

    Raises:
        ValueError: see :func:`find_layers`.
    """

    def __init__(
        self,
        unet: Any,
        layers: Sequence[str] | None = None,
        stop_early: bool = True,
        checkpointing: bool = False,
    ) -> None:
        self.unet = unet
        self.layers = find_layers(unet, layers)
        self.stop_early = stop_early
        self.checkpointing = checkpointing
        self._found: list[Tensor] | None = None
        for layer in self.layers:
            capture_logits(unet.get_submodule(layer), self._record, self._wanted)
        if checkpointing:
            unet.enable_gradient_checkpointing()
            # torch must see the end of what it will compute again: stop outside of it.
            above = self.layers[-1].partition('.transformer_blocks.')[0]
            unet.get_submodule(above).register_forward_hook(self._stop_after)

    def __deepcopy__(self, memo: dict) -> AttentionCapture:
        return self  # It belongs to its UNet, which is not copied either.

    def run(self, *args: Any, **kwargs: Any) -> list[Tensor]:
        """Call the UNet.

        Args:
            *args: of the UNet.
            **kwargs: of the UNet.

        Returns:
            Logits of each layer, (B, heads, Q, N), at least float32, in the order of
            execution.

        Raises:
            ValueError: not every layer handed out its logits.
        """
        found = self._found = []
        try:
            self.unet(*args, **kwargs)
        except _LastLayerReachedError:
            pass
        finally:
            self._found = None
        if len(found) != len(self.layers):
            raise ValueError(
                f'the UNet handed out the attention of {len(found)} layers instead of '
                f'{len(self.layers)} ({", ".join(self.layers)}): something replaced '
                'them after it was built; build the model anew, or name other layers'
            )
        return found

    def _wanted(self) -> bool:
        # What is computed again has to be what was computed before, logits included.
        return self._found is not None or self.checkpointing

    def _record(self, logits: Tensor) -> None:
        if self._found is not None:
            self._found.append(logits)
            if not self.checkpointing:
                self._stop_after()

    def _stop_after(self, *_: Any) -> None:
        if self.stop_early and self._found is not None:
            if len(self._found) == len(self.layers):
                raise _LastLayerReachedError


def map_shape(num_queries: int, latent_shape: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of the queries of a layer of a UNet.

    Args:
        num_queries: Q of the layer.
        latent_shape: rows and columns of the latents; each level of the UNet halves
            them and rounds up.

    Returns:
        Rows h and columns w with h w = Q.

    Raises:
        ValueError: no level of the UNet has so many cells.
    """
    height, width = latent_shape
    while height * width > num_queries and height * width > 1:
        height, width = -(-height // 2), -(-width // 2)
    if height * width != num_queries:
        raise ValueError(
            f'a layer with {num_queries} queries is no map of latents of '
            f'{latent_shape[1]} x {latent_shape[0]} cells, halved any number of times: '
            'name other layers'
        )
    return height, width


def _execution_order(name: str) -> tuple[int, list[int]]:
    """Key that sorts names of layers; diffusers lists the middle of the UNet last."""
    place = ('down_blocks', 'mid_block', 'up_blocks').index(name.partition('.')[0])
    return place, [int(part) for part in name.split('.') if part.isdigit()]
