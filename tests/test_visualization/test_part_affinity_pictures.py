"""Heatmaps and fields are drawn where they are, in the colours that stand for them."""

import numpy as np
import pytest

from mmkp.visualization.canvas import GAP
from mmkp.visualization.direction_wheel import (
    direction_colors,
    direction_wheel,
    with_direction_wheel,
)
from mmkp.visualization.heatmap_pictures import heatmap_sheet, overlay_heatmaps
from mmkp.visualization.part_affinity_pictures import (
    field_sheet,
    limb_names,
    overlay_arrows,
    overlay_fields,
)

COLOURS = np.array([(250, 20, 20), (20, 20, 250)])
NAMES = ('nose', 'neck')


@pytest.fixture
def photograph():
    ramp = np.linspace(0, 250, 160).astype(np.uint8)
    return np.repeat(np.repeat(ramp[None, :, None], 96, 0), 3, 2)


def strongest_place(drawn, channel):
    """Centre of mass (x, y) of what is much stronger in a channel than in others."""
    others = np.delete(drawn.astype(int), channel, -1).max(-1)
    weight = (drawn[..., channel] - others).clip(20) - 20
    y, x = np.mgrid[: len(drawn), : drawn.shape[1]]
    return (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()


def test_heatmaps_in_their_colours_at_their_places(photograph):
    heatmaps = np.zeros((2, 12, 20), np.float32)
    heatmaps[0, 3, 4] = heatmaps[1, 8, 15] = 1
    drawn = overlay_heatmaps(photograph, heatmaps, COLOURS)
    assert drawn.shape == photograph.shape and drawn.dtype == np.uint8
    # Cell g of 8 pixels has its centre at 8 g + 3.5.
    assert strongest_place(drawn, 0) == pytest.approx((35.5, 27.5), abs=0.5)
    assert strongest_place(drawn, 2) == pytest.approx((123.5, 67.5), abs=0.5)
    # Absolute values: half as high is half as strong.
    half = overlay_heatmaps(photograph, heatmaps / 2, COLOURS)
    blank = overlay_heatmaps(photograph, heatmaps * 0, COLOURS)
    full, part = (int(d[27, 35, 0]) - int(blank[27, 35, 0]) for d in (drawn, half))
    assert part == pytest.approx(full / 2, abs=2)
    assert (np.ptp(blank, axis=-1) == 0).all() and blank.max() < 160


def test_maps_of_a_padded_input(photograph):
    """A map that covers more than the image, at another size."""
    heatmaps = np.zeros((2, 10, 30), np.float32)
    heatmaps[0, 3, 4] = 1
    # The image was halved: 16 of its pixels a cell, and the input is padded.
    to_map = np.array([[1 / 16, 0, -7.5 / 16], [0, 1 / 16, -7.5 / 16]])
    drawn = overlay_heatmaps(photograph, heatmaps, COLOURS, to_map)
    assert strongest_place(drawn, 0) == pytest.approx((71.5, 55.5), abs=0.5)


def test_each_direction_has_its_colour():
    right, down, left, up = direction_colors(
        np.array([(1, 0), (0, 1), (-1, 0), (0, -1)])
    )
    assert right[0] > 250 and right[1:].max() < 100
    assert down[1] > 250 and down[2] < 100
    assert left[0] < 100 and left[1:].min() > 250
    assert up[2] > 250 and up[1] < 100
    angles = np.linspace(0, 2 * np.pi, 73)
    around = direction_colors(np.stack([np.cos(angles), np.sin(angles)], -1))
    np.testing.assert_allclose(around[0], around[-1], atol=1e-3)
    assert np.abs(np.diff(around, axis=0)).max() < 60  # no jump
    np.testing.assert_allclose(
        direction_colors(around * 0.01), direction_colors(around)
    )


def test_wheel_shows_direction_and_length():
    wheel = direction_wheel(61)
    assert wheel[30, 58].tolist() == pytest.approx(
        direction_colors(np.array((1, 0))) * 56 / 61, abs=3
    )
    assert wheel[30, 30].max() < 10 and (wheel[0, 0] == 255).all()
    large, small = np.zeros((200, 300, 3), np.uint8), np.zeros((40, 40, 3), np.uint8)
    drawn = with_direction_wheel(large)
    assert drawn[150:, :50].max() > 200 and drawn[:100].max() == 0
    assert not with_direction_wheel(small).any() and not large.any()


def test_fields_show_the_longest_vector(photograph):
    fields = np.zeros((4, 12, 20), np.float32)
    fields[0, 2:6] = 0.9  # the first limb to the right, above
    fields[3, 4:10] = 0.6  # the second one down, below; both overlap
    drawn = overlay_fields(photograph, fields, legend=False).astype(int)
    plain = overlay_fields(photograph, fields * 0, legend=False).astype(int)
    assert drawn[39, 80].argmax() == 0  # where both are, the longer one
    assert drawn[68, 80].argmax() == 1
    assert (drawn[90] == plain[90]).all()
    strong, weak = (np.ptp(drawn[y, 10]) for y in (28, 68))
    assert strong > 1.2 * weak > 0
    large = photograph.repeat(2, 0).repeat(2, 1)
    plain, with_wheel = (overlay_fields(large, fields, None, w) for w in (False, True))
    assert (with_wheel[-30:, :30] != plain[-30:, :30]).any(-1).mean() > 0.8
    assert np.array_equal(with_wheel[:-40], plain[:-40])


@pytest.mark.parametrize('function', [overlay_fields, overlay_arrows])
def test_values_that_are_no_numbers_are_left_out(photograph, function):
    fields = np.full((2, 12, 20), np.nan, np.float32)
    fields[0, 5, 5] = np.inf
    drawn = function(photograph, fields)
    assert (drawn == function(photograph, fields * 0)).all()


def test_arrows_point_along_the_field(photograph):
    fields = np.zeros((2, 12, 20), np.float32)
    fields[0] = 1
    drawn = overlay_arrows(photograph * 0, fields, spacing=32, legend=False)
    along = (drawn[16, :32] > 60).any(-1).sum()
    beside = (drawn[:32, 16] > 60).any(-1).sum()
    assert along > 26 and beside < 6
    # The head is at the right end.
    left, right = drawn[:32, 2:16], drawn[:32, 16:31]
    assert (right > 60).sum() > 1.2 * (left > 60).sum()
    faint = overlay_arrows(photograph * 0, fields * 0.1, legend=False)
    assert not faint.any()


def test_sheets_have_a_tile_for_each_map(photograph):
    heatmaps = np.zeros((2, 12, 20), np.float32)
    heatmaps[1] = 0.5
    sheet = heatmap_sheet(photograph, heatmaps, NAMES, COLOURS, tile=160)
    assert sheet.shape[1] in (160 + 2 * GAP, 2 * 160 + 3 * GAP)
    blue = sheet[..., 2].astype(int) - sheet[..., 0] > 90
    assert blue.sum() == pytest.approx(160 * 96, rel=0.1)
    fields = np.zeros((6, 12, 20), np.float32)
    names = limb_names([(0, 1), (1, 0), (1, 1)], NAMES)
    assert names[0] == 'nose > neck'
    sheet = field_sheet(photograph, fields, names, tile=160)
    assert sheet.shape[1] == 2 * 160 + 3 * GAP  # three limbs and the wheel


def test_large_photographs_need_little_memory(photograph):
    import tracemalloc

    large = np.zeros((600, 800, 3), np.uint8)
    fields = np.random.default_rng(0).normal(0, 0.4, (38, 46, 54)).astype(np.float32)
    tracemalloc.start()
    overlay_fields(large, fields)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 * large.size
