"""Converters of action strips, CUB and Human3.6M on tiny sets in documented formats."""

import cv2
import numpy as np
import pytest
from converter_runs import paint, read, run
from scipy.io import savemat

from mmkp.datasets import LandmarkDataset, UnlabeledImageDataset

# -- action strips -------------------------------------------------------------------


def test_strips_become_frames(tmp_path):
    colors = [(i * 40, 200 - i * 30, 90) for i in range(5)]
    strip = np.concatenate([np.full((16, 16, 3), c, np.uint8) for c in colors], 1)
    for split in ('train', 'test'):
        (tmp_path / split).mkdir()
        cv2.imwrite(str(tmp_path / split / 'clip.jpg'), strip)
    module = run('action_strips_to_frames')
    module.convert(tmp_path, tmp_path / 'out', ['train', 'test'])
    frames = sorted((tmp_path / 'out' / 'train' / 'clip').iterdir())
    assert [frame.name for frame in frames] == [f'{i:04d}.png' for i in range(5)]
    decoded = cv2.imread(str(tmp_path / 'train' / 'clip.jpg'))
    third = cv2.imread(str(frames[2]))
    np.testing.assert_array_equal(third, decoded[:, 32:48])
    dataset = UnlabeledImageDataset(4, data_root=str(tmp_path / 'out' / 'test'))
    assert len(dataset) == 5


def test_strips_of_another_shape_are_refused(tmp_path):
    module = run('action_strips_to_frames')
    with pytest.raises(FileNotFoundError, match=r'no \*.jpg strip in .*train'):
        module.convert(tmp_path, tmp_path / 'out', ['train'])
    paint(tmp_path / 'train' / 'odd.jpg', (40, 16))
    with pytest.raises(
        ValueError, match='odd.jpg is 40 x 16: its width is no multiple'
    ):
        module.convert(tmp_path, tmp_path / 'out', ['train'])


# -- CUB -----------------------------------------------------------------------------


@pytest.fixture
def cub(tmp_path):
    images = np.zeros(
        (2,), [(k, object) for k in ('rel_path', 'parts', 'bbox', 'width', 'height')]
    )
    for index, folder in enumerate(('001.Albatross', '017.Cardinal')):
        parts = np.stack([np.arange(1, 16), np.arange(21, 36), np.ones(15)])
        parts[:, 3] = 0
        images[index] = (
            f'{folder}/bird.jpg',
            parts,
            dict(x1=11.0, y1=21.0, x2=60.0, y2=80.0),
            100.0,
            90.0,
        )
    savemat(tmp_path / 'train_cub_cleaned.mat', dict(images=images))
    return tmp_path


def test_cub(cub, tmp_path):
    out = tmp_path / 'out'
    run('cub_to_coco', cub, '--splits', 'train', '--classes', 1, '--out', out)
    content, points = read(out / 'train.json')
    assert [image['file_name'] for image in content['images']] == [
        '001.Albatross/bird.jpg'
    ]
    np.testing.assert_array_equal(points[0, 0], [0, 20, 2])
    np.testing.assert_array_equal(points[0, 3], [0, 0, 0])
    assert content['annotations'][0]['num_keypoints'] == 14
    assert content['annotations'][0]['bbox'] == [10, 20, 50, 60]
    run('cub_to_coco', cub, '--splits', 'train', '--out', out)
    paint(cub / 'images' / '017.Cardinal' / 'bird.jpg', (100, 90))
    dataset = UnlabeledImageDataset(
        4, data_root=str(cub / 'images'), bbox_file=str(out / 'train.json')
    )
    sample = dataset.get_data_info(0)
    np.testing.assert_array_equal(sample['bbox'], [[10, 20, 60, 80]])
    dataset = LandmarkDataset(str(out / 'train.json'))
    assert dataset.metainfo['flip_indices'][6] == 10


def test_cub_errors(cub, tmp_path):
    with pytest.raises(FileNotFoundError, match='val_cub_cleaned.mat does not exist'):
        run('cub_to_coco', cub, '--splits', 'val', '--out', tmp_path / 'out')
    with pytest.raises(ValueError, match='no image to write into .*train.json'):
        run(
            *('cub_to_coco', cub, '--splits', 'train', '--classes', 5),
            *('--out', tmp_path / 'out'),
        )
    savemat(cub / 'val_cub_cleaned.mat', dict(other=1))
    with pytest.raises(ValueError, match='val_cub_cleaned.mat has no variable'):
        run('cub_to_coco', cub, '--splits', 'val', '--out', tmp_path / 'out')


# -- Human3.6M -----------------------------------------------------------------------


@pytest.fixture
def human36m(tmp_path):
    root = tmp_path / 'h36m'
    for subject in (1, 5, 6, 7, 8, 9, 11):
        folder = root / f'S{subject}'
        (folder / 'Landmarks').mkdir(parents=True)
        for name in ('Posing_1', 'Eating_2'):
            paint(folder / 'WithBackground' / f'{name}.jpg', (64, 64), 200)
            mask = np.zeros((64, 64), np.uint8)
            mask[16:48] = 255
            (folder / 'BackgroudMask').mkdir(exist_ok=True)
            cv2.imwrite(str(folder / 'BackgroudMask' / f'{name}.png'), mask)
            joints = np.linspace(0, 1, 64).reshape(32, 2)
            savemat(folder / 'Landmarks' / f'{name}.mat', dict(keypoints_2d=joints))
    return root


def test_human36m(human36m, tmp_path):
    out = tmp_path / 'out'
    run('human36m_simplified_to_coco', human36m, '--out', out)
    content, points = read(out / 'train.json')
    assert len(content['images']) == 6
    assert content['images'][0]['file_name'] == 'S1/WithBackground/Posing_1.jpg'
    np.testing.assert_allclose(points[0, 1, :2], [2 / 63 * 64, 3 / 63 * 64], atol=1e-3)
    assert len(read(out / 'test.json')[0]['images']) == 1


def test_human36m_without_background(human36m, tmp_path):
    out = tmp_path / 'out'
    arguments = ('--remove-background', '--out', out)
    run('human36m_simplified_to_coco', human36m, *arguments)
    content, _ = read(out / 'test.json')
    image = cv2.imread(str(out / 'images' / content['images'][0]['file_name']))
    assert image[:16].max() == image[48:].max() == 0
    assert image[16:48].min() > 190


def test_human36m_errors(human36m, tmp_path):
    savemat(human36m / 'S5' / 'Landmarks' / 'Posing_1.mat', dict(x=np.zeros((17, 2))))
    with pytest.raises(ValueError, match='Posing_1.mat has 0 arrays of 32 x 2'):
        run('human36m_simplified_to_coco', human36m, '--out', tmp_path / 'out')
    (human36m / 'S1' / 'WithBackground' / 'Posing_1.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'WithBackground has no file Posing_1'):
        run('human36m_simplified_to_coco', human36m, '--out', tmp_path / 'out')
