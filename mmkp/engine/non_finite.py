"""Values that are NaN or infinite: found, told with a remedy, kept off the disk."""

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from torch import nn

from mmkp.engine.optimizers import optim_wrappers

_MOST_NAMES = 8


class NonFiniteError(ValueError):
    """A training has left the range of finite numbers."""


def non_finite_names(model: nn.Module) -> list[str]:
    """Parameters and running statistics that hold a value that is not finite.

    Other buffers are left out, as masks may hold -inf on purpose.

    Args:
        model: bare or in a wrapper.

    Returns:
        Their names.
    """
    bare: Any = model.module if is_model_wrapper(model) else model
    statistics = [
        (name, buffer)
        for name, buffer in bare.named_buffers()
        if name.endswith(('running_mean', 'running_var'))
    ]
    return [
        name
        for name, value in [*bare.named_parameters(), *statistics]
        if not torch.isfinite(value.detach()).all()
    ]


def raise_if_not_finite(runner: Any, iteration: int) -> None:
    """Refuse to go on with weights that are not finite.

    Args:
        runner: of the training.
        iteration: number of iterations that have been made.

    Raises:
        NonFiniteError: naming weights, remedies and the last good checkpoint.
    """
    model = getattr(runner, 'model', None)
    names = non_finite_names(model) if isinstance(model, nn.Module) else []
    if names:
        raise NonFiniteError(
            f'after step {iteration} the weights are not finite ({listed(names)}), '
            f'so they are not saved: {remedies(runner)}{_kept(runner)}'
        )


def remedies(runner: Runner) -> str:
    """What to change in the config when a training diverges."""
    found = []
    wrappers = optim_wrappers(runner.optim_wrapper)
    for name, steps in wrappers.items():
        place = f'optim_wrapper.{name}' if name else 'optim_wrapper'
        rates = steps.get_lr() if isinstance(steps, OptimWrapper) else {}
        rate = next(iter(rates.get('lr', [])), None)
        told = '' if rate is None else f' (the rate is now {rate:.3g})'
        found.append(f'lower {place}.optimizer.lr{told}')
        clipping = getattr(steps, 'clip_grad_kwargs', None)
        if not clipping:
            found.append(f'set {place}.clip_grad="dict(max_norm=5.0)"')
        elif 'max_norm' in clipping:
            found.append(
                f'lower {place}.clip_grad.max_norm, now {clipping["max_norm"]:g}'
            )
    if any(isinstance(steps, AmpOptimWrapper) for steps in wrappers.values()):
        found.append('train without --amp')
    return ', or '.join(found or ['lower optim_wrapper.optimizer.lr'])


def loss_error(
    runner: Runner, iteration: int, values: dict[str, float], files: Sequence[str]
) -> NonFiniteError:
    """The error for losses that are not finite.

    Args:
        runner: of the training.
        iteration: number of the iteration, from 1.
        values: name -> value of what is not finite.
        files: of the images of the batch.

    Returns:
        The error, naming losses, images, remedies and the last good checkpoint.
    """
    told = ', '.join(f'{name} is {value}' for name, value in values.items())
    images = f' with the images {listed(files)}' if files else ''
    return NonFiniteError(
        f'step {iteration}: {told}{images}. The training stops, as it cannot recover: '
        f'{remedies(runner)}. Where it happens with the same images again, look at '
        f'them and at their annotations{_kept(runner)}'
    )


def scales_losses(runner: Runner) -> bool:
    """Whether steps with infinite gradients are left out, as is usual with AMP."""
    scalers = [
        getattr(steps, 'loss_scaler', None)
        for steps in optim_wrappers(runner.optim_wrapper).values()
        if isinstance(steps, AmpOptimWrapper)
    ]
    return any(scaler is not None and scaler.is_enabled() for scaler in scalers)


def image_files(data_batch: Any) -> list[str]:
    """Files of a batch's images, as far as its samples tell them.

    Args:
        data_batch: what the loader returned: a dict with ``data_samples``.
    """
    samples = data_batch.get('data_samples') if isinstance(data_batch, dict) else None
    found: list[str] = []
    for sample in samples if isinstance(samples, list | tuple) else ():
        paths = getattr(sample, 'img_path', None) or getattr(sample, 'img_id', None)
        found += map(str, paths if isinstance(paths, list | tuple) else [paths])
    return [path for path in found if path != 'None']


def listed(names: Sequence[str], none: str = 'none') -> str:
    """The first of some names, and how many more there are.

    Args:
        names: any number.
        none: what to say without any.
    """
    more = len(names) - _MOST_NAMES
    return (', '.join(names[:_MOST_NAMES]) or none) + (
        f' and {more} more' if more > 0 else ''
    )


def _kept(runner: Any) -> str:
    """Where the last good checkpoint is."""
    path = runner.message_hub.runtime_info.get('last_ckpt')
    if path is None:
        return '. No checkpoint had been written'
    return f'. The last checkpoint with finite weights is {path}'
