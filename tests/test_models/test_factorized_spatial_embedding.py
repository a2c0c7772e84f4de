# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Factorized spatial embeddings: the pairs, a training step, and predictions."""

import json

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mmkp.models.losses import EquivarianceLoss
from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.warps.padding import PaddedWarp
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline
from mmkp.ops.warps.warp import Warp

CELLS = {'first': 22.5, 'spacing': 2.0}
AFFINE = {'type': 'RandomAffineWarp', 'preset': 'fse_second'}
# Gentle, so that a dot stays one dot whose middle is that of its image.
SPLINE = {'type': 'RandomThinPlateSpline', 'local_std': 0.003, 'rotation_std': 15.0}


def build(**changes: object) -> torch.nn.Module:
    torch.manual_seed(0)
    config = {
        'type': 'FactorizedSpatialEmbedding',
        'backbone': {'type': 'ThewlisNet', 'channels': (4, 4, 4, 4, 8)},
        'head': {
            'type': 'SoftArgmaxHead',
            'in_channels': 8,
            'num_keypoints': 3,
            'upsample_channels': (),
            'kernel_size': 5,
            'padding': 'valid',
            'alignment': CELLS,
            'final_norm': True,
        },
        'first_view_transform': {'type': 'RandomAffineWarp', 'preset': 'fse_first'},
        'view_transform': AFFINE,
        'crop_margin': 4,
        'losses': {
            'equivariance': {'type': 'EquivarianceLoss', 'loss_weight': 100.0},
            'diversity': {'type': 'DiversityLoss', 'both_views': True},
        },
    }
    model = MODELS.build({**config, **changes})
    model.init_weights()
    return model


def dots(places: torch.Tensor, size: tuple[int, int], sigma: float = 2.0):
    """Images (B, 3, H, W) of one Gaussian dot each."""
    width, height = size
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing='ij')
    apart = (x - places[:, 0, None, None]) ** 2 + (y - places[:, 1, None, None]) ** 2
    return torch.exp(-apart / (2 * sigma**2))[:, None].expand(-1, 3, -1, -1)


def centroids(images: torch.Tensor) -> torch.Tensor:
    """Brightness-weighted mean position of each image, (B, 1, 2)."""
    mass = images[:, 0] / images[:, 0].sum((1, 2), keepdim=True)
    x, y = (torch.arange(n, dtype=images.dtype) for n in mass.shape[:0:-1])
    return torch.stack(((mass.sum(1) @ x), (mass.sum(2) @ y)), -1)[:, None]


@pytest.mark.parametrize('first', [None, AFFINE, SPLINE])
@pytest.mark.parametrize('second', [AFFINE, SPLINE])
@pytest.mark.parametrize('margin', [0, 9])
def test_a_dot_of_the_second_view_maps_onto_itself_in_the_first(first, second, margin):
    # Zeros outside, where mirrored copies of the dot would move the centroid.
    zeros = {'padding_mode': 'zeros'}
    model = build(
        first_view_transform=first and {**first, **zeros},
        view_transform={**second, **zeros},
        crop_margin=margin,
    )
    places = torch.tensor([[60.0, 66.0], [75.0, 70.0], [70.0, 84.0], [62.0, 80.0]])
    views = model.views(dots(places, (146, 150)))
    once, twice, warp = views.first, views.second, views.warp
    assert once.shape == twice.shape == (4, 3, 150 - 2 * margin, 146 - 2 * margin)
    assert tuple(warp.image_size) == (146 - 2 * margin, 150 - 2 * margin)
    there = centroids(twice)
    moved = warp.points_to_source(there)
    assert (moved - centroids(once)).abs().max() < 0.1
    assert (moved - there).abs().amax((1, 2)).min() > 1


def test_both_views_come_from_the_image_itself():
    """Interpolated once, fine stripes keep the contrast of a single warp."""
    shift = {'type': 'RandomThinPlateSpline', 'local_std': 0.0, 'rotation_std': 0.0}
    shift.update(scale_std=0.0, translation_std=0.05)
    model = build(first_view_transform=shift, view_transform=shift, crop_margin=0)
    images = torch.rand(8, 3, 64, 64)
    views = model.views(images)
    first, second = views.first, views.second
    blurred_twice, _ = model.view_transform(first)
    once, twice, expected = (
        v.std((2, 3)).mean() for v in (first, blurred_twice, second)
    )
    assert abs(expected - once) < 0.6 * (once - twice)


def test_views_get_their_own_colour_jitter():
    still = {'type': 'RandomThinPlateSpline', 'local_std': 0.0, 'rotation_std': 0.0}
    still.update(scale_std=0.0, translation_std=0.0, brightness=0.2)
    model = build(first_view_transform=still, view_transform=still, crop_margin=2)
    images = torch.rand(2, 3, 70, 70)
    views = model.views(images)
    first, second = views.first, views.second
    inner = images[:, :, 2:-2, 2:-2]
    for change in (first - inner, second - inner, first - second):
        shifts = change.mean((2, 3))
        assert (change - shifts[..., None, None]).abs().max() < 1e-4
        assert shifts.abs().min() > 1e-4
        assert shifts.unique().numel() == 6


def test_cropped_warps_keep_to_the_pixels_of_the_crop():
    warp = random_thin_plate_spline(2, (40, 30), generator=torch.Generator())
    cropped = PaddedWarp(warp, (-5, -5))
    points = torch.rand(2, 7, 2) * 20
    found = cropped.points_to_source(points)
    torch.testing.assert_close(found, warp.points_to_source(points + 5) - 5)
    assert cropped.image_size == (30, 20)
    with pytest.raises(ValueError, match='(15, 15). pixels cannot be cut off'):
        PaddedWarp(warp, (-15, -15))


def test_a_step_trains_every_parameter():
    model = build()
    losses = model.forward(torch.rand(4, 3, 76, 72), None, mode='loss')
    assert set(losses) == {'loss_equivariance', 'loss_diversity'}
    sum(losses.values()).backward()
    without = [
        name
        for name, parameter in model.named_parameters()
        if not (parameter.grad is not None and parameter.grad.abs().sum() > 0)
    ]
    # A softmax does not change when the same number is added to all its cells.
    assert set(without) <= {'head.final_norm.bias'}


def test_training_makes_keypoints_follow_the_image():
    model = build(
        backbone={
            'type': 'ThewlisNet',
            'channels': (8, 8),
            'padding': 'reflect',
        },
        head={
            'type': 'SoftArgmaxHead',
            'in_channels': 8,
            'num_keypoints': 2,
            'upsample_channels': (),
            'padding': 'reflect',
            'alignment': 'cell_centers',
            'final_norm': True,
        },
        view_transform=SPLINE,
        first_view_transform=SPLINE,
        losses={'equivariance': {'type': 'EquivarianceLoss'}},
    )
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    images = dots(torch.rand(8, 2) * 12 + 10, (32, 32))
    history = []
    for _ in range(30):
        loss = model.forward(images, None, mode='loss')['loss_equivariance']
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.item())
    assert np.mean(history[-5:]) < 0.5 * np.mean(history[:5])


def samples(count: int, size: tuple[int, int]) -> list[PoseDataSample]:
    instances = InstanceData(
        bboxes=np.array([[0.0, 0.0, 144.0, 152.0]]), bbox_scores=np.ones(1)
    )
    meta = {
        'input_size': size,
        'input_center': np.array([72.0, 76.0]),
        'input_scale': np.array([144.0, 152.0]),
    }
    return [PoseDataSample(gt_instances=instances, metainfo=meta) for _ in range(count)]


def test_predictions_see_the_whole_image_at_the_scale_of_training():
    options = {'output_heatmaps': True, 'untrained_control': True}
    model = build(test_cfg=options).eval()
    model.with_untrained_control = True
    images = torch.rand(2, 3, 76, 72)
    with torch.no_grad():
        results = model.forward(images, samples(2, (72, 76)), mode='predict')
        keypoints, maps = model.detect(images)
    assert maps.shape == (2, 3, 16, 14)
    for result, points in zip(results, keypoints, strict=True):
        found = result.pred_instances
        # The image of 144 x 152 is shown at half its size.
        np.testing.assert_allclose(found.keypoints[0], 2 * points.numpy(), rtol=1e-5)
        assert found.keypoints.min() >= 2 * 22.5
        assert found.untrained_keypoints.shape == (1, 3, 2)
        # As they are drawn: over the whole image, not over its inner part.
        assert result.pred_fields.heatmaps.shape == (3, 38, 36)
        assert result.pred_fields.heatmaps[:, :11].abs().sum() == 0


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'view_transform': None}, 'give a `view_transform`'),
        ({'crop_margin': -1}, 'must not be negative'),
        (
            {'first_view_transform': {'type': 'DiversityLoss'}},
            'first_view_transform is of DiversityLoss',
        ),
    ],
)
def test_configs_without_pairs_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        build(**changes)


class FieldOfCells(Warp):
    """A map known at the cells of a grid, in cells; elsewhere it is not asked."""

    image_size = (128, 128)

    def __init__(self, field: torch.Tensor) -> None:
        self.field = field

    @property
    def dtype(self) -> torch.dtype:
        return self.field.dtype

    def points_to_source(self, points: torch.Tensor) -> torch.Tensor:
        cells = (points - CELLS['first']) / CELLS['spacing']
        index = cells.round()
        assert (cells - index).abs().max() < 1e-9
        rows = torch.arange(len(points))[:, None]
        x, y = index.long().unbind(-1)
        source = self.field.permute(0, 2, 3, 1)[rows, y, x]
        return source * CELLS['spacing'] + CELLS['first']


@pytest.mark.parametrize('name', ['affine_centre', 'affine_inclusive', 'tps_inclusive'])
def test_golden_alignment_of_maps_of_the_inner_part(golden_dir, name):
    """Cells at the places of a network without padding give the same figure."""
    folder = golden_dir / 'thewlis'
    arrays = np.load(folder / 'losses.npz')
    p, q, field = (
        torch.from_numpy(arrays[key]) for key in ('maps_p', 'maps_q', f'field/{name}')
    )
    geometry = MapGeometry.strided((128, 128), size_of(p), **CELLS)
    # The golden figure is in cells.
    loss = EquivarianceLoss((63.5 / CELLS['spacing']) ** 2)
    loss = loss(geometry, FieldOfCells(field), p, q)
    expected = arrays[f'align/{name}'].mean()
    assert loss.item() == pytest.approx(expected, rel=1e-9)
    assert json.loads((folder / 'numbers.json').read_text())
