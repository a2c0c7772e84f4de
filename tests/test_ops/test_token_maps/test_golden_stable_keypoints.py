"""Selection, losses, warps and test views against the official StableKeypoints code."""

import json

import numpy as np
import pytest
import torch

from mmkp.models.losses import LocalizationLoss, MapEquivarianceLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.peaks import peak_centroids, peak_positions
from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence
from mmkp.ops.token_maps.selection import (
    candidate_tokens,
    most_frequent_tokens,
    select_tokens,
)
from mmkp.ops.token_maps.separable_divergence import separable_kl_divergence
from mmkp.ops.token_maps.view_aggregation import ViewAggregator
from mmkp.ops.warps.affine import AffineWarp, maps_to_source

CASES = ('random', 'planted')
CELLS = MapGeometry.cell_centers((64, 64), (64, 64))
IN_INPUT = MapGeometry.cell_centers((512, 512), (64, 64))


@pytest.fixture(scope='module')
def folder(golden_dir):
    return golden_dir / 'stablekeypoints'


@pytest.fixture(scope='module')
def numbers(folder):
    return json.loads((folder / 'numbers.json').read_text())


def read(folder, name):
    with np.load(folder / f'{name}.npz') as arrays:
        return {key: torch.from_numpy(arrays[key]) for key in arrays.files}


@pytest.fixture(scope='module')
def cases(folder):
    arrays = read(folder, 'loss')
    return {
        case: {
            key.split('/')[1]: value
            for key, value in arrays.items()
            if key.startswith(case)
        }
        for case in CASES
    }


def warps(theta, image_size):
    return AffineWarp(theta, image_size, align_corners=False)


def to_row_column(points, side):
    """Pixels (x, y), centres at integers, to (row, column) in [0, 1]."""
    return (points.flip(-1) + 0.5) / side


@pytest.mark.parametrize('case', CASES)
class TestSelection:
    def test_golden_divergence(self, cases, case):
        case = cases[case]
        for dtype, tolerance in ((torch.float32, 2e-7), (torch.float64, 1e-9)):
            for divergence in (gaussian_kl_divergence, separable_kl_divergence):
                found = divergence(case['maps'][None].to(dtype))[0]
                torch.testing.assert_close(found, case['kl'], rtol=0, atol=tolerance)

    def test_golden_candidates(self, cases, case):
        case = cases[case]
        maps = case['maps'][None].float()
        found = candidate_tokens(maps, 25)[0]
        assert torch.equal(found, case['candidates'])
        assert torch.equal(candidate_tokens(maps, 40)[0], case['rank_kl'])
        entropy = candidate_tokens(maps, 40, strategy='entropy')[0]
        assert torch.equal(entropy, case['rank_entropy'])

    def test_golden_selected(self, cases, case):
        case = cases[case]
        maps, warped = (case[k][None].float() for k in ('maps', 'maps_transformed'))
        assert torch.equal(select_tokens(maps, warped, 25, 10)[0], case['selected'])

    def test_golden_peaks(self, cases, case):
        case = cases[case]
        for key, suffix in (('maps', ''), ('maps_transformed', '_transformed')):
            points = peak_positions(case[key][None].float(), CELLS)[0]
            expected = case[f'argmax_rowcol{suffix}']
            torch.testing.assert_close(to_row_column(points, 64), expected)

    def test_golden_centroids(self, cases, case):
        case = cases[case]
        points = peak_centroids(case['maps'][None].float(), CELLS, 5.0)[0]
        expected = case['weighted_avg_rowcol']
        torch.testing.assert_close(
            to_row_column(points, 64), expected, rtol=0, atol=2e-6
        )


@pytest.mark.parametrize('case', CASES)
class TestLosses:
    @pytest.fixture
    def inputs(self, cases, case):
        case = cases[case]
        selected = case['selected']
        maps = case['maps'][selected][None].double().requires_grad_()
        warped = case['maps_transformed'][selected][None].double().requires_grad_()
        return case, maps, warped, warps(case['theta'][None].double(), (512, 512))

    def test_golden_localisation(self, inputs, numbers, case):
        arrays, maps, _, _ = inputs
        loss = LocalizationLoss(loss_weight=1.0)(maps)
        assert float(loss) == pytest.approx(numbers[case]['localisation'], rel=1e-6)
        (gradient,) = torch.autograd.grad(loss, maps)
        close(gradient[0], arrays['grad_localisation_selected'])

    def test_golden_equivariance(self, inputs, numbers, case):
        arrays, maps, warped, warp = inputs
        loss = MapEquivarianceLoss(loss_weight=1.0)(maps, warped, warp, IN_INPUT)
        assert float(loss) == pytest.approx(numbers[case]['equivariance'], rel=1e-6)
        gradients = torch.autograd.grad(loss, (maps, warped))
        close(gradients[0][0], arrays['grad_equivariance_maps_selected'])
        close(gradients[1][0], arrays['grad_equivariance_transformed_selected'])

    def test_golden_total(self, inputs, numbers, case):
        _, maps, warped, warp = inputs
        total = LocalizationLoss()(maps) + MapEquivarianceLoss()(
            maps, warped, warp, IN_INPUT
        )
        assert float(total) == pytest.approx(numbers[case]['total_weighted'], rel=1e-6)

    def test_golden_inverse_warp(self, inputs, case):
        arrays, _, warped, warp = inputs
        back = maps_to_source(warped.detach(), warp, IN_INPUT)
        torch.testing.assert_close(
            back[0].float(), arrays['inverse_warp_selected'], rtol=0, atol=5e-6
        )


def close(gradient, expected):
    bound = 1e-4 * float(expected.abs().max())
    torch.testing.assert_close(gradient.float(), expected, rtol=0, atol=bound)


def test_golden_affine_warp(folder):
    arrays = read(folder, 'warp')
    pictures = arrays['picture']
    warp = warps(arrays['theta'].double(), (pictures.shape[-1], pictures.shape[-2]))
    warped = warp.images(pictures, 'zeros')
    torch.testing.assert_close(warped, arrays['warped'], rtol=0, atol=1e-9)
    back = warp.inverse().images(warped, 'zeros')
    torch.testing.assert_close(back, arrays['inverse_of_warped'], rtol=0, atol=1e-9)


def test_golden_views(folder):
    arrays = read(folder, 'tta')
    aggregator = ViewAggregator(CELLS)
    for maps, theta in zip(arrays['view_maps'], arrays['theta'], strict=True):
        aggregator.add(maps[None].double(), warps(theta[None].double(), (64, 64)))
    coverage = aggregator.coverage()[0, 0]
    torch.testing.assert_close(coverage, arrays['coverage'], rtol=0, atol=1e-9)
    result = aggregator.result()
    torch.testing.assert_close(
        result[0].float(), arrays['aggregated'], rtol=0, atol=5e-6
    )
    for name, points in (
        ('argmax_rowcol', peak_positions(result, CELLS)),
        ('weighted_avg_rowcol', peak_centroids(result, CELLS, 5.0)),
    ):
        found = to_row_column(points[0], 64).float()
        torch.testing.assert_close(found, arrays[name], rtol=0, atol=2e-6)


def test_golden_final_tokens(folder):
    arrays = read(folder, 'select')
    # The official code chooses by the same maps; the second view has its own here.
    selected, counts = arrays['per_image_selected'], arrays['counts']
    assert torch.equal(torch.bincount(selected.flatten(), minlength=40), counts)
    found = most_frequent_tokens(selected, 40, 10)
    assert torch.equal(found.sort().values, arrays['final_set_sorted'])
    maps = arrays['maps'].float()
    assert torch.equal(select_tokens(maps, maps, 25, 10), selected)
