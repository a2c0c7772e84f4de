"""What MMEngine's training loops are about to do."""

from bisect import bisect
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

from mmkp.engine.optimizers import optim_wrappers

# Processes ask each other every so many iterations, as each time the GPU is waited for.
_AGREEMENT_INTERVAL = 10

EMPTY = (
    'the training set (train_dataloader.dataset) is empty: check its data_root, '
    'ann_file, data_prefix and filter_cfg'
)


def bare_model(runner: Runner) -> Any:
    """The model of a runner without the wrapper of a distributed training."""
    model = runner.model
    return model.module if is_model_wrapper(model) else model


def validation_is_due(loop: Any, done: int) -> bool:
    """Whether a loop validates next.

    Args:
        loop: MMEngine's loop by iteration or by epoch.
        done: iterations, or epochs of a loop by epoch, that have been trained.

    Returns:
        What the loop itself will find when it asks.
    """
    by_epoch = isinstance(loop, EpochBasedTrainLoop)
    last = loop.max_epochs if by_epoch else loop.max_iters
    interval = loop.dynamic_intervals[bisect(loop.dynamic_milestones, done + 1) - 1]
    return done >= loop.val_begin and (done % interval == 0 or done == last)


def is_between_updates(runner: Runner) -> bool:
    """Whether no gradients have been accumulated that a checkpoint would lose."""
    wrappers = optim_wrappers(runner.optim_wrapper).values()
    return all(wrapper.should_update() for wrapper in wrappers)


def agree(runner: Runner, value: int) -> int:
    """The largest of all processes' values, in every process.

    Args:
        runner: of the training, within an iteration.
        value: of this process.

    Returns:
        The value itself where there is one process; with several, 0 in iterations in
        which they do not ask each other.
    """
    if not runner.distributed:
        return value
    if (runner.iter + 1) % _AGREEMENT_INTERVAL:
        return 0
    largest = torch.tensor(value)
    all_reduce(largest, 'max')
    return int(largest)


def check_training_data(loop: Any) -> None:
    """Refuse data that give no batch.

    Args:
        loop: MMEngine's training loop.

    Raises:
        ValueError: there is none; naming the numbers.
    """
    loader = loop.dataloader
    number = len(loader.dataset)
    if number == 0:
        raise ValueError(EMPTY)
    if isinstance(loop, EpochBasedTrainLoop) and len(loader) == 0:
        raise ValueError(
            f'train_dataloader.batch_size={loader.batch_size} is more than the '
            f'{number} samples of the training set while drop_last=True leaves out '
            'incomplete batches: lower batch_size or set drop_last=False'
        )
