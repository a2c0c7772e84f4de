"""Data sets and their images agree with the checked files, or say where not."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from coco_files import coco, image, person
from mmengine.registry import init_default_scope
from mmpose.datasets import CocoDataset
from mmpose.registry import DATASETS
from PIL import Image

from mmkp.datasets import LandmarkDataset
from mmkp.datasets.coco_check.image_files import shown_size

METAINFO = dict(
    dataset_name='three',
    keypoint_info={i: dict(name=n, id=i, swap='') for i, n in enumerate('abc')},
    skeleton_info={},
    joint_weights=[1.0] * 3,
    sigmas=[0.1] * 3,
)

pytestmark = pytest.mark.usefixtures('told')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


@pytest.fixture
def folder(tmp_path):
    """Write a file and its images of 64x48 pixels; a function of the content."""

    def write(content, names=('1.png', '2.png')):
        for name in names:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.zeros((48, 64, 3), np.uint8))
        (tmp_path / 'x.json').write_text(json.dumps(content))
        return dict(
            ann_file='x.json', data_root=str(tmp_path), data_prefix=dict(img='')
        )

    return write


class TestImages:
    @pytest.mark.parametrize(
        'size', [(32, 24), (-1, -1), (..., ...), (None, 0), ('64', '48')]
    )
    @pytest.mark.parametrize('mode', ['topdown', 'bottomup'])
    def test_the_size_of_the_image_counts(self, folder, told, size, mode):
        images = [image(1, width=size[0], height=size[1]), image(2)]
        options = folder(coco(person(), images=images))
        for kind in (LandmarkDataset, CocoDataset):
            extra = dict(metainfo=METAINFO) if kind is CocoDataset else {}
            item = kind(data_mode=mode, **options, **extra).get_data_info(0)
            np.testing.assert_array_equal(item['bbox'], [[5, 5, 35, 45]])
        if size == (32, 24):
            assert len(told) == 1 and '1.png (64x48, the file says 32x24)' in told[0]

    def test_exif_turns_the_size(self, tmp_path):
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new('RGB', (30, 20)).save(tmp_path / 'a.jpg', exif=exif)
        assert shown_size(str(tmp_path / 'a.jpg')) == (20, 30)
        assert shown_size(str(tmp_path / 'none.jpg')) is None

    def test_no_size_and_no_file(self, folder):
        options = folder(coco(person(), images=[image(1, width=...)]), ())
        with pytest.raises(ValueError, match='image 1.png has no usable width'):
            CocoDataset(**options, metainfo=METAINFO)

    @pytest.mark.parametrize(
        'name',
        [
            'sub\\1.png',
            '/home/me/data/sub/1.png',
            'C:\\Users\\me\\sub\\1.png',
            'images/sub/1.png',
            './sub/1.png',
            'https://host/upload/sub/1.png?x=1',
            '/data/local-files/?d=my%20data/sub/1.png',
            'sub/1.PNG',
        ],
    )
    def test_names_that_lead_elsewhere(self, folder, tmp_path, name):
        content = coco(person(), images=[image(1, file_name=name)])
        data = CocoDataset(**folder(content, ['sub/1.png']), metainfo=METAINFO)
        found = Path(data.get_data_info(0)['img_path'])
        assert found.samefile(tmp_path / 'sub/1.png')

    def test_two_names_that_become_one(self, folder):
        images = [image(1, file_name='a/x.png'), image(2, file_name='b/x.png')]
        options = folder(coco(person(), images=images), ['x.png'])
        with pytest.raises(ValueError, match='a/x.png and b/x.png are not in'):
            CocoDataset(**options, metainfo=METAINFO)


class TestTraining:
    def test_images_without_people(self, folder, monkeypatch):
        lines = []
        monkeypatch.setattr(
            'mmengine.logging.print_log', lambda line, **_: lines.append(line)
        )
        options = dict(
            **folder(coco(person())), data_mode='bottomup', metainfo=METAINFO
        )
        assert len(CocoDataset(**options)) == 1
        assert '1 of 2 images without annotated people are left out' in lines[0]
        data = CocoDataset(filter_cfg=dict(filter_empty_gt=False), **options)
        items = [data.get_data_info(n) for n in range(len(data))]
        assert [len(item['keypoints']) for item in items] == [1, 0]
        assert set(items[0]) == set(items[1])

    def test_nothing_usable(self, folder):
        with pytest.raises(ValueError, match='x.json has no usable annotation'):
            CocoDataset(**folder(coco(person(keypoints=[0] * 9))), metainfo=METAINFO)

    def test_boxes_of_a_detector_of_other_numbers(self, folder, tmp_path):
        boxes = [
            dict(image_id='1', category_id=3, bbox=[1, 2, 10, 20], score=0.5),
            dict(image_id=9, category_id=3, bbox=[1, 2, 10, 20], score=0.5),
            dict(image_id=2, category_id=3, bbox=[1, 2, 0, 20], score=0.5),
        ]
        (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
        data = DATASETS.build(
            dict(
                type='CocoDataset',
                test_mode=True,
                bbox_file=str(tmp_path / 'boxes.json'),
                metainfo=METAINFO,
                **folder(coco(person())),
            )
        )
        assert len(data) == 1
        np.testing.assert_array_equal(data.get_data_info(0)['bbox'], [[1, 2, 11, 22]])


class TestLandmarks:
    def data(self, folder, **changes):
        category = dict(id=1, name='t', keypoints=list('abc')) | changes
        return LandmarkDataset(**folder(coco(person(), categories=[category])))

    @pytest.mark.parametrize(
        ('skeleton', 'links'),
        [
            (None, []),
            ([], []),
            ([[1, 2], [2, 3]], [(0, 1), (1, 2)]),
            ([[0, 1], [1, 2]], [(0, 1), (1, 2)]),
            ([[1.0, 2.0]], [(0, 1)]),
            ([['a', 'c']], [(0, 2)]),
            ([['1', '3']], [(0, 2)]),
            ([[1, 2], [2, 1], [3, 3]], [(0, 1)]),
        ],
    )
    def test_links(self, folder, skeleton, links):
        assert self.data(folder, skeleton=skeleton).metainfo['skeleton_links'] == links

    @pytest.mark.parametrize(
        'skeleton',
        [{'0': [1, 2]}, [[1, 2, 3]], [[1, 4]], [['a', 'd']], [1, 2], 'ab', [[0, 3]]],
    )
    def test_links_that_are_refused(self, folder, skeleton):
        with pytest.raises(ValueError, match='x.json: the skeleton of category'):
            self.data(folder, skeleton=skeleton)

    @pytest.mark.parametrize(
        'names', [['a', 'b', 'a'], 'abc', [None, 'b', 'c'], {'0': 'a'}]
    )
    def test_names_that_are_refused(self, folder, names):
        with pytest.raises(ValueError, match='x.json: '):
            self.data(folder, keypoints=names)

    def test_the_category_with_keypoints_counts(self, folder):
        categories = [
            dict(id=0, name='all'),
            dict(id=1, name='t', keypoints=['x', 'y', 2]),
        ]
        data = LandmarkDataset(**folder(coco(person(), categories=categories)))
        assert list(data.metainfo['keypoint_name2id']) == ['x', 'y', '2']

    def test_several_skeletons(self, folder):
        categories = [
            dict(id=1, name='t', keypoints=list('abc')),
            dict(id=2, name='u', keypoints=list('xyz')),
        ]
        two = coco(person(1), person(2, category_id=2), categories=categories)
        with pytest.raises(ValueError, match='the categories t, u name different'):
            LandmarkDataset(**folder(two))
        one = coco(person(1), categories=categories)
        assert len(LandmarkDataset(**folder(one))) == 1
