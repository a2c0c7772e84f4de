import numpy as np
import pytest
import xtcocotools.mask as coco_mask
from mmpose.datasets.transforms import RandomFlip

from mmkp.datasets import LabeledMask, PersonScaledAffine
from mmkp.datasets.transforms.labeled_mask import unlabeled_region

SHAPE = (64, 96)


def rectangle(left, top, right, bottom):
    return [[left, top, right, top, right, bottom, left, bottom]]


def annotation(points, segmentation=None, iscrowd=0, box=(0, 0, 1, 1)):
    return dict(
        id=7,
        num_keypoints=points,
        segmentation=segmentation,
        iscrowd=iscrowd,
        bbox=list(box),
    )


def run_lengths(mask):
    return coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))


def filled(left, top, right, bottom):
    mask = np.zeros(SHAPE, bool)
    mask[top:bottom, left:right] = True
    return mask


def test_labelled_people_alone_leave_nothing_out():
    people = [annotation(3, rectangle(8, 8, 40, 40))]
    assert unlabeled_region(people, SHAPE) is None
    image = np.zeros((*SHAPE, 3), np.uint8)
    for annotations in (people, [], None, [None]):
        mask = LabeledMask()(dict(img=image, raw_ann_info=annotations))
        assert mask['labeled_mask'].shape == (8, 12)
        assert (mask['labeled_mask'] == 1).all()
    assert (LabeledMask()(dict(img=image))['labeled_mask'] == 1).all()


def test_people_without_keypoints_are_left_out():
    region = unlabeled_region([annotation(0, rectangle(8, 16, 40, 48))], SHAPE)
    np.testing.assert_array_equal(region, filled(8, 16, 40, 48))
    mask = LabeledMask()(
        dict(
            img=np.zeros((*SHAPE, 3), np.uint8),
            raw_ann_info=[annotation(0, rectangle(8, 16, 40, 44))],
        )
    )['labeled_mask']
    assert mask.dtype == np.float32
    expected = np.ones((8, 12))
    expected[2:6, 1:5] = 0
    expected[5, 1:5] = 0.5
    np.testing.assert_allclose(mask, expected, atol=0.01)


def test_their_boxes_do_where_no_outline_is():
    for segmentation in (None, [], [[1, 2, 3, 4]]):
        person = annotation(0, segmentation, box=(-5, 10, 20, 30))
        region = unlabeled_region([person], SHAPE)
        np.testing.assert_array_equal(region, filled(0, 10, 15, 40))


def test_keypoints_are_counted_where_their_number_is_not_given():
    person = dict(annotation(0, box=(0, 0, 9, 9)), keypoints=[1, 2, 2, 0, 0, 0])
    del person['num_keypoints']
    assert unlabeled_region([person], SHAPE) is None


@pytest.mark.parametrize('compressed', [True, False])
def test_crowds_are_left_out_except_for_people_in_them(compressed):
    lengths = run_lengths(filled(0, 0, 96, 32))
    if not compressed:
        lengths = dict(size=list(SHAPE), counts=[0] + [32, 32] * 96)
    region = unlabeled_region(
        [
            annotation(0, lengths, iscrowd=1),
            annotation(5, rectangle(8, 8, 40, 48)),
            annotation(0, rectangle(48, 8, 60, 48)),
        ],
        SHAPE,
    )
    expected = filled(0, 0, 96, 32) & ~filled(8, 8, 40, 48)
    # A person without keypoints is left out like the crowd.
    expected |= filled(48, 8, 60, 48)
    np.testing.assert_array_equal(region, expected)


def test_mask_moves_and_turns_with_the_picture():
    person = annotation(0, rectangle(20, 10, 50, 50))
    image = np.zeros((*SHAPE, 3), np.uint8)
    image[10:50, 20:50] = 255
    for seed in range(4):
        np.random.seed(seed)
        sample = dict(img=image, ori_shape=SHAPE, raw_ann_info=[person])
        sample = PersonScaledAffine((128, 96), pad_val=0, shift=5)(sample)
        sample = LabeledMask(4)(RandomFlip(prob=0.5)(sample))
        seen = sample['img'][..., 0].reshape(24, 4, 32, 4).mean((1, 3)) / 255
        assert np.abs(sample['labeled_mask'] - (1 - seen)).mean() < 0.02
        assert np.abs(sample['labeled_mask'] - (1 - seen)).max() < 0.6


def test_outside_of_the_picture():
    matrix = np.array([[1.0, 0, 16], [0, 1, 0]])
    sample = dict(
        img=np.zeros((64, 128, 3), np.uint8), ori_shape=SHAPE, warp_mat=matrix
    )
    assert (LabeledMask()(dict(sample))['labeled_mask'] == 1).all()
    mask = LabeledMask(outside=0)(dict(sample))['labeled_mask']
    assert (mask[:, :2] == 0).all() and (mask[:, 2:14] == 1).all()
    assert (mask[:, 14:] == 0).all()
    flipped = dict(sample, flip=True, flip_direction='horizontal')
    np.testing.assert_array_equal(
        LabeledMask(outside=0)(flipped)['labeled_mask'], mask[:, ::-1]
    )


def test_refusals():
    with pytest.raises(ValueError, match='stride must be'):
        LabeledMask(stride=0)
    with pytest.raises(ValueError, match='outside must be'):
        LabeledMask(outside=255)
    with pytest.raises(ValueError, match=r'97x64 pixels, no multiple of the stride 8'):
        LabeledMask()(dict(img=np.zeros((64, 97, 3), np.uint8)))
    small = run_lengths(np.ones((10, 10)))
    with pytest.raises(ValueError, match=r'annotation 7 .*\[10, 10\].*\[64, 96\]'):
        unlabeled_region([annotation(0, small, iscrowd=1)], SHAPE)
    assert repr(LabeledMask(4)) == 'LabeledMask(stride=4, outside=1.0)'
