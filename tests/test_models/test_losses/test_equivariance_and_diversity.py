"""Thewlis' two losses, against their definitions."""

import pytest
import torch

from mmkp.models.losses import DiversityLoss, EquivarianceLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.soft_argmax import spatial_softmax
from mmkp.ops.warps.optical_flow import FlowWarp
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline, random_thin_plate_spline


def random_heatmaps(seed: int, shape=(2, 3, 6, 7)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spatial_softmax(2 * torch.randn(shape, generator=generator).double())


def double_warp(size=(28, 24)) -> ThinPlateSpline:
    warp = random_thin_plate_spline(2, size, generator=torch.Generator().manual_seed(0))
    return ThinPlateSpline(
        warp.affine.double(),
        warp.control_points.double(),
        warp.coefficients.double(),
        size,
    )


GEOMETRIES = [
    make((28, 24), (7, 6)) for make in (MapGeometry.inclusive, MapGeometry.cell_centers)
]
INCLUSIVE = GEOMETRIES[0]


@pytest.mark.parametrize('variant', ['expected', 'means'])
def test_a_flow_that_is_known_nowhere_gives_0_with_gradient(variant):
    flow = FlowWarp(torch.zeros(2, 2, 24, 28), (28, 24), torch.zeros(2, 1, 24, 28))
    found = random_heatmaps(1).float() if variant == 'expected' else torch.rand(2, 3, 2)
    found.requires_grad_()
    names = dict(expected='heatmaps', means='keypoints')
    views = {names[variant]: found, f'warped_{names[variant]}': found.detach() + 1}
    loss = EquivarianceLoss(1e4, variant)(INCLUSIVE, flow, **views)
    loss.backward()
    assert loss == 0 and (found.grad == 0).all()


@pytest.mark.parametrize('geometry', GEOMETRIES)
def test_expanded_form_equals_the_double_sum(geometry):
    p, q, warp = random_heatmaps(1), random_heatmaps(2), double_warp()
    cells = geometry.centers(p)[None]
    source = warp.points_to_source(cells.expand(2, -1, -1))
    squared = (cells[:, :, None] - source[:, None]).square().sum(-1) / (27 / 2) ** 2
    expected = torch.einsum('bku,buv,bkv->bk', p.flatten(2), squared, q.flatten(2))
    loss = EquivarianceLoss(loss_weight=3.0)(geometry, warp, p, q)
    torch.testing.assert_close(loss, 3 * expected.mean())


def test_a_peaked_equivariant_detector_has_no_loss():
    # A pure shift by one cell of the map: the peak moves by one cell as well.
    size, cell = (28, 24), 27 / 6
    affine = torch.eye(2, 3)[None].double()
    affine[0, 0, 2] = cell / (27 / 2)
    zeros = torch.zeros(1, 1, 2).double()
    warp = ThinPlateSpline(affine, zeros[0], zeros, size)
    image, warped = torch.zeros(2, 1, 1, 6, 7).double()
    image[0, 0, 3, 4] = 1
    warped[0, 0, 3, 3] = 1
    loss = EquivarianceLoss()
    equivariant = loss(INCLUSIVE, warp, image, warped)
    assert equivariant.item() == pytest.approx(0, abs=1e-12)
    fixed = loss(INCLUSIVE, warp, image, image)
    assert fixed.item() == pytest.approx((cell / (27 / 2)) ** 2)


def test_equivariance_gradient_is_exact():
    warp = double_warp()
    logits = torch.randn(2, 2, 1, 3, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda a: EquivarianceLoss()(
            MapGeometry.inclusive((28, 24), (4, 3)),
            warp,
            spatial_softmax(a[0]),
            spatial_softmax(a[1]),
        ),
        (logits,),
    )


@pytest.mark.parametrize('window', [1, 4])
def test_diversity_counts_the_mass_that_is_shared(window):
    apart = torch.zeros(1, 3, 16, 16)
    apart[0, 0, 0, 0] = apart[0, 1, 8, 8] = apart[0, 2, 15, 15] = 1
    loss = DiversityLoss(window=window, loss_weight=2.0)
    assert loss(apart).item() == pytest.approx(0, abs=1e-6)
    together = apart[:, :1].expand(1, 3, 16, 16)
    assert loss(together).item() == pytest.approx(2 * (3 - 1), rel=1e-5)


def test_diversity_window_keeps_keypoints_apart():
    close = torch.zeros(1, 2, 16, 16)
    close[0, 0, 8, 8] = close[0, 1, 8, 10] = 1
    assert DiversityLoss(window=2)(close).item() == pytest.approx(0, abs=1e-6)
    # Two of the four columns of windows hold both of them.
    assert DiversityLoss(window=4)(close).item() == pytest.approx(0.5, rel=1e-5)
