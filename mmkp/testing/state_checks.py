# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a model is can be saved, loaded, copied and trained on."""

import copy
import pickle
import tempfile
from pathlib import Path

import torch

from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.random_state import get_random_state, set_random_state
from mmkp.testing.check import CheckFailed
from mmkp.testing.comparison import expect_equal_state, expect_same_predictions
from mmkp.testing.method import Method


def check_saved_state_predicts_the_same(method: Method) -> None:
    """A checkpoint, read as data only, makes another model predict the same bits."""
    model = method.trained()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'model.pth'
        torch.save({'state_dict': model.state_dict(), 'meta': {}}, path)
        content = load_checkpoint_file(str(path), 'cpu')
    other = method.build(seed=1)
    mismatch = other.load_state_dict(content['state_dict'], strict=False)
    if mismatch.missing_keys or mismatch.unexpected_keys:
        raise CheckFailed(
            f'the state lacks {mismatch.missing_keys[:5]} and has '
            f'{mismatch.unexpected_keys[:5]} too much, should have what the model has'
        )
    expect_same_predictions(
        method.predict(other.eval()),
        method.predict(model),
        0.0,
        'a model and another one that loaded its state',
    )


def check_resumed_equals_uninterrupted(method: Method) -> None:
    """Steps, saving, loading and steps give the bits of as many steps in one go."""
    first, second = 2, 2
    model = method.build()
    optimizer = method.optimizer(model)
    method.train(model, optimizer, first)
    saved = copy.deepcopy(
        dict(model=model.state_dict(), optimizer=optimizer.state_dict())
    )
    state = get_random_state()
    expected = method.train(model, optimizer, second)

    other = method.build(seed=1)
    optimizer = method.optimizer(other)
    other.load_state_dict(saved['model'])
    optimizer.load_state_dict(saved['optimizer'])
    set_random_state(state)
    found = method.train(other, optimizer, second)
    if found != expected:
        raise CheckFailed(
            f'after {first} steps, saving and loading, step {first + second} logs '
            f'{found[-1]}, should log {expected[-1]}'
        )
    expect_equal_state(
        other.state_dict(), model.state_dict(), 'the weights of a resumed training'
    )


def check_pickled_and_copied(method: Method) -> None:
    """A model can be pickled and copied, and the copies stand for themselves."""
    model = method.trained()
    expected = method.predict(model)
    # Its config and metainfo are MMPose's to pickle.
    for name in ('cfg', 'dataset_meta'):
        delattr(model, name)
    for what, other in (
        ('a pickled model', pickle.loads(pickle.dumps(model))),
        ('a copied model', copy.deepcopy(model)),
    ):
        other.cfg, other.dataset_meta = method.cfg, method.dataset_meta
        expect_same_predictions(
            method.predict(other.eval()), expected, 0.0, f'{what} and its original'
        )
        before = copy.deepcopy(model.state_dict())
        method.train(other.train(), method.optimizer(other), 1)
        expect_equal_state(
            model.state_dict(), before, f'the original after training {what}'
        )
