"""Concentration, separation and equivariance against ``golden/lmdis``."""

import json

import numpy as np
import pytest
import torch

from mmkp.models.losses import ConcentrationLoss, EquivarianceLoss, SeparationLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.warps.warp import Warp

SIDE = 24
# Images of 20 pixels, padded.
GEOMETRY = MapGeometry.cell_centers((SIDE, SIDE), (SIDE, SIDE), padding=(2, 2))
DTYPES = [(torch.float64, 1e-9), (torch.float32, 1e-5)]


class GoldenWarp(Warp):
    """Similarity, then the spline of 7x7 control points, between [-1, 1] edges."""

    image_size = (SIDE, SIDE)

    def __init__(self, offsets, similarity, legacy):
        line = (torch.arange(7).double() + 0.5) / 7 * 2 - 1
        self.control = torch.cartesian_prod(line, line).flip(-1)
        polynomial = torch.cat((torch.ones(49, 1).double(), self.control), 1)
        system = torch.zeros(52, 52).double()
        system[:49, :49] = self.kernel(self.control, legacy=False)
        system[:49, 49:], system[49:, :49] = polynomial, polynomial.T
        targets = torch.zeros(2, 52, 2).double()
        targets[:, :49] = self.control + offsets
        self.weights = torch.linalg.solve(system, targets)
        self.similarity, self.legacy = similarity, legacy

    def kernel(self, points, legacy):
        r2 = (points[..., :, None, :] - self.control.to(points)).square().sum(-1)
        return r2 * ((r2.sqrt() + 1e-6).log() if legacy else (r2 + 1e-5).log())

    @property
    def dtype(self):
        return self.similarity.dtype

    def points_to_source(self, points):
        norm = (points + 0.5) / SIDE * 2 - 1
        similarity, weights = self.similarity.to(points), self.weights.to(points)
        moved = norm @ similarity[:, :, :2].mT + similarity[:, None, :, 2]
        basis = torch.cat(
            (self.kernel(moved, self.legacy), torch.ones_like(moved[..., :1]), moved),
            -1,
        )
        return (basis @ weights + 1) / 2 * SIDE - 0.5


@pytest.fixture(scope='module')
def golden(golden_dir):
    folder = golden_dir / 'lmdis'
    with np.load(folder / 'lmdis.npz') as arrays:
        arrays = dict(arrays)
    return arrays, json.loads((folder / 'numbers.json').read_text())


class Views:
    """Both pictures of the golden folder: logits, distributions and keypoints."""

    def __init__(self, arrays, dtype):
        self.logits, self.maps, self.points = [], [], []
        centers = (torch.arange(SIDE, dtype=dtype) + 0.5) / SIDE
        for name in ('main', 'warped'):
            logits = torch.from_numpy(arrays[f'logits_{name}']).to(dtype)
            logits.requires_grad_()
            mass = logits.softmax(-1)[..., :5].permute(0, 3, 1, 2)
            maps = mass / (mass.sum((-2, -1), keepdim=True) + 1e-6)
            points = torch.stack((maps.sum(-2) @ centers, maps.sum(-1) @ centers), -1)
            self.logits.append(logits)
            self.maps.append(maps)
            self.points.append(points * SIDE - 0.5)


def close(found, expected, tolerance):
    found = np.asarray(found.detach() if isinstance(found, torch.Tensor) else found)
    bound = tolerance * np.abs(expected).max()
    np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


@pytest.mark.parametrize(('dtype', 'tolerance'), DTYPES)
@pytest.mark.parametrize('legacy', [True, False])
def test_losses_and_gradients_golden(golden, legacy, dtype, tolerance):
    arrays, numbers = golden
    views = Views(arrays, dtype)
    for points, name in zip(views.points, ('main', 'warped'), strict=True):
        close((points.flip(-1) + 0.5) / SIDE, arrays[f'points_{name}_yx'], tolerance)
    warp = GoldenWarp(
        torch.from_numpy(arrays['tps_offsets']),
        torch.from_numpy(arrays['similarity']),
        legacy,
    )
    back = (warp.points_to_source(views.points[1]) + 0.5) / SIDE * 2 - 1
    name = f'legacy_tps={legacy}'
    close(back, arrays[f'points_warped_back_xy_{name}'], tolerance)

    concentration = ConcentrationLoss(loss_weight=100, both_views=True)
    separation = SeparationLoss(0.08, loss_weight=20, both_views=True)
    equivariance = EquivarianceLoss(1e4, variant='means', keypoint_reduction='sum')
    first, second = views.points
    losses = (
        concentration(GEOMETRY, *views.maps),
        separation(GEOMETRY, *views.points),
        equivariance(GEOMETRY, warp, keypoints=first, warped_keypoints=second),
    )
    expected = ('concentration', 'separation_bw08', f'equivariance_{name}')
    for loss, key, weight in zip(losses, expected, (100, 20, 1e4), strict=True):
        close(loss / weight, numbers[key], tolerance)
    total = sum(losses)
    close(total, numbers[f'weighted_total_{name}'], tolerance)
    total.backward()
    for logits, which in zip(views.logits, ('main', 'warped'), strict=True):
        close(logits.grad, arrays[f'grad_logits_{which}_{name}'], tolerance)


def test_separation_of_another_bandwidth_golden(golden):
    arrays, numbers = golden
    views = Views(arrays, torch.float64)
    loss = SeparationLoss(0.04, both_views=True)
    close(loss(GEOMETRY, *views.points), numbers['separation_bw04'], 1e-9)
