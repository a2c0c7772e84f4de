import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import LoadImage

from mmkp.datasets import LoadVerifiedImage


@pytest.mark.parametrize('suffix', ['.jpg', '.png', '.bmp', '.webp', '.tiff'])
def test_sound_images_are_those_of_mmpose(tmp_path, picture, suffix):
    path = str(tmp_path / f'a{suffix}')
    cv2.imwrite(path, picture)
    ours = LoadVerifiedImage()(dict(img_path=path))
    theirs = LoadImage()(dict(img_path=path))
    np.testing.assert_array_equal(ours['img'], theirs['img'])
    assert ours['img_shape'] == theirs['img_shape'] == (32, 48)
    assert ours['ori_shape'] == (32, 48)


def test_box_of_the_whole_image_is_added_where_none_is(picture):
    result = LoadVerifiedImage()(dict(img=picture))
    np.testing.assert_array_equal(result['bbox'], [[0, 0, 48, 32]])
    np.testing.assert_array_equal(result['bbox_score'], [1])
    assert result['bbox'].dtype == np.float32
    box = np.array([[1, 2, 3, 4]], np.float32)
    assert LoadVerifiedImage()(dict(img=picture, bbox=box))['bbox'] is box


def test_float_values_on_request(picture):
    image = LoadVerifiedImage(to_float32=True)(dict(img=picture))['img']
    assert image.dtype == np.float32
    np.testing.assert_array_equal(image, picture)
