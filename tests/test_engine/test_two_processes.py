# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Two processes train as one does, each by images and views of its own."""

import pytest
import tiny_methods
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import nn
from two_processes import in_two_processes, needs_fork, share_of_draws

SHARE = 3  # images of one process


def gradients(name, step, rank=0, share=2 * SHARE):
    """Gradients, losses and names without a gradient, of a share of the batch."""
    model = tiny_methods.build(name).train()
    for layer in model.modules():
        if isinstance(layer, nn.modules.batchnorm._BatchNorm):
            layer.eval()  # SyncBatchNorm needs a GPU
    whole = tiny_methods.batch_of(name, 2 * SHARE)
    part = slice(rank * share, (rank + 1) * share)
    batch = {key: values[part] for key, values in whole.items()}
    trained = [p for p in model.parameters() if p.requires_grad]
    wrapper = OptimWrapper(torch.optim.SGD(trained, lr=0.0))
    wrapper.zero_grad = lambda *args, **kwargs: None
    torch.manual_seed(5)
    with share_of_draws(rank, share, 2 * SHARE):
        losses = step(model)(batch, wrapper)
    found = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    return found, {key: float(value) for key, value in losses.items()}


def data_parallel(model):
    # A parameter without a gradient would be an error in the second step.
    wrapped = MMDistributedDataParallel(model, broadcast_buffers=False)
    return wrapped.train_step


def of_each_method(rank):
    return {
        name: gradients(name, data_parallel, rank, SHARE)
        for name in tiny_methods.METHODS
    }


@pytest.fixture(scope='module')
def ranks(tmp_path_factory):
    return in_two_processes(of_each_method, tmp_path_factory.mktemp('ranks'))


@needs_fork
@pytest.mark.parametrize('name', tiny_methods.METHODS)
def test_gradients_are_those_of_one_process(name, ranks):
    expected, losses = gradients(name, lambda model: model.train_step)
    (first, first_losses), (second, second_losses) = (rank[name] for rank in ranks)
    largest = 0.0
    scale = max(float(gradient.abs().max()) for gradient in expected.values())
    assert scale > 0
    for key, gradient in expected.items():
        assert torch.equal(first[key], second[key])
        difference = float((first[key] - gradient).abs().max()) / scale
        largest = max(largest, difference)
    print(f'{name}: largest difference {largest:.1e} of the largest gradient')
    assert largest < 5e-5
    for key in losses:
        if key.startswith('loss'):
            mean = (first_losses[key] + second_losses[key]) / 2
            assert mean == pytest.approx(losses[key], rel=1e-5, abs=1e-7)


@needs_fork
@pytest.mark.parametrize('name', tiny_methods.METHODS)
def test_gradients_reach_every_parameter(name, ranks):
    found = ranks[0][name][0]
    assert found and all(gradient is not None for gradient in found.values())
