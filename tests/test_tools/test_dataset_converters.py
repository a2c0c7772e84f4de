"""Each converter on a tiny data set in the documented file format."""

import importlib.util
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from mmkp.datasets import LandmarkDataset, UnlabeledImageDataset
from mmkp.datasets.coco_writer import CocoWriter, write_atomically

CONVERTERS = Path(__file__).parents[2] / 'tools' / 'dataset_converters'


def run(name, *arguments):
    spec = importlib.util.spec_from_file_location(name, CONVERTERS / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if arguments:
        module.convert(module.parse_args([str(word) for word in arguments]))
    return module


def read(path):
    content = json.loads(path.read_text())
    points = [np.reshape(a['keypoints'], (-1, 3)) for a in content['annotations']]
    return content, np.array(points)


def paint(path, size=(40, 30), value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((size[1], size[0], 3), value, np.uint8))


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


# -- csv -----------------------------------------------------------------------------


def test_csv_with_a_list_of_fractions(tmp_path):
    paint(tmp_path / 'img' / 'a.png', (256, 256))
    table = tmp_path / 'train.csv'
    table.write_text('filename,keypoints\na.png,"[[0, 0.5], [1, 1]]"\n')
    run(
        *('landmark_csv_to_coco', table, '--images', tmp_path / 'img'),
        *('--file-column', 'filename', '--coordinates', 'fraction'),
        *('--out', tmp_path / 'out' / 'train.json'),
    )
    _, points = read(tmp_path / 'out' / 'train.json')
    np.testing.assert_allclose(points[0], [[0, 127.5, 2], [255, 255, 2]])


def test_csv_with_columns_and_missing_points(tmp_path):
    paint(tmp_path / 'img' / 'a.png')
    table = tmp_path / 'train.csv'
    table.write_text('file_name,x0,y0,x1,y1,x2,y2\na.png,1,2,-1,-1,3.5,\n')
    arguments = (table, '--images', tmp_path / 'img', '--missing', -1)
    out = tmp_path / 'out' / 'train.json'
    run('landmark_csv_to_coco', *arguments, '--out', out)
    _, points = read(out)
    np.testing.assert_allclose(points[0], [[1, 2, 2], [0, 0, 0], [0, 0, 0]])


@pytest.mark.parametrize(
    'text, error, message',
    [
        ('name,x0,y0\na.png,1,2\n', ValueError, 'has no column file_name .it has name'),
        ('file_name,x0\na.png,1\n', ValueError, 'has no column y0'),
        ('file_name,x0,y0\na.png,1,no\n', ValueError, "line 2: 'no' is no number"),
        ('file_name\na.png\n', ValueError, 'neither a column keypoints nor x0'),
        ('file_name,x0,y0\nb.png,1,2\n', FileNotFoundError, 'line 2: no image .*b.png'),
    ],
)
def test_csv_errors(tmp_path, text, error, message):
    paint(tmp_path / 'img' / 'a.png')
    (tmp_path / 't.csv').write_text(text)
    out = tmp_path / 'out.json'
    with pytest.raises(error, match=message):
        run(
            *('landmark_csv_to_coco', tmp_path / 't.csv', '--images', tmp_path / 'img'),
            *('--out', out),
        )
    assert not out.exists()


def convert_table(tmp_path, text, *options):
    """Convert a table of the images in `img`; the content and points (N, K, 3)."""
    (tmp_path / 't.csv').write_text(text)
    out = tmp_path / 'out' / 'o.json'
    run(
        *('landmark_csv_to_coco', tmp_path / 't.csv', '--images', tmp_path / 'img'),
        *('--out', out, *options),
    )
    return read(out)


def test_csv_of_photographs_on_their_side(tmp_path):
    """Sizes and fractions are those of the picture as viewers show it."""
    exif = Image.Exif()
    exif[0x112] = 6
    (tmp_path / 'img').mkdir()
    picture = Image.fromarray(np.zeros((60, 80, 3), np.uint8))
    picture.save(tmp_path / 'img' / 'phone.jpg', exif=exif)
    content, points = convert_table(tmp_path, 'file_name,x0,y0\nphone.jpg,10,70\n')
    image = content['images'][0]
    assert (image['width'], image['height']) == (60, 80)
    assert content['annotations'][0]['bbox'] == [0, 0, 60, 80]
    _, points = convert_table(
        tmp_path, 'file_name,x0,y0\nphone.jpg,1,1\n', '--coordinates', 'fraction'
    )
    np.testing.assert_array_equal(points[0, 0], [59, 79, 2])


def test_csv_with_several_objects_of_an_image(tmp_path):
    paint(tmp_path / 'img' / 'a.png')
    paint(tmp_path / 'img' / 'b.png')
    text = 'file_name,x0,y0,x1,y1\na.png,1,2,3,4\nb.png,1,2,3,4\na.png,10,20,14,20\n'
    with pytest.warns(UserWarning, match='1 rows name an image again'):
        content, points = convert_table(tmp_path, text, '--padding', 2)
    assert [i['file_name'] for i in content['images']] == ['a.png', 'b.png']
    assert [a['image_id'] for a in content['annotations']] == [1, 2, 1]
    assert [a['id'] for a in content['annotations']] == [1, 2, 3]
    # Twice as wide as the points; a line has the height of a pixel.
    assert content['annotations'][2]['bbox'] == [8, 19, 8, 2]
    dataset = LandmarkDataset(
        str(tmp_path / 'out' / 'o.json'), data_prefix=dict(img=str(tmp_path / 'img'))
    )
    assert len(dataset) == 3


def test_table_of_deeplabcut(tmp_path):
    paint(tmp_path / 'img' / 'labeled-data' / 'm' / '0.png')
    (tmp_path / 'config.yaml').write_text(
        'bodyparts: [nose, ear, tail]\nskeleton: [[nose, tail]]\n'
    )
    text = (
        'scorer,A,A,A,A,A,A\nbodyparts,nose,nose,ear,ear,tail,tail\n'
        'coords,x,y,x,y,x,y\nlabeled-data\\m\\0.png,1,2,,,3,4\n'
    )
    content, points = convert_table(
        tmp_path, text, '--project', tmp_path / 'config.yaml'
    )
    np.testing.assert_array_equal(points[0], [[1, 2, 2], [0, 0, 0], [3, 4, 2]])
    assert content['images'][0]['file_name'] == 'labeled-data/m/0.png'
    category = content['categories'][0]
    assert category['keypoints'] == ['nose', 'ear', 'tail']
    assert category['skeleton'] == [[1, 3]]


def test_suspicious_coordinates_are_told(tmp_path):
    paint(tmp_path / 'img' / 'a.png', (40, 30))
    with pytest.warns(UserWarning, match='line 2: 2 points lie outside of their image'):
        convert_table(tmp_path, 'file_name,x0,y0,x1,y1\na.png,40,3,-1,-1\n')
    with pytest.warns(UserWarning, match='give --coordinates fraction'):
        convert_table(tmp_path, 'file_name,x0,y0\na.png,.5,.25\n')


def test_names_that_would_be_one_image_are_refused(tmp_path):
    paint(tmp_path / 'img' / '1.png')
    text = 'file_name,x0,y0\nleft/1.png,1,2\nright/1.png,3,4\n'
    with pytest.raises(ValueError, match=r'line 3: right/1.png would be .* left/1.png'):
        convert_table(tmp_path, text)
    text = 'file_name,x0,y0\n1.png,1,2\n2.png,3,4\n3.png,3,4\n'
    with pytest.raises(
        FileNotFoundError, match=r'line 3: no image .*2.png \(and 1 more'
    ):
        convert_table(tmp_path, text)


def test_two_tables_have_to_be_of_the_same_landmarks(tmp_path):
    paint(tmp_path / 'img' / 'a.png')
    (tmp_path / 't.csv').write_text('file_name,x0,y0\na.png,1,2\n')
    (tmp_path / 'u.csv').write_text('file_name,x0,y0,x1,y1\na.png,1,2,3,4\n')
    with pytest.raises(
        ValueError, match='u.csv has the landmarks point_0, point_1, but'
    ):
        run(
            *('landmark_csv_to_coco', tmp_path / 't.csv', tmp_path / 'u.csv'),
            *('--images', tmp_path / 'img', '--out', tmp_path / 'o.json'),
        )


# -- writing -------------------------------------------------------------------------


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'a.json'
    write_atomically(path, b'old')

    def interrupt(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmkp.datasets.coco_writer.os.replace', interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert [entry.name for entry in tmp_path.iterdir()] == ['a.json']


def test_points_that_are_no_numbers_are_hidden(tmp_path):
    writer = CocoWriter('set', ['a', 'b'])
    writer.add('x.png', (9, 8), np.array([[1, 2], [np.nan, 3]]), [True, True])
    writer.write(tmp_path / 'a.json')
    content, points = read(tmp_path / 'a.json')
    np.testing.assert_array_equal(points, [[[1, 2, 2], [0, 0, 0]]])
    assert content['annotations'][0]['num_keypoints'] == 1
    with pytest.raises(
        ValueError, match=r'x.png: expected 2 points .x, y., got .3, 2.'
    ):
        writer.add('x.png', (9, 8), np.zeros((3, 2)))


def test_boxes_and_sizes_that_contradict_are_refused():
    writer = CocoWriter('set', ['a'])
    writer.add('x.png', (9, 8), np.array([[1, 2]]))
    with pytest.raises(ValueError, match='x.png is 8 x 9 pixels, but was 9 x 8 before'):
        writer.add('x.png', (8, 9), np.array([[1, 2]]))
    for box in ([0, 0, np.nan, 1], [0, 0, 0, 5]):
        with pytest.raises(ValueError, match='y.png: .* is no box x, y, w, h'):
            writer.add('y.png', (9, 8), np.array([[1, 2]]), bbox=box)
    assert len(writer) == len(writer.content['images']) == 1
