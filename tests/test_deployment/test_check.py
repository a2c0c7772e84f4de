"""A file that finds other keypoints than its model is refused, a tie is not."""

import numpy as np
import pytest
import tiny_heads
import torch
from torch import nn

from mmkp.deployment.check import (
    ExportDifferenceError,
    compare_keypoints,
    model_keypoints,
)


@pytest.fixture(scope='module')
def model():
    return tiny_heads.build('hourglass')


def answers(model, inputs, noise=None):
    """A file's answers: those of the model to the same pictures, changed by noise."""
    found = iter((inputs[:1], inputs[1:]))

    def run(fed):
        batch = next(found)
        assert fed['images'].shape == (len(batch), 3, 64, 48)
        added = None if noise is None else noise[: len(batch)]
        keypoints, scores = model_keypoints(model, batch, added)
        return dict(keypoints=keypoints, keypoint_scores=scores)

    return run


def test_equal_keypoints_pass(model):
    inputs = tiny_heads.pictures(4)
    found = compare_keypoints(answers(model, inputs), 'model.onnx', model, inputs)
    assert (found.largest, found.mean, found.scores, found.ties) == (0, 0, 0, 0)
    assert (found.pictures, found.keypoints) == (4, 16)
    assert 'model.onnx: keypoints differ from PyTorch by at most 0 px' in str(found)


@pytest.mark.parametrize('moved', [0.002, np.nan])
def test_other_keypoints_are_refused_by_picture_and_distance(model, moved):
    inputs = tiny_heads.pictures(3)
    right = answers(model, inputs)

    def run(fed):
        found = right(fed)
        if len(found['keypoints']) == 2:
            found['keypoints'][1, 2, 0] += moved
        return found

    message = f"keypoint 2 of '2.png' lies {moved if moved != moved else 0.002} px"
    with pytest.raises(ExportDifferenceError, match=message.replace('nan', r'\w+')):
        compare_keypoints(run, 'model.xml', model, inputs)
    told = compare_keypoints(
        answers(model, inputs, torch.full((3, 3, 64, 48), 90.0)),
        'int8',
        model,
        inputs,
        tolerance=None,
    )
    assert told.largest > 1 and 0 < told.mean < told.largest


def test_keypoints_of_another_shape_are_refused(model):
    inputs = tiny_heads.pictures(1)
    wrong = dict(keypoints=np.zeros((1, 3, 2)), keypoint_scores=np.zeros((1, 3)))
    with pytest.raises(ExportDifferenceError, match='shape .* PyTorch'):
        compare_keypoints(lambda fed: wrong, 'model.onnx', model, inputs)


def test_of_two_equal_cells_either_may_win(model, monkeypatch):
    def maps(features):
        return nn.functional.avg_pool2d(features, 4)[:, [0, 1, 2, 0]]

    monkeypatch.setattr(model, 'extract_feat', lambda images: images)
    monkeypatch.setattr(model.head, 'forward', maps)
    inputs = tiny_heads.pictures(2)
    for one in inputs:
        picture = torch.zeros(3, 64, 48, dtype=torch.uint8)
        picture[:, 8:12, 8:12] = picture[:, 40:44, 32:36] = 200
        one.packed['inputs'] = picture
    draw = torch.Generator().manual_seed(5)
    noise = (torch.rand(2, 3, 64, 48, generator=draw) - 0.5) * 1e-3
    run = answers(model, inputs, noise)
    found = compare_keypoints(run, 'model.onnx', model, inputs)
    assert found.ties > 0 and found.largest == 0
    assert f'{found.ties} ties left out' in str(found)
    right = answers(model, inputs)

    def elsewhere(fed):
        found = right(fed)
        return dict(found, keypoints=found['keypoints'] + 80)

    with pytest.raises(ExportDifferenceError, match='8 of 8|4 of 8'):
        compare_keypoints(elsewhere, 'model.onnx', model, inputs)
