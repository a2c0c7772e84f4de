# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Rates and schedules of the config in place of those of a checkpoint."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.optim.scheduler import ReduceOnPlateauParamScheduler
from mmengine.runner import Runner

from mmkp.engine.optimizers import optim_wrappers

# How torch computes, not what.
_OF_IMPLEMENTATION = ('foreach', 'fused', 'capturable', 'differentiable', 'params')
# Where a scheduler is, not which one it is.
_PROGRESS = ('last_step', 'base_values', 'verbose')
_BY_LOSSES = ReduceOnPlateauParamScheduler
_INITIAL = 'initial_'


def adopt_rates(runner: Runner, checkpoint: dict) -> list[str]:
    """Let a checkpoint hold what it would with the config's rates and schedules.

    MMEngine restores the rates with the optimizer's state, and a changed config would
    be of no effect. The moments of the optimizer stay as they are. Schedulers are made
    anew, and step to where the training is.

    Args:
        runner: of the training, with optimizer and schedulers as the config builds
            them.
        checkpoint: with the same groups of parameters and kinds of schedulers; its
            ``optimizer`` and ``param_schedulers`` are changed in place.

    Returns:
        What has changed, as ``optim_wrapper.optimizer.lr: 0.1 -> 0.01``.
    """
    told: list[str] = []
    for name, wrapper in optim_wrappers(runner.optim_wrapper).items():
        saved = checkpoint['optimizer'][name] if name else checkpoint['optimizer']
        own, states = (
            (each or {}).get(name) if isinstance(each, Mapping) else each
            for each in (runner.param_schedulers, checkpoint.get('param_schedulers'))
        )
        place = f'optim_wrapper.{name}.optimizer' if name else 'optim_wrapper.optimizer'
        # Schedulers that were not saved begin anew.
        own = list(own or ()) if states else []
        told += _adopt(wrapper, saved, own, list(states or ()), place)
    return list(dict.fromkeys(told))


def _adopt(
    wrapper: OptimWrapper, saved: dict, schedulers: list, states: list, place: str
) -> list[str]:
    """Bring the state of one optimizer up to date, see :func:`adopt_rates`."""
    base = saved.get('base_param_settings')
    groups = [*saved['param_groups'], *([base] if base else [])]
    pairs = list(zip(wrapper.param_groups, groups, strict=False))
    both = list(zip(schedulers, states, strict=True))
    told = [change for pair in pairs for change in _adopt_fixed(*pair, place)]
    bases = [_changed_bases(*pair) for pair in pairs]
    for group in bases:
        told += [f'{place}.{key}: {old} -> {new}' for key, (old, new) in group.items()]
    schedules = [change for pair in both for change in _changed_schedule(*pair)]
    if any(bases) or schedules:
        can_step = not any(isinstance(each, _BY_LOSSES) for each in schedulers)
        if can_step:
            _step_to(schedulers, states)
        for (own, old), changed in zip(pairs, bases, strict=True):
            _adopt_scheduled(own, old, changed, bool(schedulers) and can_step)
        for scheduler, state in both:
            fresh = scheduler.state_dict()
            state.update(fresh if can_step else _settings(fresh))
    return told + schedules


def _adopt_scheduled(
    own: Mapping, old: dict, changed: Mapping[str, tuple[Any, Any]], has_stepped: bool
) -> None:
    """Set what schedules change, as they stand or as a share of the new start."""
    for key in _scheduled(own, old):
        start, now = _INITIAL + key, old[key]
        first = old.get(start, now)
        if has_stepped:
            old[key] = own[key]
        elif key in changed:
            new = changed[key][1]
            old[key] = now / first * new if first else new
        if start in own or start in old:
            old[start] = own.get(start, own[key])
        if key == 'momentum' and 'betas' in old:  # which holds it, for Adam
            old['betas'] = (old[key], own['betas'][1])


def _scheduled(own: Mapping, old: Mapping) -> list[str]:
    """Settings that change with time; the rate may, by a hook."""
    names = [key for key in own if _INITIAL + key in own or _INITIAL + key in old]
    return names if 'lr' in names or 'lr' not in own else ['lr', *names]


def _adopt_fixed(own: Mapping, old: dict, place: str) -> list[str]:
    """Adopt settings that no schedule changes."""
    left = {*_OF_IMPLEMENTATION, *_scheduled(own, old)}
    if f'{_INITIAL}momentum' in own:
        left.add('betas')  # whose first is the momentum
    told = []
    for key in own:
        if key in left or key not in old or key.startswith(_INITIAL):
            continue
        if _plain(own[key]) != _plain(old[key]):
            told.append(f'{place}.{key}: {_plain(old[key])} -> {_plain(own[key])}')
            old[key] = own[key]
    return told


def _changed_bases(own: Mapping, old: Mapping) -> dict[str, tuple[Any, Any]]:
    """Former and present value of what schedules change, at their start."""
    found = {}
    for key in _scheduled(own, old):
        pair = tuple(each.get(_INITIAL + key, each.get(key)) for each in (old, own))
        if _plain(pair[0]) != _plain(pair[1]):
            found[key] = (_plain(pair[0]), _plain(pair[1]))
    return found


def _changed_schedule(scheduler: Any, state: Mapping) -> list[str]:
    """What a scheduler is set to otherwise."""
    fresh = scheduler.state_dict()
    return [
        f'{type(scheduler).__name__}.{key}: {_plain(state[key])} -> {_plain(value)}'
        for key, value in _settings(fresh).items()
        if key in state and _plain(state[key]) != _plain(value)
    ]


def _settings(state: Mapping) -> dict[str, Any]:
    progress = {*_PROGRESS, 'best', 'num_bad_epochs', 'cooldown_counter'}
    return {
        key: value
        for key, value in state.items()
        if key not in progress and not key.startswith('_')
    }


def _step_to(schedulers: Sequence[Any], states: Sequence[Mapping]) -> None:
    """Step schedulers, each as often as its state says, one beside the other."""
    steps = [
        state['_global_step'] - scheduler._global_step
        for scheduler, state in zip(schedulers, states, strict=True)
    ]
    most = max(steps, default=0)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # that the optimizer has not stepped
        for now in range(most):
            for scheduler, number in zip(schedulers, steps, strict=True):
                if (now + 1) * number // most > now * number // most:
                    scheduler.step()


def _plain(value: Any) -> Any:
    """A value as it is compared and told."""
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value
