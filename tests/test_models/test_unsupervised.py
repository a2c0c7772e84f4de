"""The base of unsupervised estimators and AutoLink, driven as MMPose drives models."""

import copy
from unittest import mock

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils import register_all_modules

import mmkp  # noqa: F401
from mmkp.models.unsupervised.untrained import untrained_detector

register_all_modules()

NUM_KEYPOINTS = 5


def autolink_config(num_keypoints: int = NUM_KEYPOINTS, **changes: object) -> dict:
    config = {
        'type': 'AutoLink',
        'data_preprocessor': {
            'type': 'PoseDataPreprocessor',
            'mean': [127.5] * 3,
            'std': [127.5] * 3,
            'bgr_to_rgb': True,
        },
        'backbone': {'type': 'AutoLinkEncoder', 'channels': (8, 12, 16)},
        'head': {
            'type': 'SoftArgmaxHead',
            'in_channels': 16,
            'num_keypoints': num_keypoints,
            'upsample_channels': (12,),
        },
        'generator': {
            'type': 'EdgeMapGenerator',
            'num_keypoints': num_keypoints,
            'channels': (8, 12, 16),
            'mask_cells': 4,
        },
        'view_transform': {'type': 'RandomThinPlateSpline'},
        'losses': {
            'equivariance': {'type': 'EquivarianceLoss'},
            'diversity': {'type': 'DiversityLoss'},
        },
    }
    return {**config, **changes}


def build(**changes: object) -> torch.nn.Module:
    torch.manual_seed(0)
    model = MODELS.build(autolink_config(**changes))
    model.init_weights()
    return model


def samples(count: int, size: tuple[int, int]) -> list[PoseDataSample]:
    result = []
    for index in range(count):
        instances = InstanceData(
            bboxes=np.array([[10.0, 20.0, 110.0, 220.0]]), bbox_scores=np.ones(1)
        )
        sample = PoseDataSample(gt_instances=instances)
        sample.set_metainfo(
            {
                'input_size': size,
                'input_center': np.array([60.0, 120.0]),
                'input_scale': np.array([100.0, 200.0]),
                'img_id': index,
            }
        )
        result.append(sample)
    return result


def test_every_parameter_is_trained_by_the_reconstruction():
    model = build()
    images = torch.rand(3, 3, 32, 48) * 2 - 1
    outputs = model.reconstruct(images)
    assert outputs['keypoints'].shape == (3, NUM_KEYPOINTS, 2)
    assert outputs['edge_map'].shape == (3, 1, 32, 48)
    assert outputs['reconstruction'].shape == images.shape
    # Squares, because a sum alone cannot reach weights before a normalisation.
    (outputs['reconstruction'] - images).square().mean().backward()
    without = {
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None or not parameter.grad.abs().sum() > 0
    }
    # A softmax does not change when the same number is added to all its cells.
    assert without <= {'head.final_layer.bias'}


def test_losses_are_named_scalars_with_gradient():
    losses = build().forward(torch.rand(2, 3, 32, 32), None, mode='loss')
    assert set(losses) == {'loss_equivariance', 'loss_diversity'}
    assert all(loss.shape == () and loss.requires_grad for loss in losses.values())


def test_prediction_is_in_image_pixels():
    model = build(test_cfg={'output_heatmaps': True}).eval()
    images = torch.rand(2, 3, 32, 48) * 2 - 1
    with torch.no_grad():
        results = model.forward(images, samples(2, (48, 32)), mode='predict')
        keypoints, _ = model.detect(images)
    for sample, in_input in zip(results, keypoints.numpy(), strict=True):
        expected = in_input / (48, 32) * (100, 200) + (60, 120) - (50, 100)
        np.testing.assert_allclose(
            sample.pred_instances.keypoints[0], expected, rtol=1e-5
        )
        scores = sample.pred_instances.keypoint_scores
        assert scores.shape == (1, NUM_KEYPOINTS)
        assert ((scores >= 0) & (scores <= 1)).all()
        maps = sample.pred_fields.heatmaps
        # Entropies are those of the maps, which are only scaled to be drawn.
        shares = (maps / maps.sum((-2, -1), keepdim=True)).flatten(1).double()
        entropies = -(shares * shares.log()).sum(1) / np.log(shares.shape[1])
        np.testing.assert_allclose(
            sample.pred_instances.keypoint_entropies[0], entropies, rtol=1e-4
        )
        assert maps.shape[0] == NUM_KEYPOINTS
        torch.testing.assert_close(maps.amax((-2, -1)), torch.ones(NUM_KEYPOINTS))


def test_untrained_control_is_the_freshly_initialised_detector(capsys, caplog):
    torch.manual_seed(0)
    trained = build(test_cfg={'untrained_control': True, 'untrained_seed': 7}).eval()
    trained.with_untrained_control = True
    for parameter in trained.parameters():
        torch.nn.init.normal_(parameter)
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    state = torch.get_rng_state()
    with torch.no_grad():
        results = trained.forward(images, samples(2, (32, 32)), mode='predict')
    assert torch.equal(state, torch.get_rng_state())
    control = np.stack([r.pred_instances.untrained_keypoints[0] for r in results])
    other = build(test_cfg={'untrained_control': True, 'untrained_seed': 7}).eval()
    other.with_untrained_control = True
    with torch.no_grad():
        again = other.forward(images, samples(2, (32, 32)), mode='predict')
    expected = np.stack([r.pred_instances.untrained_keypoints[0] for r in again])
    np.testing.assert_array_equal(control, expected)
    learned = np.stack([r.pred_instances.keypoints[0] for r in results])
    assert not np.allclose(control, learned)
    assert set(trained.state_dict()) == set(build().state_dict())
    # No line for each parameter, neither on a terminal nor in a log.
    output = capsys.readouterr()
    assert 'init' not in output.out + output.err + caplog.text


@pytest.mark.parametrize(
    'device', ['cpu', pytest.param('cuda', marks=pytest.mark.cuda)]
)
def test_the_untrained_control_is_the_same_on_each_device(device):
    expected = untrained_detector(build(), 7).state_dict()
    model = build().to(device)
    # Generators of accelerators have nothing to do with it, and keep their state.
    with mock.patch.object(torch.cuda, 'manual_seed_all', side_effect=AssertionError):
        found = untrained_detector(model, 7).state_dict()
    for name, weight in found.items():
        assert weight.device.type == 'cpu'
        assert weight.equal(expected[name])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'generator': None}, 'AutoLink needs a `generator`'),
        (
            {'generator': {**autolink_config()['generator'], 'num_keypoints': 6}},
            'head finds 5 keypoints but the generator draws 6',
        ),
    ],
)
def test_inconsistent_configs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


def test_missing_outputs_are_explained():
    model = build(view_transform=None)
    with pytest.raises(ValueError, match="'equivariance'.*view_transform"):
        model.forward(torch.rand(1, 3, 32, 32), None, mode='loss')
    with pytest.raises(ValueError, match='no losses to train with'):
        build(losses=None).forward(torch.rand(1, 3, 32, 32), None, mode='loss')


@pytest.mark.parametrize('num_keypoints', [0, -1])
def test_no_keypoints_are_refused(num_keypoints):
    with pytest.raises(ValueError, match='at least one keypoint'):
        MODELS.build(autolink_config(num_keypoints))


def test_one_keypoint_has_no_edges_but_works():
    model = MODELS.build(autolink_config(1))
    outputs = model.reconstruct(torch.rand(1, 3, 32, 32))
    assert outputs['edge_map'].abs().sum() == 0
    assert model.generator.edge_weights.shape == (0,)


@pytest.mark.parametrize(
    ('backbone', 'channels'),
    [
        ({'type': 'ResNet', 'depth': 18}, 512),
        ({'type': 'MobileNetV2', 'out_indices': (7,)}, 1280),
    ],
)
def test_any_mmpose_backbone_is_a_detector(backbone, channels):
    head = {**autolink_config()['head'], 'in_channels': channels}
    model = build(backbone=copy.deepcopy(backbone), head=head)
    losses = model.forward(torch.rand(2, 3, 64, 64), None, mode='loss')
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())


def test_the_head_refuses_a_supervised_estimator():
    with pytest.raises(TypeError, match='UnsupervisedPoseEstimator'):
        build().head.loss(None, None)


@pytest.mark.parametrize(
    'loss',
    [
        {'type': 'EquivarianceLoss', 'variant': 'means'},
        {'type': 'EquivarianceLoss', 'keypoint_reduction': 'sum'},
        {'type': 'DiversityLoss', 'variant': 'quadratic', 'both_views': True},
        {'type': 'DiversityLoss', 'window': 2, 'stride': 2, 'pooling': 'sum'},
        {'type': 'ConcentrationLoss', 'both_views': True},
        {'type': 'SeparationLoss', 'bandwidth': 0.2, 'both_views': True},
        {'type': 'SquaredErrorLoss'},
    ],
    ids=lambda loss: '-'.join(str(value) for value in loss.values()),
)
def test_each_loss_is_added_by_config_alone(loss):
    model = build(losses={'only': loss})
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3)
    before = model.head.final_layer.weight.detach().clone()
    losses = model.forward(torch.rand(2, 3, 32, 48) * 2 - 1, None, mode='loss')
    assert set(losses) == {'loss_only'} and losses['loss_only'] > 0
    losses['loss_only'].backward()
    optimizer.step()
    moved = (model.head.final_layer.weight - before).abs().max()
    assert torch.isfinite(moved) and moved > 0
