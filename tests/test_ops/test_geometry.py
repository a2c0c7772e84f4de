# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where cells lie in the image: closed forms, torch's own resizing, and properties."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.geometry import ALIGNMENTS, MapGeometry, check_alignment, size_of

sizes = st.tuples(st.integers(2, 40), st.integers(2, 40))
paddings = st.tuples(st.integers(0, 9), st.integers(0, 9))
LIKE = torch.zeros((), dtype=torch.float64)


def drawn_geometry(kind, image_size, map_size):
    if kind == 'strided':
        return MapGeometry.strided(image_size, map_size, 3.5, 2.0)
    return MapGeometry.aligned(kind, image_size, map_size)


def test_inclusive_cells_reach_first_and_last_pixel_center():
    geometry = MapGeometry.inclusive((128, 9), (32, 1))
    columns = geometry.columns(LIKE)
    assert columns[0] == 0 and columns[-1] == 127
    assert geometry.rows(LIKE).tolist() == [4]


def test_cells_in_the_middle_of_their_pixels():
    geometry = MapGeometry.cell_centers((8, 6), (2, 3))
    assert geometry.centers(LIKE).tolist() == [
        [x, y] for y in (0.5, 2.5, 4.5) for x in (1.5, 5.5)
    ]
    assert geometry.spacing == (4, 2)


def test_positions_have_the_type_of_the_maps():
    geometry = MapGeometry.inclusive((8, 6), (4, 3))
    for dtype in (torch.float32, torch.float64):
        like = torch.zeros(1, dtype=dtype)
        for found in (geometry.columns, geometry.rows, geometry.centers):
            assert found(like).dtype == dtype


@pytest.mark.parametrize('alignment', ALIGNMENTS)
@settings(max_examples=40, deadline=None)
@given(image_size=sizes, map_size=sizes)
def test_agrees_with_torch_resizing_positions(alignment, image_size, map_size):
    """A map of pixels' x, resized to the cells, says which pixel each cell looks at."""
    (width, height), (w, h) = image_size, map_size
    pixels = torch.arange(width, dtype=torch.float64).expand(1, 1, height, width)
    resized = F.interpolate(
        pixels, (h, w), mode='bilinear', align_corners=alignment == 'inclusive'
    )
    columns = MapGeometry.aligned(alignment, image_size, map_size).columns(LIKE)
    # torch reads beyond the border what stands at the border.
    expected = columns.clamp(0, width - 1)
    torch.testing.assert_close(resized[0, 0, 0], expected, rtol=0, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((*ALIGNMENTS, 'strided')), sizes, sizes)
def test_pixels_and_cells_are_inverse(kind, image_size, map_size):
    geometry = drawn_geometry(kind, image_size, map_size)
    cells = torch.rand(7, 2, dtype=torch.float64) * 40
    there = geometry.to_pixels(cells)
    torch.testing.assert_close(geometry.to_cells(there), cells)
    # Whole cells lie at their centers.
    whole = torch.cartesian_prod(
        torch.arange(map_size[1]).double(), torch.arange(map_size[0]).double()
    ).flip(-1)
    torch.testing.assert_close(geometry.to_pixels(whole), geometry.centers(LIKE))


@settings(max_examples=60, deadline=None)
@given(sizes, sizes, paddings)
def test_padding_moves_pixels_and_no_cell(inner, map_size, padding):
    padded = tuple(a + 2 * b for a, b in zip(inner, padding, strict=True))
    geometry = MapGeometry.cell_centers(padded, map_size, padding)
    assert geometry.inner_size == inner
    assert geometry.edge == max(inner) and geometry.padded_edge == max(padded)
    bare = geometry.unpadded
    assert bare.image_size == inner == bare.inner_size and bare.padding == (0, 0)
    shift = torch.tensor(padding, dtype=torch.float64)
    torch.testing.assert_close(bare.centers(LIKE) + shift, geometry.centers(LIKE))
    if not any(padding):
        assert bare is geometry


def test_units_span_the_image():
    geometry = MapGeometry.inclusive((128, 64), (32, 16))
    assert geometry.half_side == 63.5 and geometry.edge == 128
    padded = MapGeometry.cell_centers((96, 96), (96, 96), (8, 8))
    assert padded.edge == 80 and padded.padded_edge == 96 and padded.half_side == 47.5
    assert MapGeometry.inclusive((1, 1), (1, 1)).half_side == 0.5


@pytest.mark.parametrize('alignment', ALIGNMENTS)
def test_maps_that_cover_the_image_stay_as_they_are(alignment):
    maps = torch.rand(1, 3, 4)
    geometry = MapGeometry.aligned(alignment, (16, 12), (4, 3))
    assert geometry.cover_image(maps) is maps
    assert geometry.covering() == geometry


def test_maps_of_the_inner_part_are_padded_to_the_image():
    geometry = MapGeometry.strided((128, 126), (40, 42), 22.5, 2)
    covering = geometry.cover_image(torch.ones(2, 42, 40))
    assert covering.shape == (2, 63, 64)
    assert covering[0, 11, 10:12].tolist() == [0, 1]
    assert covering.sum() == 2 * 42 * 40
    place = geometry.covering()
    assert place == MapGeometry.cell_centers((128, 126), (64, 63))
    assert place.columns(LIKE)[11] == 22.5


def test_maps_of_the_padding_too_are_cut_to_the_image():
    geometry = MapGeometry.cell_centers((40, 36), (20, 18), padding=(4, 2))
    maps = torch.arange(20.0).expand(1, 18, 20)
    covering = geometry.unpadded.cover_image(maps)
    assert covering.shape == (1, 16, 16)
    assert covering[0, 0].tolist() == list(range(2, 18))
    place = geometry.unpadded.covering()
    assert place == MapGeometry.cell_centers((32, 32), (16, 16))
    # One cell is left of a map that is all padding.
    tiny = MapGeometry.cell_centers((40, 40), (2, 1), padding=(19, 19)).unpadded
    assert tiny.cover_image(torch.ones(1, 1, 2)).shape[-2:] == (1, 2)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from((*ALIGNMENTS, 'strided')), sizes, sizes)
def test_covering_geometry_is_that_of_the_covering_map(kind, image_size, map_size):
    geometry = drawn_geometry(kind, image_size, map_size)
    columns = geometry.columns(LIKE) + 1000  # no zeros but those around
    covering = geometry.cover_image(columns.expand(1, map_size[1], -1))
    place = geometry.covering()
    assert size_of(covering) == place.map_size
    row = covering[0, covering[0].amax(1).argmax()]
    kept = row != 0
    torch.testing.assert_close(place.columns(LIKE)[kept] + 1000, row[kept])


@pytest.mark.parametrize(
    'alignment',
    ['middle', {'first': 1}, {'first': 1, 'spacing': 0}, {'first': 1, 'stride': 2}],
)
def test_unknown_alignments_are_refused(alignment):
    with pytest.raises(ValueError, match='first=..., spacing=...'):
        check_alignment(alignment)
    with pytest.raises(ValueError, match='alignment must be one of'):
        MapGeometry.aligned(alignment, (8, 8), (4, 4))
