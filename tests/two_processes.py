"""Two processes of one group on this machine, and what each of them returns."""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch
from torch import distributed

needs_fork = pytest.mark.skipif(sys.platform != 'linux', reason='needs fork')


def in_two_processes(work: Callable, folder: Path, *args: Any) -> list:
    """Call ``work(rank, *args)`` in two processes that are joined by gloo.

    They are forked, as importing everything anew takes ten seconds.

    Returns:
        What each process returned.
    """
    processes = two_processes(work, folder, args)
    for process in processes:
        process.join(240)
        if process.is_alive():
            process.kill()
    assert [process.exitcode for process in processes] == [0, 0]
    return [torch.load(folder / f'{rank}.pt', weights_only=False) for rank in range(2)]


def two_processes(work: Callable, folder: Path, args: tuple) -> list:
    """Start the processes, see :func:`in_two_processes`."""
    (folder / 'meeting').unlink(missing_ok=True)
    context = multiprocessing.get_context('fork')
    processes = [
        context.Process(target=_join_and_work, args=(rank, work, folder, args))
        for rank in range(2)
    ]
    for process in processes:
        process.start()
    return processes


def _join_and_work(rank: int, work: Callable, folder: Path, args: tuple) -> None:
    torch.set_num_threads(1)
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE='2')
    distributed.init_process_group(
        'gloo',
        init_method=f'file://{folder}/meeting',
        rank=rank,
        world_size=2,
        timeout=timedelta(seconds=120),
    )
    torch.save(work(rank, *args), folder / f'{rank}.pt')
    distributed.barrier()
    distributed.destroy_process_group()


@contextlib.contextmanager
def share_of_draws(rank: int, share: int, whole: int) -> Iterator[None]:
    """Draw for a batch of ``whole`` images, and keep what this process' part gets.

    Whatever a model draws for a batch has an entry for each image.
    """

    def of_whole(draw: Callable) -> Callable:
        def drawn(*size: Any, **options: Any) -> torch.Tensor:
            shape = size[0] if len(size) == 1 and not isinstance(size[0], int) else size
            assert shape[0] == share
            numbers = draw((whole, *shape[1:]), **options)
            return numbers[rank * share : (rank + 1) * share]

        return drawn

    with (
        mock.patch('torch.rand', of_whole(torch.rand)),
        mock.patch('torch.randn', of_whole(torch.randn)),
    ):
        yield
