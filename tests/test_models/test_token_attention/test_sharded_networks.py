# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Networks that are shared out between two processes: the same numbers, half each."""

import pytest
import tiny_diffusion
import tiny_methods
import torch
from mmengine.model import MMDistributedDataParallel, MMFullyShardedDataParallel
from mmengine.optim import OptimWrapper
from torch import nn
from two_processes import in_two_processes, needs_fork

from mmkp.engine.distributed import raise_if_not_savable
from mmkp.models.token_attention import ShardedFrozenDataParallel


def diffusion(**options):
    return dict(
        type='DiffusionAttention',
        base_model=tiny_diffusion.tiny_config('sd1'),
        **options,
    )


def features():
    return tiny_methods.METHODS['StableKeypoints']['backbone']


def gradients(model, wrapped, rank, steps=2):
    """Gradients of the tokens of two steps, in which the weights stay."""
    found = []
    for _ in range(steps):
        torch.manual_seed(3 + rank)
        wrapper = OptimWrapper(torch.optim.SGD(wrapped.parameters(), lr=0.0))
        wrapper.zero_grad = lambda *args, **kwargs: None
        batch = tiny_methods.batch_of('StableKeypoints', 4)
        part = slice(2 * rank, 2 * rank + 2)
        model.head.tokens.grad = None
        wrapped.train_step({k: v[part] for k, v in batch.items()}, wrapper)
        found.append(model.head.tokens.grad.clone())
    return torch.stack(found)


def share_out(rank):
    found = {}
    for name, backbone in (('features', features()), ('diffusion', diffusion())):
        for is_shared in (False, True):
            model = tiny_methods.build('StableKeypoints', backbone=backbone).train()
            if is_shared:
                wrapped = ShardedFrozenDataParallel(model, unit_parameters=20_000)
            else:
                wrapped = MMDistributedDataParallel(model)
            result = gradients(model, wrapped, rank)
            held = sum(map(_held, model.backbone.networks))
            found[name, is_shared] = result, held, model.state_dict()
    return found, _step_of_all_sharded(rank)


def _held(network: nn.Module) -> int:
    """Numbers that this process keeps between steps."""
    for unit in network.modules():
        if hasattr(unit, 'reshard'):
            unit.reshard()
    parameters = [getattr(p, 'to_local', lambda p=p: p)() for p in network.parameters()]
    return sum(parameter.numel() for parameter in parameters)


def _step_of_all_sharded(rank):
    """A step with a trained backbone, all of its weights shared out."""
    model = tiny_methods.build('LMDIS').train()
    wrapped = MMFullyShardedDataParallel(
        model, use_orig_params=True, device_id=torch.device('cpu')
    )
    wrapper = OptimWrapper(torch.optim.Adam(wrapped.parameters(), lr=1e-3))
    batch = tiny_methods.batch_of('LMDIS', 2)
    with pytest.raises(ValueError, match='mmpose.ShardedFrozenDataParallel'):
        raise_if_not_savable(wrapped)
    torch.manual_seed(0)
    losses = [float(wrapped.train_step(batch, wrapper)['loss']) for _ in range(3)]
    return losses, sum(p.numel() for p in wrapped.parameters())


@needs_fork
def test_shares_compute_what_the_whole_computes(tmp_path):
    pytest.importorskip('diffusers')
    ranks = in_two_processes(share_out, tmp_path)
    for found, _ in ranks:
        for name in ('features', 'diffusion'):
            whole, all_numbers, state = found[name, False]
            shared, numbers, shared_state = found[name, True]
            torch.testing.assert_close(shared, whole, rtol=1e-4, atol=1e-9)
            assert numbers == all_numbers / 2
            assert state.keys() == shared_state.keys()
            key = 'backbone.base_fingerprint'
            assert torch.equal(state[key], shared_state[key]) and state[key].any()
    (losses, first), (others, second) = (whole for _, whole in ranks)
    model = tiny_methods.build('LMDIS')
    assert first + second >= sum(p.numel() for p in model.parameters()) > first
    assert losses == pytest.approx(others) and losses[2] < losses[0]


def test_what_cannot_be_shared_out_is_refused():
    with pytest.raises(ValueError, match='which LMDIS does not have'):
        ShardedFrozenDataParallel(tiny_methods.build('LMDIS'))
    pytest.importorskip('diffusers')
    model = tiny_methods.build('StableKeypoints', backbone=diffusion(stop_early=False))
    with pytest.raises(ValueError, match='stop_early=True'):
        ShardedFrozenDataParallel(model)
