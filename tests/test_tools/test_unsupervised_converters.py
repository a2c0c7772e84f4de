"""Converters of digits and cat heads on tiny data sets in the documented formats."""

import gzip
import json
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from converter_runs import run
from mmengine.config import Config

from mmkp.datasets import LandmarkDataset, UnlabeledImageDataset

ROOT = Path(__file__).parents[2]


# -- digits --------------------------------------------------------------------------


def idx(array):
    magic = bytes((0, 0, 8, array.ndim))
    return magic + struct.pack(f'>{array.ndim}I', *array.shape) + array.tobytes()


@pytest.fixture
def digits(tmp_path):
    root = tmp_path / 'mnist'
    root.mkdir()
    generator = np.random.default_rng(0)
    arrays = {}
    for stem, count in (('train', 6), ('t10k', 3)):
        images = generator.integers(0, 256, (count, 28, 20), np.uint8)
        arrays[stem] = images
        labels = np.arange(count, dtype=np.uint8) % 3
        packed = gzip.compress(idx(images))
        (root / f'{stem}-images-idx3-ubyte.gz').write_bytes(packed)
        (root / f'{stem}-labels-idx1-ubyte').write_bytes(idx(labels))
    return root, arrays


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_digits_become_the_same_pictures(digits, tmp_path):
    root, arrays = digits
    out = tmp_path / 'out'
    run('idx_to_images', root, '--out', out)
    for split, stem in (('train', 'train'), ('test', 't10k')):
        files = sorted((out / split).iterdir())
        assert [p.name for p in files] == [
            f'{index:06d}.png' for index in range(len(arrays[stem]))
        ]
        read = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in files]
        np.testing.assert_array_equal(np.stack(read), arrays[stem])
    assert len(UnlabeledImageDataset(4, data_root=str(out / 'train'))) == 6


def test_some_classes_and_a_limit(digits, tmp_path):
    root, _ = digits
    out = tmp_path / 'out'
    run('idx_to_images', root, '--out', out, '--classes', 1, 2, '--limit', 3)
    assert names_in(out / 'train') == ['000001.png', '000002.png', '000004.png']
    assert names_in(out / 'test') == ['000001.png', '000002.png']


def test_a_repeated_conversion_writes_what_is_missing_or_damaged(
    digits, tmp_path, capsys
):
    root, _ = digits
    out = tmp_path / 'out'
    run('idx_to_images', root, '--out', out)
    kept = (out / 'train' / '000000.png').stat().st_mtime_ns
    whole = (out / 'train' / '000002.png').read_bytes()
    (out / 'train' / '000001.png').unlink()
    (out / 'train' / '000002.png').write_bytes(whole[:40])
    capsys.readouterr()
    run('idx_to_images', root, '--out', out)
    assert 'train: 6 of 6 images, 2 of them new' in capsys.readouterr().out
    assert (out / 'train' / '000002.png').read_bytes() == whole
    assert (out / 'train' / '000000.png').stat().st_mtime_ns == kept
    # Fewer images than there are would leave others to be trained on.
    with pytest.raises(ValueError, match='holds 4 images that this would not write'):
        run('idx_to_images', root, '--out', out, '--limit', 2)


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (lambda b: b[:-1], '6 x 28 x 20 bytes but holds 3359; get it again'),
        (lambda b: b + b'0', '6 x 28 x 20 bytes but holds 3361'),
        (lambda b: b[:9], 'ends within its header, after 9 bytes'),
        (lambda b: b'\x00\x00\x0d' + b[3:], 'begins with 00000d03, .* 00000803'),
        (lambda b: b'\x00\x00\x08\x01' + b[4:], 'begins with 00000801'),
        (lambda b: idx(np.zeros((0, 28, 28), np.uint8)), 'is empty: 0 x 28 x 28'),
    ],
)
def test_a_damaged_idx_file_is_named(digits, tmp_path, damage, message):
    root, arrays = digits
    packed = root / 'train-images-idx3-ubyte.gz'
    packed.unlink()
    content = damage(idx(arrays['train']))
    (root / 'train-images-idx3-ubyte').write_bytes(content)
    with pytest.raises(ValueError, match=f'train-images-idx3-ubyte.*{message}'):
        run('idx_to_images', root, '--out', tmp_path / 'out')
    # The same when it comes packed.
    (root / 'train-images-idx3-ubyte').unlink()
    packed.write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=message):
        run('idx_to_images', root, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_other_errors_of_digits(digits, tmp_path):
    root, _ = digits
    with pytest.raises(ValueError, match=r'no image of --classes \[7\], only \[0, 1, '):
        run('idx_to_images', root, '--out', tmp_path / 'out', '--classes', 7)
    packed = root / 'train-images-idx3-ubyte.gz'
    whole = packed.read_bytes()
    for damaged in (whole[:-30], b'no gzip', whole[:40] + b'\xff' * 90 + whole[130:]):
        packed.write_bytes(damaged)
        with pytest.raises(ValueError, match='cannot be unpacked: .*; get it again'):
            run('idx_to_images', root, '--out', tmp_path / 'out')
    packed.write_bytes(whole)
    labels = root / 't10k-labels-idx1-ubyte'
    labels.write_bytes(idx(np.zeros(2, np.uint8)))
    with pytest.raises(ValueError, match='has 2 labels for 3 images'):
        run('idx_to_images', root, '--out', tmp_path / 'out', '--classes', 0)
    packed.unlink()
    with pytest.raises(FileNotFoundError, match='neither train-images.*; give the fol'):
        run('idx_to_images', root, '--out', tmp_path / 'out')


# -- cat heads -----------------------------------------------------------------------

HEAD = np.array(
    [
        *([60, 80], [100, 80], [80, 110]),
        *([40, 70], [45, 30], [65, 55]),
        *([95, 55], [115, 32], [120, 72]),
    ]
)


@pytest.fixture
def cats(tmp_path):
    root = tmp_path / 'cats'
    for index, folder in enumerate(('CAT_00', 'CAT_00', 'CAT_01', 'CAT_06')):
        (root / folder).mkdir(parents=True, exist_ok=True)
        points = HEAD + [index, 0]
        image = np.zeros((150, 160, 3), np.uint8)
        for x, y in points.tolist():
            cv2.circle(image, (x, y), 2, (255, 255, 255), -1)
        name = f'{index:08d}_000.jpg'
        cv2.imwrite(str(root / folder / name), image)
        numbers = [9, *points.ravel().tolist()]
        text = ' '.join(map(str, numbers)) + ' '
        (root / folder / f'{name}.cat').write_text(text)
    return root


def content_of(path):
    content = json.loads(path.read_text())
    points = [np.reshape(a['keypoints'], (-1, 3)) for a in content['annotations']]
    return content, np.array(points)


def test_cat_heads(cats, tmp_path):
    out = tmp_path / 'out'
    run('cat_heads_to_coco', cats, '--out', out)
    content, points = content_of(out / 'train.json')
    assert [image['file_name'] for image in content['images']] == [
        'CAT_00/00000000_000.jpg',
        'CAT_00/00000001_000.jpg',
        'CAT_01/00000002_000.jpg',
    ]
    np.testing.assert_array_equal(points[1, :, :2], HEAD + [1, 0])
    assert (points[..., 2] == 2).all()
    # 80 pixels high and wide around (80, 70), times 1.6.
    box = content['annotations'][0]['bbox']
    np.testing.assert_allclose(box, [80.5 - 64, 70.5 - 64, 128, 128])
    assert len(content_of(out / 'test.json')[0]['images']) == 1
    run('cat_heads_to_coco', cats, '--out', out, '--box', 'image')
    content, _ = content_of(out / 'test.json')
    assert content['annotations'][0]['bbox'] == [0, 0, 160, 150]


@pytest.mark.parametrize('box', ['head', 'image'])
@pytest.mark.parametrize(
    'config',
    [
        'factorized_spatial_embedding/cats/fse_cats-128x128.py',
        'lmdis/cats/lmdis_cats-80x80.py',
    ],
)
def test_configs_read_the_converted_cats(cats, tmp_path, config, box):
    out = tmp_path / 'out'
    run('cat_heads_to_coco', cats, '--out', out, '--box', box)
    settings = Config.fromfile(ROOT / 'configs/unsupervised_2d_keypoint' / config)
    pipeline = settings.train_dataloader.dataset.pipeline
    places = dict(data_prefix=dict(img=str(cats)), pipeline=pipeline)
    unlabeled = UnlabeledImageDataset(4, bbox_file=str(out / 'train.json'), **places)
    scored = LandmarkDataset(str(out / 'test.json'), test_mode=True, **places)
    assert (len(unlabeled), len(scored)) == (3, 1)
    # What is left out of the nine points are the tips of the ears.
    names = list(scored.metainfo['keypoint_name2id'])
    groups = settings.val_evaluator.keypoint_groups
    assert set(range(9)) - set(groups) == {
        names.index('left_ear_tip'),
        names.index('right_ear_tip'),
    }
    sample = scored[0]
    picture = sample['inputs'][0].numpy()
    found = sample['data_samples'].gt_instances.keypoints[0]
    np.testing.assert_allclose(found, HEAD + [3, 0])
    meta = sample['data_samples'].metainfo
    ratio = meta['input_scale'] / np.array(meta['input_size'])
    origin = meta['input_center'] - meta['input_scale'] / 2
    inside = (found - origin) / ratio
    eye = inside[0].round().astype(int)
    assert picture[eye[1], eye[0]] > 150
    assert picture.mean() < 30


def test_a_list_names_the_cats_of_the_test(cats, tmp_path):
    listed = tmp_path / 'test.txt'
    listed.write_text('CAT_00/00000001_000.jpg\nCAT_01/00000002_000.jpg\n')
    out = tmp_path / 'out'
    run('cat_heads_to_coco', cats, '--out', out, '--test-list', listed)
    assert [i['id'] for i in content_of(out / 'test.json')[0]['images']] == [1, 2]
    listed.write_text('CAT_00/00000009_000.jpg\n')
    with pytest.raises(ValueError, match='names 1 pictures that are not below'):
        run('cat_heads_to_coco', cats, '--out', out, '--test-list', listed)
    with pytest.raises(FileNotFoundError, match=r'other.txt does not exist'):
        other = tmp_path / 'other.txt'
        run('cat_heads_to_coco', cats, '--out', out, '--test-list', other)
    with pytest.raises(ValueError, match=r"no picture in \['CAT_09'\]: change"):
        run('cat_heads_to_coco', cats, '--out', out, '--test-folders', 'CAT_09')


def test_pictures_and_points_without_one_another_are_told_of(cats, tmp_path, capsys):
    (cats / 'CAT_00' / '00000001_000.jpg').unlink()
    (cats / 'CAT_01' / '00000002_000.jpg.cat').unlink()
    run('cat_heads_to_coco', cats, '--out', tmp_path / 'out')
    told = capsys.readouterr().out
    assert '1 pictures without a .cat file are left out' in told
    assert '1 .cat files without their picture are left out' in told
    assert 'train: 1 cats' in told


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('8 ' + '1 2 ' * 8, r'holds 17 numbers that begin with \[8.0\], a 9 and'),
        ('9 ' + '1 2 ' * 8 + '3', 'holds 18 numbers'),
        ('', 'is empty'),
        ('9 ' + '1 x ' * 9, 'cannot be read: could not convert'),
        ('9 ' + '1 nan ' * 9, 'holds a number that is not finite'),
        ('9 ' + '1 2 ' * 9, 'all nine points are at one place'),
    ],
)
def test_damaged_cats_are_named(cats, tmp_path, text, message):
    (cats / 'CAT_01' / '00000002_000.jpg.cat').write_text(text)
    with pytest.raises(ValueError, match=f'00000002_000.jpg.cat.*{message}'):
        run('cat_heads_to_coco', cats, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
    with pytest.raises(FileNotFoundError, match=r'no \*.jpg with its \*.jpg.cat is in'):
        run('cat_heads_to_coco', tmp_path / 'nowhere')
