"""The page's pictures for the network are those of the transforms in Python."""

from itertools import product

import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import BottomupResize, TopdownAffine
from web_page import as_image, as_picture, in_node

from mmkp.datasets.transforms import BottomupHeightResize, TopdownResize

PLACE = """({ place }, given) => given.map(({ picture, box, placement }) => {
  const { input, back } = place(picture, box, placement);
  return { input, back: [back(0, 0), back(10, 20)] };
})"""
SIZES, PADDINGS = [(160, 128), (50, 61), (131, 90)], [1.0, 1.25]
CASES = {
    'squashed': (TopdownResize((64, 64)), dict(type='resize', input_size=[64, 64])),
    'extended': (
        TopdownResize((48, 64), keep_aspect_ratio=True, pad_val=255),
        dict(type='resize', input_size=[48, 64], keep_aspect_ratio=True, pad_val=255),
    ),
    'affine': (TopdownAffine((48, 64)), dict(type='affine', input_size=[48, 64])),
    'udp': (
        TopdownAffine((48, 64), use_udp=True),
        dict(type='affine', input_size=[48, 64], use_udp=True),
    ),
    'height': (BottomupHeightResize(64), dict(type='height', height=64)),
    'strip': (
        BottomupHeightResize(64, size_factor=16, pad_val=7, max_aspect=1),
        dict(type='height', height=64, size_factor=16, pad_val=7, max_aspect=1),
    ),
    'within': (
        BottomupResize((96, 64), pad_val=(1, 2, 3)),
        dict(type='bottomup', input_size=[96, 64], pad_val=[1, 2, 3]),
    ),
    'around': (
        BottomupResize((96, 64), resize_mode='expand', use_udp=True),
        dict(type='bottomup', input_size=[96, 64], resize_mode='expand', use_udp=True),
    ),
}


def picture_of(width, height):
    """Smooth structures and noise, as of a photograph."""
    rng = np.random.default_rng(0)
    image = cv2.resize(rng.random((9, 12, 3)), (width, height))
    image = 200 * image + 40 * rng.random((height, width, 3))
    return image.astype(np.uint8)


def box_of(image):
    return np.array([0.0, 0.0, image.shape[1], image.shape[0]])


def placed(*given):
    """What the page makes of pictures, their boxes and placements."""
    return in_node(
        'placement.mjs',
        PLACE,
        [
            dict(picture=as_picture(image), box=box, placement=placement)
            for image, box, placement in given
        ],
    )


@pytest.fixture(scope='module')
def found():
    """All cases at once, as each start of node takes a while."""
    keys = list(product(CASES, SIZES, PADDINGS))
    given = []
    for case, size, padding in keys:
        image, placement = picture_of(*size), CASES[case][1]
        given.append((image, box_of(image), {**placement, 'box_padding': padding}))
    return dict(zip(keys, placed(*given), strict=True))


@pytest.mark.parametrize('padding', PADDINGS)
@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('case', CASES)
def test_equal_to_the_transform(case, size, padding, found):
    image, result = picture_of(*size), found[case, size, padding]
    box = box_of(image)
    expected = CASES[case][0](
        dict(
            img=image,
            ori_shape=image.shape[:2],
            bbox_center=(box[2:] / 2)[None],
            bbox_scale=(box[2:] * padding)[None],
        )
    )
    # To the bit, but where a place between pixels is rounded the other way.
    difference = np.abs(as_image(result['input']).astype(int) - expected['img'])
    assert (difference > 0).mean() < 0.01 and difference.max() <= 4
    scale = np.array(expected['input_scale'], float)
    points = np.array([[0, 0], [10, 20]]) / expected['input_size'] * scale
    points += expected['input_center'] - scale / 2
    np.testing.assert_allclose(result['back'], points, atol=1e-4)


def test_a_box_that_reaches_out_of_the_picture():
    image, box = picture_of(100, 80), np.array([60.0, -10.0, 121.0, 40.0])
    results = dict(
        img=image,
        bbox_center=(box[2:] / 2 + box[:2] / 2)[None],
        bbox_scale=(box[2:] - box[:2])[None],
    )
    expected = TopdownResize((32, 32), pad_val=9)(results)['img']
    placement = dict(type='resize', input_size=[32, 32], pad_val=9, box_padding=1)
    (found,) = placed((image, box, placement))
    assert np.abs(as_image(found['input']).astype(int) - expected).max() <= 1


def test_what_the_page_cannot_prepare_is_said():
    said = """({ place }, picture) => {
      try { place(picture, [0, 0, 2, 2], { type: 'other', reason: 'it is turned' }); }
      catch ({ message }) { return message; }
    }"""
    message = in_node('placement.mjs', said, as_picture(picture_of(2, 2)))
    assert message == 'this page cannot prepare pictures for this model: it is turned'
