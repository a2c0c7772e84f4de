# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Attention maps by rows against the formula, and this against upsampled queries."""

import pytest
import torch
import torch.nn.functional as F

from mmkp.ops.token_maps.attention_maps import attention_maps
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows, bicubic_matrix
from mmkp.testing.dispatch_counter import DispatchCounter, without_values

MAP_SIZE = (9, 8)
NUM_TOKENS = 7
# Each image has its own tokens, of which one stands twice.
TOKENS = torch.tensor([[5, 0, 2, 5], [1, 6, 3, 3]])
MEMORY_LIMITS = (1, 4000, 2**26)


def random_layers(*sizes, batch=2, width=6, seed=0):
    """Queries (B, heads, h, w, C) and keys (B, heads, N, C) of layers, float64."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    queries = [normal(batch, *size, width) for size in sizes]
    keys = [normal(batch, size[0], NUM_TOKENS, width) for size in sizes]
    return queries, [key.requires_grad_() for key in keys]


MIXED = ((3, 4, 5), (1, 3, 3), (2, 11, 2))


def logits_of(queries, keys):
    return [
        torch.einsum('bhyxc,bhnc->bhyxn', query, key)
        for query, key in zip(queries, keys, strict=True)
    ]


def as_published(queries, keys):
    """Upsampled queries, softmax over tokens, mean over heads, then over layers."""
    total = 0
    for query, key in zip(queries, keys, strict=True):
        batch, heads, _, _, width = query.shape
        channels = query.permute(0, 1, 4, 2, 3).flatten(0, 1)
        upsampled = F.interpolate(
            channels, MAP_SIZE[::-1], mode='bicubic', align_corners=False
        )
        upsampled = upsampled.view(batch, heads, width, -1).transpose(2, 3)
        total = total + (upsampled @ key.transpose(-1, -2)).softmax(-1).mean(1)
    maps = (total / len(queries)).transpose(1, 2)
    return maps.reshape(len(maps), NUM_TOKENS, *MAP_SIZE[::-1])


def test_the_formula_is_that_of_upsampled_queries():
    queries, keys = random_layers(*MIXED)
    found = attention_maps(logits_of(queries, keys), MAP_SIZE)
    expected = as_published(queries, keys)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize('memory_limit', MEMORY_LIMITS)
@pytest.mark.parametrize('tokens', [None, TOKENS], ids=['all', 'chosen'])
def test_maps_and_gradients_by_rows_are_those_of_the_formula(tokens, memory_limit):
    queries, keys = random_layers(*MIXED)
    logits = logits_of(queries, keys)
    found = attention_maps_by_rows(logits, MAP_SIZE, tokens, memory_limit)
    expected = attention_maps(logits, MAP_SIZE, tokens)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    weights = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad((found * weights).sum(), keys, retain_graph=True),
        torch.autograd.grad((expected * weights).sum(), keys),
        rtol=0,
        atol=1e-12,
    )


def test_maps_of_all_tokens_sum_to_one():
    queries, keys = random_layers(*MIXED)
    total = attention_maps_by_rows(logits_of(queries, keys), MAP_SIZE).sum(1)
    torch.testing.assert_close(total, torch.ones_like(total))


@pytest.mark.parametrize('memory_limit', MEMORY_LIMITS)
@pytest.mark.parametrize('tokens', [None, torch.tensor([[3, 1, 3]])])
def test_gradients_are_those_of_finite_differences(tokens, memory_limit):
    generator = torch.Generator().manual_seed(1)
    layers = [
        torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for shape in ((1, 2, 3, 2, 4), (1, 1, 2, 2, 4))
    ]

    def maps(*logits):
        return attention_maps_by_rows(logits, (5, 4), tokens, memory_limit)

    assert torch.autograd.gradcheck(maps, layers)


def test_only_layers_that_need_a_gradient_get_one():
    queries, keys = random_layers(*MIXED)
    fixed, free, _ = logits_of(queries, keys)
    fixed, free = fixed.detach(), free.detach().requires_grad_()
    attention_maps_by_rows((fixed, free), MAP_SIZE)[:, 0].sum().backward()
    assert fixed.grad is None
    assert free.grad.abs().max() > 0
    with torch.no_grad():
        assert not attention_maps_by_rows((fixed, free), MAP_SIZE).requires_grad


def test_logits_need_not_be_contiguous():
    queries, keys = random_layers((3, 4, 5))
    logits = logits_of(queries, keys)[0].detach()
    strided = logits.transpose(2, 4).contiguous().transpose(2, 4).requires_grad_()
    plain = logits.clone().requires_grad_()
    assert not strided.is_contiguous()
    weights = torch.randn(2, NUM_TOKENS, *MAP_SIZE[::-1], dtype=torch.float64)
    maps = [attention_maps_by_rows([layer], MAP_SIZE) for layer in (strided, plain)]
    torch.testing.assert_close(*maps)
    gradients = [
        torch.autograd.grad((found * weights).sum(), layer)[0]
        for found, layer in zip(maps, (strided, plain), strict=True)
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_logits_are_computed_in_float32(dtype):
    queries, keys = random_layers(*MIXED)
    halves = [
        layer.detach().to(dtype).requires_grad_() for layer in logits_of(queries, keys)
    ]
    found = attention_maps_by_rows(halves, MAP_SIZE)
    assert found.dtype == torch.float32
    exact = attention_maps([half.detach().double() for half in halves], MAP_SIZE)
    torch.testing.assert_close(found.double(), exact, rtol=0, atol=1e-6)
    found[:, 0].sum().backward()
    assert all(half.grad.dtype == dtype and half.grad.any() for half in halves)


@pytest.mark.parametrize(('before', 'after'), [(4, 9), (16, 128), (1, 3), (9, 4)])
def test_bicubic_matrix_is_what_interpolation_does_along_an_axis(before, after):
    like = torch.empty(0, dtype=torch.float64)
    matrix = bicubic_matrix(before, after, like)
    assert matrix.shape == (after, before)
    picture = torch.randn(1, 1, before, before, dtype=torch.float64)
    expected = F.interpolate(picture, (after, after), mode='bicubic')
    torch.testing.assert_close(matrix @ picture @ matrix.T, expected)


def test_what_does_not_belong_together_is_refused():
    layer = torch.zeros(1, 2, 3, 3, 4)
    for others in (
        [torch.zeros(1, 2, 3, 3, 5)],
        [torch.zeros(2, 2, 3, 3, 4)],
        [torch.zeros(1, 2, 9, 4)],
    ):
        with pytest.raises(ValueError, match=r'one batch and one number of tokens'):
            attention_maps_by_rows([layer, *others], MAP_SIZE)
    with pytest.raises(ValueError, match='at least one layer'):
        attention_maps_by_rows([], MAP_SIZE)


@pytest.mark.parametrize(('batch', 'memory_limit'), [(1, None), (4, None), (4, 2**30)])
def test_an_accelerator_takes_few_operations_a_layer(batch, memory_limit):
    with without_values():
        layers = [torch.rand(batch, 8, side, side, 500) for side in (16, 16, 16, 32)]
        layers = [layer.requires_grad_() for layer in layers]
        tokens = torch.zeros(batch, 10, dtype=torch.int64)
        grad = torch.rand(batch, 10, 128, 128)
        with DispatchCounter() as counter:
            maps = attention_maps_by_rows(layers, (128, 128), tokens, memory_limit)
            torch.autograd.grad(maps, layers, grad)
    assert counter.operations.total() <= 60 * len(layers)
    assert not counter.synchronizations


def test_maps_are_the_same_on_each_device(device_form):
    queries, keys = random_layers(*MIXED)
    logits = [layer.detach() for layer in logits_of(queries, keys)]
    found = attention_maps_by_rows(
        [layer.to(device_form) for layer in logits], MAP_SIZE, TOKENS.to(device_form)
    )
    expected = attention_maps(logits, MAP_SIZE, TOKENS)
    torch.testing.assert_close(found.cpu(), expected, rtol=0, atol=1e-12)
