# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Two processes train as one does, each by images and views of its own."""

import logging
from types import SimpleNamespace

import pytest
import tiny
import tiny_methods
import torch
from mmengine.config import Config
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from mmengine.runner import IterBasedTrainLoop
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import DATASETS
from torch import nn
from two_processes import in_two_processes, needs_fork, share_of_draws

from mmkp.engine.hooks import AverageStatisticsHook, TokenSelectionHook

SHARE = 3  # images of one process


def gradients(name, step, rank=0, share=2 * SHARE):
    """Gradients, losses and names without a gradient, of a share of the batch."""
    model = tiny_methods.build(name).train()
    with torch.no_grad():  # no value lies exactly where a ReLU bends
        for parameter in model.parameters():
            parameter += 0.02 * torch.randn(parameter.shape)
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


def of_each_method(rank, config):
    found = {
        name: gradients(name, data_parallel, rank, SHARE)
        for name in tiny_methods.METHODS
    }
    return dict(found, tokens=choose(config), statistics=average(rank))


def choose(config):
    """The tokens that the hook chooses, and which images this process looked at."""
    cfg = Config.fromfile(config)
    model, looked_at = tiny_methods.build('StableKeypoints').eval(), []
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    read = dataset.prepare_data
    dataset.prepare_data = lambda index: looked_at.append(index) or read(index)
    runner = SimpleNamespace(
        model=model,
        hooks=[],
        logger=logging.getLogger(__name__),
        train_dataloader=SimpleNamespace(dataset=dataset),
    )
    hook = TokenSelectionHook(num_images=7, batch_size=2)
    hook.before_checkpoint_on_all_ranks(runner)
    checkpoint = dict(state_dict=dict(model.state_dict()))
    hook.before_save_checkpoint(runner, checkpoint)  # chooses nothing anew
    chosen = checkpoint['state_dict']['head.token_indices']
    return chosen, model.head.token_indices, looked_at


def average(rank):
    """Running means of this process, in a validation, after it, in a checkpoint."""
    model = nn.Sequential(nn.BatchNorm2d(2))
    model.register_buffer('constant', torch.tensor(1.0 + rank))
    model[0].running_mean += torch.tensor([1.0, 2.0]) * rank
    loop = BaseLoop.__new__(IterBasedTrainLoop)
    runner = SimpleNamespace(model=model, distributed=True, _train_loop=loop)
    hook = AverageStatisticsHook()
    hook.before_val_epoch(runner)
    within = model[0].running_mean.clone(), model.constant.clone()
    hook.after_val_epoch(runner)
    after = model[0].running_mean.clone()
    hook.before_checkpoint_on_all_ranks(runner)
    checkpoint = dict(state_dict=dict(model.state_dict()))
    hook.before_save_checkpoint(runner, checkpoint)
    return within, after, checkpoint['state_dict']['0.running_mean']


@pytest.fixture(scope='module')
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp('ranks')
    config = tiny.write_config(folder)
    return in_two_processes(of_each_method, folder, config)


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


@needs_fork
def test_tokens_are_chosen_over_the_images_of_all_processes(ranks):
    first, second = (rank['tokens'] for rank in ranks)
    for chosen, in_model, _ in (first, second):
        assert torch.equal(chosen, first[0]) and torch.equal(chosen, in_model)
        assert (chosen >= 0).all()
    # Seven of eleven images in batches of two; the odd one out is done by both.
    assert (first[2], second[2]) == ([0, 2, 7, 8], [3, 5, 10])


@needs_fork
def test_validations_and_checkpoints_have_the_mean_statistics(ranks):
    for rank, process in enumerate(ranks):
        (mean, constant), after, saved = process['statistics']
        assert mean.tolist() == saved.tolist() == [0.5, 1.0]
        assert constant == 1 + rank
        assert after.tolist() == [1.0 * rank, 2.0 * rank]
