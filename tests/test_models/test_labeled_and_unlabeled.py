# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Labeled and unlabeled images train one model in one batch."""

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, MODELS
from mmpose.structures import PoseDataSample

from mmkp.models.unsupervised.targets import keypoint_targets
from mmkp.models.view_transforms.views import make_views
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline

SIDE, K = 32, 17
PIPELINE = [
    {'type': 'LoadVerifiedImage'},
    {'type': 'GetBBoxCenterScale', 'padding': 1.0},
    {'type': 'TopdownResize', 'input_size': (SIDE, SIDE)},
    {
        'type': 'GenerateTarget',
        'encoder': {'type': 'RegressionLabel', 'input_size': (SIDE, SIDE)},
    },
    {'type': 'PackPoseInputs'},
]
PUPPETS = {'type': 'PuppetDataset', 'image_size': 64, 'num_images': 3, 'seed': 0}
WARP = {'type': 'RandomThinPlateSpline', 'local_std': 0.02}


def unlabeled(**options) -> dict:
    inner = {**PUPPETS, 'seed': 1}
    return {'type': 'LabelFreeDataset', 'num_keypoints': K, 'dataset': inner, **options}


def mixed(kind: str):
    metainfo = DATASETS.get('PuppetDataset').METAINFO
    if kind == 'CombinedDataset':
        parts, options = [PUPPETS, unlabeled()], dict(pipeline=PIPELINE)
        return DATASETS.build(
            {'type': kind, 'metainfo': metainfo, 'datasets': parts, **options}
        )
    parts = [
        {**PUPPETS, 'pipeline': PIPELINE},
        unlabeled(pipeline=PIPELINE, metainfo=metainfo),
    ]
    return DATASETS.build({'type': kind, 'datasets': parts, 'ignore_keys': ['CLASSES']})


def model(kind: str = 'FactorizedSpatialEmbedding', **changes):
    torch.manual_seed(0)
    config = {
        'type': kind,
        'data_preprocessor': {
            'type': 'PoseDataPreprocessor',
            'mean': [127.5] * 3,
            'std': [127.5] * 3,
            'bgr_to_rgb': True,
        },
        'backbone': {'type': 'ThewlisNet', 'channels': (4, 8), 'padding': 'reflect'},
        'head': {
            'type': 'SoftArgmaxHead',
            'in_channels': 8,
            'num_keypoints': K,
            'upsample_channels': (),
        },
        'view_transform': WARP,
        'losses': {
            'equivariance': {'type': 'EquivarianceLoss'},
            'regression': {'type': 'KeypointRegressionLoss'},
        },
    }
    built = MODELS.build({**config, **changes})
    built.init_weights()
    return built


@pytest.mark.parametrize('kind', ['ConcatDataset', 'CombinedDataset'])
def test_one_batch_has_targets_where_there_are_labels(kind):
    dataset = mixed(kind)
    assert len(dataset) == 6
    batch = pseudo_collate([dataset[index] for index in (0, 4, 1)])
    estimator = model()
    data = estimator.data_preprocessor(batch, training=True)
    outputs = estimator.outputs_for_losses(**data)
    weights, targets = outputs['target_weights'], outputs['target_keypoints']
    assert targets.shape == (3, K, 2) and weights.shape == (3, K)
    assert weights[1].sum() == 0 and weights[0].sum() > 10
    puppets = DATASETS.build({**PUPPETS, 'pipeline': []})
    for row, index in ((0, 0), (2, 1)):
        # Of an image of 64 pixels shown at half its size, pixel centers at integers.
        expected = puppets[index]['keypoints'][0] / 2
        visible = weights[row].bool().numpy()
        found = targets[row].numpy()[visible]
        np.testing.assert_allclose(found, expected[visible], atol=0.51)
    losses = estimator.losses(outputs)
    sum(losses.values()).backward()
    assert losses['loss_regression'] > 0


def test_targets_without_any_are_left_out_and_told_of():
    images = torch.rand(2, 3, SIDE, SIDE)
    assert keypoint_targets([], images) == {}
    assert keypoint_targets([PoseDataSample(), PoseDataSample()], images) == {}
    with pytest.raises(ValueError, match=r"'regression'.*GenerateTarget"):
        model().loss(images, [PoseDataSample(), PoseDataSample()])


def labeled(points: np.ndarray, weights: np.ndarray) -> PoseDataSample:
    labels = InstanceData(keypoint_labels=points, keypoint_weights=weights)
    return PoseDataSample(gt_instance_labels=labels.to_tensor())


def test_samples_without_labels_stand_beside_those_with_them():
    points = np.array([[[0.25, 0.5], [1.0, 0.0]]], np.float32)
    samples = [PoseDataSample(), labeled(points, np.array([[1, 0]], np.float32))]
    found = keypoint_targets(samples, torch.zeros(2, 3, 40, 80))
    assert found['target_weights'].tolist() == [[0, 0], [1, 0]]
    assert found['target_keypoints'][1].tolist() == [[20, 20], [80, 0]]
    two = labeled(np.concatenate((points, points)), np.ones((2, 2), np.float32))
    with pytest.raises(ValueError, match='one object a sample'):
        keypoint_targets([two, samples[1]], torch.zeros(2, 3, 40, 80))


@pytest.mark.parametrize('margin', [0, 4])
@pytest.mark.parametrize('first', [None, {**WARP, 'rotation_std': 30.0}])
def test_positions_in_the_first_view_go_back_to_the_image(first, margin):
    """A dot of the first view is found again where it was in the image."""
    transform = None if first is None else MODELS.build(first)
    images = torch.zeros(1, 3, 64, 64)
    images[..., 30:33, 33:36] = 1
    torch.manual_seed(1)
    views = make_views(images, None, None, transform, margin)
    assert views.second is None and views.first.shape[-1] == 64 - 2 * margin
    mass = views.first[0, 0] / views.first[0, 0].sum()
    line = torch.arange(mass.shape[0], dtype=torch.float32)
    middle = torch.stack((mass.sum(0) @ line, mass.sum(1) @ line))[None, None]
    back = views.to_image(middle)
    torch.testing.assert_close(back, torch.tensor([[[34.0, 31.0]]]), atol=0.2, rtol=0)


@pytest.mark.parametrize('warp_padded', [True, False])
def test_lmdis_compares_with_targets_in_the_image_too(warp_padded):
    still = dict(local_std=0.0, scale_std=0.0, translation_std=0.0, rotation_std=0.0)
    network = {
        'type': 'LMDISHourglass',
        'encoder': ((4,),),
        'bottleneck': (4,),
        'decoder': ((4,), (4,)),
    }
    head = {
        'type': 'ChannelSoftmaxHead',
        'in_channels': 4,
        'num_keypoints': 3,
        'padding': 8,
    }
    estimator = model(
        'LMDIS',
        backbone=network,
        head=head,
        warp_padded=warp_padded,
        first_view_transform={'type': 'RandomThinPlateSpline', **still},
        crop_margin=0 if warp_padded else 4,
        losses={},
    ).eval()
    images = torch.rand(2, 3, 40, 40)
    outputs = estimator.outputs_for_losses(images)
    shift = 8 if warp_padded else 8 - 4
    torch.testing.assert_close(
        outputs['source_keypoints'], outputs['keypoints'] - shift, atol=1e-3, rtol=0
    )
    assert outputs['images'].shape[-1] == (56 if warp_padded else 48)
    with pytest.raises(ValueError, match='warp_padded=False'):
        model('LMDIS', backbone=network, head=head, crop_margin=4)


@pytest.mark.parametrize('kind', ['AutoLink', 'UnsupervisedPoseEstimator'])
def test_any_model_may_warp_its_first_view(kind):
    generator = {'type': 'EdgeMapGenerator', 'mask_cells': 4, 'channels': (4, 4, 4)}
    estimator = model(
        kind,
        generator=generator,
        first_view_transform=WARP,
        crop_margin=8,
        losses={'equivariance': {'type': 'EquivarianceLoss'}},
    )
    assert estimator.generator.num_keypoints == K  # said once, in the head
    images = torch.rand(2, 3, 48, 48)
    outputs = estimator.outputs_for_losses(images)
    for name in ('images', 'warped_images', 'reconstruction'):
        assert outputs[name].shape == (2, 3, 32, 32)
    assert not torch.equal(outputs['images'], images[..., 8:-8, 8:-8])
    assert outputs['keypoints'].max() < 32
    assert estimator.loss(images)['loss_equivariance'] > 0


def test_the_second_view_is_detected_where_a_loss_asks_for_it():
    images = torch.rand(2, 3, SIDE, SIDE)
    asking = model().outputs_for_losses(images)
    assert asking['warped_keypoints'].shape == (2, K, 2)
    compared = {'type': 'torch.nn.MSELoss', 'inputs': ('images', 'warped_images')}
    estimator = model(losses={'only': compared})
    assert estimator.losses.inputs == {'images', 'warped_images'}
    outputs = estimator.outputs_for_losses(images)
    assert 'warped_keypoints' not in outputs and 'warp' in outputs
    # A model whose own `train_step` compares has everything.
    assert 'warped_keypoints' in model(losses=None).outputs_for_losses(images)


def test_an_image_can_be_drawn_from_another_one():
    generator = {'type': 'EdgeMapGenerator', 'mask_ratio': 0.0, 'channels': (4, 4, 4)}
    estimator = model('AutoLink', generator=generator).eval()
    images = torch.rand(2, 3, SIDE, SIDE)
    outputs = estimator.reconstruct(images, drawn_from=images.flip(0))
    torch.testing.assert_close(outputs['masked_images'], images.flip(0))
    torch.testing.assert_close(outputs['images'], images)
    itself = estimator.reconstruct(images)
    torch.testing.assert_close(outputs['edge_map'], itself['edge_map'])


def test_flow_goes_with_a_margin_but_not_with_a_first_warp():
    warp = random_thin_plate_spline(1, (20, 20))

    class GivenView(torch.nn.Module):
        needs_samples = True

        def forward(self, images, data_samples):
            assert data_samples == ['sample']
            return images + 1, warp

    images = torch.rand(1, 3, 20, 20)
    views = make_views(images, ['sample'], GivenView(), crop_margin=5)
    torch.testing.assert_close(views.second, views.first + 1)
    points = torch.rand(1, 4, 2) * 10
    torch.testing.assert_close(
        views.warp.points_to_source(points), warp.points_to_source(points + 5) - 5
    )
    with pytest.raises(ValueError, match='samples no warp'):
        model(view_transform={'type': 'OpticalFlowView'}, first_view_transform=WARP)
