"""Batches that depend on the seed and on their number, not on what came before."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from mmengine.structures import BaseDataElement
from torch.utils.data import DataLoader, Sampler, get_worker_info

from mmkp.engine.random_state import seed_generators


class EndlessBatches(Sampler):
    """The index batches of a batch sampler, pass after pass, from any batch on.

    Batches before ``first`` cost a draw of their indices, about a microsecond an
    image, and no image is read. Each pass starts with ``set_epoch``, as the
    passes of MMEngine's iteration-based loop do.

    Args:
        batch_sampler: yields lists of indices; may be endless itself.
        first: number of batches to leave out.

    Raises:
        ValueError: the sampler yields no batch, when iterated.
    """

    def __init__(self, batch_sampler: Sampler, first: int = 0) -> None:
        self.batch_sampler = batch_sampler
        self.first = first

    def __iter__(self) -> Iterator[list[int]]:
        number, epoch = 0, 0
        while True:
            sampler = getattr(self.batch_sampler, 'sampler', self.batch_sampler)
            if hasattr(sampler, 'set_epoch'):
                sampler.set_epoch(epoch)
            before = number
            for indices in self.batch_sampler:
                if number >= self.first:
                    yield indices
                number += 1
            if number == before:
                raise ValueError(
                    'the training set gives no batch: it is empty, or smaller than '
                    'one batch while drop_last=True'
                )
            epoch += 1


class BatchSeeder:
    """Seeds a loader's worker processes anew for each batch.

    MMEngine seeds a worker once, so what it draws for a batch depends on all
    batches that this worker made before, and going on from batch n means making
    n batches for nothing. Seeded by (seed, rank, number of the batch), batch n
    is the same whoever makes it. Without worker processes nothing is seeded:
    the main process' generators are part of the checkpoint.

    Args:
        loader: the loader to change: its ``collate_fn`` and ``worker_init_fn``
            are wrapped, once.
        seed: of the training.
        rank: of this process.
        first: number, over the whole training, of the loader's first batch.
        batches_per_epoch: number of batches after which a loader with persistent
            workers starts over; None for an endless one.
    """

    def __init__(
        self,
        loader: DataLoader,
        seed: int,
        rank: int,
        first: int,
        batches_per_epoch: int | None = None,
    ) -> None:
        wrapped = loader.collate_fn
        former = wrapped if isinstance(wrapped, BatchSeeder) else loader
        self.collate_fn: Callable[[Any], Any] = former.collate_fn
        self.worker_init_fn: Callable[[int], None] | None = former.worker_init_fn
        self.seed, self.rank, self.first = seed, rank, first
        self.batches_per_epoch = batches_per_epoch
        self._done = 0  # by this worker; each has its own copy
        loader.collate_fn = self
        loader.worker_init_fn = self._start_worker
        # Each new iterator draws a seed for its workers, here without taking it
        # from the generator that the model draws from.
        loader.generator = torch.Generator()

    def __call__(self, samples: Sequence[Any]) -> Any:
        """Collate a batch; the worker's last act before it begins the next one."""
        batch = self.collate_fn(samples)
        worker = get_worker_info()
        if worker is not None:
            share_memory(batch)
            self._done += 1
            self._seed_worker(worker.id)
        return batch

    def _start_worker(self, worker_id: int) -> None:
        if self.worker_init_fn is not None:
            self.worker_init_fn(worker_id)
        self._seed_worker(worker_id)

    def _seed_worker(self, worker_id: int) -> None:
        number = self.batch_number(worker_id, get_worker_info().num_workers)
        seed_generators(self.seed, self.rank, number)

    def batch_number(self, worker_id: int, num_workers: int) -> int:
        """Number, over the whole training, of the batch a worker makes next.

        PyTorch deals batches to its workers in turn, each pass from worker 0 on.

        Args:
            worker_id: which worker, from 0.
            num_workers: how many there are.

        Returns:
            The number, from 0.
        """
        if self.batches_per_epoch is None:
            return self.first + worker_id + self._done * num_workers
        share = -(-(self.batches_per_epoch - worker_id) // num_workers)
        passes, within = divmod(self._done, max(share, 1))
        start = self.first + passes * self.batches_per_epoch
        return start + worker_id + within * num_workers


def share_memory(batch: Any) -> None:
    """Move a batch into shared memory, as PyTorch does when a worker sends it.

    PyTorch does so in a thread, whose errors, such as a full /dev/shm, nobody hears:
    the main process would wait for this batch for ever. Here they reach it.

    Args:
        batch: nested dicts, lists, tuples and MMEngine's data elements of tensors.

    Raises:
        RuntimeError: the shared memory is full.
    """
    if isinstance(batch, torch.Tensor):
        if batch.device.type == 'cpu' and batch.numel():
            batch.share_memory_()
    elif isinstance(batch, dict):
        share_memory(list(batch.values()))
    elif isinstance(batch, BaseDataElement):
        share_memory(list(batch.all_values()))
    elif isinstance(batch, list | tuple):
        for item in batch:
            share_memory(item)


class RestOfPass(Sampler):
    """The index batches of one pass of a batch sampler without the first ones.

    Args:
        batch_sampler: yields lists of indices.
        left_out: number of batches to leave out.
    """

    def __init__(self, batch_sampler: Any, left_out: int) -> None:
        self.batch_sampler, self.left_out = batch_sampler, left_out

    def __iter__(self) -> Iterator[list[int]]:
        return islice(iter(self.batch_sampler), self.left_out, None)


def loader_of_batches(
    loader: DataLoader, batches: Sampler, first: int, seed: int, rank: int
) -> DataLoader:
    """A loader of other batches of the same data, with the same settings.

    Args:
        loader: what to take the data set and the settings from.
        batches: :class:`EndlessBatches` or :class:`RestOfPass`.
        first: number, over the whole training, of the first of them.
        seed: of the training.
        rank: of this process.

    Returns:
        A new loader with its worker processes seeded by :class:`BatchSeeder`.
    """
    parallel = {}
    if loader.num_workers > 0:
        parallel = dict(
            prefetch_factor=loader.prefetch_factor,
            multiprocessing_context=loader.multiprocessing_context,
            timeout=loader.timeout,
        )
    like_it = DataLoader(
        loader.dataset,
        batch_sampler=batches,
        num_workers=loader.num_workers,
        collate_fn=loader.collate_fn,
        worker_init_fn=loader.worker_init_fn,
        pin_memory=loader.pin_memory,
        **parallel,
    )
    BatchSeeder(like_it, seed, rank, first)
    return like_it
