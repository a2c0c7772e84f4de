"""Keypoints of the data set to those of the maps and back; mirror images of limbs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.codecs import build_skeleton
from mmkp.codecs.make_skeleton import make_skeleton

COCO_OF_18 = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)
PRESETS = ('coco18', 'body25', 'body25_body', 'mpi15', 'AP10KDataset')


def drawn(name, seed=0, number=3):
    """A skeleton and people: keypoints (N, S, 2), all visible (N, S)."""
    skeleton = build_skeleton(name)
    shape = (number, skeleton.num_source_keypoints, 2)
    points = np.random.default_rng(seed).uniform(0, 300, shape).astype(np.float32)
    return skeleton, points, np.ones(shape[:2], np.float32)


def simple(**options):
    """A left and a right hand on a body."""
    return make_skeleton(
        'hands',
        ['left', 'right', 'body'],
        dict(left='right', right='left'),
        [0.1, 0.2, 0.3],
        **options,
    )


@pytest.mark.parametrize('name', PRESETS)
@given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 4))
@settings(max_examples=10, deadline=None)
def test_round_trip(name, seed, number):
    skeleton, points, visible = drawn(name, seed, number)
    mapped, seen, ignored = skeleton.from_source(points, visible)
    assert mapped.shape == (number, skeleton.num_keypoints, 2)
    assert mapped.dtype == seen.dtype == np.float32 and ignored.dtype == bool
    back, scores = skeleton.to_source(mapped, seen)
    assert back.shape == points.shape and scores.shape == visible.shape
    known = [s for parents in skeleton.sources if len(parents) == 1 for s in parents]
    np.testing.assert_array_equal(back[:, known], points[:, known])
    np.testing.assert_array_equal(scores[:, known], 1)


def test_coco_is_read_off_the_heatmaps_in_its_own_order():
    skeleton = build_skeleton('coco18')
    keypoints = np.arange(36, dtype=np.float32).reshape(1, 18, 2)
    scores = np.arange(18, dtype=np.float32)[None]
    back, back_scores = skeleton.to_source(keypoints, scores)
    np.testing.assert_array_equal(back_scores[0], COCO_OF_18)
    np.testing.assert_array_equal(back[0], keypoints[0, list(COCO_OF_18)])


def test_neck_is_between_the_shoulders():
    skeleton, points, visible = drawn('coco18')
    mapped, seen, ignored = skeleton.from_source(points, visible)
    np.testing.assert_allclose(mapped[:, 1], points[:, 5:7].mean(1), rtol=1e-6)
    assert seen.all() and not ignored.any()


@pytest.mark.parametrize(
    ('shoulders', 'is_seen', 'is_ignored'),
    [((1, 1), 1, False), ((1, 0), 0, True), ((0, 2), 0, True), ((0, 0), 0, False)],
)
def test_half_labelled_neck_is_ignored(shoulders, is_seen, is_ignored):
    skeleton, points, visible = drawn('coco18', number=1)
    visible[:, 5:7] = shoulders
    mapped, seen, ignored = skeleton.from_source(points, visible)
    assert seen[0, 1] == is_seen and ignored[0, 1] == is_ignored
    assert ignored.sum() == is_ignored
    assert mapped[0, 1].any() == is_seen
    # Right shoulder and left shoulder themselves are known.
    np.testing.assert_array_equal(seen[0, [5, 2]] > 0, np.array(shoulders) > 0)


def test_unlabelled_keypoints_do_not_leak_into_derived_ones():
    skeleton, points, visible = drawn('body25')
    visible[:, 11] = 0
    points[:, 11] = np.nan
    mapped, seen, ignored = skeleton.from_source(points, visible)
    assert np.isfinite(mapped).all()
    left_hip, middle = skeleton.keypoints.index('left_hip'), 8
    assert (seen[:, [left_hip, middle]] == 0).all() and (seen.sum(1) == 23).all()
    assert ignored[:, middle].all() and ignored.sum() == 3


def test_feet_that_the_data_set_never_labels_are_ignored():
    skeleton, points, visible = drawn('body25_body')
    _, seen, ignored = skeleton.from_source(points, visible)
    feet = np.arange(25) >= 19
    np.testing.assert_array_equal(ignored, np.broadcast_to(feet, (3, 25)))
    np.testing.assert_array_equal(seen, ~ignored)


def test_keypoints_without_a_heatmap_are_in_the_middle():
    skeleton = simple(limbs=[('left', 'right')], keypoints=['left', 'right'])
    assert skeleton.num_keypoints == 2 and skeleton.num_source_keypoints == 3
    points = np.array([[[0, 0], [4, 2]], [[1, 1], [1, 3]]], np.float32)
    back, scores = skeleton.to_source(points, np.ones((2, 2)))
    np.testing.assert_array_equal(back[:, :2], points)
    np.testing.assert_array_equal(back[:, 2], [[2, 1], [1, 2]])
    np.testing.assert_array_equal(scores, [[1, 1, 0], [1, 1, 0]])
    back, scores = skeleton.to_source(points[:0], np.ones((0, 2)))
    assert back.shape == (0, 3, 2) and scores.shape == (0, 3)


def test_limbs_mirror_onto_each_other_in_either_direction():
    skeleton = simple(
        limbs=[('body', 'left'), ('right', 'body'), ('left', 'right')],
        redundant_limbs=[('body', 'left')],
    )
    assert skeleton.limb_flip_indices == (1, 0, 2)
    assert skeleton.limb_flip_signs == (-1, -1, -1)
    # Redundant limbs come last unless something else is said.
    assert skeleton.assembly_order == (1, 2, 0)
    assert simple(limbs=[('body', 'left')]).limb_flip_indices == (-1,)


def test_derived_keypoints_mirror_as_their_parents_do():
    skeleton = simple(
        limbs=[('left_arm', 'right_arm'), ('left_arm', 'left')],
        derived_keypoints=dict(
            left_arm=('left', 'body'),
            right_arm=('right', 'body'),
            middle=('left', 'right'),
        ),
    )
    assert skeleton.keypoints[3:] == ('left_arm', 'right_arm', 'middle')
    assert skeleton.flip_indices == (1, 0, 2, 4, 3, 5)
    assert skeleton.sigmas == pytest.approx((0.1, 0.2, 0.3, 0.2, 0.25, 0.15))


class TestRefusals:
    @pytest.mark.parametrize('shape', [(2, 18, 2), (17, 2), (0, 16, 2)])
    def test_another_number_of_keypoints(self, shape):
        skeleton = build_skeleton('coco18')
        with pytest.raises(ValueError, match="'coco18' reads 17 keypoints"):
            skeleton.from_source(np.zeros(shape), np.zeros(shape[:-1]))

    def test_no_limb(self):
        with pytest.raises(ValueError, match="'hands' has no limb"):
            simple(limbs=[])

    def test_unknown_names(self):
        message = "'hands' names keypoints that are not in it: foot, tail; it has body,"
        with pytest.raises(ValueError, match=message):
            simple(limbs=[('body', 'tail'), ('foot', 'left')])
