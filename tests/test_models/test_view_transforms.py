# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""View transforms: registered, drawn as configured, and fed with frames of clips."""

import pytest
import torch
from mmengine.structures import PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mmkp.models.view_transforms.color_jitter import ColorJitter
from mmkp.ops.warps.optical_flow import FlowWarp
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline, random_thin_plate_spline
from mmkp.ops.warps.warp import ComposedWarp

SAMPLED = ('RandomThinPlateSpline', 'RandomAffineWarp', 'RandomLMDISWarp')


@pytest.mark.parametrize('name', SAMPLED)
def test_sampled_views_come_with_their_warp(name):
    view = MODELS.build(dict(type=name, padding_mode='border'))
    assert not view.needs_samples
    images = torch.rand(3, 3, 20, 28)
    warped, warp = view(images)
    assert warped.shape == images.shape
    torch.testing.assert_close(warped, warp.images(images, 'border'))
    assert warp.image_size == (28, 20)
    assert not torch.equal(warped, images)


@pytest.mark.parametrize('name', SAMPLED)
def test_all_sampled_views_share_one_jitter(name):
    view = MODELS.build(dict(type=name, brightness=0.3, contrast=0.4))
    assert type(view.jitter) is ColorJitter
    grey = torch.full((8, 3, 5, 5), 2.0)
    changed, _ = view(grey)
    # One gain and one shift a channel and an image, and nothing beyond their limits.
    torch.testing.assert_close(
        changed, changed[..., :1, :1].expand_as(changed), atol=1e-5, rtol=0
    )
    assert len(changed[:, :, 0, 0].unique()) == 24
    assert (changed - grey).abs().max() <= 0.3 + 0.4 * 2
    assert (changed - grey).abs().max() > 0.4


def test_no_jitter_draws_nothing():
    images = torch.rand(1, 3, 4, 4)
    state = torch.random.get_rng_state()
    assert ColorJitter()(images) is images
    assert torch.equal(torch.random.get_rng_state(), state)


def test_seeded_splines_with_jitter_stay_what_they_were():
    """AutoLink's runs with equivariance can be repeated to the bit."""
    view = MODELS.build(
        dict(type='RandomThinPlateSpline', brightness=0.2, contrast=0.3)
    )
    images = torch.rand(2, 3, 16, 16)
    torch.manual_seed(3)
    warped, _ = view(images)
    torch.manual_seed(3)
    expected = random_thin_plate_spline(2, (16, 16)).images(images)
    gain = 1 + 0.3 * (2 * torch.rand(2, 3, 1, 1) - 1)
    shift = 0.2 * (2 * torch.rand(2, 3, 1, 1) - 1)
    assert torch.equal(warped, expected * gain + shift)


def test_presets_and_settings_in_their_place():
    images = torch.rand(64, 3, 9, 9)
    view = MODELS.build(
        dict(
            type='RandomThinPlateSpline',
            preset='imm_source',
            rotation_std=0,
            scale_std=0,
        )
    )
    warp = view.sample(images)
    assert isinstance(warp, ThinPlateSpline)
    assert warp.kernel == 'clipped'
    assert warp.coefficients.shape == (64, 100, 2)
    torch.testing.assert_close(warp.affine[:, :, :2], torch.eye(2).expand(64, -1, -1))
    view = MODELS.build(dict(type='RandomAffineWarp', preset='fse_first'))
    assert not view.sample(images).affine[:, :, 2].any()
    with pytest.raises(ValueError, match="preset must be one of .* got 'imm'"):
        MODELS.build(dict(type='RandomThinPlateSpline', preset='imm'))


def test_lmdis_switches_reach_the_warp():
    view = MODELS.build(dict(type='RandomLMDISWarp', legacy_tps=True, legacy_grid=True))
    warp = view.sample(torch.rand(2, 3, 9, 9))
    assert isinstance(warp, ComposedWarp)
    assert warp.first.kernel == 'half'
    assert warp.first.legacy_grid
    assert warp.second.legacy_grid
    assert not warp.first.align_corners


def frame_samples(count, size):
    samples = []
    for index in range(count):
        fields = PixelData(
            flow=torch.full((2, *size), float(index + 1)),
            flow_valid=(torch.rand(1, *size) > 0.1).float(),
            second_frame=torch.rand(3, *size),
        )
        sample = PoseDataSample()
        sample.gt_fields = fields
        samples.append(sample)
    return samples


def test_flow_view_hands_on_the_second_frames_and_their_flow():
    view = MODELS.build(dict(type='OpticalFlowView'))
    assert view.needs_samples
    samples = frame_samples(2, (6, 8))
    second, warp = view(torch.rand(2, 3, 6, 8), samples)
    assert isinstance(warp, FlowWarp)
    assert torch.equal(second[1], samples[1].gt_fields.second_frame)
    moved = warp.points_to_source(torch.full((2, 1, 2), 3.0))
    assert moved[:, 0].tolist() == [[4, 4], [5, 5]]
    assert torch.equal(warp.valid[0], samples[0].gt_fields.flow_valid)


def test_flow_view_says_what_the_batch_lacks():
    view = MODELS.build(dict(type='OpticalFlowView'))
    images = torch.rand(1, 3, 6, 8)
    for samples in (None, [PoseDataSample()]):
        with pytest.raises(ValueError, match='needs LoadClipFrame'):
            view(images, samples)
    samples = frame_samples(1, (6, 8))
    del samples[0].gt_fields.flow
    with pytest.raises(ValueError, match=r"finds no \['flow'\]"):
        view(images, samples)
    with pytest.raises(ValueError, match='warp_padded=False'):
        view(torch.rand(1, 3, 10, 12), frame_samples(1, (6, 8)))


def test_both_frames_are_normalised_alike():
    preprocessor = MODELS.build(
        dict(
            type='FramePairDataPreprocessor',
            mean=[10.0, 20.0, 30.0],
            std=[2.0, 4.0, 5.0],
            bgr_to_rgb=True,
        )
    )
    frame = torch.randint(0, 255, (3, 6, 8), dtype=torch.uint8)
    other = torch.randint(0, 255, (3, 6, 8), dtype=torch.uint8)
    samples = frame_samples(2, (6, 8))
    pairs = [torch.stack((frame, other)), torch.stack((other, frame))]
    batch = preprocessor(dict(inputs=pairs, data_samples=samples), training=True)
    assert batch['inputs'].shape == (2, 3, 6, 8)
    mean = torch.tensor([10.0, 20.0, 30.0])[:, None, None]
    std = torch.tensor([2.0, 4.0, 5.0])[:, None, None]
    for index, (first, second) in enumerate(((frame, other), (other, frame))):
        expected = (first.flip(0) - mean) / std
        torch.testing.assert_close(batch['inputs'][index], expected)
        stored = batch['data_samples'][index].gt_fields.second_frame
        torch.testing.assert_close(stored, (second.flip(0) - mean) / std)
    # In validation there is one frame.
    single = preprocessor(dict(inputs=[frame], data_samples=samples[:1]))
    torch.testing.assert_close(single['inputs'], batch['inputs'][:1])


def test_a_model_learns_from_flow():
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type='UnsupervisedPoseEstimator',
            backbone=dict(type='AutoLinkEncoder', channels=(4, 8)),
            head=dict(
                type='SoftArgmaxHead',
                in_channels=8,
                num_keypoints=3,
                upsample_channels=(),
            ),
            view_transform=dict(type='OpticalFlowView'),
            losses=dict(equivariance=dict(type='EquivarianceLoss')),
        )
    )
    samples = frame_samples(2, (32, 32))
    images = torch.rand(2, 3, 32, 32)
    loss = model.loss(images, samples)['loss_equivariance']
    loss.backward()
    assert loss > 0
    assert all(p.grad is not None for p in model.backbone.parameters())
    # Where no flow can be trusted, no point counts.
    for sample in samples:
        sample.gt_fields.flow_valid.zero_()
    assert model.loss(images, samples)['loss_equivariance'] == 0
