"""Rules for names, and what is refused."""

import pytest
import torch

from mmkp.converters.names import look_up, plain_weights, rename

RULES = (
    (r'conv(\d)', r'layers.\1'),
    (r'fc(\d)', lambda found: f'heads.{int(found[1]) - 1}'),
)


def test_the_first_rule_that_fits_the_whole_name():
    assert look_up('conv3', RULES) == 'layers.3'
    assert look_up('fc3', RULES) == 'heads.2'
    assert look_up('conv3.bn', RULES) is None


def test_kinds_stay_and_tensors_are_shared():
    state = {'conv1.weight': torch.ones(2), 'fc1.bias': torch.zeros(1)}
    renamed = rename(state, RULES, 'a network')
    assert list(renamed) == ['layers.1.weight', 'heads.0.bias']
    assert renamed['layers.1.weight'] is state['conv1.weight']


def test_unknown_and_ambiguous_names():
    state = {'conv1.weight': torch.ones(2), 'norm.bias': torch.ones(2)}
    with pytest.raises(ValueError, match=r'1 entries are not of X, e\.g\. norm\.bias'):
        rename(state, RULES, 'X')
    rules = (*RULES, ('norm', 'layers.1'))
    twice = {'conv1.weight': torch.ones(2), 'norm.weight': torch.ones(2)}
    with pytest.raises(
        ValueError, match=r'norm\.weight and conv1\.weight are the same'
    ):
        rename(twice, rules, 'X')


def test_prefixes_are_cut_and_other_things_left_out():
    state = {'module.a': torch.ones(1), 'b': torch.ones(2), 'step': 3}
    named = plain_weights({'state_dict': state}, r'(module\.)?')
    assert list(named) == ['a', 'b']
    with pytest.raises(ValueError, match='a is there twice'):
        plain_weights({**state, 'a': torch.ones(1)}, r'(module\.)?')
