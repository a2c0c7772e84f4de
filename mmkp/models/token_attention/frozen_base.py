# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Modules that hold a frozen network which is neither trained nor saved."""

import hashlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

# Enough values of each tensor to tell two networks apart, few enough to be free.
_VALUES_PER_TENSOR = 256


class FrozenBase(BaseModule):
    """Keeps frozen networks out of the module tree.

    No optimiser, checkpoint, EMA or deep copy sees them, yet they follow ``.to()``.
    They are always in evaluation mode. What a checkpoint holds of them is a
    fingerprint, ``base_fingerprint``, so that tokens learned with one network are not
    used with another by mistake; all zeros stand for one that is not known, as in
    converted checkpoints.

    Networks that come from files are read when weights are initialised, at the first
    use, or when a checkpoint of tokens is loaded that must belong to them: a model can
    be built without the files.
    """

    base_fingerprint: Tensor

    def __init__(self, init_cfg: dict | list | None = None) -> None:
        super().__init__(init_cfg)
        # A plain dict is not registered by nn.Module.
        self._frozen_modules: dict[str, nn.Module] = {}
        self._unread: Callable[[], Mapping[str, nn.Module]] | None = None
        self._moves: list[Callable[[Tensor], Tensor]] = []
        self._fingerprint: Tensor | None = None
        self.register_buffer('base_fingerprint', torch.zeros(32, dtype=torch.uint8))

    def freeze(self, **modules: nn.Module) -> None:
        """Take networks in, for good: no gradient to their weights, evaluation mode.

        Args:
            **modules: name -> network.
        """
        for module in modules.values():
            module.requires_grad_(False).eval()
        self._frozen_modules.update(modules)
        self._fingerprint = None

    def freeze_later(self, read: Callable[[], Mapping[str, nn.Module]]) -> None:
        """Take networks in when they are needed.

        Args:
            read: returns them, name -> network. May raise what a missing or damaged
                file deserves; it is then called again the next time.
        """
        self._unread = read

    def read(self) -> None:
        """Read the networks now, if that is still to be done."""
        if self._unread is None:
            return
        modules = self._unread()
        self._unread = None
        self.freeze(**modules)
        for move in self._moves:  # where the model has gone meanwhile
            for module in modules.values():
                module._apply(move)
        self._moves.clear()

    def init_weights(self) -> None:
        """Read the networks."""
        self.read()
        super().init_weights()

    def frozen(self, name: str) -> nn.Module:
        """Return a frozen network by its name."""
        self.read()
        return self._frozen_modules[name]

    @property
    def networks(self) -> tuple[nn.Module, ...]:
        """All frozen networks."""
        self.read()
        return tuple(self._frozen_modules.values())

    def fingerprint(self) -> Tensor:
        """Identify the frozen networks, whatever their precision.

        Returns:
            SHA-256 of names, shapes and signs of evenly spaced weights, (32,) uint8,
            on the CPU.
        """
        self.read()
        if self._fingerprint is None:
            digest = hashlib.sha256()
            for name, module in sorted(self._frozen_modules.items()):
                for key, value in _weights(module):
                    digest.update(f'{name}.{key} {tuple(value.shape)}'.encode())
                    digest.update(_signs(value))
            self._fingerprint = torch.tensor(list(digest.digest()), dtype=torch.uint8)
        return self._fingerprint

    def _apply(
        self, fn: Callable[[Tensor], Tensor], recurse: bool = True
    ) -> 'FrozenBase':
        super()._apply(fn, recurse)
        if self._unread is not None:
            self._moves.append(fn)
        for module in self._frozen_modules.values():
            module._apply(fn)
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> 'FrozenBase':
        for module in self._frozen_modules.values():
            memo[id(module)] = module  # shared, they never change
        copied = type(self).__new__(type(self))
        memo[id(self)] = copied
        copied.__dict__.update(
            {key: deepcopy(value, memo) for key, value in self.__dict__.items()}
        )
        return copied

    def _save_to_state_dict(
        self, destination: dict, prefix: str, keep_vars: bool
    ) -> None:
        if self._frozen_modules:
            self.base_fingerprint.copy_(self.fingerprint())
        super()._save_to_state_dict(destination, prefix, keep_vars)

    def _load_from_state_dict(
        self, state_dict: Mapping[str, Tensor], prefix: str, *args: Any
    ) -> None:
        stored = state_dict.get(f'{prefix}base_fingerprint')
        networks = self._frozen_modules or self._unread
        if stored is not None and stored.any() and networks:
            if not torch.equal(stored.cpu(), self.fingerprint()):
                raise ValueError(
                    'the checkpoint was trained with another frozen network than the '
                    f'one of {type(self).__name__} in the config: its tokens mean '
                    'nothing here. Give the same base_model, or the same backbone '
                    'with the same weights (init_cfg, seed)'
                )
        super()._load_from_state_dict(state_dict, prefix, *args)


def _weights(module: nn.Module) -> list[tuple[str, Tensor]]:
    """Parameters and buffers, those that are not saved too."""
    return [*module.named_parameters(), *module.named_buffers()]


def _signs(value: Tensor) -> bytes:
    """Signs of evenly spaced values: what rounding to half precision leaves alone."""
    flat = value.detach().flatten()
    if not len(flat):
        return b''
    step = -(-len(flat) // _VALUES_PER_TENSOR)
    return torch.signbit(flat[::step]).to('cpu', torch.uint8).numpy().tobytes()
