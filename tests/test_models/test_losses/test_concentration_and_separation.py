"""Losses on spread, distance and pixels, against plain sums."""

import itertools
import math

import pytest
import torch
from mmpose.registry import MODELS

from mmkp.models.losses import (
    ConcentrationLoss,
    DiversityLoss,
    EquivarianceLoss,
    SeparationLoss,
    SquaredErrorLoss,
)
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.soft_argmax import spatial_softmax
from mmkp.ops.warps.thin_plate_spline import ThinPlateSpline, random_thin_plate_spline
from mmkp.ops.warps.warp import Warp

GEOMETRY = MapGeometry.inclusive((28, 24), (7, 6))
# An image of 22 x 20 pixels, padded.
PADDED = MapGeometry.cell_centers((28, 24), (7, 6), padding=(3, 2))


def random_maps(seed: int, shape=(2, 3, 6, 7)) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return spatial_softmax(2 * torch.randn(shape, generator=generator).double())


def random_points(seed: int, count: int = 4) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 20 * torch.rand(2, count, 2, generator=generator).double()


def double_warp(size=(28, 24)) -> ThinPlateSpline:
    warp = random_thin_plate_spline(2, size, generator=torch.Generator().manual_seed(0))
    return ThinPlateSpline(
        warp.affine.double(),
        warp.control_points.double(),
        warp.coefficients.double(),
        size,
    )


class KnownInPart(Warp):
    """A shift by 2 pixels that is known left of the middle only."""

    image_size = (28, 24)
    dtype = torch.float64

    def points_to_source(self, points):
        return points + 2

    def validity(self, points):
        return (points[..., 0] < 14).to(points.dtype)


@pytest.mark.parametrize(('geometry', 'edge'), [(GEOMETRY, 28), (PADDED, 22)])
def test_concentration_is_the_sum_of_variances(geometry, edge):
    maps = random_maps(0)
    x, y = geometry.columns(maps), geometry.rows(maps)
    released, paper = 0.0, 0.0
    for image, k in itertools.product(range(2), range(3)):
        p = maps[image, k]
        mean = (p.sum(0) * x).sum(), (p.sum(1) * y).sum()
        s2x = (p * (x - mean[0]) ** 2).sum() / edge**2
        s2y = (p * (y[:, None] - mean[1]) ** 2).sum() / edge**2
        released += 2 * math.pi * math.e * ((s2x.sqrt() + s2y.sqrt()) / 2) ** 2 / 2
        paper += 2 * math.pi * math.e * (s2x + s2y) ** 2 / 2
    for form, expected in (('released', released), ('paper', paper)):
        loss = ConcentrationLoss(form, loss_weight=3.0)
        torch.testing.assert_close(loss(geometry, maps), 3 * expected)


def test_separation_is_the_double_sum():
    points = random_points(0)
    reach = 0.2 * 22
    expected = sum(
        math.exp(-(image[k] - image[m]).square().sum().item() / 2 / reach**2) / 2
        for image in points
        for k, m in itertools.permutations(range(4), 2)
    )
    loss = SeparationLoss(0.2, loss_weight=3.0)
    assert loss(PADDED, points).item() == pytest.approx(3 * expected, rel=1e-9)
    apart = torch.tensor([[[0.0, 0.0], [1.5, 0.0]]])
    # Pairs that hardly meet are not lost beside a diagonal of ones.
    exact = 2 * math.exp(-(1.5**2) / (2 * 0.25**2))
    found = SeparationLoss(0.25 / 28)(GEOMETRY, apart).item()
    assert found == pytest.approx(exact, rel=1e-5) and found < 1e-7


def test_separation_pushes_neighbours_apart():
    points = torch.tensor([[[10.0, 10.0], [11.0, 10.0], [25.0, 3.0]]]).requires_grad_()
    SeparationLoss(0.08)(GEOMETRY, points).backward()
    gradient = points.grad[0]
    assert gradient[0, 0] > 0 > gradient[1, 0]
    assert gradient[2].abs().max() < 1e-4 * gradient[0, 0]


def test_squared_error_of_an_image():
    a, b = torch.rand(2, 3, 4, 5).double(), torch.rand(2, 3, 4, 5).double()
    expected = sum(0.5 * ((a[i] - b[i]) ** 2).sum() for i in range(2)) / 2
    loss = SquaredErrorLoss(loss_weight=3.0)
    torch.testing.assert_close(loss(a, b), 3 * expected)
    # Pixels in [-1, 1] with a quarter of the weight count as in [0, 1].
    torch.testing.assert_close(SquaredErrorLoss(0.75)(2 * a, 2 * b), 3 * expected)
    with pytest.raises(ValueError, match='one shape'):
        loss(a, b[:1])


def test_quadratic_diversity_is_the_sum_over_ordered_pairs():
    maps = random_maps(0)
    expected = sum(
        (maps[:, k] * maps[:, m]).sum() / 2
        for k, m in itertools.permutations(range(3), 2)
    )
    loss = DiversityLoss(1, 3.0, variant='quadratic')
    torch.testing.assert_close(loss(maps), 3 * expected)
    apart = torch.zeros(1, 2, 8, 8)
    apart[0, 0, 1, 1] = apart[0, 1, 6, 6] = 1
    apart[0, 0, 6, 6] = 1e-9
    assert DiversityLoss(1, variant='quadratic')(apart).item() == pytest.approx(2e-9)


def test_distance_of_means_counts_no_spread():
    p, q, warp = random_maps(1), random_maps(2), double_warp()
    points, warped = random_points(1), random_points(2)
    squared = (points - warp.points_to_source(warped)).square().sum(-1)
    loss = EquivarianceLoss(3.0, variant='means')
    # As released: in half edges of the padded image, over the ratio of the edges.
    for geometry, expected in ((GEOMETRY, 14**2), (PADDED, 14**2 * 22 / 28)):
        found = loss(geometry, warp, keypoints=points, warped_keypoints=warped)
        torch.testing.assert_close(found, 3 * squared.mean() / expected)
    with pytest.raises(ValueError, match='takes geometry, warp, keypoints, warped_'):
        loss(GEOMETRY, warp, heatmaps=p, warped_heatmaps=q)


def test_terms_where_the_warp_is_unknown_drop_out():
    p, q, warp = random_maps(1), random_maps(2), KnownInPart()
    cells = GEOMETRY.centers(p)
    known = (cells[:, 0] < 14).double()
    squared = (cells[:, None] - cells - 2).square().sum(-1)
    p_flat, q_known = p.flatten(2), q.flatten(2) * known
    expected = torch.einsum('bku,uv,bkv->', p_flat, squared, q_known) / q_known.sum()
    loss = EquivarianceLoss(13.5**2)(GEOMETRY, warp, p, q)
    torch.testing.assert_close(loss, expected)

    warped = torch.tensor([[[3.0, 3.0], [20.0, 5.0]]]).double()
    points = torch.tensor([[[6.0, 5.0], [0.0, 0.0]]]).double()
    means = EquivarianceLoss(14**2, variant='means')
    found = means(GEOMETRY, warp, keypoints=points, warped_keypoints=warped)
    assert found.item() == pytest.approx(1.0)


@pytest.mark.parametrize('which', ['heatmaps', 'keypoints'])
def test_both_views_are_their_mean(which):
    if which == 'heatmaps':
        first, second = random_maps(1), random_maps(2)
        makes = [
            (lambda **s: DiversityLoss(**s), ()),
            (lambda **s: ConcentrationLoss(**s), (GEOMETRY,)),
        ]
    else:
        first, second = random_points(1), random_points(2)
        makes = [(lambda **s: SeparationLoss(**s), (GEOMETRY,))]
    for make, before in makes:
        loss, both = make(), make(both_views=True)
        assert both.inputs == (*loss.inputs, f'warped_{which}')
        expected = (loss(*before, first) + loss(*before, second)) / 2
        torch.testing.assert_close(both(*before, first, second), expected)


def test_gradients_are_exact():
    warp, shape = double_warp(), (2, 2, 3, 4)
    small = MapGeometry.inclusive((28, 24), (4, 3))
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(shape, generator=generator).double().requires_grad_()
    for make in (
        lambda m: ConcentrationLoss('released')(small, m),
        lambda m: ConcentrationLoss('paper')(small, m),
        lambda m: DiversityLoss(2, variant='quadratic')(m),
        lambda m: DiversityLoss(2, variant='count_minus_max', padded=False)(m),
    ):
        assert torch.autograd.gradcheck(lambda a: make(spatial_softmax(a)), (logits,))  # noqa: B023
    points, warped = (random_points(s).requires_grad_() for s in (1, 2))
    means = EquivarianceLoss(variant='means')
    assert torch.autograd.gradcheck(
        lambda a, b: means(GEOMETRY, warp, keypoints=a, warped_keypoints=b),
        (points, warped),
    )
    assert torch.autograd.gradcheck(lambda a: SeparationLoss()(GEOMETRY, a), (points,))
    assert torch.autograd.gradcheck(
        lambda a: SquaredErrorLoss()(a, torch.ones_like(a)), (points,)
    )


def test_half_precision_is_lifted():
    maps, points = random_maps(1), random_points(1)
    warp = random_thin_plate_spline(2, (28, 24))
    maps, points = maps.bfloat16(), points.bfloat16()
    with torch.autocast('cpu', torch.bfloat16):
        found = [
            ConcentrationLoss()(GEOMETRY, maps),
            DiversityLoss(variant='quadratic')(maps),
            EquivarianceLoss()(GEOMETRY, warp, maps, maps),
            EquivarianceLoss(variant='means')(
                GEOMETRY, warp, keypoints=points, warped_keypoints=points
            ),
            SeparationLoss()(GEOMETRY, points),
            SquaredErrorLoss()(points, points + 1),
        ]
    exact = [
        ConcentrationLoss()(GEOMETRY, maps.float()),
        DiversityLoss(variant='quadratic')(maps.float()),
        EquivarianceLoss()(GEOMETRY, warp, maps.float(), maps.float()),
        EquivarianceLoss(variant='means')(
            GEOMETRY, warp, keypoints=points.float(), warped_keypoints=points.float()
        ),
        SeparationLoss()(GEOMETRY, points.float()),
    ]
    assert all(loss.dtype == torch.float32 for loss in found)
    for lifted, wanted in zip(found[:-1], exact, strict=True):
        assert torch.equal(lifted, wanted)


@pytest.mark.parametrize(
    ('config', 'message'),
    [
        (
            dict(type='EquivarianceLoss', variant='mean'),
            "must be .* got 'mean'",
        ),
        (dict(type='EquivarianceLoss', keypoint_reduction='max'), "'mean', 'sum'"),
        (dict(type='DiversityLoss', variant='min'), "must be .* got 'min'"),
        (dict(type='DiversityLoss', pooling='max'), "'average', 'sum'"),
        (dict(type='DiversityLoss', window=0), 'at least 1'),
        (
            dict(type='ConcentrationLoss', variant='squared'),
            "must be .* got 'squared'",
        ),
        (dict(type='SeparationLoss', bandwidth=0), 'bandwidth must be positive'),
    ],
)
def test_meaningless_arguments_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(config)


def test_pooling_that_counts_mass_more_than_once_is_told_of():
    with pytest.warns(UserWarning, match='become negative'):
        DiversityLoss(variant='count_minus_max', pooling='sum')
    with pytest.raises(ValueError, match='window=9 is larger than the heatmaps'):
        DiversityLoss(9, padded=False)(random_maps(0))
