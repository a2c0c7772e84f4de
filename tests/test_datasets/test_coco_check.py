"""What is derived, corrected, left out and refused in COCO-style files."""

import copy

import numpy as np
import pytest
from coco_files import POINTS, coco, image, person

from mmkp.datasets.coco_check import check_coco

NAN = float('nan')

pytestmark = pytest.mark.usefixtures('told')


def only(content):
    (annotation,) = check_coco(content, 'x.json')['annotations']
    return annotation


def test_a_good_file_stays_as_it_is(told):
    content = coco(person(1), person(2, image_id=2, segmentation=[[0, 0, 9, 0, 9, 9]]))
    content['annotations'][0]['segmentation'] = []
    expected = copy.deepcopy(content)
    assert check_coco(content, 'x.json') == expected
    assert told == []


class TestDerived:
    def test_box_of_keypoints_and_area_of_the_box(self, told):
        found = only(coco(person(bbox=..., area=..., iscrowd=..., num_keypoints=...)))
        assert found['bbox'] == [7, 7, 26, 36]
        assert found['area'] == pytest.approx(0.53 * 26 * 36)
        assert found['iscrowd'] == 0 and found['num_keypoints'] == 3
        assert told == [
            'x.json: 1 annotations have no usable box: it is derived from the '
            'keypoints; the first: annotation 1 of 1.png'
        ]

    @pytest.mark.parametrize(
        'box', [None, [], [1, 2, 3], [NAN, 0, 5, 5], 'box', [-1] * 4, [0] * 4, {}]
    )
    def test_a_box_that_is_none(self, box):
        assert only(coco(person(bbox=box)))['bbox'] == [7, 7, 26, 36]

    def test_box_around_a_single_point(self):
        found = only(coco(person(bbox=None, keypoints=[10, 20, 2] + [0] * 6)))
        x, y, width, height = found['bbox']
        assert x < 10 < x + width and y < 20 < y + height

    def test_box_of_a_negative_size(self):
        assert only(coco(person(bbox=[35, 45, -30, -40])))['bbox'] == [5, 5, 30, 40]

    def test_numbers_written_as_text(self):
        found = only(
            coco(person(bbox=['5', '5', '30', '40.0'], keypoints=list('112332442')))
        )
        assert found['bbox'] == [5, 5, 30, 40]
        assert found['keypoints'] == [1, 1, 2, 3, 3, 2, 4, 4, 2]

    def test_boxes_of_two_corners(self, told):
        people = [person(n, bbox=[30, 20, 60 - n, 45]) for n in (1, 2, 3)]
        found = check_coco(coco(*people), 'x.json')['annotations']
        assert found[0]['bbox'] == [30, 20, 29, 25]
        assert 'two corners' in told[0]
        # One box that is too small for corners: they are sizes.
        people = [person(1, bbox=[30, 20, 60, 45]), person(2, bbox=[30, 20, 10, 10])]
        found = check_coco(coco(*people), 'x.json')['annotations']
        assert found[0]['bbox'] == [30, 20, 60, 45]

    @pytest.mark.parametrize('area', [None, 0, -3, NAN, 'large'])
    def test_area_of_polygons(self, area):
        square = [[0, 0, 10, 0, 10, 10, 0, 10]]
        assert only(coco(person(area=area, segmentation=square)))['area'] == 100

    def test_number_of_keypoints_is_counted(self, told):
        assert only(coco(person(num_keypoints=0)))['num_keypoints'] == 3
        assert 'another num_keypoints' in told[0]

    @pytest.mark.parametrize('value', [None, False, True, '1', 1, 0])
    def test_crowds(self, value):
        assert only(coco(person(iscrowd=value)))['iscrowd'] == int(value or 0)

    def test_a_crowd_without_keypoints_stays_as_a_mask(self):
        counts = dict(counts=[0, 48 * 10, 48 * 54], size=[48, 64])
        found = only(
            coco(person(iscrowd=1, keypoints=..., bbox=..., segmentation=counts))
        )
        assert found['keypoints'] == [0] * 9 and found['num_keypoints'] == 0
        assert found['bbox'] == [0, 0, 10, 48] and found['segmentation'] == counts

    def test_no_categories(self, told):
        content = coco(person(category_id=7))
        del content['categories']
        checked = check_coco(content, 'x.json')
        assert checked['categories'] == [dict(id=7, name='object')]
        assert told == [
            'x.json: 1 file has no categories: all is one kind of object; the first: '
            'x.json'
        ]

    def test_annotations_without_the_id_of_the_only_category(self):
        assert only(coco(person(category_id=...)))['category_id'] == 1
        assert only(coco(person(category_id=0)))['category_id'] == 1


class TestKeypoints:
    @pytest.mark.parametrize(
        'keypoints',
        [
            [[10, 10, 2], [30, 10, 2], [20, 40, 2]],
            [[10, 10], [30, 10], [20, 40]],
            [10.0, 10.0, 2.0, 30.0, 10.0, 2.0, 20.0, 40.0, 2.0],
            [10, 10, 3, 30, 10, 1.7, 20, 40, 0.3],
            [10, 10, True, 30, 10, True, 20, 40, True],
        ],
    )
    def test_spellings(self, keypoints):
        found = only(coco(person(keypoints=keypoints)))
        points = np.reshape(found['keypoints'], (3, 3))
        np.testing.assert_array_equal(points[:, :2], [[10, 10], [30, 10], [20, 40]])
        assert (points[:, 2] > 0).all()
        assert set(points[:, 2]) <= {0, 1, 2}

    def test_pairs_without_flags(self):
        names = [dict(id=1, keypoints=list('abcd'))]
        pairs = [10, 10, 30, 10, 20, 40, 25, 45]
        found = only(coco(person(keypoints=pairs), categories=names))
        assert found['keypoints'][:6] == [10, 10, 2, 30, 10, 2]

    @pytest.mark.parametrize('value', [None, NAN, float('inf'), 1e300])
    def test_what_is_not_finite_is_invisible(self, value, told):
        found = only(coco(person(keypoints=[value, 10, 2, *POINTS[3:]])))
        assert found['keypoints'] == [0, 0, 0, *POINTS[3:]]
        assert found['num_keypoints'] == 2
        assert 'no finite coordinates' in told[0]

    @pytest.mark.parametrize('keypoints', [None, [], ..., [0] * 9, [0, 0, 2] * 3])
    def test_nobody_labelled(self, keypoints):
        found = only(coco(person(keypoints=keypoints)))
        assert found['keypoints'] == [0] * 9 and found['num_keypoints'] == 0

    @pytest.mark.parametrize(
        ('keypoints', 'message'),
        [
            (POINTS[:6], 'annotation 1 of 1.png has 6 numbers, 9 are expected'),
            (POINTS + [1], 'annotation 1 of 1.png has 10 numbers, 9 are expected'),
            ('points', "has 'points', 9 are expected"),
            (dict(a=[1, 2]), 'are expected'),
            ([*POINTS[:-1], 'left'], "has 'left' among its keypoints"),
        ],
    )
    def test_refused(self, keypoints, message):
        content = coco(person(2), person(1, keypoints=keypoints))
        with pytest.raises(ValueError, match=message):
            check_coco(content, 'x.json')

    def test_fractions_of_the_image(self):
        points = [0.1, 0.5, 2, 0.2, 0.3, 2, 0.9, 0.7, 2]
        with pytest.raises(
            ValueError, match='x.json: all keypoints lie between 0 and 1'
        ):
            check_coco(coco(person(keypoints=points, bbox=None)), 'x.json')

    def test_things_without_keypoints_are_left_out(self):
        categories = [dict(id=0, name='ball'), dict(id=1, keypoints=list('abc'))]
        ball = person(1, category_id=0, keypoints=...)
        content = check_coco(coco(ball, person(2), categories=categories), 'x.json')
        assert [a['id'] for a in content['annotations']] == [2]


class TestIds:
    def test_repeated_ids_of_annotations(self, told):
        people = [
            person(1),
            person(1, image_id=2),
            person('b'),
            person(...),
            person(5.0),
        ]
        found = check_coco(coco(*people), 'x.json')['annotations']
        assert [a['id'] for a in found] == [1, 6, 7, 8, 5]
        assert [a['image_id'] for a in found] == [1, 2, 1, 1, 1]
        assert len(told) == 2

    @pytest.mark.parametrize(
        ('ids', 'references'),
        [
            (('7', '8'), (7, '8')),
            ((7.0, 8), ('7', 8)),
            (('x.png', 'y'), ('x.png', 'y')),
        ],
    )
    def test_ids_of_images_as_text(self, ids, references):
        images = [image(1, id=ids[0]), image(2, id=ids[1])]
        people = [person(n + 1, image_id=r) for n, r in enumerate(references)]
        content = check_coco(coco(*people, images=images), 'x.json')
        numbers = [i['id'] for i in content['images']]
        assert numbers in ([7, 8], [1, 2])
        assert [a['image_id'] for a in content['annotations']] == numbers

    def test_an_image_of_two_ids_is_one(self, told):
        images = [image(1), image(2, file_name='1.png')]
        content = check_coco(coco(person(1), person(2, image_id=2), images=images), 'x')
        assert [a['image_id'] for a in content['annotations']] == [1, 1]
        assert 'second id' in told[0]

    def test_annotations_of_no_image_are_left_out(self, told):
        content = check_coco(coco(person(1), person(2, image_id=9)), 'x.json')
        assert [a['id'] for a in content['annotations']] == [1]
        assert told == [
            'x.json: 1 annotations are left out: their image is not in the file; the '
            'first: annotation 2, image_id 9'
        ]

    def test_categories_as_text(self):
        names = [dict(id='mouse', name='m', keypoints=list('abc'))]
        assert (
            only(coco(person(category_id='mouse'), categories=names))['category_id']
            == 1
        )

    @pytest.mark.parametrize(
        ('change', 'message'),
        [
            (dict(images=None), 'images is None'),
            (dict(images=['a.png']), r"images\[0\] is 'a.png'"),
            (dict(images=[dict(file_name='a')]), 'has the id None'),
            (dict(images=[dict(id=1)]), 'has the file_name None'),
            (
                dict(images=[image(1), image(1, file_name='b')]),
                '1.png and b have the same',
            ),
            (dict(annotations={}), 'annotations is {}'),
            (dict(annotations=[3]), r'annotations\[0\] is 3'),
            (dict(annotations=[person(image_id=None)]), 'has the image_id None'),
            (
                dict(annotations=[person(image_id=9)]),
                'none of the 1 annotations belongs',
            ),
            (dict(categories='x'), "categories is 'x'"),
            (dict(categories=[dict(id=1), dict(id=2)] * 1), None),
            (
                dict(categories=[dict(id=3), dict(id=2)]),
                r'category_id 1, but .* \[3, 2\]',
            ),
            (dict(categories=[dict(id=1, name='a'), dict(id=1, name='b')]), 'id 1'),
            (dict(categories=[dict(name='a'), dict(name='b')]), "category 'a' has"),
        ],
    )
    def test_refused(self, change, message):
        content = coco(person()) | change
        if message is None:
            check_coco(content, 'x.json')
            return
        with pytest.raises(ValueError, match=f'x.json.*{message}'):
            check_coco(content, 'x.json')


class TestSegmentations:
    @pytest.mark.parametrize(
        ('given', 'expected'),
        [
            ([0, 0, 9, 0, 9, 9], [[0, 0, 9, 0, 9, 9]]),
            ([[[0, 0], [9, 0], [9, 9]]], [[0, 0, 9, 0, 9, 9]]),
            ([[0, 0], [9, 0], [9, 9]], [[0, 0, 9, 0, 9, 9]]),
            (None, []),
            ([], []),
            ('mask', []),
            ([[0, 0, 9]], []),
            ([[0, 0, 9, None, 9, 9]], []),
            (dict(counts='abc'), []),
            (dict(counts=[5, 5], size=[48, 64]), []),
            (dict(counts='~~~', size=[48, 64]), []),
            (dict(counts=[0, 12], size=[4, 3]), []),
        ],
    )
    def test_forms(self, given, expected):
        found = only(coco(person(segmentation=given)))
        assert found['segmentation'] == expected


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ([dict(image_id=1, keypoints=[], score=1)], 'a list of results'),
        (dict(shapes=[], imagePath='a'), 'labelme'),
        ({'a.jpg1': dict(regions=[])}, 'VIA'),
        ([dict(data={}, annotations=[])], 'Label Studio'),
        (dict(items=[], categories={}), 'Datumaro'),
        ([], 'holds a list'),
        ({}, 'an empty object'),
        (3, 'holds a int'),
    ],
)
def test_files_of_other_formats(content, message):
    with pytest.raises(ValueError, match=f'^x.json .*{message}.*COCO-style'):
        check_coco(content, 'x.json')
