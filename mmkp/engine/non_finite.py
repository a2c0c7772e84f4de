"""Values that are NaN or infinite: found, told with a remedy, kept off the disk."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import is_model_wrapper
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from torch import Tensor, nn

from mmkp.engine.optimizers import optim_wrappers

_MOST_NAMES = 8
_STATISTICS = ('running_mean', 'running_var')
# Scales below mean that dozens of steps in a row were left out.
_LEAST_SCALE = 2.0**-20


class NonFiniteError(ValueError):
    """A training has left the range of finite numbers."""


def non_finite_names(model: nn.Module, trained_only: bool = False) -> list[str]:
    """Parameters, running statistics and other buffers that are spoilt.

    In parameters and running statistics nothing but finite numbers is right. Other
    buffers may hold infinities on purpose, as masks do, but no NaN. One pass over the
    memory and one transfer from the device.

    Args:
        model: bare or in a wrapper.
        trained_only: leave out what a training does not change: frozen parameters and
            buffers that are no running statistics.

    Returns:
        Their names.
    """
    bare: Any = model.module if is_model_wrapper(model) else model
    values = {
        name: value
        for name, value in bare.named_parameters()
        if value.requires_grad or not trained_only
    }
    others = dict(bare.named_buffers())
    statistics = {name for name in others if name.endswith(_STATISTICS)}
    values.update((name, others[name]) for name in others.keys() & statistics)
    names = _not_finite(values)
    if not trained_only:
        spoilt = _not_finite({k: v for k, v in others.items() if k not in statistics})
        names += [name for name in spoilt if others[name].isnan().any()]
    return names


def non_finite_states(optim_wrapper: Any, model: nn.Module) -> list[str]:
    """States of optimizers that hold NaN or infinities, which outlast the gradients.

    Args:
        optim_wrapper: one, or MMEngine's dict of several.
        model: whose parameters are named.

    Returns:
        ``state of parameter``, for each.
    """
    names = {id(value): name for name, value in model.named_parameters()}
    found: dict[str, Tensor] = {}
    for steps in optim_wrappers(optim_wrapper).values():
        optimizer = getattr(steps, 'optimizer', None)
        for parameter, state in getattr(optimizer, 'state', {}).items():
            name = names.get(id(parameter), 'a parameter')
            found.update(
                (f'{key} of {name}', value)
                for key, value in state.items()
                if isinstance(value, Tensor)
            )
    return _not_finite(found)


def _not_finite(values: Mapping[str, Tensor]) -> list[str]:
    """Names of tensors with NaN or infinities, by their least and largest values."""
    values = {
        name: value.detach()
        for name, value in values.items()
        if value.is_floating_point() and value.numel() and not value.is_meta
    }
    if not values:
        return []
    place = next(iter(values.values())).device
    extremes = [torch.stack(value.aminmax()).float() for value in values.values()]
    finite = torch.stack([pair.to(place) for pair in extremes]).isfinite().all(1)
    return [
        name
        for name, is_finite in zip(values, finite.tolist(), strict=True)
        if not is_finite
    ]


def raise_if_not_finite(runner: Any, iteration: int) -> None:
    """Refuse to go on with weights, or a state of the optimizer, that are not finite.

    Args:
        runner: of the training.
        iteration: number of iterations that have been made.

    Raises:
        NonFiniteError: naming weights, remedies and the last good checkpoint.
    """
    model = getattr(runner, 'model', None)
    if not isinstance(model, nn.Module):
        return
    what, names = 'weights', non_finite_names(model)
    if not names:
        what = 'states of the optimizer'
        names = non_finite_states(getattr(runner, 'optim_wrapper', None), model)
    if names:
        raise NonFiniteError(
            f'after step {iteration} the {what} are not finite ({listed(names)}), '
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


def weights_error(
    runner: Runner, steps: Sequence[int], names: Sequence[str], files: Sequence[str]
) -> NonFiniteError:
    """The error for weights that are not finite although the losses were.

    Args:
        runner: of the training.
        steps: numbers of the iterations that may have done it, from 1.
        names: of the weights.
        files: of the images of those iterations.

    Returns:
        The error, naming step, weights, images, remedies and the last good checkpoint.
    """
    when = f'step {steps[-1]}'
    if len(steps) > 1:
        when = f'steps {steps[0]} to {steps[-1]}'
    images = f' with the images {listed(files)}' if files else ''
    return NonFiniteError(
        f'{when}: the losses are finite, but the weights no longer are '
        f'({listed(names)}){images}: their gradients, or the values that a running '
        f'mean takes in, are not. The training stops, as it cannot recover: '
        f'{remedies(runner)}{_kept(runner)}'
    )


def scales_losses(runner: Runner) -> bool:
    """Whether steps with infinite gradients are left out, as is usual with AMP."""
    return bool(_scalers(runner))


def raise_if_no_step_counts(runner: Runner, iteration: int) -> None:
    """Refuse to go on where the loss scaler leaves out step after step.

    Args:
        runner: of the training.
        iteration: number of iterations that have been made.

    Raises:
        NonFiniteError: the scale has been halved until nothing is left of it.
    """
    for scaler in _scalers(runner):
        scale = float(scaler.get_scale())
        if scale < _LEAST_SCALE:
            raise NonFiniteError(
                f'step {iteration}: the gradients are not finite at any scale of the '
                f'loss (it is down to {scale:.2g}), so that step after step is left '
                f'out and nothing is learned: {remedies(runner)}{_kept(runner)}'
            )


def _scalers(runner: Runner) -> list[Any]:
    """Loss scalers in use."""
    scalers = [
        getattr(steps, 'loss_scaler', None)
        for steps in optim_wrappers(runner.optim_wrapper).values()
        if isinstance(steps, AmpOptimWrapper)
    ]
    return [s for s in scalers if s is not None and s.is_enabled()]


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
