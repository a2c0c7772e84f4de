"""Each stack's keypoints and heatmaps lie where they belong, side by side."""

import numpy as np
import pytest

from mmkp.visualization.heatmap_pictures import heatmap_sheet, overlay_heatmaps
from mmkp.visualization.skeletons import SkeletonStyle, draw_skeletons
from mmkp.visualization.stack_pictures import stack_sheet

COLOURS = np.array([(250, 20, 20), (20, 20, 250)])
STYLE = SkeletonStyle(COLOURS, np.array([[0, 1]]), np.array([(20, 250, 20)]))
# Cells of 4 pixels, of a box with its corner at (32, 8) and of one at (88, 24).
CORNERS = ((32, 8), (88, 24))
TO_MAP = np.array(
    [[[0.25, 0, -(x + 1.5) / 4], [0, 0.25, -(y + 1.5) / 4]] for x, y in CORNERS]
)


def place_of(drawn, channel):
    """Centre of mass (x, y) of what is much stronger in a channel than in others."""
    others = np.delete(drawn.astype(int), channel, -1).max(-1)
    weight = (drawn[..., channel] - others).clip(20) - 20
    y, x = np.mgrid[: len(drawn), : drawn.shape[1]]
    return (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()


@pytest.fixture
def grey():
    return np.full((96, 160, 3), 90, np.uint8)


def test_heatmaps_of_two_boxes_each_at_its_place(grey):
    maps = np.zeros((2, 2, 12, 12), np.float32)
    maps[0, 0, 3, 5] = maps[1, 1, 7, 2] = 1
    drawn = overlay_heatmaps(grey, maps, COLOURS, TO_MAP)
    assert place_of(drawn, 0) == pytest.approx((32 + 5 * 4 + 1.5, 8 + 13.5), abs=0.3)
    assert place_of(drawn, 2) == pytest.approx((88 + 9.5, 24 + 29.5), abs=0.3)
    # A tile for each keypoint holds both boxes and the highest value of them.
    maps[1, 0, 4, 4] = 0.5
    sheet = heatmap_sheet(grey, maps, ('nose', 'neck'), COLOURS, TO_MAP)
    alone = heatmap_sheet(grey, maps[0], ('nose', 'neck'), COLOURS, TO_MAP[0])
    assert sheet.shape == alone.shape
    assert (sheet != alone).any()


def test_stacks_side_by_side_in_the_part_that_the_network_sees(grey):
    maps = np.zeros((1, 2, 2, 12, 12), np.float32)
    points = np.zeros((1, 2, 2, 2))
    for stack, (x, y) in enumerate(((2, 3), (8, 9))):
        maps[0, stack, 0, y, x] = 1
        points[0, stack] = [(33.5 + 4 * x, 9.5 + 4 * y), (33.5 + 40, 9.5 + 4)]
    scores = np.ones((1, 2, 2))
    drawn = stack_sheet(grey, points, scores, maps, TO_MAP[:1], STYLE, tile=240)
    # The region of 48 x 48 pixels is five times as large; columns are 6 apart.
    assert drawn.shape[1] == 2 * 240 + 18
    top = drawn.shape[0] - 6 - 22 - 6 - 240  # of the heatmaps
    for stack, (x, y) in enumerate(((2, 3), (8, 9))):
        left = 6 + stack * 246
        below = drawn[top : top + 240, left : left + 240]
        place = (5 * (4 * x + 2) - 0.5, 5 * (4 * y + 2) - 0.5)
        # A region of whole pixels may be one larger than the boxes.
        assert place_of(below, 0) == pytest.approx(place, abs=6)
        above = drawn[top - 246 : top - 6, left : left + 240]
        x, y = (round(v) for v in place)
        assert np.ptp(above[y - 8 : y + 9, x - 8 : x + 9], axis=-1).max() > 150
    # The stacks have nothing else in common with each other than the photograph.
    assert (drawn[top : top + 240, 6:246] != drawn[top : top + 240, 252:492]).any()
    # Scores below the threshold leave the photograph empty.
    empty = stack_sheet(grey, points, scores * 0.1, maps, TO_MAP[:1], STYLE, tile=240)
    assert np.ptp(empty[top - 246 : top - 6, 6:246], axis=-1).max() == 0


def test_box_that_lies_outside_of_the_image(grey):
    maps = np.zeros((1, 1, 2, 12, 12), np.float32)
    away = TO_MAP[:1].copy()
    away[..., 2] += 1000
    drawn = stack_sheet(
        grey, np.zeros((1, 1, 2, 2)), np.ones((1, 1, 2)), maps, away, STYLE
    )
    assert drawn.ndim == 3


def test_links_only_between_keypoints_that_are_shown(grey):
    points = np.array([[(20.0, 30.0), (120.0, 30.0)]])
    box = np.array([[0.0, 0.0, 160.0, 96.0]])
    both = draw_skeletons(grey, points, np.array([[0.9, 0.8]]), box, STYLE)
    assert both[30, 70].tolist() == [20, 250, 20]
    one = draw_skeletons(grey, points, np.array([[0.9, 0.1]]), box, STYLE)
    assert one[30, 70].tolist() == [90, 90, 90]
    assert (one[26:34, 16:25] != 90).any() and (one[:, 110:] == 90).all()
