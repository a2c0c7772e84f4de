"""Converters of faces, CelebA and MAFL on tiny data sets in the documented formats."""

import cv2
import numpy as np
import pytest
from converter_runs import paint, read, run

from mmkp.datasets import LandmarkDataset, UnlabeledImageDataset

# -- faces ---------------------------------------------------------------------------


def face_points(center, eye_distance, angle=0.0, nose_offset=0.0):
    """Make 68 points of which the five of the protocol form a regular face."""
    turn = np.exp(1j * np.deg2rad(angle)) * eye_distance
    places = np.zeros(68, complex)
    places[36:42], places[42:48] = -0.5, 0.5
    places[27:36] = nose_offset + 0.6j
    places[48:60], places[60:68] = 1j, 1j
    places[48], places[54] = -0.4 + 1.05j, 0.4 + 1.05j
    points = complex(*center) + places * turn
    return np.stack([points.real, points.imag], -1).astype(np.float32)


@pytest.fixture
def faces(tmp_path):
    root = tmp_path / 'faces'
    settings = [
        dict(center=(80, 60), eye_distance=45),
        dict(center=(70, 70), eye_distance=40, angle=20),
        dict(center=(80, 60), eye_distance=45, nose_offset=0.4),
        dict(center=(90, 60), eye_distance=50, angle=-15),
    ]
    points = np.stack([face_points(**setting) for setting in settings])
    for index, landmarks in enumerate(points):
        image = np.zeros((160, 160, 3), np.uint8)
        for x, y in landmarks[[36, 42, 30, 48, 54]]:
            cv2.circle(image, (round(float(x)), round(float(y))), 3, (255,) * 3, -1)
        (root / 'images').mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / 'images' / f'{index}.png'), image)
    np.savez(
        root / 'landmarks.npz',
        filename=np.array([f'{index}.png' for index in range(4)]),
        points=points,
        person_id=np.array([1, 1, 2, 300], np.int32),
        split=np.array(['train', 'train', 'train', 'test']),
    )
    return root


def test_faces_as_they_are(faces, tmp_path):
    out = tmp_path / 'out'
    run('faces68_to_coco', faces, '--out', out)
    content, points = read(out / 'annotations' / 'train_5.json')
    assert [image['file_name'] for image in content['images']] == [
        '0.png',
        '1.png',
        '2.png',
    ]
    expected = [[57.5, 60], [102.5, 60], [80, 87], [62, 107.25], [98, 107.25]]
    np.testing.assert_allclose(points[0, :, :2], expected, atol=2e-3)
    source = (faces / 'images' / '1.png').read_bytes()
    assert (out / 'train' / '1.png').read_bytes() == source
    assert read(out / 'annotations' / 'test_68.json')[1].shape == (1, 68, 3)
    dataset = LandmarkDataset(
        'annotations/test_5.json', data_root=str(out), data_prefix=dict(img='test')
    )
    assert dataset.metainfo['flip_indices'] == [1, 0, 2, 4, 3]
    sample = dataset.get_data_info(0)
    np.testing.assert_array_equal(sample['bbox'], [[0, 0, 160, 160]])
    unlabeled = UnlabeledImageDataset(
        10, data_root=str(out), data_prefix=dict(img='train')
    )
    assert len(unlabeled) == 3


def test_faces_near_the_front(faces, tmp_path):
    run('faces68_to_coco', faces, '--near-frontal', '--out', tmp_path / 'out')
    content, _ = read(tmp_path / 'out' / 'annotations' / 'train_5.json')
    # The nose of the turned one is .6 sin(20 deg) = .21 eye distances to the side.
    names = [image['file_name'] for image in content['images']]
    assert names == ['0.png', '1.png']


def test_faces_aligned(faces, tmp_path):
    out = tmp_path / 'out'
    run('faces68_to_coco', faces, '--align', 'similarity', '--out', out, '--size', 96)
    content, points = read(out / 'annotations' / 'train_5.json')
    # The upright and the turned face have the same shape, so they land alike.
    np.testing.assert_allclose(points[0], points[1], atol=2e-3)
    left, right = points[0, 0, :2], points[0, 1, :2]
    np.testing.assert_allclose(left[1], right[1], atol=0.02)
    distance = (107.5 - 69.5) * 96 / 122
    np.testing.assert_allclose(right[0] - left[0], distance, rtol=0.05)
    for entry, triplets in zip(content['images'], points, strict=True):
        image = cv2.imread(str(out / 'train' / entry['file_name']))
        assert image.shape == (96, 96, 3)
        for x, y in triplets[:, :2]:
            assert image[round(y), round(x)].min() > 120
        assert image.mean() < 30


def test_faces68_fit_the_class_of_mmpose(faces, tmp_path):
    from mmpose.datasets.datasets import Face300WDataset

    run('faces68_to_coco', faces, '--points', 68, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out' / 'annotations' / 'train_5.json').exists()
    dataset = Face300WDataset(
        ann_file='annotations/train_68.json',
        data_root=str(tmp_path / 'out'),
        data_prefix=dict(img='train/'),
    )
    assert len(dataset) == 3
    sample = dataset.get_data_info(0)
    np.testing.assert_allclose(sample['bbox'], [[0, 0, 160, 160]])
    assert sample['keypoints'].shape == (1, 68, 2)


def test_similarity_is_recovered():
    module = run('faces68_to_coco')
    points = np.random.default_rng(0).normal(size=(7, 2))
    turn = np.array([[1.2, -0.5], [0.5, 1.2]])
    matrix = module.similarity(points, points @ turn.T + [3, -4])
    np.testing.assert_allclose(matrix, np.c_[turn, [3, -4]], atol=1e-12)


def test_faces_errors(faces, tmp_path):
    with pytest.raises(FileNotFoundError, match='landmarks.npz does not exist; give'):
        run('faces68_to_coco', tmp_path, '--out', tmp_path / 'out')
    (faces / 'images' / '2.png').unlink()
    with pytest.raises(
        FileNotFoundError, match='2.png of landmarks.npz does not exist'
    ):
        run('faces68_to_coco', faces, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out' / 'annotations').exists()
    with np.load(faces / 'landmarks.npz') as table:
        content = dict(table)
    content['person_id'][3] = 1
    np.savez(faces / 'landmarks.npz', **content)
    with pytest.raises(ValueError, match='people {.*1.*} are in both splits'):
        run('faces68_to_coco', faces, '--out', tmp_path / 'out')


def test_golden_faces_of_the_provided_data(data_dir):
    """The mean-pose baseline known for these crops comes out of the five points."""
    module = run('faces68_to_coco')
    table = module.load_landmarks(data_dir / 'faces')
    five = module.five_points(table['points'].astype(np.float64))
    train, test = (five[table['split'] == split] for split in ('train', 'test'))
    assert (len(train), len(test)) == (3667, 359)
    errors = np.linalg.norm(test - train.mean(0), axis=-1).mean(1)
    eyes = np.linalg.norm(test[:, 0] - test[:, 1], axis=-1)
    assert (errors / eyes).mean() == pytest.approx(0.316, abs=0.001)
    assert module.is_near_frontal(train).sum() == 2853


# -- CelebA and MAFL -----------------------------------------------------------------


@pytest.fixture
def celeba(tmp_path):
    root = tmp_path / 'celeba'
    names = [f'{index:06d}.jpg' for index in range(1, 7)]
    for folder in ('Img/img_celeba', 'Img/img_align_celeba'):
        for name in names:
            paint(root / folder / name, (100, 80))
    header = '6\nlefteye_x lefteye_y righteye_x righteye_y nose_x nose_y ...\n'
    rows = [
        f'{name} ' + ' '.join(str(10 * i + j) for j in range(10))
        for i, name in enumerate(names)
    ]
    anno = root / 'Anno'
    anno.mkdir()
    for name in ('list_landmarks_celeba.txt', 'list_landmarks_align_celeba.txt'):
        (anno / name).write_text(header + '\n'.join(rows) + '\n')
    # 30 % of 100 x 80 pixels are 2,400: the 2nd and the 5th face are too small.
    sides = [(50, 48), (50, 47), (90, 70), (60, 60), (10, 10), (80, 80)]
    boxes = [f'{n} 5 5 {w} {h}' for n, (w, h) in zip(names, sides, strict=True)]
    text = '6\nimage_id x_1 y_1 width height\n' + '\n'.join(boxes)
    (anno / 'list_bbox_celeba.txt').write_text(text)
    (root / 'Eval').mkdir()
    splits = zip(names, [0, 0, 0, 0, 0, 1], strict=True)
    text = '\n'.join(f'{name} {part}' for name, part in splits)
    (root / 'Eval' / 'list_eval_partition.txt').write_text(text)
    (root / 'MAFL').mkdir()
    (root / 'MAFL' / 'training.txt').write_text('\n'.join(names[2:3]))
    (root / 'MAFL' / 'testing.txt').write_text('\n'.join(names[3:5]))
    return root


@pytest.mark.parametrize(
    'arguments, train, tested',
    [
        (('--variant', 'wild'), (1, 3), (4,)),
        (('--variant', 'wild', '--exclude', 'mafl'), (1,), (4,)),
        (('--variant', 'aligned'), (1, 2, 3), (4, 5)),
    ],
)
def test_celeba(celeba, tmp_path, arguments, train, tested):
    out = tmp_path / 'out'
    run('celeba_to_coco', celeba, '--out', out, *arguments)
    listed = (out / 'train.txt').read_text().split()
    assert [int(name[:6]) for name in listed] == list(train)
    content, points = read(out / 'mafl_test.json')
    assert [int(i['file_name'][:6]) for i in content['images']] == list(tested)
    expected = np.arange(30, 40).reshape(5, 2)
    np.testing.assert_array_equal(points[0, :, :2], expected)
    assert content['annotations'][0]['bbox'] == [0, 0, 100, 80]
    folder = 'img_celeba' if 'wild' in arguments else 'img_align_celeba'
    dataset = UnlabeledImageDataset(
        8,
        data_root=str(celeba / 'Img'),
        data_prefix=dict(img=folder),
        files=str(out / 'train.txt'),
    )
    assert len(dataset) == len(train)


def test_celeba_errors(celeba, tmp_path):
    (celeba / 'Anno' / 'list_bbox_celeba.txt').write_text('1\nheader\na.jpg 1 2\n')
    with pytest.raises(
        ValueError, match='line 3: 2 numbers after the file name, 4 are'
    ):
        run('celeba_to_coco', celeba, '--out', tmp_path / 'out')
    (celeba / 'MAFL' / 'testing.txt').unlink()
    with pytest.raises(FileNotFoundError, match='testing.txt is not in .*celeba or'):
        run('celeba_to_coco', celeba, '--out', tmp_path / 'out')
    assert not (tmp_path / 'out').exists()
