"""Graphs of keypoints equal what the models themselves predict."""

import numpy as np
import pytest
import tiny_heads
import tiny_methods
import torch
from torch import nn

from mmkp.deployment.check import graph_images, model_keypoints
from mmkp.deployment.graphs import KeypointGraph, build_graph
from mmkp.models.layers.half_turn import HalfTurn
from mmkp.models.layers.keypoint_regressor import KeypointRegressor

METHODS = [name for name in tiny_methods.METHODS if name != 'BottomupPoseEstimator']
SQUARE = (tiny_methods.SIDE, tiny_methods.SIDE)


def differences(graph, model, inputs, normalized_inside=True):
    """Largest difference of keypoints in pixels, and of scores."""
    keypoints, scores = model_keypoints(model, inputs)
    images = torch.from_numpy(graph_images(model, inputs, normalized_inside))
    with torch.no_grad():
        found, confidence = graph(images)
    assert found.shape == keypoints.shape and confidence.shape == scores.shape
    return (
        np.abs(found.numpy() - keypoints).max(),
        np.abs(confidence.numpy() - scores).max(),
    )


@pytest.mark.parametrize('name', METHODS)
def test_each_method_is_a_graph(name):
    model = tiny_methods.build(name).eval()
    keypoints, scores = differences(
        build_graph(model), model, tiny_heads.pictures(3, SQUARE)
    )
    assert keypoints < 1e-4 and scores < 1e-6


def test_named_turned_and_chosen_keypoints_are_those_of_the_prediction():
    model = tiny_methods.build('LMDIS', half_turn=dict(cells=4)).eval()
    inputs = tiny_heads.pictures(4, SQUARE)
    draw = torch.Generator().manual_seed(0)
    model.half_turn.mean.copy_(torch.randn(3, 4, 4, generator=draw))
    model.regressor = KeypointRegressor(tiny_methods.K, 5)
    nn.init.normal_(model.regressor.linear.weight)
    model.test_cfg = dict(output_keypoint_indices=[3, 0])
    images = torch.from_numpy(graph_images(model, inputs, False))
    turned = model.half_turn(images)[1]
    assert turned.any() and not turned.all()
    keypoints, scores = differences(build_graph(model), model, inputs)
    assert keypoints < 1e-3 and scores < 1e-6
    assert isinstance(model.half_turn, HalfTurn)


def test_the_views_of_a_test_are_part_of_the_graph():
    test_cfg = dict(num_views=2)
    model = tiny_methods.build('StableKeypoints', test_cfg=test_cfg).eval()
    with torch.no_grad():
        model.head.tokens.mul_(3)  # so that maps have peaks
    graph = build_graph(model)
    inputs = tiny_heads.pictures(3, SQUARE)
    keypoints, scores = differences(graph, model, inputs)
    assert keypoints < 1e-4 and scores < 1e-5
    model.test_cfg = {}
    assert not np.allclose(
        model_keypoints(model, inputs)[1],
        graph(torch.from_numpy(graph_images(model, inputs, True)))[1].detach(),
    )


@pytest.mark.parametrize('flip_test', [False, True])
@pytest.mark.parametrize('name', tiny_heads.HEADS)
def test_each_head_is_a_graph(name, flip_test):
    test_cfg = dict(flip_test=flip_test, shift_heatmap=True)
    if name == 'offsets':
        test_cfg.update(flip_mode='udp_combined', shift_heatmap=False)
    model = tiny_heads.build(name, **test_cfg)
    inputs = tiny_heads.pictures()
    keypoints, scores = differences(build_graph(model), model, inputs)
    assert model_keypoints(model, inputs)[0].std((0, 1)).min() > 0.03
    # Maps of random weights are flat, and Newton's step is as long as they are.
    assert keypoints < (2e-2 if name in ('dark', 'udp') else 1e-3)
    assert scores < 1e-4


def test_normalization_and_mirrored_images_can_be_left_out():
    model = tiny_heads.build('msra', flip_test=True)
    inputs = tiny_heads.pictures()
    graph = build_graph(model, normalized_inside=False)
    assert max(differences(graph, model, inputs, normalized_inside=False)) < 1e-4
    graph = build_graph(model, flip_test=False)
    images = torch.from_numpy(graph_images(model, inputs, True))
    scores = graph(images)[1].detach()
    assert not np.allclose(model_keypoints(model, inputs)[1], scores)
    model.test_cfg = {}
    assert np.allclose(model_keypoints(model, inputs)[1], scores, atol=1e-5)


def test_what_cannot_become_a_graph_is_named():
    model = tiny_heads.build('msra', flip_test=True)
    model.dataset_meta = {}
    with pytest.raises(ValueError, match='give flip_indices, or flip_test=False'):
        build_graph(model)
    assert isinstance(build_graph(model, flip_indices=[0, 1, 2, 3]), KeypointGraph)
    with pytest.raises(TypeError, match='a Linear cannot become a graph'):
        KeypointGraph(nn.Linear(1, 1), normalized_inside=False)

    class OtherHead(type(model.head)):
        def predict(self, *args, **kwargs):
            return super().predict(*args, **kwargs)

    model.head.__class__ = OtherHead
    with pytest.raises(TypeError, match='head OtherHead cannot become a graph'):
        build_graph(model, flip_test=False)
    bottomup = tiny_methods.build('BottomupPoseEstimator')
    bottomup.head = nn.Identity()
    with pytest.raises(TypeError, match='bottom-up head Identity cannot'):
        build_graph(bottomup)
