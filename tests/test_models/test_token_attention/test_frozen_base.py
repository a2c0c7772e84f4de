# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Frozen networks are seen by nobody, and told apart by their fingerprint."""

import copy

import pytest
import torch
from mmengine.model import ExponentialMovingAverage
from torch import nn

from mmkp.models.token_attention.frozen_base import FrozenBase


def network(seed=0):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(4, 300))


class Holder(FrozenBase):
    """As the networks that tokens attend to: something to train beside."""

    def __init__(self, seed=0):
        super().__init__()
        self.freeze(network=network(seed))

    def forward(self, images):
        return self.frozen('network')[:2](images)


class Model(nn.Module):
    def __init__(self, seed=0):
        super().__init__()
        self.backbone = Holder(seed)
        self.tokens = nn.Parameter(torch.ones(3))


class TestNobodySeesIt:
    def test_optimisers_and_checkpoints(self):
        model = Model()
        assert [name for name, _ in model.named_parameters()] == ['tokens']
        assert set(model.state_dict()) == {'tokens', 'backbone.base_fingerprint'}
        assert [type(module) for module in model.modules()] == [Model, Holder]

    def test_weights_want_no_gradient_and_statistics_stay(self):
        model = Model().train()
        frozen = model.backbone.frozen('network')
        before = copy.deepcopy(frozen.state_dict())
        assert not any(weight.requires_grad for weight in frozen.parameters())
        images = torch.rand(2, 3, 8, 8)
        found = model.backbone(images)
        assert not frozen.training and not found.requires_grad
        assert torch.equal(found, model.eval().backbone(images))
        for key, value in frozen.state_dict().items():
            assert torch.equal(value, before[key])

    def test_deep_copies_share_it(self):
        model = Model()
        copied = copy.deepcopy(model)
        assert copied.backbone is not model.backbone
        assert copied.backbone.frozen('network') is model.backbone.frozen('network')
        # The rest is a copy.
        assert copied.tokens is not model.tokens
        copied.backbone.base_fingerprint.fill_(7)
        assert not (model.backbone.base_fingerprint == 7).any()

    def test_averaged_weights(self):
        model = Model()
        averaged = ExponentialMovingAverage(model, momentum=0.5)
        with torch.no_grad():
            model.tokens.fill_(2)
        averaged.update_parameters(model)
        averaged.update_parameters(model)
        assert [p.shape for p in averaged.module.parameters()] == [(3,)]
        assert averaged.module.tokens.tolist() == [2.0] * 3
        assert averaged.module.backbone.frozen('network') is model.backbone.frozen(
            'network'
        )


class TestItFollows:
    @pytest.mark.parametrize('dtype', (torch.float64, torch.bfloat16, torch.float16))
    def test_precision(self, dtype):
        model = Model().to(dtype)
        frozen = model.backbone.frozen('network')
        assert {weight.dtype for weight in frozen.parameters()} == {dtype}
        assert frozen[1].running_mean.dtype == dtype
        assert frozen[1].num_batches_tracked.dtype == torch.int64
        assert model.backbone.base_fingerprint.dtype == torch.uint8
        assert not any(weight.requires_grad for weight in frozen.parameters())

    def test_device(self):
        frozen = Model().to('meta').backbone.frozen('network')
        tensors = [*frozen.parameters(), *frozen.buffers()]
        assert all(tensor.device.type == 'meta' for tensor in tensors)


class TestFingerprint:
    @pytest.mark.parametrize('dtype', (torch.float64, torch.bfloat16, torch.float16))
    def test_precision_does_not_matter(self, dtype):
        plain = Holder().fingerprint()
        assert plain.shape == (32,) and plain.dtype == torch.uint8 and plain.any()
        assert torch.equal(Holder().to(dtype).fingerprint(), plain)

    def test_other_networks(self):
        others = [Holder(seed=1)]
        for change in (
            lambda frozen: frozen[0].weight.data[3, 1, 0, 0].neg_(),
            lambda frozen: frozen[1].running_mean[5].sub_(1),
            lambda frozen: frozen.insert(1, nn.ReLU()),
            lambda frozen: setattr(
                frozen[0], 'bias', nn.Parameter(frozen[0].bias[:, None])
            ),
        ):
            others.append(Holder())
            change(others[-1].frozen('network'))
        renamed = FrozenBase()
        renamed.freeze(other=network())
        found = [
            tuple(holder.fingerprint().tolist())
            for holder in (Holder(), renamed, *others)
        ]
        assert len(set(found)) == len(found) == 7

    def test_what_is_frozen_later_counts(self):
        holder = Holder()
        before = holder.fingerprint()
        holder.freeze(second=nn.Linear(2, 2))
        assert not torch.equal(holder.fingerprint(), before)
        again = Holder()
        again.freeze(second=holder.frozen('second'))
        assert torch.equal(holder.fingerprint(), again.fingerprint())


class TestCheckpoints:
    def test_hold_the_fingerprint(self):
        model = Model()
        state = model.state_dict()['backbone.base_fingerprint']
        assert torch.equal(state, model.backbone.fingerprint())

    def test_of_the_same_network(self):
        state = {**Model().to(torch.bfloat16).state_dict(), 'tokens': torch.zeros(3)}
        model = Model()
        model.load_state_dict(state)
        assert not model.tokens.any()

    def test_of_another_network_are_refused(self):
        model = Model()
        with pytest.raises(ValueError) as raised:
            model.load_state_dict(Model(seed=1).state_dict())
        message = str(raised.value)
        assert 'trained with another frozen network than the one of Holder' in message
        assert 'Give the same base_model' in message and '\n' not in message

    def test_of_an_unknown_network(self):
        model, state = Model(), Model(seed=1).state_dict()
        state['backbone.base_fingerprint'] = torch.zeros(32, dtype=torch.uint8)
        state['tokens'] = torch.full((3,), 5.0)
        model.load_state_dict(state)
        assert model.tokens.tolist() == [5.0] * 3
        # What is saved from here on is known.
        saved = model.state_dict()['backbone.base_fingerprint']
        assert torch.equal(saved, model.backbone.fingerprint())

    def test_without_a_fingerprint(self):
        found = Model().load_state_dict(dict(tokens=torch.ones(3)), strict=False)
        assert found.missing_keys == ['backbone.base_fingerprint']
