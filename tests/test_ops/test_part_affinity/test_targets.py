"""Drawing heatmaps, fields and their weights, away from the reference cases."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.part_affinity.formula import confidence_map
from mmkp.ops.part_affinity.targets import (
    RenderedMaps,
    render_fields,
    render_heatmaps,
    round_half_away,
)
from mmkp.ops.part_affinity.weights import (
    boxes_of_extremities,
    boxes_of_people,
    label_weights,
)

SIZE = (12, 9)
LIMB = np.array([(0, 1)])
STRIDES = st.sampled_from([1, 2, 4, 8, 16])


@st.composite
def scenes(draw):
    stride = draw(STRIDES)
    people = draw(st.integers(0, 4))
    number = st.floats(-20, SIZE[0] * stride + 20, allow_nan=False, width=32)
    values = st.lists(number, min_size=people * 4, max_size=people * 4)
    return stride, np.array(draw(values), np.float32).reshape(people, 2, 2)


@given(scenes(), st.floats(1, 20))
@settings(max_examples=40, deadline=None)
def test_heatmaps_are_those_of_the_formula(scene, sigma):
    stride, points = scene
    drawn = render_heatmaps(points, np.ones(points.shape[:2]), SIZE, stride, sigma)
    assert drawn.maps.shape == (3, 9, 12) and drawn.maps.dtype == np.float32
    plain = [confidence_map(points[:, k], SIZE, stride, sigma) for k in range(2)]
    # Cells on the edge of a Gaussian, of value 0.01, may fall on either side.
    np.testing.assert_allclose(drawn.maps[:2], plain, atol=0.0101)
    off = np.abs(drawn.maps[:2] - plain) > 1e-6
    assert np.allclose((drawn.maps[:2] + plain)[off], 0.01, atol=1e-4)
    np.testing.assert_allclose(
        drawn.maps[2], 1 - drawn.maps[:2].max(0), rtol=0, atol=1e-7
    )
    touched = np.zeros(2 * 9 * 12, bool)
    touched[drawn.drawn] = True
    np.testing.assert_array_equal(touched, drawn.maps[:2].ravel() > 0)


@given(scenes())
@settings(max_examples=40, deadline=None)
def test_fields_hold_unit_vectors_near_the_limb(scene):
    stride, points = scene
    drawn = render_fields(
        points[:1], np.ones((len(points[:1]), 2)), LIMB, SIZE, stride, 8.0, 'centred'
    )
    length = np.hypot(*drawn.maps)
    assert np.logical_or(np.isclose(length, 0), np.isclose(length, 1, atol=1e-6)).all()
    if len(points) and np.hypot(*(points[0, 1] - points[0, 0])) > 1e-3:
        start, end = points[0].astype(np.float64)
        unit = (end - start) / np.hypot(*(end - start))
        for row, column in np.argwhere(length > 0.5):
            place = np.array([column, row]) * stride + (stride - 1) / 2 - start
            assert abs(unit[0] * place[1] - unit[1] * place[0]) <= 8 + 1e-6
            assert -8 * 1.5 <= unit @ place <= np.hypot(*(end - start)) + 8 * 1.5


def test_a_vertical_limb_cell_by_cell():
    points = np.array([[[32.0, 16.0], [32.0, 40.0]]])
    openpose = render_fields(points, np.ones((1, 2)), LIMB, SIZE).maps
    expected = np.zeros((2, 9, 12))
    # Cells 3 to 5 around x = 4, 1 to 6 along y = 2 to 5, without the last ones.
    expected[1, 1:6, 3:5] = 1
    np.testing.assert_array_equal(openpose, expected)
    points += 3.5
    centered = render_fields(points, np.ones((1, 2)), LIMB, SIZE, alignment='centred')
    expected[1, 1:7, 3:6] = 1
    np.testing.assert_array_equal(centered.maps, expected)


def test_wider_limbs_at_finer_strides_cover_the_same_pixels():
    points = np.array([[[40.0, 40.0], [72.0, 40.0]]])
    coarse, fine = (
        render_fields(points, [[1, 1]], LIMB, (96 // s, 96 // s), s, 8.0, 'centred')
        for s in (8, 4)
    )
    assert abs((coarse.maps[0] > 0).sum() * 64 - (fine.maps[0] > 0).sum() * 16) < 600


def test_overlapping_people_are_averaged_and_opposite_ones_cancel():
    right = [[8.0, 32.0], [80.0, 32.0]]
    points = np.array([right, right, right[::-1]])
    maps = render_fields(points[:2], np.ones((2, 2)), LIMB, SIZE).maps
    assert set(np.unique(maps)) == {0, 1}
    three = render_fields(points, np.ones((3, 2)), LIMB, SIZE)
    np.testing.assert_allclose(np.unique(three.maps[0]), [0, 1 / 3], atol=1e-7)
    cancelled = render_fields(points[1:], np.ones((2, 2)), LIMB, SIZE)
    assert not cancelled.maps.any()
    # They were drawn nevertheless, and so they count in the loss.
    assert len(np.unique(cancelled.drawn)) == np.count_nonzero(maps[0])


def test_limbs_without_length_or_end_are_not_drawn():
    points = np.array([[[30.0, 30.0], [30.0, 30.0]], [[10.0, 10.0], [60.0, 60.0]]])
    drawn = render_fields(points, [[1, 1], [1, 0]], LIMB, SIZE)
    assert not drawn.maps.any() and not len(drawn.drawn)


def test_far_away_people_draw_nothing_and_cost_nothing():
    points = np.array([[[1e6, 1e6], [1e9, -1e9]]])
    assert not render_heatmaps(points, [[1, 1]], SIZE).maps[:2].any()
    drawn = render_fields(points, [[1, 1]], LIMB, SIZE)
    assert drawn.maps.shape == (2, 9, 12)


def test_an_unknown_alignment_is_refused():
    with pytest.raises(ValueError, match="'openpose', 'centred'.*'left'"):
        render_fields(np.zeros((1, 2, 2)), [[1, 1]], LIMB, SIZE, alignment='left')


def test_halves_are_rounded_away_from_zero():
    np.testing.assert_array_equal(
        round_half_away(np.array([-1.5, -0.5, -0.4, 0.5, 1.5, 2.4])),
        [-2, -1, 0, 1, 2, 2],
    )


def test_boxes_of_people_are_generous():
    points = np.array([[[32.0, 16.0], [48.0, 56.0]], [[0.0, 0.0], [0.0, 0.0]]])
    boxes = boxes_of_people(points, [[1, 1], [0, 0]], SIZE)
    # 2 x 5 cells: width grows to 2.5, then both by 30 % a side: 4 x 8 about (5, 4.5).
    np.testing.assert_array_equal(boxes, [[3, 1, 7, 9], [0, 0, 0, 0]])
    assert boxes_of_people(np.zeros((0, 2, 2)), np.zeros((0, 2)), SIZE).shape == (0, 4)


def test_boxes_of_extremities_go_on_beyond_the_limb():
    box = boxes_of_extremities(np.array([[32.0, 0.0]]), np.array([[32.0, 32.0]]), SIZE)
    # 4 cells long: half a side of 3 cells about (4, 4 + 1).
    np.testing.assert_array_equal(box, [[1, 2, 7, 8]])


class TestWeights:
    points = np.array([[[24.0, 24.0], [24.0, 48.0], [0.0, 0.0]]])
    visible = np.array([[1, 1, 0]])
    limbs = np.array([(0, 1), (1, 2)])

    def weights(self, **options):
        heatmaps = render_heatmaps(self.points, self.visible, SIZE)
        fields = render_fields(self.points, self.visible, self.limbs, SIZE)
        return heatmaps, fields, label_weights(heatmaps, fields, self.limbs, **options)

    def test_all_count_by_default(self):
        _, _, (parts, fields) = self.weights()
        assert parts.shape == (4, 9, 12) and fields.shape == (4, 9, 12)
        assert (parts == 1).all() and (fields == 1).all()

    def test_mask_yields_where_something_is_drawn(self):
        mask = np.full((9, 12), 0.25, np.float32)
        heatmaps, drawn, (parts, fields) = self.weights(mask=mask)
        np.testing.assert_array_equal(
            parts[:3], np.where(heatmaps.maps[:3] > 0, 1, 0.25)
        )
        np.testing.assert_array_equal(
            parts[3], np.where(heatmaps.maps[3] < 0.85, 1, 0.25)
        )
        shown = drawn.maps[1] != 0
        for channel in (0, 1):
            np.testing.assert_array_equal(fields[channel], np.where(shown, 1, 0.25))
        assert (fields[2:] == 0.25).all()

    def test_an_ignored_keypoint_silences_its_channels_around_the_person(self):
        boxes = np.array([[1, 1, 6, 8]])
        ignored = np.array([[False, False, True]])
        heatmaps, _, (parts, fields) = self.weights(boxes=boxes, ignored=ignored)
        inside = np.zeros((9, 12), bool)
        inside[1:8, 1:6] = True
        assert (parts[:2] == 1).all() and (fields[:2] == 1).all()
        np.testing.assert_array_equal(parts[2], ~inside)
        np.testing.assert_array_equal(fields[2], ~inside)
        np.testing.assert_array_equal(fields[3], ~inside)
        np.testing.assert_array_equal(parts[3], ~inside | (heatmaps.maps[3] < 0.85))

    def test_untrained_keypoints_have_no_weight(self):
        trained = np.array([True, True, False])
        _, _, (parts, fields) = self.weights(
            trained=trained, background_boxes=np.array([[8, 0, 12, 9]])
        )
        assert not parts[2].any() and not fields[2:].any()
        assert (parts[:2] == 1).all() and (fields[:2] == 1).all()
        assert not parts[3, :, 8:].any() and (parts[3, :, :8] == 1).all()

    @given(st.integers(0, 2**32 - 1))
    @settings(max_examples=20, deadline=None)
    def test_stay_within_0_and_1(self, seed):
        random = np.random.default_rng(seed)
        points = random.uniform(-20, 120, (3, 3, 2))
        visible = random.integers(0, 2, (3, 3))
        heatmaps: RenderedMaps = render_heatmaps(points, visible, SIZE)
        fields = render_fields(points, visible, self.limbs, SIZE)
        for weights in label_weights(
            heatmaps,
            fields,
            self.limbs,
            mask=random.uniform(0, 1, (9, 12)).astype(np.float32),
            ignored=random.integers(0, 2, (3, 3)) > 0,
            boxes=boxes_of_people(points, visible, SIZE),
        ):
            assert weights.dtype == np.float32
            assert (weights >= 0).all() and (weights <= 1).all()
