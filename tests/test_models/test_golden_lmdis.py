"""LMDIS against our float64 transcription of the released code's formulas.

What the arrays are is told by ``golden/lmdis/README.md``: channels last, points (y, x)
in [0, 1] of the frame, pictures of 20 pixels in frames of 24, five keypoints.
"""

import json
import math

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from mmkp.models.generators.lmdis_generator import SIGMAS
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.gaussian_maps import normalized_gaussian_maps
from mmkp.ops.heatmaps.moments import spatial_mean_and_deviation
from mmkp.ops.warps.affine import AffineWarp
from mmkp.ops.warps.padding import pad_with_border_mean
from mmkp.ops.warps.samplers import lmdis_spline
from mmkp.ops.warps.warp import ComposedWarp

K, IMAGE, FRAME, MARGIN = 5, 20, 24, 2
PADDED = MapGeometry.cell_centers((FRAME, FRAME), (FRAME, FRAME), (MARGIN, MARGIN))
# Relative, to the largest entry.
TOLERANCES = {torch.float64: 1e-9, torch.float32: 1e-5}
DTYPES = list(TOLERANCES)


@pytest.fixture(scope='module')
def golden(golden_dir):
    with np.load(golden_dir / 'lmdis' / 'lmdis.npz') as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope='module')
def numbers(golden_dir):
    return json.loads((golden_dir / 'lmdis' / 'numbers.json').read_text())


def channels_first(array, dtype=torch.float64):
    return array.movedim(-1, -3).to(dtype)


def to_pixels(points_yx, size, dtype=torch.float64):
    return (points_yx.flip(-1) * size - 0.5).to(dtype)


def assert_near(actual, expected, tolerance):
    assert actual.shape == expected.shape
    error = (actual.double() - expected.double()).abs().max()
    assert error <= tolerance * expected.abs().max()


def head(**changes):
    config = dict(
        type='ChannelSoftmaxHead',
        in_channels=4,
        num_keypoints=K,
        padding=MARGIN,
        mass_epsilon=1e-6,
    )
    return MODELS.build({**config, **changes})


def generator(golden, dtype=torch.float64, **changes):
    features = golden['features'].shape[-1]
    descriptors = golden['W_encode'].shape[-1]
    network = dict(
        type='LMDISHourglass', encoder=((4,),), bottleneck=(4,), decoder=((4,), (4,))
    )
    module = MODELS.build(
        dict(
            type='LMDISGenerator',
            num_keypoints=K,
            features=dict(network, decoder=((4,), (features,))),
            decoder=network,
            descriptor_channels=descriptors,
            **changes,
        )
    ).to(dtype)
    for layer, name in ((module.reduce, 'encode'), (module.expand, 'decode')):
        layer.weight.data.copy_(golden[f'W_{name}'])
        layer.bias.data.copy_(golden[f'b_{name}'])
    return module


@pytest.mark.parametrize('dtype', DTYPES)
def test_golden_maps_and_points(golden, dtype):
    logits = channels_first(golden['logits_main'], dtype)
    maps = head().channel_maps(logits)
    assert_near(maps, channels_first(golden['maps_main']), TOLERANCES[dtype])
    keypoints, heatmaps = head().locate(logits, (IMAGE, IMAGE))
    expected = to_pixels(golden['points_main_image_frame_yx'], IMAGE)
    assert keypoints.dtype == heatmaps.dtype == dtype
    assert_near(keypoints, expected, TOLERANCES[dtype])
    # Without the epsilon of the release everything moves by what it is worth.
    exact, _ = head(mass_epsilon=0.0).locate(logits, (IMAGE, IMAGE))
    assert (exact - keypoints).abs().max() < 1e-5


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('name', ['main', 'warped'])
def test_golden_deviations(golden, name, dtype):
    logits = channels_first(golden[f'logits_{name}'], dtype)
    heatmaps = head().distributions(logits)[:, :K]
    cells = (PADDED.columns(heatmaps) + 0.5) / FRAME
    mean, deviation = spatial_mean_and_deviation(heatmaps, cells, cells)
    tolerance = TOLERANCES[dtype]
    assert_near(mean.flip(-1), golden[f'points_{name}_yx'], tolerance)
    assert_near(deviation.mean(-1), golden[f'sigma_{name}'], tolerance)
    if name == 'main':
        assert_near(deviation.flip(-1), golden['sd_main_yx'], tolerance)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('legacy', [True, False])
def test_golden_decoder_maps(golden, legacy, dtype):
    keypoints = to_pixels(golden['points_main_image_frame_yx'], IMAGE, dtype)
    np.testing.assert_allclose(SIGMAS, golden['sigmas'], rtol=1e-12)
    geometry = MapGeometry.cell_centers((IMAGE, IMAGE), (IMAGE, IMAGE))
    maps = normalized_gaussian_maps(keypoints, geometry, SIGMAS, legacy_gauss=legacy)
    expected = channels_first(golden[f'decoder_maps_legacy_gauss={legacy}'])
    assert_near(maps, expected, TOLERANCES[dtype])


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('legacy', [True, False])
def test_golden_descriptors_and_decoder_input(golden, legacy, dtype):
    tolerance = TOLERANCES[dtype]
    module = generator(golden, dtype, legacy_gauss=legacy)
    logits = channels_first(golden['logits_main'], dtype)
    distributions = head(mass_epsilon=0.0).distributions(logits)
    features = channels_first(golden['features'], dtype)
    pooled = module.pool(features, distributions, PADDED)
    assert_near(pooled, golden['pooled'], tolerance)
    descriptors = module.describe(features, distributions, PADDED)
    assert_near(descriptors, golden['descriptors'], tolerance)
    raised = module.expand(descriptors)
    assert_near(raised, golden['decoder_descriptors'], tolerance)
    keypoints = to_pixels(golden['points_main_image_frame_yx'], IMAGE, dtype)
    drawn = module.decoder_input(keypoints, descriptors, (IMAGE, IMAGE))
    expected = channels_first(golden[f'decoder_input_legacy_gauss={legacy}'])
    assert_near(drawn, expected, tolerance)


def test_golden_frame(golden):
    images = channels_first(golden['picture'])
    frames = pad_with_border_mean(images, (MARGIN, MARGIN))
    assert_near(frames, channels_first(golden['picture_padded']), 1e-12)


def warp_of(golden, legacy, dtype):
    """Similarity, then spline, from the warped frame to the frame."""
    offsets, size = golden['tps_offsets'].to(dtype), (FRAME, FRAME)
    spline = lmdis_spline(offsets, size, legacy_tps=legacy)
    similarity = AffineWarp(golden['similarity'].to(dtype), size, align_corners=False)
    return ComposedWarp(spline, similarity)


class Detector(torch.nn.Module):
    """Stands for the backbone and the head's layers: hands out given scores."""

    def __init__(self, *scores):
        super().__init__()
        self.scores = list(scores)

    def forward(self, _):
        return self.scores.pop(0)


class View(torch.nn.Module):
    """A view transform with a given warp."""

    def __init__(self, warp):
        super().__init__()
        self.warp = warp

    def forward(self, images):
        return images, self.warp


LOSSES = dict(
    concentration=dict(
        type='ConcentrationLoss',
        loss_weight=100,
        both_views=True,
    ),
    separation=dict(
        type='SeparationLoss',
        bandwidth=0.08,
        loss_weight=20,
        both_views=True,
    ),
    equivariance=dict(
        type='EquivarianceLoss',
        variant='means',
        loss_weight=1e4,
        keypoint_reduction='sum',
    ),
)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize('legacy', [True, False])
def test_golden_losses_and_their_gradient(golden, numbers, legacy, dtype):
    model = MODELS.build(
        dict(
            type='LMDIS',
            backbone=dict(type='LMDISHourglass'),
            head=head_config(),
            losses=LOSSES,
        )
    )
    scores = [
        channels_first(golden[f'logits_{name}'], dtype).requires_grad_()
        for name in ('main', 'warped')
    ]
    model.backbone = torch.nn.Identity()
    model.head.upsample = torch.nn.Identity()
    model.head.final_layer = Detector(*scores)
    model.view_transform = View(warp_of(golden, legacy, dtype))
    images = channels_first(golden['picture'], dtype)
    losses = model.loss(images)
    tolerance = TOLERANCES[dtype]
    for name, key in (
        ('concentration', 'concentration'),
        ('separation', 'separation_bw08'),
        ('equivariance', f'equivariance_legacy_tps={legacy}'),
    ):
        weight = LOSSES[name]['loss_weight']
        value = losses[f'loss_{name}'].item() / weight
        assert math.isclose(value, numbers[key], rel_tol=tolerance)
    total = sum(losses.values())
    expected = numbers[f'weighted_total_legacy_tps={legacy}']
    assert math.isclose(total.item(), expected, rel_tol=tolerance)
    total.backward()
    for name, given in zip(('main', 'warped'), scores, strict=True):
        gradient = golden[f'grad_logits_{name}_legacy_tps={legacy}']
        assert_near(given.grad, channels_first(gradient), tolerance)


def head_config():
    return dict(
        type='ChannelSoftmaxHead',
        in_channels=32,
        num_keypoints=K,
        padding=MARGIN,
        mass_epsilon=1e-6,
    )
