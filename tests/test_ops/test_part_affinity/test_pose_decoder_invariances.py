"""What must not matter to the people that come out, and what must move them."""

import dataclasses

import numpy as np
import pytest
from drawn_people import assert_same_people, codec_for, crowd, draw, upright
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.codecs import build_skeleton

COCO = np.array([upright(50, 30), upright(110, 36)])


def test_thirty_people():
    codec = codec_for(size=(480, 664), output_keypoints='source')
    people = crowd(6, 5)
    found, scores, instance_scores = codec.decode(*draw(codec, people))
    assert_same_people(found, people)
    assert (scores > 0).all()
    assert (np.diff(instance_scores) <= 0).all()


@pytest.mark.parametrize('skeleton', ['coco18', 'body25', 'mpi15', 'AP10KDataset'])
def test_limbs_may_point_the_other_way(skeleton):
    skeleton = build_skeleton(skeleton)
    limbs = tuple((b, a) for a, b in skeleton.limbs)
    backwards = dataclasses.replace(skeleton, limbs=limbs)
    random = np.random.default_rng(0)
    shape = (2, skeleton.num_keypoints, 2)
    points = random.uniform(10, 150, shape) + np.array([0, 160])[:, None, None]
    found = []
    for one in (skeleton, backwards):
        codec = codec_for(one, (320, 320))
        people, scores, _ = codec.decode(*draw(codec, points))
        assert_same_people(people, points)
        found.append(scores)
    np.testing.assert_allclose(*found, rtol=1e-5)


def test_order_of_people_is_of_no_consequence():
    codec = codec_for()
    expected, _, _ = codec.decode(*draw(codec, COCO))
    found, _, _ = codec.decode(*draw(codec, COCO[::-1]))
    assert_same_people(found, expected, 1e-3)


@given(x=st.floats(-18, 17), y=st.floats(-22, 14))
@settings(max_examples=20, deadline=None)
def test_people_move_with_their_keypoints(x, y):
    # As far as they do not reach the outermost cells.
    codec = codec_for(output_keypoints='source')
    moved = COCO + (x, y)
    found, _, _ = codec.decode(*draw(codec, moved))
    assert_same_people(found, moved)


@pytest.mark.parametrize(('stride', 'size'), [(8, (184, 152)), (4, (172, 148))])
def test_any_size_and_stride(stride, size):
    # Odd numbers of cells; a Gaussian needs about a cell of deviation.
    codec = codec_for(
        output_keypoints='source', stride=stride, size=size, sigma=0.9 * stride
    )
    assert codec.map_size[0] % 2 and codec.map_size[1] % 2
    heatmaps, fields = draw(codec, COCO)
    found, _, _ = codec.decode(heatmaps, fields)
    assert_same_people(found, COCO)


def test_output_keypoints():
    maps = draw(codec_for(), COCO)
    every, every_score, people_score = codec_for().decode(*maps)
    source = codec_for(output_keypoints='source').decode(*maps)
    skeleton = build_skeleton('coco18')
    keypoints, scores = skeleton.to_source(every, every_score)
    np.testing.assert_array_equal(source[0], keypoints)
    np.testing.assert_array_equal(source[1], scores)
    np.testing.assert_array_equal(source[2], people_score)
    assert every.shape == (2, 18, 2)
    assert_same_people(source[0], COCO)
    neck = every[:, 1]
    np.testing.assert_allclose(neck, every[:, [2, 5]].mean(1), atol=0.3)
