"""LSP, LSP Extended and FLIC in their official layouts, and faces for 300-W's class."""

import numpy as np
import pytest
from converter_runs import paint, read, run
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets import Face300WDataset
from mmpose.registry import METRICS
from scipy.io import savemat
from test_face_converters import face_points

from mmkp.datasets import FlicDataset, LspDataset
from mmkp.datasets.coco_writer import points_box
from mmkp.datasets.flic_dataset import FLIC_JOINTS
from mmkp.datasets.lsp_dataset import LSP_JOINTS

SHORT = [name.replace('right', 'r').replace('left', 'l') for name in LSP_JOINTS]


# -- Leeds Sports Pose ---------------------------------------------------------------


def lsp_joints(count):
    """Make joints (N, 14, 2) counted from 0, inside of 40 x 30."""
    return np.random.default_rng(0).uniform(3, 27, (count, 14, 2))


@pytest.fixture
def crops(tmp_path):
    root = tmp_path / 'crops'
    for index in range(3):
        paint(root / 'images' / f'{index}.jpg', size=(40, 30))
    joints = lsp_joints(3).astype(np.float32)
    joints[0, 4], joints[1, 5] = np.nan, (39.6, 10)
    table = dict(
        filename=np.array(['0.jpg', '1.jpg', '2.jpg']),
        joints=joints,
        joint_names=np.array(SHORT),
        split=np.array(['train', 'train', 'test']),
    )
    np.savez(root / 'joints.npz', **table)
    return root, table


def official(root, joints, flags, extended):
    """Write joints.mat and the pictures; joints (N, 14, 2) are counted from 0."""
    content = np.concatenate([joints + 1, flags[..., None]], axis=2)
    order = (1, 2, 0) if extended else (2, 1, 0)
    root.mkdir()
    savemat(root / 'joints.mat', dict(joints=content.transpose(order)))
    for index in range(len(joints)):
        paint(root / 'images' / f'im{index + 1:05d}.jpg', size=(40, 30))
    return root


def test_crops(crops, tmp_path):
    (root, table), out = crops, tmp_path / 'out'
    run('lsp_to_coco', root, '--out', out)
    content, points = read(out / 'annotations' / 'train.json')
    assert content['categories'][0]['keypoints'] == list(LSP_JOINTS)
    np.testing.assert_allclose(points[0, :4, :2], table['joints'][0, :4], atol=1e-3)
    # One has no position, the other lies beyond the last pixel.
    assert (points[..., 2] == 0).sum() == 2
    assert points[0, 4, 2] == points[1, 5, 2] == 0
    source = (root / 'images' / '1.jpg').read_bytes()
    assert (out / 'images' / '1.jpg').read_bytes() == source
    dataset = LspDataset(
        'annotations/test.json', data_root=str(out), data_prefix=dict(img='images')
    )
    assert len(dataset) == 1
    np.testing.assert_array_equal(dataset.get_data_info(0)['bbox'], [[0, 0, 40, 30]])


def test_crops_may_be_annotated_in_place(crops):
    root, _ = crops
    before = (root / 'images' / '0.jpg').stat()
    run('lsp_to_coco', root, '--out', root)
    assert read(root / 'annotations' / 'test.json')[1].shape == (1, 14, 3)
    assert (root / 'images' / '0.jpg').stat() == before


def test_official_lsp_is_half_training_half_test(tmp_path):
    joints = lsp_joints(4)
    flags = np.zeros((4, 14))
    flags[:, 3] = 1
    root = official(tmp_path / 'lsp', joints, flags, extended=False)
    run('lsp_to_coco', root, '--box', 'tight', '--padding', 2, '--out', tmp_path / 'o')
    for split, part in (('train', joints[:2]), ('test', joints[2:])):
        content, points = read(tmp_path / 'o' / 'annotations' / f'{split}.json')
        np.testing.assert_allclose(points[..., :2], part, atol=1e-3)
        # The third row tells of occlusion, not of a missing position.
        assert (points[..., 2] == 2).all()
        x, y, width, height = content['annotations'][0]['bbox']
        sides = np.ptp(part[0], axis=0)
        np.testing.assert_allclose([width, height], 2 * sides)
        middle = (part[0].min(0) + part[0].max(0)) / 2
        np.testing.assert_allclose([x + width / 2, y + height / 2], middle)


def test_official_lsp_extended_only_trains(tmp_path):
    joints, flags = lsp_joints(3), np.ones((3, 14))
    flags[1, 6] = 0
    root = official(tmp_path / 'lspet', joints, flags, extended=True)
    run('lsp_to_coco', root, '--out', tmp_path / 'out')
    _, points = read(tmp_path / 'out' / 'annotations' / 'train.json')
    assert (points[..., 2] == 2).sum() == 3 * 14 - 1 and points[1, 6, 2] == 0
    np.testing.assert_allclose(points[2, :, :2], joints[2], atol=1e-3)
    assert not (tmp_path / 'out' / 'annotations' / 'test.json').exists()


def test_lsp_errors(crops, tmp_path):
    root, table = crops
    with pytest.raises(FileNotFoundError, match=r'neither joints.npz nor joints.mat'):
        run('lsp_to_coco', tmp_path, '--out', tmp_path / 'out')
    (root / 'images' / '1.jpg').write_bytes(b'none')
    with pytest.raises(ValueError, match='1.jpg is not an image that can be decoded'):
        run('lsp_to_coco', root, '--out', tmp_path / 'out')
    (root / 'images' / '1.jpg').unlink()
    with pytest.raises(FileNotFoundError, match='1.jpg does not exist'):
        run('lsp_to_coco', root, '--out', tmp_path / 'out')
    for change, message in (
        (dict(joints=table['joints'][:, :13]), r'joints are \(3, 13, 2\)'),
        (dict(joint_names=np.array(SHORT[::-1])), 'joint_names are'),
    ):
        np.savez(root / 'joints.npz', **{**table, **change})
        with pytest.raises(ValueError, match=message):
            run('lsp_to_coco', root, '--out', tmp_path / 'out')
    np.savez(root / 'joints.npz', joints=table['joints'])
    with pytest.raises(ValueError, match='joints.npz lacks filename, split'):
        run('lsp_to_coco', root, '--out', tmp_path / 'out')
    with pytest.raises(SystemExit):
        run('lsp_to_coco', root, '--padding', 0.5)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (dict(joints=np.zeros((3, 13, 4))), r'"joints" is \(3, 13, 4\); \(3, 14, N\)'),
        (dict(joints=np.zeros((14, 2, 4))), r'\(14, 2, 4\), with 3 numbers'),
        (dict(points=np.zeros(3)), 'no variable "joints", only .*points'),
        (dict(joints=np.zeros((3, 14, 4))), r'has 2 pictures im\*.jpg, .* has 4'),
        (b'\x00' * 400, 'is no .mat file of version'),
    ],
)
def test_official_lsp_errors(tmp_path, content, message):
    root = official(tmp_path / 'lsp', lsp_joints(2), np.ones((2, 14)), extended=False)
    if isinstance(content, bytes):
        (root / 'joints.mat').write_bytes(content)
    else:
        savemat(root / 'joints.mat', content)
    with pytest.raises(ValueError, match=message):
        run('lsp_to_coco', root, '--out', tmp_path / 'out')


def test_golden_crops_of_the_provided_data(data_dir, tmp_path):
    """Each crop is 1.35 boxes of its joints, as the tight box has it."""
    module = run('lsp_to_coco')
    table = module.load_table(data_dir / 'lspet')
    assert (table.split == 'train').sum() == 1500 and len(table.split) == 1900
    assert table.labeled.all()
    boxes = np.array([points_box(points, 1.35) for points in table.joints])
    np.testing.assert_allclose(boxes[:, 2:].max(1), 192, rtol=1e-4)
    np.testing.assert_allclose(boxes[:, :2] + boxes[:, 2:] / 2, 96, atol=1e-3)


# -- FLIC ----------------------------------------------------------------------------


def flic_example(name, split, torso=(41, 11, 60, 30), **fields):
    coords = np.full((2, 29), np.nan)
    columns = run('flic_to_coco').COLUMNS
    coords[:, columns] = [np.arange(11) + 2, np.arange(11) * 2 + 3]
    return dict(
        filepath=name,
        coords=coords,
        torsobox=np.array(torso, float),
        imgdims=np.array([60.0, 90.0, 3.0]),
        istrain=np.uint8(split == 'train'),
        istest=np.uint8(split == 'test'),
        **fields,
    )


def write_flic(root, examples):
    for example in examples:
        paint(root / 'images' / example['filepath'], size=(90, 60))
    records = np.zeros(len(examples), [(key, object) for key in examples[0]])
    for index, example in enumerate(examples):
        for key, value in example.items():
            records[index][key] = value
    savemat(root / 'examples.mat', dict(examples=records))
    return root


@pytest.fixture
def flic(tmp_path):
    examples = [
        flic_example('a.jpg', 'train', isunchecked=0),
        flic_example('b.jpg', 'test', isunchecked=0),
        flic_example('c.jpg', 'train', isunchecked=1),
        flic_example('d.jpg', None, isunchecked=0),
    ]
    examples[1]['coords'][:, 5] = np.nan
    return write_flic(tmp_path / 'flic', examples)


def test_flic(flic, tmp_path):
    out = tmp_path / 'out'
    run('flic_to_coco', flic, '--out', out)
    content, points = read(out / 'annotations' / 'train.json')
    assert [image['file_name'] for image in content['images']] == ['a.jpg']
    expected = np.stack([np.arange(11) + 1, np.arange(11) * 2 + 2], 1)
    np.testing.assert_array_equal(points[0, :, :2], expected)
    # Pixels 41 to 60 counted from 1 lie between the edges 40 and 60.
    assert content['annotations'][0]['bbox'] == [50 - 30, 0, 60, 60]
    assert content['annotations'][0]['torso_box'] == [40, 10, 60, 30]
    assert (out / 'images' / 'a.jpg').is_file()
    assert not (out / 'images' / 'c.jpg').exists()
    _, points = read(out / 'annotations' / 'test.json')
    assert points[0, FLIC_JOINTS.index('right_wrist'), 2] == 0
    assert (points[..., 2] == 2).sum() == 10


def test_flic_crops_by_the_torso_may_leave_the_picture(flic, tmp_path):
    out = tmp_path / 'out'
    arguments = ('--box', 'torso', '--torso-factor', 5)
    run('flic_to_coco', flic, '--out', out, *arguments)
    dataset = FlicDataset(
        'annotations/train.json', data_root=str(out), data_prefix=dict(img='images')
    )
    np.testing.assert_array_equal(
        dataset.get_data_info(0)['bbox'], [[0, 20 - 50, 100, 20 + 50]]
    )


def test_flic_columns_are_arms_hips_eyes_and_nose():
    """The 17 parts in MODEC's order, of which 11 are annotated."""
    parts = (
        'lsho lelb lwri rsho relb rwri lhip lkne lank rhip rkne rank leye reye lear '
        'rear nose'
    ).split()
    long = dict(sho='shoulder', elb='elbow', wri='wrist', hip='hip', eye='eye')
    sides = dict(l='left', r='right')
    for column, joint in zip(run('flic_to_coco').COLUMNS, FLIC_JOINTS, strict=True):
        part = parts[column]
        name = part if part == 'nose' else f'{sides[part[0]]}_{long[part[1:]]}'
        assert name == joint


def test_flic_errors(flic, tmp_path):
    out = ('--out', tmp_path / 'out')
    with pytest.raises(FileNotFoundError, match=r'examples.mat does not exist; give'):
        run('flic_to_coco', tmp_path, *out)
    (flic / 'images' / 'b.jpg').unlink()
    with pytest.raises(FileNotFoundError, match=r'b.jpg does not exist'):
        run('flic_to_coco', flic, *out)
    short = flic_example('a.jpg', 'train')
    short['coords'] = short['coords'][:, :11]
    partial = flic_example('a.jpg', 'train')
    del partial['torsobox']
    for example, message in (
        (short, r'example 1 has coords and torsobox of \(2, 11\)'),
        (partial, 'example 1 lacks torsobox'),
        (flic_example('a.jpg', None), 'unchecked or of neither split'),
    ):
        write_flic(flic, [example])
        with pytest.raises(ValueError, match=message):
            run('flic_to_coco', flic, *out)
    savemat(flic / 'examples.mat', dict(other=1))
    with pytest.raises(ValueError, match='no variable "examples", only .*other'):
        run('flic_to_coco', flic, *out)
    (flic / 'examples.mat').write_bytes(b'\x00' * 400)
    with pytest.raises(ValueError, match='is no .mat file of version'):
        run('flic_to_coco', flic, *out)
    with pytest.raises(SystemExit):
        run('flic_to_coco', flic, '--torso-factor', 0)


# -- faces with 68 points ------------------------------------------------------------


@pytest.fixture
def faces(tmp_path):
    root = tmp_path / 'faces'
    for name in ('0.png', '1.png'):
        paint(root / 'images' / name, size=(160, 160))
    points = np.stack([face_points((80, 60), 45), face_points((70, 70), 40, 20)])
    np.savez(
        root / 'landmarks.npz',
        filename=np.array(['0.png', '1.png']),
        points=points,
        person_id=np.array([1, 300], np.int32),
        split=np.array(['train', 'test']),
    )
    return root, points


def face_dataset(out, split='train', **fields):
    init_default_scope('mmpose')
    return Face300WDataset(
        ann_file=f'annotations/{split}_68.json',
        data_root=str(out),
        data_prefix=dict(img=f'{split}/'),
        **fields,
    )


def test_tight_boxes_of_faces(faces, tmp_path):
    (root, points), out = faces, tmp_path / 'out'
    run('faces68_to_coco', root, '--box', 'tight', '--out', out)
    content, _ = read(out / 'annotations' / 'train_68.json')
    low, high = points[0].min(0), points[0].max(0)
    np.testing.assert_allclose(
        content['annotations'][0]['bbox'], [*low, *(high - low)], rtol=1e-6
    )
    # The class of 300-W takes a square around the middle.
    sample = face_dataset(out).get_data_info(0)
    half = (high - low).max() / 2
    middle = (low + high) / 2
    np.testing.assert_allclose(sample['bbox'], [[*(middle - half), *(middle + half)]])
    # The five points of the same face have the same box.
    five, _ = read(out / 'annotations' / 'train_5.json')
    assert five['annotations'][0]['bbox'] == content['annotations'][0]['bbox']


def test_a_mirrored_face_is_a_face(faces, tmp_path):
    """The flip of an upright symmetric face moves each point to where its twin was."""
    (root, points), out = faces, tmp_path / 'out'
    run('faces68_to_coco', root, '--out', out)
    pipeline = [dict(type='LoadImage'), dict(type='RandomFlip', prob=1.0)]
    mirrored = face_dataset(out, pipeline=pipeline)[0]['keypoints'][0]
    # The face is symmetric about x = 80, its mirror image about 159 - 80.
    np.testing.assert_allclose(mirrored, points[0] - [1, 0], atol=1e-2)
    # Twins, in iBUG's order: jaw, brows, eyelids, mouth corners.
    flip = face_dataset(out).get_data_info(0)['flip_indices']
    pairs = {(0, 16), (17, 26), (36, 45), (37, 44), (39, 42), (41, 46), (48, 54)}
    assert all(flip[a] == b and flip[b] == a for a, b in pairs)
    assert [k for k in range(68) if flip[k] == k] == [8, 27, 28, 29, 30, 33, 51, 57] + [
        62,
        66,
    ]


def test_error_in_distances_of_the_eyes(faces, tmp_path):
    root, points = faces
    run('faces68_to_coco', root, '--out', tmp_path / 'out')
    dataset = face_dataset(tmp_path / 'out')
    metric = METRICS.build(
        dict(type='NME', norm_mode='keypoint_distance', keypoint_indices=[36, 45])
    )
    metric.dataset_meta = dataset.metainfo
    sample = dataset.get_data_info(0)
    truth, shown = sample['keypoints'], sample['keypoints_visible']
    metric.process(
        [],
        [
            dict(
                pred_instances=dict(keypoints=truth + [3.0, 4.0]),
                gt_instances=dict(keypoints=truth, keypoints_visible=shown),
            )
        ],
    )
    assert metric.evaluate(1)['NME'] == pytest.approx(5 / 45, rel=1e-5)


def test_golden_faces_may_be_trained_on_with_68_points(data_dir, tmp_path):
    """Points of real faces lie where the order of iBUG has them, also mirrored."""
    table = run('faces68_to_coco').load_landmarks(data_dir / 'faces')
    chosen = [0, 100, 200, 4000]
    small = {key: value[chosen] for key, value in table.items()}
    small['split'] = np.array(['train'] * 3 + ['test'])
    np.savez(tmp_path / 'landmarks.npz', **small)
    (tmp_path / 'images').symlink_to(data_dir / 'faces' / 'images')
    run('faces68_to_coco', tmp_path, '--out', tmp_path / 'out')
    for prob in (0.0, 1.0):
        pipeline = [dict(type='LoadImage'), dict(type='RandomFlip', prob=prob)]
        for sample in face_dataset(tmp_path / 'out', pipeline=pipeline):
            points = sample['keypoints'][0]
            assert sample['img'].shape == (160, 160, 3)
            for left, right in ((0, 16), (17, 26), (36, 45), (48, 54)):
                assert points[left, 0] < points[right, 0]
            assert points[27, 1] < points[33, 1] < points[8, 1]
