"""Alignment and diversity against ``golden/thewlis``; see its README."""

import json

import numpy as np
import pytest
import torch

from mmkp.models.losses import DiversityLoss, EquivarianceLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.soft_argmax import soft_argmax, spatial_softmax
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline
from mmkp.ops.warps.warp import Warp

FIELDS = ('affine_centre', 'affine_inclusive', 'tps_inclusive', 'fse_release_affine')
POOLINGS = {
    'm=1,stride=1,sum': dict(window=1, pooling='sum'),
    'm=2,stride=2,sum': dict(window=2, stride=2, pooling='sum'),
    'm=3,stride=3,sum': dict(window=3, stride=3, pooling='sum'),
    'm=4,stride=4,sum': dict(window=4, stride=4, pooling='sum'),
    'm=4,stride=1,avg': dict(window=4),
    'm=4,stride=1,sum': dict(window=4, pooling='sum'),
    'm=2,stride=1,avg': dict(window=2),
}
FORMS = {
    'count_minus_max': 'K_minus_sum_of_max',
    'max': 'sum_minus_max',
    'quadratic': 'quadratic_ordered_pairs',
}
GEOMETRY = MapGeometry.inclusive((12, 12), (12, 12))
# Of the pixels, which are the cells, half a side has 5.5.
IN_CELLS = EquivarianceLoss(5.5**2)
DTYPES = [(torch.float64, 1e-9), (torch.float32, 1e-5)]


class FieldWarp(Warp):
    """Source positions that are known at the cells only."""

    image_size = (12, 12)

    def __init__(self, field):
        self.field = field

    @property
    def dtype(self):
        return self.field.dtype

    def points_to_source(self, points):
        assert points.shape[1] == 144
        return self.field.flatten(2).transpose(1, 2)


@pytest.fixture(scope='module')
def golden(golden_dir):
    folder = golden_dir / 'thewlis'
    with np.load(folder / 'losses.npz') as arrays:
        arrays = dict(arrays)
    return arrays, json.loads((folder / 'numbers.json').read_text())


def leaf(array, dtype):
    return torch.from_numpy(array).to(dtype).requires_grad_()


def close(found, expected, tolerance):
    np.testing.assert_allclose(
        np.asarray(found), expected, rtol=0, atol=tolerance * np.abs(expected).max()
    )


@pytest.mark.parametrize(('dtype', 'tolerance'), DTYPES)
@pytest.mark.parametrize('name', FIELDS)
def test_alignment_golden(golden, name, dtype, tolerance):
    arrays, numbers = golden
    p, q = leaf(arrays['logits_p'], dtype), leaf(arrays['logits_q'], dtype)
    warp = FieldWarp(torch.from_numpy(arrays[f'field/{name}']).to(dtype))
    loss = IN_CELLS(GEOMETRY, warp, spatial_softmax(p), spatial_softmax(q))
    loss.backward()
    close(loss.detach(), numbers[f'align_mean/{name}'], tolerance)
    close(p.grad, arrays[f'align_grad_p/{name}'], tolerance)
    close(q.grad, arrays[f'align_grad_q/{name}'], tolerance)


@pytest.mark.parametrize('name', FIELDS)
def test_alignment_of_each_keypoint_golden(golden, name):
    arrays, _ = golden
    p, q = (torch.from_numpy(arrays[f'maps_{which}']) for which in 'pq')
    warp = FieldWarp(torch.from_numpy(arrays[f'field/{name}']))
    for k in range(6):
        found = IN_CELLS(GEOMETRY, warp, p[:, k : k + 1], q[:, k : k + 1])
        close(found, arrays[f'align/{name}'][:, k].mean(), 1e-9)


@pytest.mark.parametrize(('dtype', 'tolerance'), DTYPES)
@pytest.mark.parametrize('name', FIELDS[:2])
def test_distance_of_means_golden(golden, name, dtype, tolerance):
    arrays, numbers = golden
    none = torch.zeros(2, 1, 2, dtype=dtype)
    affine = torch.from_numpy(arrays['affine']).to(dtype)
    inclusive = name == 'affine_inclusive'
    warp = ThinPlateSpline(affine, none[0], none, (12, 12), align_corners=inclusive)
    maps = (torch.from_numpy(arrays[f'maps_{which}']).to(dtype) for which in 'pq')
    points = [soft_argmax(each, GEOMETRY) for each in maps]
    for found, which in zip(points, 'pq', strict=True):
        close(found, arrays[f'points_{which}_xy'], tolerance)
    arguments = dict(
        geometry=GEOMETRY, warp=warp, keypoints=points[0], warped_keypoints=points[1]
    )
    # In pixels, of which half an edge has 6.
    found = EquivarianceLoss(6**2, variant='means')(**arguments)
    close(found, numbers[f'distance_of_means_only/{name}'], tolerance)
    total = EquivarianceLoss(6**2, variant='means', keypoint_reduction='sum')
    assert total(**arguments).item() == pytest.approx(6 * found.item())


@pytest.mark.filterwarnings('ignore:DiversityLoss counts mass')
@pytest.mark.parametrize(('dtype', 'tolerance'), DTYPES)
@pytest.mark.parametrize('pooling', POOLINGS)
def test_diversity_golden(golden, pooling, dtype, tolerance):
    arrays, numbers = golden
    for form, golden_name in FORMS.items():
        logits = leaf(arrays['logits_p'], dtype)
        loss = DiversityLoss(variant=form, padded=False, **POOLINGS[pooling])
        maps = spatial_softmax(logits)
        expected = numbers[f'diversity/{pooling}'][golden_name]
        for image in range(2):
            found = loss(maps[image : image + 1])
            close(found.detach(), expected[image], tolerance)
        loss(maps).backward()
        if form != 'max':
            kind = 'quadratic' if form == 'quadratic' else 'max'
            gradient = arrays[f'diversity_grad_{kind}/{pooling}']
            close(logits.grad, gradient, tolerance)
