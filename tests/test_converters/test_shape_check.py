"""The strict check of converted weights."""

import pytest
import torch
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the network
from mmkp.converters.shape_check import (
    check_shapes,
    count_children,
    match_state,
    shape_of,
    without_defaults,
)

CONFIG = dict(
    type='StackedHourglass',
    num_stacks=1,
    num_keypoints=2,
    order=1,
    channels=6,
    stem_channels=4,
)


def weights(**changes):
    state = dict(weight=torch.ones(3), bias=torch.zeros(3))
    return state | changes


def test_what_fits_passes():
    check_shapes(weights(), weights(), 'a norm', 'look')


def test_every_kind_of_mistake_is_named():
    found = dict(weight=torch.ones(2), extra=torch.ones(1))
    with pytest.raises(ValueError) as caught:
        check_shapes(found, weights(), 'a norm', 'take another file')
    assert str(caught.value) == (
        '3 entries do not fit a norm: weight is (2,) in the file and (3,) in the '
        'network; bias is missing; extra is too many: take another file'
    )


def test_networks_are_built_and_counters_added():
    network = MODELS.build(CONFIG)
    state = {
        f'net.{name}': value
        for name, value in network.state_dict().items()
        if not name.endswith('num_batches_tracked')
    }
    complete = match_state(state, {'net': CONFIG})
    counter = 'stem.norm.num_batches_tracked'
    assert complete[f'net.{counter}'] == 0
    assert (
        complete['net.stem.convolution.weight'] is state['net.stem.convolution.weight']
    )
    with pytest.raises(
        ValueError, match=r'StackedHourglass of the sizes .* is missing'
    ):
        match_state(dict(list(state.items())[1:]), {'net': CONFIG})
    with pytest.raises(ValueError, match='no network has the sizes in the file: chann'):
        match_state(state, {'net': CONFIG | {'channels': 3}})


def test_defaults_are_left_out():
    config = dict(type='StackedHourglass', num_stacks=8, channels=6, order=4)
    assert without_defaults(config) == dict(type='StackedHourglass', channels=6)
    assert list(without_defaults(config, ['order'])) == ['type', 'channels', 'order']


def test_sizes():
    state = {'a.0.w': torch.ones(2, 3), 'a.1.w': torch.ones(1), 'a.10.w': torch.ones(1)}
    assert shape_of(state, 'a.0.w') == (2, 3)
    assert count_children(state, 'a') == 3
    with pytest.raises(ValueError, match='b is missing: the file is of a part'):
        shape_of(state, 'b')
