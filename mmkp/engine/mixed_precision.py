# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Mixed precision on GPUs and on CPUs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn

from mmkp.engine.config_check import ConfigError

DTYPES = ('bfloat16', 'float16')


def usual_dtype() -> str:
    """What a training computes in unless told otherwise.

    Returns:
        ``'float16'`` on a GPU, which rounds an eighth as coarsely as bfloat16 and is
        as fast, ``'bfloat16'`` on a CPU.
    """
    return 'bfloat16' if get_device() == 'cpu' else 'float16'


@OPTIM_WRAPPERS.register_module()
class MixedPrecisionOptimWrapper(AmpOptimWrapper):
    """MMEngine's optimizer wrapper of mixed precision, on CPUs too.

    Convolutions and matrix products of a training step are computed in half precision;
    weights, their updates, positions and losses stay float32 (Micikevicius et al., ICLR
    2018). Validation runs in float32.

    Args:
        dtype: ``'bfloat16'`` or ``'float16'``; None for :func:`usual_dtype`;
            ``'float32'`` to do without, as where a config says bfloat16 and the CPU
            does not compute in it.
        loss_scale: by what losses are multiplied so that float16 does not lose small
            gradients: ``'dynamic'``, a number, or arguments of torch's ``GradScaler``;
            None for ``'dynamic'`` with float16 and for nothing with bfloat16, whose
            range is that of float32.
        **kwargs: of MMEngine's ``AmpOptimWrapper``.

    Raises:
        ConfigError: another ``dtype``, or float16 on a CPU.
    """

    def __init__(
        self,
        dtype: str | None = None,
        loss_scale: str | float | dict | None = None,
        **kwargs: Any,
    ) -> None:
        dtype = usual_dtype() if dtype is None else dtype
        if dtype not in (known := (*DTYPES, 'float32')):
            raise ConfigError(
                f'optim_wrapper.dtype is {dtype!r}, must be one of {known}'
            )
        if loss_scale is None:
            loss_scale = 'dynamic' if dtype == 'float16' else dict(enabled=False)
        if get_device() != 'cpu':
            super().__init__(loss_scale=loss_scale, dtype=dtype, **kwargs)
            return
        check_on_cpu(dtype)
        # What AmpOptimWrapper does once it has found a GPU.
        OptimWrapper.__init__(self, **kwargs)
        is_number = isinstance(loss_scale, float)
        self._scale_update_param = loss_scale if is_number else None
        self.loss_scaler = _cpu_scaler(loss_scale)
        self.cast_dtype = getattr(torch, dtype)

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute a training step in the type that was asked for.

        Args:
            model: that is trained.
        """
        if self.cast_dtype is not torch.float32:
            with super().optim_context(model):
                yield
            return
        with OptimWrapper.optim_context(self, model):
            yield

    def load_state_dict(self, state_dict: dict) -> None:
        """Load the state of the optimizer and of the scale of the losses.

        The scale starts anew where the state is of a training without one.

        Args:
            state_dict: of this or another wrapper.
        """
        if not state_dict.get('loss_scaler'):
            state_dict = {k: v for k, v in state_dict.items() if k != 'loss_scaler'}
        super().load_state_dict(state_dict)


def _cpu_scaler(loss_scale: str | float | dict) -> Any:
    """Scaler of losses on a CPU, which torch has from 2.3."""
    options = loss_scale if isinstance(loss_scale, dict) else {}
    if isinstance(loss_scale, float):
        options = dict(init_scale=loss_scale)
    if hasattr(torch.amp, 'GradScaler'):
        return torch.amp.GradScaler('cpu', **options)
    return torch.cuda.amp.GradScaler(enabled=False)


def check_on_cpu(dtype: str) -> None:
    """Refuse what MMEngine does not compute on a CPU.

    Raises:
        ConfigError: float16.
    """
    if dtype == 'float16':
        raise ConfigError(
            'mixed precision of float16 needs a GPU: on a CPU take bfloat16, '
            "--amp bfloat16 or optim_wrapper.dtype='bfloat16'"
        )


def use_mixed_precision(cfg: Config, dtype: str | None = None) -> None:
    """Train in mixed precision (``--amp``), with one optimizer or several.

    Args:
        cfg: of a training.
        dtype: ``'bfloat16'`` or ``'float16'``; None for what the config says or
            :func:`usual_dtype`.

    Raises:
        ConfigError: float16 on a CPU, or a special optimizer wrapper.
    """
    several = 'optimizer' not in cfg.optim_wrapper
    wrappers = cfg.optim_wrapper.values() if several else [cfg.optim_wrapper]
    for wrapper in wrappers:
        if not isinstance(wrapper, dict):
            continue  # the name of the constructor
        kind = wrapper.get('type', 'OptimWrapper')
        ours = MixedPrecisionOptimWrapper.__name__
        if kind not in ('OptimWrapper', 'AmpOptimWrapper', ours):
            raise ConfigError(f'--amp replaces OptimWrapper, but the config has {kind}')
        wrapper['type'] = ours
        wrapper['dtype'] = dtype or wrapper.get('dtype') or usual_dtype()
        if get_device() == 'cpu':
            check_on_cpu(wrapper['dtype'])
