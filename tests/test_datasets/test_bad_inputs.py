"""Bad images, lists and boxes of a data set: the message, or what happens to them."""

import json
import logging
import shutil

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope

from mmkp.datasets import UnlabeledImageDataset
from mmkp.datasets.image_decoding import CorruptImageError, decode_image
from mmkp.datasets.image_formats import IMAGE_SUFFIXES

PIPELINE = [
    dict(type='LoadVerifiedImage'),
    dict(type='GetBBoxCenterScale', padding=1.0),
    dict(type='TopdownResize', input_size=(8, 8)),
    dict(type='PackPoseInputs'),
]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


def encode(image, suffix='.jpg'):
    return cv2.imencode(suffix, image)[1].tobytes()


def make(tmp_path, **kwargs):
    return UnlabeledImageDataset(
        **{'num_keypoints': 4, 'data_root': str(tmp_path), **kwargs}
    )


NO_IMAGE = (
    'no image found in {root} or its subfolders (looked for files that end in '
    f'{", ".join(IMAGE_SUFFIXES)}; give pattern or files for others)'
)
MISSING_FOLDER = (
    'image folder {root}/none does not exist; set data_root (and data_prefix) to the '
    'folder of the images'
)
WHOLE_NUMBER = 'num_keypoints must be a whole number of at least 1, got '


@pytest.mark.parametrize(
    'arguments, error, message',
    [
        (dict(data_prefix=dict(img='none')), FileNotFoundError, MISSING_FOLDER),
        (dict(), FileNotFoundError, NO_IMAGE),
        (
            dict(pattern='*.gif'),
            FileNotFoundError,
            "no file in {root} matches '*.gif'",
        ),
        (
            dict(files='list.txt'),
            FileNotFoundError,
            'the list of image files {root}/list.txt does not exist',
        ),
        (dict(files=[]), FileNotFoundError, 'the list of image files [] is empty'),
        (
            dict(files=['a.jpg'], pattern='*'),
            ValueError,
            'give either files or pattern, not both',
        ),
        (dict(num_keypoints=0), ValueError, WHOLE_NUMBER + '0'),
        (dict(num_keypoints=-1), ValueError, WHOLE_NUMBER + '-1'),
        (dict(num_keypoints=2.5), ValueError, WHOLE_NUMBER + '2.5'),
        (
            dict(files=['a.jpg'], bbox_file='boxes.json'),
            FileNotFoundError,
            'box file {root}/boxes.json does not exist',
        ),
    ],
)
def test_message_when_the_data_set_is_built(tmp_path, arguments, error, message):
    with pytest.raises(error) as raised:
        make(tmp_path, **arguments)
    root = str(tmp_path)
    found = str(raised.value).replace(root + '/', root).replace(root, '{root}')
    assert found == message.replace('{root}/', '{root}')


def test_one_keypoint_is_fine(tmp_path, picture):
    (tmp_path / 'a.jpg').write_bytes(encode(picture))
    dataset = make(tmp_path, num_keypoints=1, pipeline=PIPELINE)
    assert dataset.metainfo['num_keypoints'] == 1
    assert dataset[0]['inputs'].shape == (3, 8, 8)


@pytest.mark.parametrize(
    'content, message',
    [
        (
            b'just some text\n',
            '{path} is not an image that can be decoded (its first bytes are '
            "b'just som')",
        ),
        (b'', '{path} is empty (0 bytes)'),
        ('half jpeg', '{path} is a truncated image: its data end after 300 bytes'),
        ('half png', '{path} is a truncated image: its data end after 100 bytes'),
    ],
)
@pytest.mark.parametrize('test_mode', [False, True])
def test_damaged_image(tmp_path, picture, logged, content, message, test_mode):
    if content == 'half jpeg':
        content = encode(picture)[:300]
    elif content == 'half png':
        content = encode(picture, '.png')[:100]
    path = tmp_path / 'bad.jpg'
    path.write_bytes(content)
    (tmp_path / 'good.jpg').write_bytes(encode(picture))
    dataset = make(tmp_path, pipeline=PIPELINE, test_mode=test_mode)
    message = message.format(path=path)
    sample = dataset[0]['data_samples']
    assert sample.img_path == str(tmp_path / 'good.jpg')
    # What metrics of unlabelled images leave out.
    assert sample.get('stands_in', False) is test_mode
    assert not dataset[1]['data_samples'].get('stands_in', False)
    purpose = 'the evaluation' if test_mode else 'training'
    remedy = (
        f'. It is left out of {purpose} and replaced by another image. To list all '
        f'damaged images: python tools/misc/find_corrupt_images.py {tmp_path}'
    )
    assert [(level, text.rstrip('/')) for level, text in logged] == [
        (30, message + remedy)
    ]


@pytest.mark.parametrize('test_mode', [False, True])
def test_files_that_cannot_be_read_count_as_damaged(
    tmp_path, picture, logged, test_mode
):
    for name in ('a.jpg', 'z.jpg'):
        (tmp_path / name).write_bytes(encode(picture))
    (tmp_path / 'link.jpg').symlink_to(tmp_path / 'nowhere.jpg')
    dataset = make(tmp_path, pipeline=PIPELINE, test_mode=test_mode)
    assert len(dataset) == 3
    (tmp_path / 'z.jpg').unlink()  # while the training runs
    for index in range(3):
        sample = dataset[index]['data_samples']
        assert sample.img_path == str(tmp_path / 'a.jpg')
    told = '\n'.join(text for _, text in logged)
    assert 'link.jpg is a link to' in told and 'z.jpg does not exist' in told
    assert dataset.corrupt_images == [1, 2]


def test_truncated_jpeg_among_a_thousand(tmp_path, picture, logged):
    content = encode(picture)
    for index in range(1000):
        (tmp_path / f'{index:04d}.jpg').write_bytes(content)
    (tmp_path / '0321.jpg').write_bytes(content[:-50])
    dataset = make(tmp_path, pipeline=PIPELINE)
    np.random.seed(0)
    for _ in range(2):
        shapes = {tuple(dataset[index]['inputs'].shape) for index in range(1000)}
        assert shapes == {(3, 8, 8)}
    assert len(logged) == 1
    assert '0321.jpg is a truncated image' in logged[0][1]
    assert dataset.corrupt_images == [321]


def test_other_processes_report_in_a_way_that_mmengine_shows(
    tmp_path, picture, logged, monkeypatch
):
    (tmp_path / 'a.jpg').write_bytes(b'text')
    (tmp_path / 'b.jpg').write_bytes(encode(picture))
    monkeypatch.setattr('mmkp.datasets.damaged_images.is_main_process', lambda: False)
    make(tmp_path, pipeline=PIPELINE)[0]
    assert [level for level, _ in logged] == [logging.ERROR]


def test_nothing_but_damaged_images_ends_the_training(tmp_path, logged):
    for name in 'abc':
        (tmp_path / f'{name}.jpg').write_bytes(b'text')
    dataset = make(tmp_path, pipeline=PIPELINE)
    with pytest.raises(CorruptImageError, match='all 3 images of .* are damaged'):
        dataset[0]
    assert len(logged) == 3


def test_missing_listed_file_is_an_error(tmp_path):
    dataset = make(tmp_path, files=['gone.jpg'], pipeline=PIPELINE)
    with pytest.raises(FileNotFoundError) as raised:
        dataset[0]
    assert str(raised.value).endswith(f'image {tmp_path}/gone.jpg does not exist')


def test_jpeg_with_bytes_after_its_end_is_fine(picture):
    content = encode(picture)
    expected = decode_image(content)
    for tail in (b'\0' * 16, b'trailing notes of a camera'):
        np.testing.assert_array_equal(decode_image(content + tail), expected)


def test_one_pixel_image_is_a_constant_input(tmp_path):
    cv2.imwrite(str(tmp_path / 'dot.png'), np.full((1, 1, 3), (10, 20, 30), np.uint8))
    inputs = make(tmp_path, pipeline=PIPELINE)[0]['inputs']
    np.testing.assert_array_equal(inputs.amin((1, 2)), [10, 20, 30])
    np.testing.assert_array_equal(inputs.amax((1, 2)), [10, 20, 30])


@pytest.mark.parametrize(
    'name', ['two words.jpg', 'Zürich 東京 ☃.jpg', "it's #1 %s.jpg"]
)
def test_unusual_file_names(tmp_path, picture, name):
    (tmp_path / name).write_bytes(encode(picture))
    sample = make(tmp_path, pipeline=PIPELINE)[0]['data_samples']
    assert sample.img_path == str(tmp_path / name)


def test_empty_negative_and_undefined_boxes_are_left_out(tmp_path, picture, logged):
    for name in 'ab':
        (tmp_path / f'{name}.jpg').write_bytes(encode(picture))
    bad = [[0, 0, 0, 5], [0, 0, -3, 5], [float('nan'), 0, 5, 5]]
    boxes = {'a.jpg': [*bad, [1, 1, 5, 5]], 'b.jpg': bad[:1]}
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    dataset = make(tmp_path, bbox_file='boxes.json')
    assert len(dataset) == 1
    assert logged == [
        (
            30,
            f'{tmp_path}/boxes.json: 4 boxes that are empty, negative or not finite '
            'are left out, the first is a.jpg: [0, 0, 0, 5]',
        ),
        (
            30,
            f'{tmp_path}/boxes.json: 1 of 2 images have no box and are left out, the '
            'first is b.jpg',
        ),
    ]


@pytest.mark.parametrize(
    'text, message',
    [
        ('{', '{path} ends at line 1, column 2 in the middle of its content'),
        ('[]', 'box file {path} must hold a COCO-style dict or {{file name: boxes}}'),
        ('{"a.jpg": [[1, 2]]}', 'box file {path}: a.jpg has [1, 2] where [x, y, w, h]'),
        (
            '{"x.jpg": [[1, 2, 3, 4]]}',
            '{path} has no usable box for any of the 1 images',
        ),
    ],
)
def test_bad_box_files(tmp_path, picture, text, message):
    (tmp_path / 'a.jpg').write_bytes(encode(picture))
    (tmp_path / 'boxes.json').write_text(text)
    with pytest.raises(ValueError) as raised:
        make(tmp_path, bbox_file='boxes.json')
    assert str(raised.value).startswith(message.format(path=tmp_path / 'boxes.json'))


def test_find_corrupt_images_lists_all_of_them(tmp_path, picture, capsys):
    from importlib.util import module_from_spec, spec_from_file_location
    from pathlib import Path

    tool = Path(__file__).parents[2] / 'tools/misc/find_corrupt_images.py'
    spec = spec_from_file_location('find_corrupt_images', tool)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / 'sub').mkdir()
    (tmp_path / 'good.jpg').write_bytes(encode(picture))
    (tmp_path / 'sub' / 'half.jpg').write_bytes(encode(picture)[:200])
    (tmp_path / 'text.jpg').write_bytes(b'text')
    assert module.main([str(tmp_path)]) == 1
    output = capsys.readouterr()
    assert output.out.splitlines() == ['sub/half.jpg', 'text.jpg']
    assert output.err.splitlines()[-1] == '2 of 3 images are damaged'
    shutil.rmtree(tmp_path / 'sub')
    (tmp_path / 'text.jpg').unlink()
    assert module.main([str(tmp_path)]) == 0
