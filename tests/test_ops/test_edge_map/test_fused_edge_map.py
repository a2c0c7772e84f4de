# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The form of the edge map for CPUs: tiles, memory, threads, values that it reads."""

import pytest
import torch
from largest_tensor import LargestTensor
from test_edge_map import random_inputs, with_gradients
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from mmkp.ops.edge_map import nearest_edges
from mmkp.ops.edge_map.edge_map import edge_map


def test_is_deterministic_and_independent_of_the_batch():
    keypoints, weights, target = random_inputs(17, 3, 8, (50, 30), torch.float32)
    args = (50, 30), 4.0
    first = with_gradients(edge_map, keypoints, weights, target, *args)
    second = with_gradients(edge_map, keypoints, weights, target, *args)
    assert all(a.equal(b) for a, b in zip(first, second, strict=True))
    alone = edge_map(keypoints[1:2], weights, *args)
    assert alone.equal(first[0][1:2])


@pytest.mark.parametrize('limits', [(1, 1), (3, 10_000), (7, 200), (40, 10_000)])
def test_result_does_not_depend_on_how_many_tiles_go_together(limits, monkeypatch):
    keypoints, weights, target = random_inputs(19, 3, 7, (45, 37), torch.float32)
    args = keypoints, weights, target, (45, 37), 4.0
    expected = with_gradients(edge_map, *args)
    monkeypatch.setattr(nearest_edges, 'MAX_TILES', limits[0])
    monkeypatch.setattr(nearest_edges, 'MAX_BOUNDS', limits[1])
    actual = with_gradients(edge_map, *args)
    assert actual[0].equal(expected[0])
    assert_close(actual[1:], expected[1:], rtol=1e-4, atol=1e-5)


def test_memory_does_not_grow_with_edges_times_pixels():
    keypoints, weights, target = random_inputs(21, 2, 64, (128, 128), torch.float32)
    inputs = keypoints.requires_grad_(), weights.requires_grad_()
    with LargestTensor() as largest:
        edge_map(*inputs, (128, 128), 4.0).backward(target)
    # One number for each pixel and edge would be 66 million.
    assert 4 * 2 * 128 * 128 <= largest.bytes <= 2**22


def test_computes_in_one_thread_and_restores_their_number():
    class Threads(TorchDispatchMode):
        """Record the number of threads of each operation."""

        seen = set()

        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            if func == torch.ops.aten.addcmul_.default:
                self.seen.add(torch.get_num_threads())
            return func(*args, **(kwargs or {}))

    keypoints, weights, target = random_inputs(27, 2, 4, (20, 12))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with Threads() as threads:
            with_gradients(edge_map, keypoints, weights, target, (20, 12), 4.0)
        assert threads.seen == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(edge_weights=torch.tensor([1.0, -0.5, 1.0])), 'at least 0, got -0.5'),
        (
            dict(edges=torch.tensor([[0, 1], [1, 2], [2, 3]])),
            'edges must index 3 keypoints, got indices from 0 to 3',
        ),
        (
            dict(edges=torch.tensor([[0, 1], [1, 2], [-1, 2]])),
            'got indices from -1 to 2',
        ),
    ],
)
def test_errors_name_values_of_tensors(changes, message):
    arguments = dict(
        keypoints=torch.zeros(1, 3, 2),
        edge_weights=torch.ones(3),
        image_size=(4, 4),
        thickness_px2=1.0,
    )
    with pytest.raises(ValueError, match=message):
        edge_map(**{**arguments, **changes})
