"""Keypoints belong to the figure, the rest to the background."""

import pytest
import torch

from mmkp.models.losses import FigureGroundLoss
from mmkp.ops.border_background import border_background
from mmkp.ops.geometry import MapGeometry

SIZE, MARGIN = 16, 2


def make_images():
    """A red square before a gradient, with padding of another color."""
    y, x = torch.meshgrid(
        torch.linspace(0, 1, SIZE), torch.linspace(0, 1, SIZE), indexing='ij'
    )
    image = torch.stack((0.4 + 0.2 * x, 0.3 + 0.3 * y, 0.5 - 0.2 * x * y))
    mask = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    mask[4:10, 5:12] = True
    image[:, mask] = torch.tensor([1.0, 0.0, 0.0])[:, None]
    frame = torch.full((3, SIZE + 2 * MARGIN, SIZE + 2 * MARGIN), 0.5)
    frame[:, MARGIN:-MARGIN, MARGIN:-MARGIN] = image
    return image[None], mask[None].float(), frame[None]


def test_a_smooth_background_is_told_from_its_border():
    images, mask, _ = make_images()
    likelihood = border_background(images, 0.05)
    torch.testing.assert_close(likelihood, 1 - mask, atol=1e-3, rtol=0)
    # One step of the tolerance away from the background is exp(-1/2).
    images[0, 0, 8, 2] += 0.05
    shifted = border_background(images, 0.05)[0, 8, 2]
    assert shifted.item() == pytest.approx(0.6065, abs=1e-3)


def parts(background, heatmaps, edge_map=None, **options):
    _, _, frames = make_images()
    side = SIZE + 2 * MARGIN
    geometry = MapGeometry.cell_centers((side, side), (side, side), (MARGIN, MARGIN))
    loss = FigureGroundLoss(**options)
    return loss(frames, heatmaps, background, geometry, edge_map).item()


def test_each_term_against_its_closed_form():
    _, mask, _ = make_images()
    side = SIZE + 2 * MARGIN
    ground = torch.ones(1, side, side)
    ground[:, MARGIN:-MARGIN, MARGIN:-MARGIN] -= mask
    heatmaps = torch.zeros(1, 2, side, side)
    heatmaps[0, 0, 8, 9] = 1  # on the square
    heatmaps[0, 1, 0, 0] = 0.25  # a quarter in the padding
    heatmaps[0, 1, 9, 9] = 0.75
    only = dict(mass_weight=0.0)
    assert parts(ground, heatmaps, **only) < 1e-3
    half = parts(torch.full_like(ground, 0.5), heatmaps, loss_weight=3.0, **only)
    assert half == pytest.approx(3 * 0.6931, abs=1e-3)
    massed = parts(ground, heatmaps, mass_weight=2.0) - parts(ground, heatmaps, **only)
    assert massed == pytest.approx(2 * 0.25, abs=1e-3)
    edges = torch.zeros(1, 1, SIZE, SIZE)
    drawn = parts(ground, heatmaps, edges, edge_weight=1.0, **only)
    assert drawn == pytest.approx(mask.mean().item(), abs=1e-3)


def test_edges_are_asked_for_only_where_they_count():
    assert FigureGroundLoss().inputs == (
        'images',
        'heatmaps',
        'background',
        'geometry',
    )
    assert FigureGroundLoss(edge_weight=1.0).inputs[-1] == 'edge_map'
    with pytest.raises(ValueError, match='tolerance must be positive, got 0'):
        FigureGroundLoss(tolerance=0)


def test_a_pixel_that_is_not_a_number_makes_the_loss_nan():
    _, _, frames = make_images()
    side = SIZE + 2 * MARGIN
    geometry = MapGeometry.cell_centers((side, side), (side, side), (MARGIN, MARGIN))
    share = torch.full((1, side, side), 0.5)
    maps = torch.full((1, 2, side, side), 0.1)
    frames[0, 0, 8, 8] = torch.nan
    assert FigureGroundLoss()(frames, maps, share, geometry).isnan()
    frames[0, 0, 8, 8] = 0.5
    share[0, 3, 3] = torch.nan
    assert FigureGroundLoss()(frames, maps, share, geometry).isnan()
