"""A few examples of each data set that the pages name, in its documented format."""

import gzip
import json
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config, ConfigDict
from mmpose.registry import DATASETS
from scipy.io import savemat

from mmkp.datasets.lsp_dataset import LSP_JOINTS

random = np.random.default_rng(0)


def paint(path: Path, size: tuple[int, int] = (96, 96), channels: int = 3) -> None:
    """Write an image with something to see on it."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    image = random.integers(0, 120, (size[1], size[0], channels), dtype=np.uint8)
    x, y = (int(v) for v in random.uniform(0.3, 0.7, 2) * size)
    cv2.circle(image, (x, y), min(size) // 5, (60, 200, 240), -1)
    cv2.imwrite(str(path), image)


def points_in(size: tuple[int, int], *shape: int) -> np.ndarray:
    """Draw points (*shape, 2), float, in the middle of an image."""
    return random.uniform(0.25, 0.75, (*shape, 2)) * size


def faces(root: Path) -> None:
    """Crops with 68 landmarks in one table."""
    number = 24
    names = [f'{index:03d}.jpg' for index in range(number)]
    for name in names:
        paint(root / 'images' / name, (160, 160))
    places = np.zeros((68, 2))
    places[36:42], places[42:48] = (-0.5, 0), (0.5, 0)
    places[27:36] = (0, 0.6)
    places[48:] = (0, 1)
    places[48], places[54] = (-0.4, 1.05), (0.4, 1.05)
    places += random.normal(0, 0.02, places.shape)
    jitter = random.normal(0, 2, (number, 1, 2)), random.normal(0, 1, (number, 68, 2))
    np.savez(
        root / 'landmarks.npz',
        filename=np.array(names),
        points=(places * 45 + (80, 55) + sum(jitter)).astype(np.float32),
        person_id=np.arange(number, dtype=np.int32),
        split=np.array(['train'] * 16 + ['test'] * 8),
    )


def lspet(root: Path) -> None:
    """Crops of people with 14 joints in one table."""
    names = [f'{index:03d}.jpg' for index in range(6)]
    for name in names:
        paint(root / 'images' / name)
    short = [name.replace('right', 'r').replace('left', 'l') for name in LSP_JOINTS]
    np.savez(
        root / 'joints.npz',
        filename=np.array(names),
        joints=points_in((96, 96), 6, 14).astype(np.float32),
        joint_names=np.array(short),
        split=np.array(['train'] * 4 + ['test'] * 2),
    )


def lsp(root: Path, extended: bool = False) -> None:
    """The official layout: joints.mat counts from 1."""
    joints = np.concatenate([points_in((96, 96), 4, 14) + 1, np.ones((4, 14, 1))], 2)
    order = (1, 2, 0) if extended else (2, 1, 0)
    root.mkdir(parents=True, exist_ok=True)
    savemat(root / 'joints.mat', dict(joints=joints.transpose(order)))
    for index in range(4):
        paint(root / 'images' / f'im{index + 1:05d}.jpg')


def flic(root: Path) -> None:
    """The official layout: examples.mat."""
    examples = np.zeros(
        4,
        [
            (key, object)
            for key in (
                'filepath',
                'coords',
                'torsobox',
                'imgdims',
                'istrain',
                'istest',
            )
        ],
    )
    for index in range(4):
        name = f'{index}.jpg'
        paint(root / 'images' / name)
        coords = points_in((96, 96), 29).T
        test = index > 1
        values = (name, coords, [30.0, 30, 60, 60], [96.0, 96, 3], not test, test)
        examples[index] = tuple(
            np.array(v) if not isinstance(v, str) else v for v in values
        )
    savemat(root / 'examples.mat', dict(examples=examples))


def digits(root: Path) -> None:
    """IDX files of small grey images, as MNIST and Fashion-MNIST have them."""
    root.mkdir(parents=True, exist_ok=True)
    for stem in ('train', 't10k'):
        images = random.integers(0, 256, (10, 28, 28), np.uint8)
        for kind, array in (
            ('images', images),
            ('labels', np.arange(10, dtype=np.uint8)),
        ):
            magic = bytes((0, 0, 8, array.ndim))
            sizes = struct.pack(f'>{array.ndim}I', *array.shape)
            packed = gzip.compress(magic + sizes + array.tobytes())
            name = f'{stem}-{kind}-idx{array.ndim}-ubyte.gz'
            (root / name).write_bytes(packed)


def actions(root: Path) -> None:
    """Strips of frames side by side."""
    for split in ('train', 'test'):
        for index in range(2):
            paint(root / split / f'clip{index}.jpg', (6 * 64, 64))


def celeba(root: Path) -> None:
    """The official layout, with MAFL's lists."""
    names = [f'{index:06d}.jpg' for index in range(1, 21)]
    for name in names:
        paint(root / 'img_align_celeba' / name, (178, 218))
    points = points_in((178, 218), len(names), 5).round().astype(int)
    rows = [
        f'{name} ' + ' '.join(map(str, row.ravel().tolist()))
        for name, row in zip(names, points, strict=True)
    ]
    header = f'{len(names)}\nlefteye_x lefteye_y righteye_x righteye_y ...\n'
    (root / 'list_landmarks_align_celeba.txt').write_text(
        header + '\n'.join(rows) + '\n'
    )
    splits = [f'{name} 0' for name in names]
    (root / 'list_eval_partition.txt').write_text('\n'.join(splits))
    (root / 'MAFL').mkdir()
    (root / 'MAFL' / 'training.txt').write_text('\n'.join(names[4:14]))
    (root / 'MAFL' / 'testing.txt').write_text('\n'.join(names[14:]))


def deeplabcut_table(path: Path) -> None:
    """A table of two images, which lie beside it."""
    rows = ['scorer,Ida,Ida,Ida,Ida', 'bodyparts,nose,nose,tail,tail', 'coords,x,y,x,y']
    for index, numbers in enumerate(('20.5,30,40,50.25', '25,35.5,,')):
        name = f'labeled-data/mouse/img{index}.png'
        paint(path.parent / name)
        rows.append(f'{name},{numbers}')
    path.write_text('\n'.join([*rows, '']))


SOURCES: dict[str, Callable[[Path], None]] = {
    'data/faces': faces,
    'data/lspet': lspet,
    'data/lsp': lsp,
    'data/hr-lspet': lambda root: lsp(root, extended=True),
    'data/flic': flic,
    'data/fashion-mnist': digits,
    'data/actions': actions,
    'data/celeba': celeba,
    'CollectedData_Ida.csv': deeplabcut_table,
}


def stage(config: Config) -> None:
    """Write the files that a config's data sets read, where they are not there yet."""
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        if config.get(loader):
            _stage_dataset(config[loader].dataset)
    for metric in _listed(config.get('val_evaluator')):
        if 'mask_folder' in metric:
            for index in range(4):
                paint(Path(metric['mask_folder']) / f'{index}.png')


def _listed(evaluators: ConfigDict | list | None) -> list:
    return evaluators if isinstance(evaluators, list) else [evaluators or {}]


def _stage_dataset(dataset: ConfigDict) -> None:
    for part in ('fit', 'score', 'dataset'):
        if isinstance(dataset.get(part), dict):
            _stage_dataset(dataset[part])
    for part in dataset.get('datasets', ()):
        _stage_dataset(part)
    root = Path(dataset.get('data_root') or '')
    prefix = dataset.get('data_prefix') or {}
    images = root / (prefix if isinstance(prefix, str) else prefix.get('img', ''))
    annotations = dataset.get('ann_file')
    if annotations and 'Mpii' in dataset.type:
        _write_mpii(root / annotations, images, dataset.get('headbox_file'))
    elif annotations:
        _write_coco(root / annotations, images, dataset)
    elif dataset.type == 'UnlabeledImageDataset' and not images.is_dir():
        for index in range(4):
            paint(images / f'{index}.png')
    listed = dataset.get('files')
    if isinstance(listed, str) and not (root / listed).exists():
        names = [f'{index}.png' for index in range(4)]
        for name in names:
            paint(images / name)
        (root / listed).parent.mkdir(parents=True, exist_ok=True)
        (root / listed).write_text('\n'.join(names))
    if isinstance(dataset.get('indices'), list):
        dataset.indices = 2  # of the few that there are


def _write_coco(path: Path, images: Path, dataset: ConfigDict) -> None:
    if path.exists():
        return
    names = ['left_eye', 'right_eye', 'nose', 'left_mouth', 'right_mouth']
    if dataset.type != 'LandmarkDataset':
        options = {'metainfo': dataset.metainfo} if 'metainfo' in dataset else {}
        built = DATASETS.get(dataset.type)(lazy_init=True, **options)
        names = list(built.metainfo['keypoint_id2name'].values())
    elif path.stem.startswith('bees'):
        names += [f'leg_{index}' for index in range(27)]
    number = len(names)
    content: dict[str, list] = dict(
        images=[],
        annotations=[],
        categories=[dict(id=1, name='person', keypoints=names, skeleton=[])],
    )
    for index in range(4):
        name = f'{path.stem}_{index}.png'
        paint(images / name)
        content['images'].append(dict(id=index, file_name=name, width=96, height=96))
        points = np.concatenate(
            [points_in((96, 96), number), np.full((number, 1), 2)], 1
        )
        content['annotations'].append(
            dict(
                id=index + 1,
                image_id=index,
                category_id=1,
                keypoints=points.ravel().tolist(),
                num_keypoints=number,
                bbox=[10, 10, 76, 76],
                area=76.0 * 76,
                iscrowd=0,
                scale=0.4,
                center=[48, 48],
                box_size=76,
            )
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def _write_mpii(path: Path, images: Path, heads: str | None) -> None:
    if path.exists():
        return
    people = []
    for index in range(4):
        name = f'{index:09d}.png'  # the class reads a number
        paint(images / name)
        joints = points_in((96, 96), 16)
        people.append(
            dict(
                image=name,
                center=[48, 48],
                scale=0.4,
                joints=joints.tolist(),
                joints_vis=[1] * 16,
            )
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(people))
    if heads:
        boxes = np.tile(np.array([[30.0, 30], [50, 50]])[..., None], 4)
        savemat(heads, dict(headboxes_src=boxes, jnt_missing=np.zeros((16, 4))))
