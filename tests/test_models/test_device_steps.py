# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A training step of each method: nothing is read or copied, and devices agree."""

import re
import sys

import pytest
import tiny
import tiny_diffusion
import torch
from cpu_draws import CpuDraws
from mmpose.registry import MODELS
from torch.testing import assert_close

from mmkp.testing.dispatch_counter import (
    DispatchCounter,
    forms_of_accelerators,
    without_values,
)

sys.path.append(str(tiny.TOOLS / 'benchmarks'))
from training_steps import METHODS, Step, prepare_step  # noqa: E402


@pytest.fixture(scope='module', params=list(METHODS))
def step(request):
    return prepare_step(request.param)


def results(name, device):
    """Loss of a step, and all gradients, float64: batch norm divides by little."""
    step = prepare_step(name)
    step.model.double()
    for part in ('view_transform', 'first_view_transform'):
        if getattr(step.model, part, None) is not None:
            getattr(step.model, part).warp_options['dtype'] = torch.float64
    step = step._replace(inputs=step.inputs.double()).to(device)
    with CpuDraws():
        loss = step.run()
    found = [p.grad for p in step.model.parameters() if p.grad is not None]
    return loss.cpu(), torch.cat([grad.flatten() for grad in found]).cpu()


def test_no_method_lets_the_host_wait(step):
    """Forward, losses and backward; logging and the optimizer are not part of it."""
    with forms_of_accelerators():
        step.run()  # what is made once and kept
        with DispatchCounter() as counter:
            step.run()
    assert not counter.places
    assert 100 < counter.operations.total() < 2000


@pytest.mark.parametrize(
    'form', ['accelerator', pytest.param('cuda', marks=pytest.mark.cuda)]
)
@pytest.mark.parametrize('name', METHODS)
def test_devices_and_their_forms_give_the_same(name, form):
    expected = results(name, 'cpu')
    with forms_of_accelerators():
        found = results(name, 'cpu' if form == 'accelerator' else form)
    for ours, reference in zip(found, expected, strict=True):
        assert_close(ours, reference, rtol=1e-6, atol=1e-6 * reference.abs().max())


# What raises on CUDA under randomness.deterministic=True, as the methods' pages tell.
# torch computes the gradient of bilinear upsampling in another way then.
NOT_DETERMINISTIC = {
    'FSE': {'aten::reflection_pad2d_backward'},
    'IMM': {'aten::reflection_pad2d_backward'},
    'StableKeypoints': {'aten::cumsum', 'aten::grid_sampler_2d_backward'},
}
RAISING = re.compile(
    'aten::(reflection_pad2d_backward|grid_sampler_2d_backward|cumsum|median|histc'
    '|_adaptive_avg_pool2d_backward|adaptive_max_pool2d_backward|put_|nll_loss.*'
    '|upsample_bicubic2d_backward|kthvalue)'
)


@pytest.mark.parametrize('name', METHODS)
def test_no_value_reaches_the_host(name):
    step = prepare_step(name).to('meta')
    with without_values(), DispatchCounter() as counter:
        step.run()
    found = {name for name in counter.operations if RAISING.fullmatch(name)}
    assert found == NOT_DETERMINISTIC.get(name, set())


@pytest.mark.parametrize('family', ['sd1', 'sdxl'])
def test_a_diffusion_model_does_not_let_the_host_wait(family):
    pytest.importorskip('diffusers')
    config = dict(
        type='StableKeypoints',
        backbone=dict(
            type='DiffusionAttention', base_model=tiny_diffusion.tiny_config(family)
        ),
        head=dict(type='TokenHead', num_tokens=12, num_keypoints=3, map_size=(16, 16)),
        view_transform=dict(type='RandomAffineWarp', preset='stable_keypoints'),
        losses=dict(
            localization=dict(type='LocalizationLoss'),
            equivariance=dict(type='MapEquivarianceLoss'),
        ),
        train_cfg=dict(num_candidates=6),
    )
    model = MODELS.build(config).train()
    step = Step(model, torch.rand(2, 3, 64, 64), [])
    with forms_of_accelerators():
        step.run()
        with DispatchCounter() as counter:
            step.run()
    assert not counter.places
