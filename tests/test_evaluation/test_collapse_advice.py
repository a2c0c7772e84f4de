"""Advice names only what the model at hand has."""

import inspect
import re
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmpose.registry import METRICS, MODELS

from mmkp.evaluation.functional import (
    CollapseAdvice,
    CollapseLimits,
    collapse_statistics,
)
from mmkp.evaluation.functional.collapse_advice import takes

CONFIGS = Path(__file__).resolve().parents[2] / 'configs/unsupervised_2d_keypoint'
FOLDERS = {'fse': 'factorized_spatial_embedding', 'tokens': 'stable_keypoints'}
ARGUMENTS = ('mask_ratio', 'translation_std', 'translation_range', 'logit_scale')
LOSS = re.compile(r'[A-Z]\w+Loss')


def built(method: str):
    """The model of a method's first config that needs no file."""
    paths = sorted((CONFIGS / FOLDERS.get(method, method)).glob('[!_]*/*.py'))
    for path in paths:
        cfg = Config.fromfile(path).model
        for loss in (cfg.get('losses') or {}).values():
            if 'weights' in loss:
                loss['weights'] = None
        try:
            return MODELS.build(cfg)
        except (OSError, ImportError, ValueError):
            continue
    pytest.skip(f'no config of {method} builds without files')


def all_advice(model) -> list[str]:
    advice = CollapseAdvice(model)
    return [advice.still(), advice.apart(), advice.border(), advice.diffuse()]


@pytest.mark.parametrize('method', ['autolink', 'fse', 'lmdis', 'tokens'])
def test_each_argument_and_loss_that_is_named_exists(method):
    model = built(method)
    parts = {
        name: getattr(model, name, None)
        for name in ('generator', 'view_transform', 'head', 'backbone')
    }
    present = {type(loss).__name__ for loss in model.losses.values()}
    for told in all_advice(model):
        for argument in ARGUMENTS:
            for found in re.finditer(rf'{argument} of the (\w+)', told):
                part = parts[found[1]]
                assert argument in inspect.signature(type(part).__init__).parameters
            assert told.count(argument) == told.count(f'{argument} of the ')
        named = set(LOSS.findall(told))
        assert named <= present or 'add ' in told
        for argument in ('window', 'bandwidth'):
            for loss in re.findall(rf'the {argument} of (\w+)', told):
                assert (
                    argument
                    in inspect.signature(
                        type(
                            next(
                                x
                                for x in model.losses.values()
                                if type(x).__name__ == loss
                            )
                        ).__init__
                    ).parameters
                )


def test_mask_ratio_is_named_where_the_generator_has_it():
    assert 'mask_ratio' in CollapseAdvice(built('autolink')).still()
    for method in ('fse', 'lmdis', 'tokens'):
        assert 'mask_ratio' not in ' '.join(all_advice(built(method)))
    assert 'mask_ratio' not in ' '.join(all_advice(None))


def test_arguments_that_a_parent_takes_in_vain():
    class Parent(torch.nn.Module):
        def __init__(self, given=1):
            super().__init__()

    class Closed(Parent):
        def __init__(self, own=1):
            super().__init__()

    class Open(Parent):
        def __init__(self, own=1, **kwargs):
            super().__init__(**kwargs)

    assert [takes(part, 'given') for part in (Parent(), Closed(), Open(), None)] == [
        True,
        False,
        True,
        False,
    ]


def test_metric_advises_the_model_that_it_judges():
    metric = METRICS.build(dict(type='KeypointCollapseMetric'))
    metric.judged_model = built('fse')
    still = np.linspace(0.2, 0.8, 8).reshape(1, 4, 2).repeat(9, 0)
    for keypoints in still:
        instances = dict(keypoints=keypoints[None])
        sample = dict(pred_instances=instances, input_scale=[1, 1])
        metric.process(None, [dict(sample, input_center=[0.5, 0.5])])
    with mock.patch.object(MMLogger.get_current_instance(), 'warning') as warning:
        metric.evaluate(len(still))
    told = warning.call_args_list[0].args[0]
    assert 'hardly move' in told and 'mask_ratio' not in told


@pytest.mark.parametrize('share', [0.25, 1.0])
@pytest.mark.parametrize('value', [np.nan, np.inf])
def test_nan_is_called_nan(share, value):
    keypoints = np.random.default_rng(0).uniform(0.2, 0.8, (12, 4, 2))
    keypoints[:, : int(4 * share)] = value
    statistics = collapse_statistics(keypoints)
    assert statistics.non_finite_share == share
    assert (
        np.isnan(statistics.border_share)
        if share == 1
        else (statistics.border_share == 0)
    )
    [told] = CollapseLimits().warnings(statistics)
    assert f'{share:.0%} of the keypoints are NaN or infinite' in told
    assert 'border' not in told
