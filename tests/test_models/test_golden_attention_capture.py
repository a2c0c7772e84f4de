# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps of the authors' code, from logits at the layers' own resolution.

Their code upsamples the input of each layer and projects it to queries there; here the
logits are upsampled. Both are the same linear map.
"""

import math

import numpy as np
import pytest
import torch
from diffusers.models.attention_processor import Attention

from mmkp.models.token_attention.attention_capture import capture_logits
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows

HEADS = 4


@pytest.fixture(scope='module')
def golden(golden_dir):
    path = golden_dir / 'stablekeypoints' / 'capture.npz'
    return {name: torch.from_numpy(value) for name, value in np.load(path).items()}


def layer_of(golden, index, found):
    prefix = f'w/up_blocks.{index}.'
    weights = {
        name.removeprefix(prefix): value
        for name, value in golden.items()
        if name.startswith(prefix)
    }
    channels, context = weights['to_k.weight'].shape
    layer = Attention(
        channels, cross_attention_dim=context, heads=HEADS, dim_head=channels // HEADS
    )
    layer.double().load_state_dict(weights)
    capture_logits(layer, found.append)
    return layer


@pytest.mark.parametrize('memory_limit', (1 << 26, 1 << 14))
def test_golden_maps_outputs_and_gradient(golden, memory_limit):
    context = golden['context'].clone().requires_grad_()
    found = []
    for index in (0, 1):
        layer = layer_of(golden, index, found)
        output = layer(golden[f'x{index}'], encoder_hidden_states=context)
        expected = golden[f'out{index}']
        torch.testing.assert_close(output, expected, rtol=0, atol=1e-12)
    sides = [math.isqrt(logits.shape[2]) for logits in found]
    logits = [
        x.unflatten(2, (side, side)) for x, side in zip(found, sides, strict=True)
    ]
    maps = attention_maps_by_rows(logits, (16, 16), memory_limit=memory_limit)
    torch.testing.assert_close(maps[0], golden['maps'], rtol=0, atol=1e-10)
    (maps[0] * golden['R']).sum().backward()
    error = (context.grad - golden['grad_context']).abs().max()
    assert error < 1e-8 * golden['grad_context'].abs().max()


def test_golden_maps_of_chosen_tokens_in_single_precision(golden):
    found = []
    for index in (0, 1):
        layer = layer_of(golden, index, found).float()
        layer(golden[f'x{index}'].float(), golden['context'].float())
    logits = [
        x.unflatten(2, (side, side)) for x, side in zip(found, (4, 8), strict=True)
    ]
    tokens = torch.tensor([[7, 0, 11]])
    maps = attention_maps_by_rows(logits, (16, 16), tokens)
    torch.testing.assert_close(
        maps[0].double(), golden['maps'][tokens[0]], rtol=0, atol=1e-6
    )
