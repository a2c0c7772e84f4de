# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Frozen networks of which each process keeps a share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import torch
from mmengine.model import MMDistributedDataParallel
from mmpose.registry import MODEL_WRAPPERS
from torch import distributed, nn

from mmkp.models.token_attention.frozen_base import FrozenBase

if TYPE_CHECKING:  # of torch 2.2
    from torch.distributed.device_mesh import DeviceMesh


@MODEL_WRAPPERS.register_module()
class ShardedFrozenDataParallel(MMDistributedDataParallel):
    """Data parallel training of the tokens, with the frozen networks shared out.

    StableKeypoints trains some hundred thousand numbers beside a network of a billion.
    Each process keeps a share of the network's weights and gathers those of a unit when
    it is computed, forward and backward (fully sharded data parallel, torch's
    ``fully_shard``); the tokens are trained as by :class:`MMDistributedDataParallel`.
    Checkpoints are the same as without. All processes have to compute in step, as they
    do in training, tests and :class:`TokenSelectionHook`.

    Args:
        module: the model, on its device.
        unit_parameters: weights are gathered by modules of at most so many numbers.
        **kwargs: those of :class:`MMDistributedDataParallel`.

    Raises:
        ValueError: the model has no frozen network, or one with ``stop_early=False``.
    """

    def __init__(
        self, module: nn.Module, unit_parameters: int = 20_000_000, **kwargs: Any
    ) -> None:
        frozen = [part for part in module.modules() if isinstance(part, FrozenBase)]
        if not frozen:
            raise ValueError(
                f'ShardedFrozenDataParallel shares out frozen networks, which '
                f'{type(module).__name__} does not have: leave out model_wrapper_cfg'
            )
        for part in frozen:
            networks = part.networks  # read now
            capture = getattr(part, 'capture', None)
            if capture is not None and not capture.stop_early:
                raise ValueError(
                    'ShardedFrozenDataParallel needs stop_early=True of '
                    f'{type(part).__name__}: after the last of the layers that are '
                    'read no gradient tells when weights are needed'
                )
            part.fingerprint()  # of all weights, while they are here
            for network in networks:
                shard(network, unit_parameters)
        super().__init__(module, **kwargs)


def shard(network: nn.Module, unit_parameters: int) -> None:
    """Share the weights of a frozen network out between all processes.

    Args:
        network: on its device, the same in each process.
        unit_parameters: weights are gathered by modules of at most so many numbers.

    Raises:
        ImportError: torch is older than 2.6.
    """
    try:
        from torch.distributed.fsdp import fully_shard
    except ImportError as error:
        raise ImportError(
            f'ShardedFrozenDataParallel needs torch 2.6 or newer, this is '
            f'{torch.__version__}: leave out model_wrapper_cfg'
        ) from error

    for parameter in network.parameters():
        parameter.data = parameter.data.contiguous()  # or torch refuses it
    mesh = _mesh(next(network.parameters()).device)
    for unit in list(_units(network, unit_parameters)):
        fully_shard(unit, mesh=mesh, reshard_after_forward=True)


def _mesh(device: torch.device) -> DeviceMesh:
    from torch.distributed.device_mesh import init_device_mesh

    return init_device_mesh(device.type, (distributed.get_world_size(),))


def _units(module: nn.Module, limit: int) -> Iterator[nn.Module]:
    """The largest modules of at most ``limit`` numbers that are called as such."""
    for child in module.children():
        number = sum(parameter.numel() for parameter in child.parameters())
        # What a Sequential holds may be called without it.
        forward = type(child).forward
        is_called = forward not in (nn.Module.forward, nn.Sequential.forward)
        if number and is_called and (number <= limit or not list(child.children())):
            yield child
        elif number:
            yield from _units(child, limit)
