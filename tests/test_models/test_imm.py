# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""IMM: one view is drawn from another one's appearance and its own keypoints."""

import math

import pytest
import torch
from mmpose.registry import MODELS

WARP = {'type': 'RandomThinPlateSpline'}
K, SIDE = 3, 32


def build(**changes) -> torch.nn.Module:
    torch.manual_seed(0)
    config = {
        'type': 'IMM',
        'backbone': {'type': 'AutoLinkEncoder', 'channels': (4, 8)},
        'head': {
            'type': 'SoftArgmaxHead',
            'in_channels': 8,
            'num_keypoints': K,
            'upsample_channels': (4,),
        },
        'generator': {
            'type': 'IMMGenerator',
            'encoder': {'type': 'AutoLinkEncoder', 'channels': (4, 6)},
            'in_channels': 6,
            'channels': (8, 6, 4),
        },
        'first_view_transform': {**WARP, 'preset': 'imm_target'},
        'view_transform': {**WARP, 'preset': 'imm_source'},
        'losses': {
            'pixels': {
                'type': 'torch.nn.MSELoss',
                'inputs': ('reconstruction', 'images'),
            }
        },
    }
    model = MODELS.build({**config, **changes})
    model.init_weights()
    return model


def test_the_drawn_view_is_told_by_no_more_than_its_keypoints():
    model = build().eval()
    images = torch.rand(2, 3, SIDE, 48)
    views = model.views(images)
    outputs = model.reconstruct_first(views)
    assert outputs['reconstruction'].shape == images.shape
    torch.testing.assert_close(outputs['images'], views.first)
    # Whatever else the first view shows: the same places draw the same image.
    generated = model.generator(views.second, outputs['keypoints'])
    torch.testing.assert_close(generated['reconstruction'], outputs['reconstruction'])
    moved = model.generator(views.second, outputs['keypoints'] + 5)
    assert not torch.allclose(moved['reconstruction'], outputs['reconstruction'])
    other = model.generator(views.second.flip(0), outputs['keypoints'])
    assert not torch.allclose(other['reconstruction'], outputs['reconstruction'])
    # Pictures of predictions draw an image from itself.
    itself = model.reconstruct(images)
    again = model.generator(images, itself['keypoints'])
    torch.testing.assert_close(again['reconstruction'], itself['reconstruction'])


def test_gaussians_have_the_released_width():
    model = build()
    keypoints = torch.tensor([[[9.5, 5.5]] * K])
    maps = model.generator(torch.rand(1, 3, SIDE, 48), keypoints)['gaussian_maps']
    assert maps.shape == (1, K, SIDE // 4, 12)
    # Cells of 4 pixels; the released exp(-d^2 / .1^2) where 47 pixels span [-1, 1].
    apart = 4 / (47 / 2)
    assert maps[0, 0, 1, 2].item() == pytest.approx(1)
    expected = math.exp(-(apart**2) / 0.1**2)
    assert maps[0, 0, 1, 3].item() == pytest.approx(expected, rel=1e-4)


def test_a_step_trains_every_parameter():
    model = build()
    losses = model.loss(torch.rand(4, 3, SIDE, SIDE))
    assert set(losses) == {'loss_pixels'}
    losses['loss_pixels'].backward()
    without = {
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    }
    # A softmax does not change when the same number is added to all its cells.
    assert without <= {'head.final_layer.bias'}


def test_images_are_drawn_better_with_training():
    model = build(first_view_transform={**WARP, 'translation_std': 0.3})
    generator = torch.Generator().manual_seed(1)
    places = torch.rand(8, 2, generator=generator) * 12 + 10
    line = torch.arange(SIDE, dtype=torch.float32)
    distance = (line - places[:, :1])[:, None] ** 2 + (line - places[:, 1:])[
        ..., None
    ] ** 2
    images = (-distance / 18).exp()[:, None].expand(-1, 3, -1, -1)
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    history = []
    for _ in range(60):
        loss = model.loss(images)['loss_pixels']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert sum(history[-5:]) < 0.3 * sum(history[:5])


def test_equivariance_is_added_by_config():
    model = build(losses={'equivariance': {'type': 'EquivarianceLoss'}})
    assert model.loss(torch.rand(2, 3, SIDE, SIDE))['loss_equivariance'] > 0


def test_parts_that_it_needs_are_asked_for():
    for part in ('generator', 'view_transform'):
        with pytest.raises(ValueError, match='IMM draws one view from another'):
            build(**{part: None})
    encoder = {'type': 'AutoLinkEncoder', 'channels': (4, 6)}
    flat = {'type': 'IMMGenerator', 'encoder': encoder, 'in_channels': 6, 'sigma': 0.0}
    with pytest.raises(ValueError, match='sigma must be positive'):
        build(generator=flat)
