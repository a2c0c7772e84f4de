# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a step of StableKeypoints keeps for its backward pass, by arithmetic.

The UNet runs on tensors that have shapes and no content, so that sizes that fit no
memory can be counted, too.
"""

import weakref
from typing import Any

import torch
from plain_stable_keypoints import plain_processors, token_maps
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from mmkp.models.token_attention.attention_capture import (
    AttentionCapture,
    default_layers,
    map_shape,
)
from mmkp.models.token_attention.diffusion_models import import_diffusers
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows

NUM_SELECTED = 10


class _Saved:
    """A tensor that one operation keeps, for as long as its graph is there."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class KeptTensors:
    """Storages that the backward pass will need, each counted once.

    What the UNet computes after the last captured layer leads to no loss, and its
    graph is gone when the output is.
    """

    def __init__(self, unet: torch.nn.Module) -> None:
        self.saved: weakref.WeakSet[_Saved] = weakref.WeakSet()
        self.arguments: list[_Saved] = []
        self.weights = {self._number(w) for w in unet.parameters()}

    @staticmethod
    def _number(tensor: Tensor) -> int:
        return tensor.untyped_storage()._cdata

    def add(self, tensor: Tensor) -> _Saved:
        """Note a tensor that is saved, see ``saved_tensors_hooks``."""
        saved = _Saved(tensor.detach())
        self.saved.add(saved)
        return saved

    def checkpoint(self, module: Any, *args: Any) -> Any:
        """Keep the arguments of a function and nothing that it computes."""
        for value in args:
            if isinstance(value, Tensor):
                self.arguments.append(self.add(value))
        return torch.utils.checkpoint.checkpoint(
            module.__call__, *args, use_reentrant=False
        )

    def mib(self) -> float:
        """Sum of the sizes."""
        storages = {
            self._number(saved.tensor): saved.tensor.untyped_storage().nbytes()
            for saved in self.saved
        }
        return sum(storages[n] for n in storages.keys() - self.weights) / 2**20


def kept_mib(config: dict, setting: Any, variant: str) -> tuple[float, float, float]:
    """Count what is kept for the backward pass of both views of one image, in float32.

    Args:
        config: of the UNet.
        setting: ``Setting`` of stable_keypoints_step.py.
        variant: one of its ``VARIANTS``.

    Returns:
        MiB kept for backward, the most that was kept at the end of a forward pass of
        the UNet, and MiB of its weights.
    """
    diffusers = import_diffusers()
    with FakeTensorMode():
        unet = diffusers.UNet2DConditionModel(**config).requires_grad_(False).eval()
        kept = KeptTensors(unet)
        side, tokens = setting.latent_side, setting.tokens
        context = torch.empty(tokens, config['cross_attention_dim'])
        context.requires_grad_()
        most = [0.0]
        unet.conv_out.register_forward_hook(lambda *_: most.append(kept.mib()))
        hooks = torch.autograd.graph.saved_tensors_hooks(kept.add, lambda x: x.tensor)
        with hooks:
            views = [torch.empty(1, 4, side, side) for _ in range(2)]
            if variant.startswith('plain'):
                outputs = _plain(unet, views, context, setting, variant != 'plain')
            else:
                capture = AttentionCapture(
                    unet, checkpointing=variant == 'mmkp, checkpointing'
                )
                if capture.checkpointing:
                    unet.enable_gradient_checkpointing(kept.checkpoint)
                outputs = _mmkp(capture, views, context, setting)
            # Both losses square the maps.
            loss = sum(maps.square().sum() for maps in outputs)
        found = kept.mib()
        del loss
    weights = sum(weight.numel() for weight in unet.parameters()) * 4
    return found, max(found, *most), weights / 2**20


def _plain(
    unet: Any, views: list[Tensor], tokens: Tensor, setting: Any, fused: bool
) -> list[Tensor]:
    layers = tuple(default_layers(unet))
    found = plain_processors(unet, layers, setting.map_side, fused)
    maps = [token_maps(unet, found, view, 1, tokens) for view in views]
    return [view[:, :NUM_SELECTED] for view in maps]


def _mmkp(
    capture: AttentionCapture, views: list[Tensor], tokens: Tensor, setting: Any
) -> list[Tensor]:
    outputs, size = [], (setting.map_side, setting.map_side)
    selected = torch.zeros(1, NUM_SELECTED, dtype=torch.int64)
    for view in views:
        context = tokens.expand(1, -1, -1)
        found = capture.run(view, torch.ones(1), encoder_hidden_states=context)
        logits = [
            layer.unflatten(2, map_shape(layer.shape[2], tuple(view.shape[-2:])))
            for layer in found
        ]
        outputs.append(attention_maps_by_rows(logits, size, selected))
    return outputs
