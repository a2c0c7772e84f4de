# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The losses are numbers, they fall, and they teach every parameter."""

import math

import torch

from mmkp.testing.check import CheckFailed
from mmkp.testing.method import Method


def check_loss_is_finite(method: Method) -> None:
    """Every loss of a fresh model is one finite number, and the sum has a gradient."""
    total, logged = method.loss(method.build())
    values = {name: float(value.detach()) for name, value in logged.items()}
    bad = {name: value for name, value in values.items() if not math.isfinite(value)}
    if bad:
        raise CheckFailed(f'of a fresh model {bad}, should be finite')
    if not total.requires_grad:
        raise CheckFailed('the sum of the losses has no gradient, should have one')


def check_loss_falls(method: Method) -> None:
    """The sum of the losses falls on one batch, with the same random views each step.

    The last quarter of the steps has to lie below the first step by a thousandth of it.
    """
    losses = method.losses
    last = losses[-max(1, len(losses) // 4) :]
    mean = sum(last) / len(last)
    bound = losses[0] - 1e-3 * abs(losses[0])
    if not mean < bound:
        raise CheckFailed(
            f'in {len(losses)} steps on one batch the loss went from {losses[0]:.6g} '
            f'to {mean:.6g}, should be below {bound:.6g}'
        )


def check_gradients_reach_every_parameter(method: Method) -> None:
    """Each parameter that requires a gradient gets one that is finite and not 0.

    In one of three steps at least: a dropped or saturated unit may have none in one.
    """
    model = method.build()
    optimizer = method.optimizer(model)
    waiting = {name for name, p in model.named_parameters() if p.requires_grad}
    if not waiting:
        raise CheckFailed('no parameter requires a gradient, at least one should')
    for _ in range(3):
        model.zero_grad()
        method.loss(model)[0].backward()
        for name, parameter in model.named_parameters():
            gradient = parameter.grad
            if gradient is None:
                continue
            if not torch.isfinite(gradient).all():
                raise CheckFailed(f'the gradient of {name} is not finite')
            if gradient.any():
                waiting.discard(name)
        if not waiting:
            return
        method.train(model, optimizer, 1)
    names = sorted(waiting)
    raise CheckFailed(
        f'{len(names)} parameters got no gradient in three steps, should be none: '
        f'{", ".join(names[:5])}{", ..." if len(names) > 5 else ""}'
    )
