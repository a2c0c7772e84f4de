"""Images of any sizes in one picture."""

import numpy as np

from mmkp.datasets.metainfo import distinct_colors
from mmkp.visualization.contact_sheet import contact_sheet


def test_points_lie_where_they_are_in_their_image():
    wide, high = np.zeros((50, 100, 3), np.uint8), np.zeros((400, 200, 3), np.uint8)
    left_only = np.array([[25.0, 25.0], [np.nan, np.nan]])
    points = [[left_only], [np.array([[100, 300], [80, 60]])]]
    sheet = contact_sheet([wide, high], points, 2, tile=100, columns=2)
    first = np.argwhere((sheet == distinct_colors(2)[0]).all(-1))
    second = np.argwhere((sheet == distinct_colors(2)[1]).all(-1))
    body = sheet.shape[0] - 100 - 4  # below the legend, inside the frame
    # (25, 25) of a tile that is 25 lower; (100, 300) of one at a quarter, 25 right.
    in_body = first[first[:, 0] > body]
    left, right = (in_body[in_body[:, 1] < 104], in_body[in_body[:, 1] > 104])
    np.testing.assert_allclose(left.mean(0) - (body, 0), (50, 25), atol=6)
    gap = sheet.shape[1] - 200
    np.testing.assert_allclose(right.mean(0) - (body, 100 + gap // 2), (75, 50), atol=8)
    assert (second[:, 0] > body).any() and (second[:, 0] < body).any()


def test_a_long_title_takes_several_lines():
    image = np.zeros((60, 60, 3), np.uint8)
    points = [[np.array([[30.0, 30.0]])]] * 3
    short, long = (
        contact_sheet([image] * 3, points, 1, title, tile=80)
        for title in ('one', 'many words ' * 20)
    )
    assert long.shape[1] == short.shape[1] and long.shape[0] > short.shape[0] + 40
