# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What is drawn at random, from which generator, and what else is left as it was."""

import locale
import os
import random
from typing import Any

import numpy as np
import torch

from mmkp.engine.random_state import get_random_state
from mmkp.testing.check import CheckFailed
from mmkp.testing.comparison import expect_equal_state
from mmkp.testing.method import Method

_STEPS = 3


def check_same_seed_gives_same_training(method: Method) -> None:
    """Two trainings of one seed are equal to the last bit."""
    runs = []
    for _ in range(2):
        model = method.build(seed=7)
        logs = method.train(model, method.optimizer(model), _STEPS)
        runs.append((logs, model.state_dict()))
    (first, expected), (second, found) = runs
    if first != second:
        raise CheckFailed(
            f'two trainings of one seed log {first[-1]} and {second[-1]} in step '
            f'{_STEPS}, should be the same numbers'
        )
    expect_equal_state(found, expected, 'the weights of two trainings of one seed')


def check_training_draws_from_torch_or_numpy(method: Method) -> None:
    """A training step leaves Python's own generator of random numbers alone."""
    model = method.build()
    before = random.getstate()
    method.train(model, method.optimizer(model), 1)
    if random.getstate() != before:
        raise CheckFailed(
            "a training step draws from Python's module random, should draw from "
            "torch's or numpy's generators"
        )


def check_prediction_draws_nothing(method: Method) -> None:
    """A prediction leaves every global generator of random numbers as it was."""
    model, batch = method.build().eval(), method.test_batch()
    before = get_random_state()
    method.predict(model, batch)
    after = get_random_state()
    changed = [name for name in before if not _same(before[name], after[name])]
    if changed:
        raise CheckFailed(
            f'a prediction draws from the global generators of {changed}, should draw '
            'from none'
        )


def check_global_state_is_unchanged(method: Method) -> None:
    """Building, training and predicting change no setting of the process."""
    before = _settings()
    model = method.build()
    method.train(model, method.optimizer(model), 1)
    method.predict(model.eval())
    after = _settings()
    changed = {
        name: f'{value!r} -> {after[name]!r}'
        for name, value in before.items()
        if after[name] != value
    }
    _restore(before)
    if changed:
        raise CheckFailed(f'settings of the process changed, should not: {changed}')


def _same(left: Any, right: Any) -> bool:
    """Whether two states of a generator are equal."""
    if isinstance(left, tuple):
        return all(map(_same, left, right))
    if isinstance(left, torch.Tensor):
        return torch.equal(left, right)
    return bool(np.all(left == right))


def _settings() -> dict[str, Any]:
    """Settings of torch, numpy and the process that change what others compute."""
    return {
        'torch.get_default_dtype': torch.get_default_dtype(),
        'torch.is_grad_enabled': torch.is_grad_enabled(),
        'torch.get_num_threads': torch.get_num_threads(),
        'torch.are_deterministic_algorithms_enabled': (
            torch.are_deterministic_algorithms_enabled()
        ),
        'torch.is_autocast_enabled': torch.is_autocast_enabled('cpu'),
        'torch.get_float32_matmul_precision': torch.get_float32_matmul_precision(),
        'torch.backends.cudnn.benchmark': torch.backends.cudnn.benchmark,
        'numpy.geterr': np.geterr(),
        'numpy.get_printoptions': np.get_printoptions(),
        'os.getcwd': os.getcwd(),
        'os.environ': dict(os.environ),
        'locale.getlocale': locale.getlocale(),
    }


def _restore(settings: dict[str, Any]) -> None:
    """Put back what would spoil the checks that follow."""
    torch.set_default_dtype(settings['torch.get_default_dtype'])
    torch.set_grad_enabled(settings['torch.is_grad_enabled'])
    torch.set_num_threads(settings['torch.get_num_threads'])
    torch.use_deterministic_algorithms(
        settings['torch.are_deterministic_algorithms_enabled']
    )
    torch.set_float32_matmul_precision(settings['torch.get_float32_matmul_precision'])
    torch.backends.cudnn.benchmark = settings['torch.backends.cudnn.benchmark']
    np.seterr(**settings['numpy.geterr'])
    os.chdir(settings['os.getcwd'])
