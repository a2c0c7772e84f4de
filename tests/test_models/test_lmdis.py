"""LMDIS: its networks, its padding, and the whole model as MMPose drives it."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch.utils._python_dispatch import TorchDispatchMode

from mmkp.models.generators.lmdis_generator import fitted_gaussians
from mmkp.models.layers.landmark_linear import LandmarkLinear
from mmkp.ops.geometry import MapGeometry

K, MARGIN = 4, 4


def light(encoder=((6,), (8,)), decoder=((8,), (8,), (6,)), **changes):
    config = dict(
        type='LMDISHourglass',
        encoder=encoder,
        bottleneck=(8,),
        decoder=decoder,
        skip_convolutions=1,
        norm_momentum=0.1,
    )
    return {**config, **changes}


def lmdis_config(num_keypoints=K, margin=MARGIN, generator=None, **changes):
    config = dict(
        type='LMDIS',
        data_preprocessor=dict(
            type='PoseDataPreprocessor', mean=[0] * 3, std=[255] * 3, bgr_to_rgb=True
        ),
        backbone=light(),
        head=dict(
            type='ChannelSoftmaxHead',
            in_channels=6,
            num_keypoints=num_keypoints,
            padding=margin,
            norm_momentum=0.1,
        ),
        generator=dict(
            type='LMDISGenerator',
            num_keypoints=num_keypoints,
            features=light(),
            decoder=light(),
            descriptor_channels=3,
            sigmas=(0.1, 0.2),
            norm_momentum=0.1,
            **(generator or {}),
        ),
        view_transform=dict(type='RandomThinPlateSpline', rotation_std=10.0),
        losses=dict(
            reconstruction=dict(type='SquaredErrorLoss', loss_weight=0.1),
            concentration=dict(type='ConcentrationLoss', both_views=True),
            separation=dict(type='SeparationLoss', bandwidth=0.1, both_views=True),
            equivariance=dict(type='EquivarianceLoss', variant='means'),
        ),
    )
    return {**config, **changes}


def build(*args, **kwargs):
    torch.manual_seed(0)
    return MODELS.build(lmdis_config(*args, **kwargs))


def samples(count, size):
    result = []
    for index in range(count):
        instances = InstanceData(
            bboxes=np.array([[10.0, 20.0, 110.0, 220.0]]), bbox_scores=np.ones(1)
        )
        sample = PoseDataSample(gt_instances=instances)
        sample.set_metainfo(
            dict(
                input_size=size,
                input_center=np.array([60.0, 120.0]),
                input_scale=np.array([100.0, 200.0]),
                img_id=index,
            )
        )
        result.append(sample)
    return result


class TestGenerator:
    def test_a_fitted_gaussian_has_the_mean_and_deviation_of_its_map(self):
        x = torch.arange(40, dtype=torch.float64)
        along = [(-((x - c) / 3.0).square() / 2).softmax(0) for c in (18.0, 22.5)]
        given = (along[1][:, None] * along[0])[None, None]
        # Stretched along x: the deviation of the fit lies between the two.
        geometry = MapGeometry.cell_centers((40, 40), (40, 40))
        torch.testing.assert_close(fitted_gaussians(given, geometry), given)
        wide = (along[1][:, None] * (-((x - 18) / 5).square() / 2).softmax(0))[
            None, None
        ]
        fitted = fitted_gaussians(wide, geometry)
        torch.testing.assert_close(fitted.sum(), torch.tensor(1.0).double())
        columns = fitted[0, 0].sum(0)
        assert abs(float(columns @ x) - 18) < 0.01
        assert abs(float(columns @ (x - 18).square()) - 16) < 0.1

    def test_descriptors_see_what_lies_under_the_map(self):
        model = build(margin=0)
        features = torch.zeros(1, 2, 8, 8)
        features[0, 0, 1, 2], features[0, 1, 5, 6] = 3.0, 7.0
        maps = torch.full((1, K + 1, 8, 8), 1 / 64)
        maps[0, 1] = 0
        maps[0, 1, 5, 6] = 1
        geometry = MapGeometry.cell_centers((8, 8), (8, 8))
        pooled = model.generator.pool(features, maps, geometry)
        torch.testing.assert_close(pooled[0, 1], torch.tensor([0.0, 7.0]))
        torch.testing.assert_close(pooled[0, 0], torch.tensor([3 / 64, 7 / 64]))
        # Features of twice the size are averaged over the cells first.
        doubled = features.repeat_interleave(2, 2).repeat_interleave(2, 3)
        again = model.generator.pool(doubled, maps, geometry)
        torch.testing.assert_close(again, pooled)

    def test_the_linear_maps_are_each_landmarks_own(self):
        layer = LandmarkLinear(3, 4, 2)
        given = torch.rand(2, 3, 4)
        layer.bias.data.normal_()
        by_hand = [given[:, k] @ layer.weight[k] + layer.bias for k in range(3)]
        torch.testing.assert_close(layer(given), torch.stack(by_hand, 1))

    @pytest.mark.parametrize(
        ('changes', 'message'),
        [
            (dict(pooling='mean'), 'pooling must be one of'),
            (dict(output='tanh'), 'output must be one of'),
            (dict(sigmas=()), 'sigmas must be positive'),
            (dict(map_stride=0), 'map_stride must be at least 1'),
        ],
    )
    def test_refuses_what_has_no_meaning(self, changes, message):
        with pytest.raises(ValueError, match=message):
            config = lmdis_config()['generator']
            MODELS.build({**config, **changes})


class TestModel:
    @pytest.mark.parametrize('num_keypoints', [1, 3])
    @pytest.mark.parametrize(
        'generator',
        [{}, dict(pooling='gaussian', descriptor_activation=True, map_stride=2)],
    )
    def test_every_parameter_is_trained_by_the_losses(self, num_keypoints, generator):
        model = build(num_keypoints, generator=generator)
        losses = model.loss(torch.rand(3, 3, 32, 40))
        assert set(losses) == {
            'loss_reconstruction',
            'loss_concentration',
            'loss_separation',
            'loss_equivariance',
        }
        assert all(loss.isfinite() and loss.shape == () for loss in losses.values())
        sum(losses.values()).backward()
        without = {
            name
            for name, parameter in model.named_parameters()
            if parameter.grad is None or not parameter.grad.abs().sum() > 0
        }
        assert not without

    def test_the_reconstruction_trains_the_keypoints(self):
        model = build()
        outputs = model.outputs_for_losses(torch.rand(2, 3, 32, 32))
        loss = (outputs['reconstruction'] - outputs['images']).square().sum()
        (gradient,) = torch.autograd.grad(loss, outputs['keypoints'])
        assert (gradient.abs().sum(-1) > 0).all()

    def test_losses_see_padded_images(self):
        model = build()
        images = torch.rand(2, 3, 32, 40)
        outputs = model.outputs_for_losses(images)
        inside = (..., slice(MARGIN, -MARGIN), slice(MARGIN, -MARGIN))
        for name in ('images', 'warped_images', 'reconstruction'):
            assert outputs[name].shape == (2, 3, 40, 48)
        torch.testing.assert_close(outputs['images'][inside], images)
        outside = outputs['reconstruction'] - outputs['images']
        outside[inside] = 0
        assert not outside.any()
        assert outputs['warp'].image_size == (48, 40)
        assert outputs['heatmaps'].shape == (2, K, 40, 48)
        geometry = outputs['geometry']
        assert geometry.image_size == geometry.map_size == (48, 40)
        assert geometry.inner_size == (40, 32)

    def test_a_view_of_the_image_alone_is_padded_afterwards(self):
        model = build(warp_padded=False)
        images = torch.rand(2, 3, 32, 40)
        outputs = model.outputs_for_losses(images)
        warp = outputs['warp']
        assert warp.image_size == (48, 40)
        assert outputs['warped_images'].shape == (2, 3, 40, 48)
        # Where a pixel of the warped image comes from, in frames and in images.
        points = torch.tensor([[[14.0, 9.0], [30.0, 25.0]]]).expand(2, -1, -1)
        in_frames = warp.points_to_source(points + MARGIN) - MARGIN
        torch.testing.assert_close(in_frames, warp.inner.points_to_source(points))
        assert (warp.validity(points) == 1).all()

    def test_what_is_shown_can_cover_the_image(self):
        model = build().eval()
        images = torch.rand(2, 3, 32, 40)
        with torch.no_grad():
            shown = model.reconstruct(images)
            losses_see = model.outputs_for_losses(images)
        assert shown['reconstruction'].shape == images.shape
        covering = shown['geometry'].cover_image(shown['heatmaps'])
        assert covering.shape == (2, K, 32, 40)
        inside = losses_see['heatmaps'][..., MARGIN:-MARGIN, MARGIN:-MARGIN]
        torch.testing.assert_close(covering, inside)
        torch.testing.assert_close(shown['keypoints'] + MARGIN, losses_see['keypoints'])

    def test_prediction_is_in_image_pixels(self):
        model = build(
            test_cfg=dict(output_heatmaps=True, untrained_control=True)
        ).eval()
        model.with_untrained_control = True
        images = torch.rand(2, 3, 32, 48)
        with torch.no_grad():
            results = model.forward(images, samples(2, (48, 32)), mode='predict')
            keypoints = model.reconstruct(images)['keypoints'].numpy()
        for sample, in_input in zip(results, keypoints, strict=True):
            expected = in_input / (48, 32) * (100, 200) + (60, 120) - (50, 100)
            found = sample.pred_instances
            np.testing.assert_allclose(found.keypoints[0], expected, rtol=1e-5)
            assert ((found.keypoint_scores >= 0) & (found.keypoint_scores <= 1)).all()
            assert found.untrained_keypoints.shape == (1, K, 2)
            assert sample.pred_fields.heatmaps.shape == (K, 32, 48)

    def test_an_hourglass_detects_as_well(self):
        backbone = dict(
            type='StackedHourglass',
            num_stacks=1,
            num_keypoints=None,
            order=2,
            channels=6,
            stem_channels=4,
            stem_stride=2,
        )
        model = build(backbone=backbone)
        losses = model.loss(torch.rand(2, 3, 32, 32))
        assert all(loss.isfinite() for loss in losses.values())

    def test_ten_steps_lower_the_sum_of_the_losses(self):
        model = build()
        torch.manual_seed(0)
        images = torch.rand(4, 3, 8, 8).repeat_interleave(4, 2).repeat_interleave(4, 3)
        optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
        totals = []
        for _ in range(10):
            total = sum(model.loss(images).values())
            optimizer.zero_grad()
            total.backward()
            optimizer.step()
            totals.append(total.item())
        assert np.mean(totals[-3:]) < 0.8 * totals[0]

    @pytest.mark.parametrize(
        ('changes', 'message'),
        [
            (
                dict(head=dict(type='SoftArgmaxHead', in_channels=6, num_keypoints=K)),
                'SoftArgmaxHead does not have',
            ),
            (
                dict(generator=dict(num_keypoints=K + 1)),
                'head finds 4 keypoints but the generator draws 5',
            ),
        ],
    )
    def test_refuses_parts_that_do_not_fit(self, changes, message):
        if 'generator' in changes:
            full = lmdis_config()['generator']
            config = {**lmdis_config(), 'generator': {**full, **changes['generator']}}
        else:
            config = {**lmdis_config(), **changes}
        with pytest.raises(ValueError, match=message):
            MODELS.build(config)


class CountedCalls(TorchDispatchMode):
    """Counts the tensor operations that are made."""

    count = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.count += 1
        return function(*args, **(kwargs or {}))


def test_there_is_no_loop_over_keypoints():
    def calls(num_keypoints):
        model = build(num_keypoints, generator=dict(pooling='gaussian'))
        images = torch.rand(1, 3, 16, 16)
        with CountedCalls() as counted:
            torch.manual_seed(0)
            sum(model.loss(images).values()).backward()
        return counted.count

    assert calls(2) == calls(40)


def test_a_still_film_is_equivariant_by_its_flow():
    model = build(view_transform=dict(type='OpticalFlowView'), warp_padded=False)
    images = torch.rand(2, 3, 32, 40)
    batch = samples(2, (40, 32))
    for sample, image in zip(batch, images, strict=True):
        fields = dict(second_frame=image, flow=torch.zeros(2, 32, 40))
        sample.gt_fields = PixelData(flow_valid=torch.ones(1, 32, 40), **fields)
    losses = model.eval().loss(images, batch)
    assert losses['loss_equivariance'].item() < 1e-8
    for sample in batch:
        sample.gt_fields.flow = torch.full((2, 32, 40), 4.0)
    # Four pixels along both axes, of an edge of 40 that is padded to 48.
    moved = model.loss(images, batch)['loss_equivariance'].item()
    assert abs(moved - 2 * 4**2 / (20 * 24)) < 1e-4


def test_jitter_changes_the_target_and_stays_in_range():
    model = build(image_jitter=dict(brightness=0.4, contrast=0.5))
    images = torch.rand(2, 3, 16, 16)
    target = model.outputs_for_losses(images)['images'][..., 4:-4, 4:-4]
    assert (target - images).abs().mean() > 0.01
    assert target.min() >= 0 and target.max() <= 1
    with torch.no_grad():
        assert torch.equal(model.reconstruct(images)['images'], images)


def figure_model():
    """A model that reconstructs nothing and draws edges."""
    model = MODELS.build(
        lmdis_config(
            losses=dict(figure=dict(type='FigureGroundLoss', edge_weight=1.0)),
            head=dict(
                type='ChannelSoftmaxHead',
                in_channels=6,
                num_keypoints=K,
                background_logit=1.5,
                logit_scale=4.0,
                padding=MARGIN,
            ),
        )
        | dict(generator=dict(type='EdgeDrawing', num_keypoints=K, thickness=0.01))
    )
    model.init_weights()
    return model


def test_figure_and_ground_train_detector_and_edges_without_a_reconstruction():
    model = figure_model().train()
    inputs = torch.rand(2, 3, 32, 32)
    model.loss(inputs)['loss_figure'].backward()
    gradients = (
        model.generator.edge_logits.grad,
        model.head.final_layer.norm.bias.grad,
    )
    assert all((gradient != 0).any() for gradient in gradients)
    outputs = model.outputs_for_losses(inputs)
    assert outputs['background'].shape == outputs['heatmaps'][:, 0].shape
    assert outputs['edge_map'].shape == (2, 1, 32, 32)
    assert 'reconstruction' not in outputs


def test_the_background_can_start_with_most_cells():
    torch.manual_seed(0)
    model = figure_model().train()
    inputs = torch.rand(2, 3, 32, 32)
    ahead = model.outputs_for_losses(inputs)['background'].mean()
    torch.nn.init.zeros_(model.head.final_layer.norm.bias)
    level = model.outputs_for_losses(inputs)['background'].mean()
    assert ahead > 0.6 and level < 0.4
