# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Whether a training can be resumed from a checkpoint, beside its weights."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

from mmkp.engine.checkpoint_match import CheckpointMismatchError
from mmkp.engine.optimizers import optim_wrappers
from mmkp.engine.training_settings import optimizer_key, settings_in

#: Settings that tell kinds of optimizers apart, whichever version of torch has them.
_KINDS = frozenset({'betas', 'momentum', 'alpha', 'rho', 'lambd', 'etas'})
#: Settings with which an optimizer keeps another state, or is another one.
_OF_STATE = ('amsgrad', 'centered', 'decoupled_weight_decay')
#: Entries of an optimizer's state that have the shape of their parameter.
_LIKE_PARAMETERS = ('exp_avg', 'momentum_buffer', 'square_avg', 'sum')


def raise_if_not_resumable(runner: Runner, checkpoint: Mapping, source: str) -> None:
    """Refuse a checkpoint of a training that was set up otherwise.

    Args:
        runner: of the training, its optimizer built.
        checkpoint: as loaded.
        source: name of the checkpoint file, for the message.

    Raises:
        CheckpointMismatchError: it holds no training, or one with other groups of
            parameters, another kind of optimizer or other schedulers.
    """
    reason = (
        _find_missing_parts(checkpoint)
        or _compare_optimizers(runner.optim_wrapper, checkpoint.get('optimizer'))
        or _compare_kinds(runner.optim_wrapper, settings_in(checkpoint))
        or _compare_schedulers(
            runner.param_schedulers, checkpoint.get('param_schedulers')
        )
    )
    if reason is not None:
        raise CheckpointMismatchError(
            f'{source} cannot be resumed from: {reason}. Go on with the settings that '
            'it was trained with; or, to start a new training from its weights, give '
            f'--cfg-options load_from={source} instead of --resume'
        )


def _find_missing_parts(checkpoint: Mapping) -> str | None:
    meta = checkpoint.get('meta')
    wanted = dict(meta=('epoch', 'iter'), message_hub=(), optimizer=())
    for part, keys in wanted.items():
        found = checkpoint.get(part)
        if not isinstance(found, Mapping) or any(key not in found for key in keys):
            return (
                'it holds weights, as published checkpoints and those of other '
                f'programs do, but not the state of a training ({part} is missing)'
            )
    if any(type(meta[key]) is not int for key in wanted['meta']):  # type: ignore[index]
        return 'its numbers of epochs and iterations are no numbers'
    return None


def _compare_optimizers(own: Any, saved: Any) -> str | None:
    if isinstance(own, OptimWrapperDict):
        if left_out := sorted(set(own.keys()) - set(saved)):
            return f'it has no state of the optimizers {left_out}'
        for name, wrapper in own.items():
            if reason := _compare_optimizers(wrapper, saved[name]):
                return f'{reason} ({name})'
        return None
    groups, saved_groups = own.optimizer.param_groups, saved.get('param_groups')
    if not isinstance(saved_groups, list) or not isinstance(saved.get('state'), dict):
        return 'its optimizer has no state'
    sizes, saved_sizes = (
        [len(group['params']) for group in each] for each in (groups, saved_groups)
    )
    if sizes != saved_sizes:
        return (
            f'its optimizer has {_count(saved_sizes)}, that of the config '
            f'{_count(sizes)} (optim_wrapper.paramwise_cfg makes them)'
        )
    kind, saved_kind = (_KINDS & set(each[0]) for each in (groups, saved_groups))
    if kind != saved_kind:
        return (
            f'its optimizer has the settings {sorted(saved_kind)}, the '
            f"config's {type(own.optimizer).__name__} has {sorted(kind)}"
        )
    for group, saved_group in zip(groups, saved_groups, strict=True):
        if reason := _compare_groups(group, saved_group):
            return reason
    parameters = [value for group in groups for value in group['params']]
    return _compare_states(parameters, saved['state'])


def _compare_groups(group: Mapping, saved: Mapping) -> str | None:
    """Settings that need what the checkpoint does not hold."""
    for key in _OF_STATE:
        if key in group and key in saved and group[key] != saved[key]:
            return f'its optimizer has {key}={saved[key]}, the config {group[key]}'
    starts = 'alpha' in group and group.get('momentum') and not saved.get('momentum')
    if starts:  # RMSprop makes its buffers at the first step only
        return f"its optimizer has no momentum, the config's {group['momentum']}"
    return None


def _compare_kinds(own: Any, settings: Mapping[str, Any]) -> str | None:
    for name, wrapper in optim_wrappers(own).items():
        kind, saved = (
            type(wrapper.optimizer).__name__,
            settings.get(optimizer_key(name)),
        )
        if saved is not None and saved != kind:
            return f'its optimizer is {saved}, the config has {kind}'
    return None


def _compare_states(parameters: list[Tensor], states: Mapping) -> str | None:
    for number, parameter in enumerate(parameters):
        for name in _LIKE_PARAMETERS:
            value = states.get(number, {}).get(name)
            if isinstance(value, Tensor) and value.shape != parameter.shape:
                return (
                    f"its optimizer's parameter {number} is of shape "
                    f"{tuple(value.shape)}, the config's {tuple(parameter.shape)}: "
                    'they are grouped otherwise'
                )
    return None


def _count(sizes: list[int]) -> str:
    groups = '1 group' if len(sizes) == 1 else f'{len(sizes)} groups'
    return f'{groups} of {sum(sizes)} parameters'


def _compare_schedulers(own: Any, saved: Any) -> str | None:
    if isinstance(own, Mapping) and isinstance(saved, Mapping):
        reasons = (_compare_schedulers(own[name], saved.get(name, [])) for name in own)
        return next(filter(None, reasons), None)
    if not isinstance(own, Sequence) or not isinstance(saved, Sequence):
        return None
    if len(own) != len(saved):
        return f'it has {len(saved)} param_scheduler, the config {len(own)}'
    for number, (scheduler, state) in enumerate(zip(own, saved, strict=True)):
        names, saved_names = (
            {name for name in each if not name.startswith('_') and name != 'verbose'}
            for each in (scheduler.state_dict(), state)
        )
        by_epoch = state.get('by_epoch'), scheduler.by_epoch
        if names != saved_names or by_epoch[0] is not by_epoch[1]:
            return (
                f'its param_scheduler {number} is another than the '
                f"config's {type(scheduler).__name__}"
            )
    return None
