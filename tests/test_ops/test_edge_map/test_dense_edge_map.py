# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The form of the edge map for accelerators: operations, memory, values not read."""

import math
import warnings

import pytest
import torch
from largest_tensor import LargestTensor
from test_edge_map import random_inputs, with_gradients
from torch.testing import assert_close

from mmkp.ops.edge_map.dense import dense_edge_map
from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import complete_graph
from mmkp.testing.dispatch_counter import (
    DispatchCounter,
    forms_of_accelerators,
    without_values,
)

SIZE = (128, 128)


def count(num_keypoints, batch=64, memory_limit=None):
    """Count what a forward and backward pass dispatches, without computing it."""
    with without_values():
        keypoints = torch.rand(batch, num_keypoints, 2).requires_grad_()
        weights = torch.rand(math.comb(num_keypoints, 2)).requires_grad_()
        edges = complete_graph(num_keypoints)
        grad = torch.rand(batch, 1, *SIZE[::-1])
        with DispatchCounter() as counter:
            if memory_limit is None:
                values = edge_map(keypoints, weights, SIZE, 4.0)
            else:
                args = keypoints, weights, SIZE, 4.0, edges, memory_limit
                values = dense_edge_map(*args)
            torch.autograd.grad(values, (keypoints, weights), grad)
    assert not counter.synchronizations
    return counter.operations.total()


@pytest.mark.parametrize('num_keypoints', [2, 10, 32])
def test_takes_few_operations_and_reads_nothing(num_keypoints):
    assert count(num_keypoints) <= 60


@pytest.mark.parametrize(('gib', 'parts'), [(24, 1), (8, 2)])
def test_operations_of_the_largest_graph(gib, parts):
    memory = 8 * 64 * math.comb(64, 2) * math.prod(SIZE)
    assert math.ceil(memory / (gib * 2**30)) == parts
    assert count(64, memory_limit=gib * 2**30) == 44 + 7 * parts <= 60


@pytest.mark.parametrize('memory_limit', [1, 30_000, 50_000, 200_000])
def test_parts_change_nothing(memory_limit):
    keypoints, weights, target = random_inputs(19, 3, 7, (45, 37), torch.float64)
    args = keypoints, weights, target, (45, 37), 4.0, complete_graph(7)
    warnings.simplefilter('error')  # torch warns where a part has not its own size
    expected = with_gradients(dense_edge_map, *args)
    actual = with_gradients(dense_edge_map, *args, memory_limit)
    assert_close(actual, expected, rtol=1e-12, atol=1e-12)


def test_memory_is_that_of_the_limit():
    keypoints, weights, _ = random_inputs(21, 2, 24, (64, 64), torch.float32)
    limit = 2**20
    with LargestTensor() as largest:
        dense_edge_map(keypoints, weights, (64, 64), 4.0, complete_graph(24), limit)
    # Two such tensors are held at a time.
    assert 2**18 < largest.bytes <= limit // 2


def test_equals_the_fused_form():
    keypoints, weights, target = random_inputs(17, 3, 8, (50, 30), torch.float32)
    args = keypoints, weights, target, (50, 30), 4.0
    expected = with_gradients(edge_map, *args)
    with forms_of_accelerators():
        actual = with_gradients(edge_map, *args)
    assert_close(actual[0], expected[0], rtol=1e-5, atol=1e-6)
    for ours, reference in zip(actual[1:], expected[1:], strict=True):
        assert_close(ours, reference, rtol=0, atol=2e-5 * float(reference.abs().max()))


def test_negative_weights_make_everything_nan():
    keypoints, weights, target = random_inputs(13, 2, 3, (10, 10))
    weights[1] = -0.5
    with forms_of_accelerators():
        results = with_gradients(edge_map, keypoints, weights, target, (10, 10), 4.0)
    assert all(result.isnan().all() for result in results)
