"""Batches are a function of seed and number, whoever makes them."""

import random

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch.utils.data import BatchSampler, DataLoader, Dataset

from mmkp.engine.random_state import (
    get_random_state,
    seed_generators,
    set_random_state,
)
from mmkp.engine.resumable_loading import BatchSeeder, EndlessBatches, loader_of_batches


class Noise(Dataset):
    """What an item is depends on its index and on all three generators."""

    def __len__(self):
        return 10

    def __getitem__(self, index):
        drawn = random.random() + np.random.rand() + torch.rand(()).item()
        return index + drawn


def batches_of(sampler, number, first=0):
    endless = iter(EndlessBatches(BatchSampler(sampler, 3, True), first))
    return [next(endless) for _ in range(number)]


@pytest.mark.parametrize('kind', [DefaultSampler, InfiniteSampler])
def test_endless_batches_start_anywhere(kind):
    def sampler():
        return kind(Noise(), shuffle=True, seed=5)

    whole = batches_of(sampler(), 12)
    assert batches_of(sampler(), 5, first=7) == whole[7:]


def test_each_pass_of_a_finite_sampler_is_shuffled_anew():
    whole = batches_of(DefaultSampler(Noise(), shuffle=True, seed=5), 6)
    passes = [sorted(sum(whole[start : start + 3], [])) for start in (0, 3)]
    assert all(len(set(p)) == 9 for p in passes)
    assert whole[:3] != whole[3:]


def test_sampler_without_batches_is_an_error():
    with pytest.raises(ValueError, match='gives no batch'):
        next(iter(EndlessBatches(BatchSampler(range(2), 3, drop_last=True))))


@pytest.mark.parametrize('num_workers', [1, 2, 3])
def test_batches_do_not_depend_on_the_number_of_workers_or_the_start(num_workers):
    def batches(workers, first, number):
        sampler = InfiniteSampler(Noise(), seed=1)
        loader = DataLoader(Noise(), 3, sampler=sampler, num_workers=workers)
        fresh = BatchSampler(InfiniteSampler(Noise(), seed=1), 3, False)
        endless = iter(
            loader_of_batches(loader, EndlessBatches(fresh, first), first, 9, 0)
        )
        return torch.stack([next(endless) for _ in range(number)])

    whole = batches(2, 0, 6)
    torch.testing.assert_close(batches(num_workers, 2, 4), whole[2:], rtol=0, atol=0)
    assert len(whole.unique()) == whole.numel()


def test_numbers_of_batches_over_epochs_with_persistent_workers():
    loader = DataLoader(Noise(), 2, num_workers=2)
    seeder = BatchSeeder(loader, seed=0, rank=0, first=10, batches_per_epoch=5)
    made = {0: [], 1: []}
    for worker, share in ((0, 3), (1, 2)):
        for seeder._done in range(2 * share):
            made[worker].append(seeder.batch_number(worker, 2))
    assert made == {0: [10, 12, 14, 15, 17, 19], 1: [11, 13, 16, 18]}


def test_ranks_and_batches_draw_differently():
    drawn = set()
    for rank in range(3):
        for batch in range(4):
            seed_generators(7, rank, batch)
            drawn.add((random.random(), np.random.rand(), torch.rand(()).item()))
    assert len(drawn) == 12
    assert all(len({d[i] for d in drawn}) == 12 for i in range(3))


def test_random_state_survives_a_checkpoint(tmp_path):
    seed_generators(3)
    np.random.randn()  # leaves a second normal number in store
    torch.save(get_random_state(), tmp_path / 'state.pth')

    def draw():
        return random.random(), np.random.randn(), torch.randn(3).tolist()

    expected = draw()
    seed_generators(4)
    from mmkp.engine import load_checkpoint_file

    set_random_state(load_checkpoint_file(tmp_path / 'state.pth'))
    assert draw() == expected
