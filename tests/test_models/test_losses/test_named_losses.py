# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Losses of ours, MMPose and torch, called with outputs that the config names."""

import copy

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS
from torch import nn

from mmkp.engine import ConfigError, check_config
from mmkp.models.losses.named_losses import NamedLosses

POINTS = torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
OUTPUTS = {'keypoints': POINTS, 'other': POINTS + torch.tensor([2.0, 0.5])}


@MODELS.register_module()
class OddLoss(nn.Module):
    """Returns whatever it is told to, to see what becomes of it."""

    def __init__(self, kind: str = 'map') -> None:
        super().__init__()
        self.kind = kind

    def forward(self, a, b):
        return {'map': (a - b).abs(), 'dict': {'loss': (a - b).sum()}}[self.kind]


def losses(**config) -> NamedLosses:
    return NamedLosses({'only': config})


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        # |2| + |.5| over 2; squares 4 and .25; smooth L1 2 - .5 and .5 * .25.
        (dict(type='torch.nn.L1Loss'), 1.25),
        (dict(type='torch.nn.L1Loss', loss_weight=4.0), 5.0),
        (dict(type='torch.nn.L1Loss', reduction='sum', loss_weight=0.5), 2.5),
        (dict(type='torch.nn.MSELoss', reduction='none'), 2.125),
        (dict(type='torch.nn.SmoothL1Loss'), 0.8125),
        (dict(type='torch.nn.SmoothL1Loss', beta=0.25), 1.125),
        (dict(type=nn.L1Loss), 1.25),
        (dict(type='L1Loss', loss_weight=3.0), 3.75),
        (dict(type='OddLoss', loss_weight=2.0), 2.5),
    ],
    ids=lambda value: str(value)[:60],
)
def test_named_outputs_are_given_one_after_the_other(config, expected):
    found = losses(**config, inputs=('keypoints', 'other'))(OUTPUTS)
    assert list(found) == ['loss_only'] and found['loss_only'].shape == ()
    assert found['loss_only'].item() == pytest.approx(expected)


def test_the_order_is_that_of_the_config():
    maps = torch.zeros(1, 2, 3, 3)
    outputs = {'a': maps + 2, 'b': maps, 'weights': torch.tensor([[1.0, 0.0]])}
    weighted = losses(
        type='KeypointMSELoss', use_target_weight=True, inputs=['a', 'b', 'weights']
    )
    assert weighted(outputs)['loss_only'].item() == pytest.approx(2.0)
    one_way = losses(type='torch.nn.KLDivLoss', reduction='sum', inputs=('b', 'a'))
    assert one_way(outputs)['loss_only'] > 0
    assert (
        losses(type='torch.nn.KLDivLoss', inputs=('a', 'b'))(outputs)['loss_only'] == 0
    )


def test_our_losses_can_be_called_with_other_outputs():
    """What AutoLink compares with the image, compared with another view of it."""
    config = dict(type='PerceptualLoss', base_channels=2, image_size=None)
    generator = torch.Generator().manual_seed(0)
    names = ('reconstruction', 'images', 'warped_images')
    outputs = {
        name: torch.rand(2, 3, 32, 32, generator=generator, requires_grad=True)
        for name in names
    }
    usual = losses(**config)(outputs)['loss_only']
    other = losses(**config, inputs=('warped_images', 'images'))(outputs)['loss_only']
    other.backward()
    assert usual != other
    assert outputs['warped_images'].grad.abs().sum() > 0
    assert outputs['reconstruction'].grad is None


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (
            dict(type='L1Loss'),
            'nothing says what loss .*L1Loss.*set its `inputs`',
        ),
        (dict(type='L1Los', inputs=('a', 'b')), "'L1Los', which is neither registered"),
        (dict(type='torch.nn.L1Los', inputs=('a', 'b')), 'neither registered nor'),
        (dict(type='L1Loss', inputs='ab'), 'must be names .*, got .ab.'),
        (dict(type='L1Loss', inputs=(1, 2)), r'must be names .*, got \(1, 2\)'),
        (
            dict(type='torch.nn.L1Loss', inputs=('a', 'b', 'c')),
            r'takes \(input.*target.*\).*does not go with inputs',
        ),
        (dict(type='torch.nn.L1Loss', inputs=('a',)), "missing.*'target'"),
    ],
)
def test_what_cannot_be_called_is_refused_at_once(config, message):
    with pytest.raises(ValueError, match=message):
        losses(**config)


def test_outputs_that_there_are_not_are_told_with_those_that_there_are():
    found = losses(type='L1Loss', inputs=('keypoints', 'target_keypoints'))
    with pytest.raises(ValueError, match='target_keypoints') as told:
        found(OUTPUTS)
    for part in ("'only' (L1Loss)", "['keypoints', 'other']", 'RegressionLabel'):
        assert part in str(told.value)
    with pytest.raises(ValueError, match='returns a dict, must be one tensor'):
        losses(type='OddLoss', kind='dict', inputs=('other', 'keypoints'))(OUTPUTS)


def test_the_config_check_knows_losses_and_their_import_paths():
    model = dict(
        type='AutoLink',
        losses=dict(
            first=dict(
                type='torch.nn.SmoothL1Loss',
                beta=0.1,
                inputs=('reconstruction', 'images'),
                loss_weight=2.0,
            ),
            second=dict(type='L1Loss', inputs=('keypoints', 'target_keypoints')),
        ),
    )
    cfg = Config(dict(model=model))
    check_config(cfg)
    wrong = copy.deepcopy(cfg)
    wrong.model.losses.first.betta = wrong.model.losses.first.pop('beta')
    with pytest.raises(ConfigError, match="'betta' in 'model.losses.first'.*'beta'"):
        check_config(wrong)
    wrong = copy.deepcopy(cfg)
    wrong.model.losses.first.type = 'torch.nn.SmothL1Loss'
    with pytest.raises(ConfigError, match="unknown type 'torch.nn.SmothL1Loss'"):
        check_config(wrong)
    wrong = copy.deepcopy(cfg)
    wrong.model.inputs = ('keypoints',)
    with pytest.raises(ConfigError, match="unknown key 'inputs' in 'model'"):
        check_config(wrong)
