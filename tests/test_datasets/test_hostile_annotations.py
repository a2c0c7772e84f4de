"""Numbers that are none, and values of another kind, in annotations and lists."""

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmkp.datasets.coco_check.detections import detected_boxes
from mmkp.datasets.image_decoding import CorruptImageError, decode_image
from mmkp.datasets.image_files import find_images

NAN, DIGITS = float('nan'), 10**400
#: Data set and number of its keypoints in a file.
DATA_SETS = {
    'LandmarkDataset': 3,
    'CocoDataset': 17,
    'CocoBodyFootDataset': 17,
    'LspDataset': 14,
    'FlicDataset': 11,
}


@pytest.fixture(autouse=True)
def _scope(monkeypatch):
    init_default_scope('mmpose')
    # MMEngine collects garbage whenever it reads a data set, which takes half a second.
    monkeypatch.setattr('mmengine.dataset.base_dataset.gc.collect', lambda: 0)


def coco(number, point, **changes):
    category = dict(id=1, name='t')
    if number == 3:
        category['keypoints'] = ['a', 'b', 'c']
    annotation = dict(
        id=5,
        image_id=1,
        category_id=1,
        bbox=[1, 2, 30, 20],
        keypoints=[*point, 2] + [9, 8, 2] * (number - 1),
    )
    images = [dict(id=1, file_name='a.jpg', width=40, height=30)]
    content = dict(images=images, annotations=[annotation], categories=[category])
    annotation.update({k: v for k, v in changes.items() if k not in content})
    content.update({k: v for k, v in changes.items() if k in content})
    return content


def build(folder, kind, content):
    (folder / 'x.json').write_text(json.dumps(content))
    return DATASETS.build(
        dict(type=kind, ann_file='x.json', data_root=str(folder), test_mode=True)
    )


NUMBERS = (NAN, float('inf'), -float('inf'), 1e300, 1e38, DIGITS, -DIGITS, None)


@pytest.mark.parametrize(
    ('kind', 'number'),
    [
        *((kind, NAN) for kind in DATA_SETS),
        *(('LandmarkDataset', number) for number in NUMBERS[1:]),
    ],
)
def test_keypoints_that_are_nowhere_are_unlabeled_and_told(
    kind, number, tmp_path, monkeypatch
):
    lines = []
    target = 'mmkp.datasets.coco_check.notes.print_log'
    monkeypatch.setattr('mmkp.datasets.coco_check.notes._told', set())
    monkeypatch.setattr(target, lambda line, **_: lines.append(line))
    data = build(tmp_path, kind, coco(DATA_SETS[kind], (number, 5)))
    sample = data.get_data_info(0)
    assert np.isfinite(sample['keypoints']).all()
    assert np.isfinite(sample['bbox']).all()
    assert sample['keypoints_visible'][0, 0] == 0
    assert sample['keypoints_visible'][0, 1] > 0
    (line,) = (text for text in lines if 'no finite coordinates' in text)
    assert 'x.json: 1 annotations' in line
    assert line.endswith('the first: 1 of annotation 5 of a.jpg')


def test_digits_beside_fractions(tmp_path):
    # Their sum is no float.
    content = coco(3, (DIGITS, 5.5))
    sample = build(tmp_path, 'LandmarkDataset', content).get_data_info(0)
    assert np.isfinite(sample['keypoints']).all()
    assert sample['keypoints_visible'][0, 0] == 0


@pytest.mark.parametrize(
    ('side', 'area'),
    [(NAN, NAN), (1e300, 1e300), (DIGITS, DIGITS), (-DIGITS, -1), ([], []), (None, 0)],
)
def test_boxes_and_areas_that_are_none(side, area, tmp_path):
    content = coco(3, (4, 5), bbox=[1, 2, side, 20], area=area)
    sample = build(tmp_path, 'LandmarkDataset', content).get_data_info(0)
    assert np.isfinite(sample['bbox']).all()
    assert (sample['bbox'][0, 2:] > sample['bbox'][0, :2]).all()
    assert 0 < sample['raw_ann_info']['area'] < 1e5


OTHERS = {
    'annotations a number': dict(annotations=1.5),
    'annotations a text': dict(annotations='x'),
    'annotations of numbers': dict(annotations=[1, 2]),
    'categories a number': dict(categories=7),
    'categories of texts': dict(categories=['t']),
    'images a number': dict(images=3),
    'images of lists': dict(images=[[]]),
    'ids of digits': dict(image_id=DIGITS),
    'keypoints an object': dict(keypoints={'a': 1}),
    'keypoints in each other': dict(keypoints=[[[4, 5, 2]]]),
}


@pytest.mark.parametrize('name', OTHERS)
def test_values_of_another_kind_are_told_with_the_file(name, tmp_path):
    with pytest.raises(ValueError, match=r'x\.json') as caught:
        build(tmp_path, 'LandmarkDataset', coco(3, (4, 5), **OTHERS[name]))
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('content', [3, 1.5, [], None, 'x', {}])
def test_detections_beside_a_file_that_is_none(content, tmp_path):
    detection = dict(image_id=1, category_id=1, bbox=[1, 1, 2, 2], score=1)
    (tmp_path / 'found.json').write_text(json.dumps([detection]))
    (tmp_path / 'x.json').write_text(json.dumps(content))
    paths = str(tmp_path / 'found.json'), str(tmp_path / 'x.json')
    with pytest.raises(ValueError, match=r'x\.json holds .*COCO-style'):
        detected_boxes(*paths, str(tmp_path), dict(num_keypoints=3))


@pytest.mark.parametrize(
    ('key', 'value'),
    [('center', [NAN, 1]), ('center', [DIGITS, 1]), ('scale', DIGITS), ('joints', 5)],
)
def test_people_of_mpii(key, value, tmp_path):
    person = dict(image='1.jpg', scale=1.0, center=[3, 3], joints=[[1, 1]] * 16)
    person |= {'joints_vis': [1] * 16, key: value}
    with pytest.raises(ValueError, match=r'x\.json: person 0 \(1\.jpg\)'):
        build(tmp_path, 'MpiiPeopleDataset', [person])


def test_people_of_mpii_with_joints_that_float32_does_not_hold(tmp_path):
    person = dict(image='1.jpg', scale=1.0, center=[3, 3], joints=[[1, 1]] * 16)
    person['joints_vis'] = [1e200, *[1] * 15]
    sample = build(tmp_path, 'MpiiPeopleDataset', [person]).get_data_info(0)
    assert sample['keypoints_visible'][0].tolist() == [0, *[1] * 15]


@pytest.mark.filterwarnings('ignore:.*was read as Windows-1252')
@pytest.mark.parametrize('encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'latin-1'])
def test_lists_of_images_in_any_encoding(encoding, tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes('a.jpg\n\nä b.jpg\r\n'.encode(encoding))
    assert find_images(str(tmp_path), str(path)) == ['a.jpg', 'ä b.jpg']


def test_lists_of_images_that_are_no_text(tmp_path):
    path = tmp_path / 'list.txt'
    path.write_bytes(b'a.jpg\n\x00\x01\x02')
    with pytest.raises(ValueError, match=r'list\.txt is no text: line 2'):
        find_images(str(tmp_path), str(path))
    path.write_bytes(b'\n \n')
    with pytest.raises(FileNotFoundError, match=r'list\.txt.* is empty'):
        find_images(str(tmp_path), str(path))


def test_jpeg_2000_whose_parts_contradict_each_other():
    # OpenCV's decoder ends the process at such a file.
    size = bytes.fromhex('ff51002f000000000014000000100000000000000000')
    content = bytes.fromhex('ff4f') + size + bytes(12) + b'\x0f\x63' + bytes(200)
    with pytest.raises(CorruptImageError, match='picture'):
        decode_image(content, 'picture')
