# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Objects cut out of pictures."""

import os

import cv2
import numpy as np
import pytest

from mmkp.datasets.transforms import CutOutFigure, LoadVerifiedImage
from mmkp.datasets.transforms.cut_out_figure import read_scene

COLOR = (10, 20, 200)


def picture(left, height=40, width=50):
    """A red block before dark walls and a light floor."""
    image = np.full((height, width, 3), 180, np.uint8)
    image[:8] = image[:, :9] = 40
    image[20:26, left : left + 8] = COLOR
    return image


@pytest.fixture
def folder(tmp_path):
    for index in range(4):
        cv2.imwrite(str(tmp_path / f'{index}.png'), picture(9 + 10 * index))
    return tmp_path


def cut(folder, index=1, **options):
    path = str(folder / f'{index}.png')
    step = CutOutFigure(**options)
    return step, LoadVerifiedImage().transform(dict(img_path=path))


def test_all_but_the_object_is_blank_and_its_box_the_sample_s(folder):
    step, sample = cut(folder, scene=str(folder), fill=250)
    found = step.transform(sample)
    expected = np.full((40, 50, 3), 250, np.uint8)
    expected[20:26, 19:27] = COLOR
    assert np.array_equal(found['img'], expected) and found['img'].dtype == np.uint8
    assert found['bbox'].tolist() == [[19, 20, 27, 26]]
    assert found['bbox'].dtype == np.float32


def test_a_mask_is_found_once_a_file(folder, monkeypatch):
    step, sample = cut(folder, scene=str(folder))
    first = step.transform(dict(sample))['img']
    monkeypatch.setattr(
        'mmkp.datasets.transforms.cut_out_figure.figure_mask', lambda *_: 1 / 0
    )
    assert np.array_equal(step.transform(dict(sample))['img'], first)
    with pytest.raises(ZeroDivisionError):  # a frame without a name is looked at
        step.transform(dict(sample, img_path=None))


@pytest.mark.parametrize('name', ['', None, '0000000000.jpg'])
def test_pictures_in_memory_have_a_mask_each_whatever_they_are_called(folder, name):
    step = CutOutFigure(scene=str(folder))
    for left in (19, 29):
        box = np.array([[0, 0, 50, 40]], np.float32)
        found = step.transform(dict(img=picture(left), bbox=box, img_path=name))
        assert found['bbox'].tolist() == [[left, 20, left + 8, 26]]


def test_a_scene_that_has_changed_is_read_again(folder):
    path = folder / 'scene.png'
    for number, left in enumerate((19, 29)):
        cv2.imwrite(str(path), picture(left))
        os.utime(path, (number, number))
        assert np.array_equal(read_scene(str(path)), picture(left))


def test_a_scene_may_be_a_picture_and_boxes_may_stay(folder):
    empty = picture(9)
    empty[20:26, 9:17] = 180
    cv2.imwrite(str(folder / 'empty.png'), empty)
    step, sample = cut(folder, scene=str(folder / 'empty.png'), frame=False)
    found = step.transform(sample)
    assert found['bbox'].tolist() == [[0, 0, 50, 40]]
    assert (found['img'] == 255).all(2).sum() == 40 * 50 - 48


def test_a_scene_of_another_resolution_is_resized(folder):
    scene = cv2.imread(str(folder / '0.png'))
    cv2.imwrite(str(folder / 'small.png'), cv2.resize(scene, (25, 20)))
    cv2.imwrite(str(folder / 'large.png'), cv2.resize(scene, (149, 120)))
    for name in ('small', 'large'):
        step, sample = cut(folder, scene=str(folder / f'{name}.png'))
        assert step.transform(sample)['img'].shape[1] == 50


def test_a_picture_of_nothing_stays(folder):
    cv2.imwrite(str(folder / 'grey.png'), np.full((30, 30, 3), 99, np.uint8))
    step, sample = cut(folder, 'grey')
    found = step.transform(dict(sample))
    assert np.array_equal(found['img'], sample['img'])
    assert found['bbox'].tolist() == [[0, 0, 30, 30]]


def test_refuses(folder):
    with pytest.raises(ValueError, match='fill=256'):
        CutOutFigure(fill=256)
    step, sample = cut(folder, scene=str(folder / '0.png'))
    sample['img'] = sample['img'][:30]
    with pytest.raises(ValueError, match=r'1\.png has .*\(30, 50, 3\), the scene'):
        step.transform(sample)
    assert repr(step).endswith(
        "0.png', fill=255, frame=True, single=True, padding=1.0)"
    )


def test_the_object_is_looked_for_in_the_box(folder):
    first, second = picture(19), picture(29)
    both = np.where(second == picture(9), first, second)
    step = CutOutFigure()
    for left, box in ((19, [15, 12, 28, 34]), (29, [28, 12, 42, 34])):
        found = step.transform(dict(img=both, bbox=np.array([box], np.float32)))
        assert found['bbox'].tolist() == [[left, 20, left + 8, 26]]
        expected = np.full_like(both, 255)
        expected[20:26, left : left + 8] = COLOR
        assert np.array_equal(found['img'], expected)


def test_masks_of_two_boxes_of_a_file_are_two(folder):
    path = str(folder / 'two.png')
    cv2.imwrite(path, np.where(picture(29) == picture(9), picture(19), picture(29)))
    step = CutOutFigure()
    for _ in range(2):
        for left, box in ((19, [15, 12, 28, 34]), (29, [28, 12, 42, 34])):
            sample = LoadVerifiedImage().transform(
                dict(img_path=path, bbox=np.array([box], np.float32))
            )
            found = step.transform(sample)
            assert found['bbox'].tolist() == [[left, 20, left + 8, 26]]


def test_a_tight_box_is_enlarged(folder):
    box = np.array([[19, 20, 27, 26]], np.float32)
    alone, wider = (
        CutOutFigure(padding=padding).transform(dict(img=picture(19), bbox=box.copy()))
        for padding in (1.0, 1.6)
    )
    # The box of one color has no background to tell it from.
    assert np.array_equal(alone['img'], picture(19))
    assert (wider['img'] == 255).all(2).sum() == 50 * 40 - 48
    assert wider['bbox'].tolist() == [[19, 20, 27, 26]]


def test_a_box_beside_the_picture_is_left_alone(folder):
    box = np.array([[60, 50, 70, 60]], np.float32)
    found = CutOutFigure().transform(dict(img=picture(19), bbox=box))
    assert np.array_equal(found['img'], picture(19)) and found['bbox'] is box


def test_padding_must_be_positive():
    with pytest.raises(ValueError, match='padding=0'):
        CutOutFigure(padding=0)


def test_the_end_of_a_tail_does_not_change_the_frame_much():
    image = np.full((120, 200, 3), 220, np.uint8)
    cv2.ellipse(image, ((60, 60), (60, 36), 0), (30, 30, 30), -1)
    with_tail = image.copy()
    with_tail[59:61, 89:190] = 30
    frames = []
    for picture_of in (image, with_tail):
        box = np.array([[0, 0, 200, 120]], np.float32)
        found = CutOutFigure().transform(dict(img=picture_of.copy(), bbox=box))
        frames.append(found['bbox'][0])
        left, top, right, bottom = found['bbox'][0].astype(int)
        assert (found['img'][:, right:] == 255).all()
        inside = found['img'][top:bottom, left:right]
        assert np.array_equal(inside[inside.shape[0] // 2], picture_of[60, left:right])
    whole, tailed = frames
    assert whole.tolist() == pytest.approx([30, 42, 91, 79], abs=1.5)
    assert tailed[0] == whole[0] and tailed[1:4:2].tolist() == whole[1:4:2].tolist()
    # The tail is 100 pixels long, and adds about half of that to the frame.
    assert 0 < tailed[2] - whole[2] < 60
