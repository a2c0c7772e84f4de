# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a box covers of a picture."""

import numpy as np
import pytest

from mmkp.datasets.image_boxes import box_window


@pytest.mark.parametrize(
    ('box', 'padding', 'rows', 'columns'),
    [
        ((2.4, 3.2, 7.1, 8.9), 1.0, (3, 9), (2, 8)),
        ((4, 4, 8, 6), 2.0, (3, 7), (2, 10)),
        ((-5, -5, 50, 50), 1.0, (0, 10), (0, 12)),
        ((20, 20, 30, 30), 1.0, (10, 10), (12, 12)),
    ],
)
def test_rows_and_columns_of_an_enlarged_box(box, padding, rows, columns):
    window = box_window(np.array(box), (10, 12, 3), padding)
    assert window == (slice(*rows), slice(*columns))
