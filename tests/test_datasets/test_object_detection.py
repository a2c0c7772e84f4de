"""Boxes of objects: YOLOX's formula, detectors, and files of what they found."""

import json
import os
import shutil

import cv2
import numpy as np
import pytest
from caffe_writer import chunk, number

from mmkp.apis import detect_boxes
from mmkp.datasets import UnlabeledImageDataset
from mmkp.datasets.image_boxes import read_boxes
from mmkp.datasets.object_detection import (
    BoxDetector,
    MMDetDetector,
    YoloxDetector,
    build_detector,
    cached_box_file,
    decode_yolox,
    find_boxes,
)

SIZE, CELLS = (64, 32), 8 * 4 + 4 * 2 + 2 * 1


@pytest.fixture(scope='module')
def onnx(data_dir):
    return data_dir / 'detectors' / 'yolox_nano.onnx'


@pytest.fixture(scope='module')
def people(data_dir):
    """The first ten images of the validation set and boxes of people over 60 pixels."""
    folder = data_dir / 'coco'
    path = folder / 'annotations' / 'person_keypoints_val2017.json'
    content = json.loads(path.read_text())
    images = sorted(content['images'], key=lambda image: image['file_name'])[:10]
    boxes = {
        image['file_name']: [
            annotation['bbox']
            for annotation in content['annotations']
            if annotation['image_id'] == image['id']
            and not annotation['iscrowd']
            and annotation['bbox'][3] > 60
        ]
        for image in images
    }
    return folder / 'val2017', boxes


@pytest.mark.parametrize(
    'index, center',
    [(0, (0, 0)), (11, (24, 8)), (32, (0, 0)), (37, (16, 16)), (41, (32, 0))],
)
def test_a_cell_is_decoded_by_its_place_and_stride(index, center):
    outputs = np.zeros((CELLS, 7), np.float32)
    outputs[index] = 0.5, 0.25, np.log(2), np.log(3), 0.5, 0.25, 1
    boxes, scores = decode_yolox(outputs, SIZE)
    stride = 8 if index < 32 else 16 if index < 40 else 32
    x, y = center[0] + 0.5 * stride, center[1] + 0.25 * stride
    expected = x - stride, y - 1.5 * stride, x + stride, y + 1.5 * stride
    np.testing.assert_allclose(boxes[index], expected, atol=1e-4)
    np.testing.assert_allclose(scores[index], [0.125, 0.5])
    assert scores.shape == (CELLS, 2) and not np.delete(scores, index, 0).any()


@pytest.mark.parametrize('shape', [(CELLS + 1, 7), (CELLS, 5), (1, CELLS, 7)])
def test_outputs_of_another_form_are_refused(shape):
    with pytest.raises(ValueError, match=r'64x32 pixels must have shape \(42, 5'):
        decode_yolox(np.zeros(shape, np.float32), SIZE)


def shared_part(box, others):
    """Intersection over union of x, y, w, h."""
    box, others = np.asarray(box, float), np.asarray(others, float).reshape(-1, 4)
    low = np.maximum(box[:2], others[:, :2])
    high = np.minimum(box[:2] + box[2:], others[:, :2] + others[:, 2:])
    common = (high - low).clip(0).prod(axis=1)
    return common / (box[2:].prod() + others[:, 2:].prod(axis=1) - common)


def test_people_of_real_pictures_are_found(onnx, people):
    folder, annotated = people
    detector = build_detector(onnx, 'person', score=0.4, min_size=0)
    found = find_boxes(detector, folder, list(annotated))
    hits = total = 0
    edges = []
    for name, truth in annotated.items():
        boxes = np.array(found.get(name, np.zeros((0, 5))))[:, :4]
        for box in truth:
            shares = shared_part(box, boxes)
            total += 1
            if len(shares) and shares.max() > 0.5:
                hits += 1
                edges.append(boxes[shares.argmax()] - box)
    assert (hits, total) == (24, 29)  # as measured with other code
    assert np.abs(np.median(edges, axis=0)).max() < 6
    assert abs(np.median(edges)) < 1  # no shift by half a cell


def test_boxes_in_one_call_fit_discovery(onnx, people):
    folder, annotated = people
    name = max(annotated, key=lambda name: len(annotated[name]))
    image = cv2.imread(str(folder / name))
    large, small = detect_boxes([folder / name, image[::4, ::4]], onnx, ['person'])
    height, width = image.shape[:2]
    assert large.shape[1] == 5 and large.dtype == np.float32 and len(large) > 1
    assert (large[:, :2] >= 0).all() and (large[:, 2] <= width).all()
    assert (large[:, 3] <= height).all() and (np.diff(large[:, 4]) <= 0).all()
    assert (large[:, 4] >= 0.3).all()
    sides = large[:, 2:4] - large[:, :2]
    assert (sides.max(axis=1) >= 32).all() and len(small) <= len(large)
    least = detect_boxes([image], onnx, 'person', min_size=0.4 * height)[0]
    assert len(least) == (sides.max(axis=1) >= 0.4 * height).sum()


def test_names_of_classes_as_people_write_them(onnx):
    detector = YoloxDetector(onnx, 'dog, traffic light')
    assert detector.classes == ('dog', 'traffic_light')
    assert list(detector.labels) == [16, 9]
    assert len(YoloxDetector(onnx).labels) == 80
    assert 'any class' in repr(YoloxDetector(onnx)) and 'dog' in repr(detector)


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(classes='gnu'), "class of .* must be one of .*'dog'.*, got 'gnu'"),
        (dict(score=1.5), r'score of a box must lie in \[0, 1\], got 1.5'),
        (dict(min_size=-1), 'min_size of a box must not be negative'),
        (dict(side=400), 'side of YOLOX must be a multiple of 32, got 400'),
        (dict(class_names=['a', 'b']), 'not of the form of YOLOX: .* and 2 classes'),
    ],
)
def test_wrong_options(onnx, options, message):
    with pytest.raises(ValueError, match=message):
        build_detector(onnx, **options)


def identity_onnx():
    """A network that returns its input: an ONNX model of a single node."""
    sizes = b''.join(chunk(1, number(1, n)) for n in (1, 3, 32, 32))
    kind = chunk(2, chunk(1, number(1, 1) + chunk(2, sizes)))
    node = chunk(1, b'x') + chunk(2, b'y') + chunk(4, b'Identity')
    values = (chunk(field, chunk(1, n) + kind) for field, n in ((11, b'x'), (12, b'y')))
    graph = chunk(1, node) + chunk(2, b'g') + b''.join(values)
    return number(1, 8) + chunk(7, graph) + chunk(8, number(2, 13))


def test_files_that_are_no_detector(tmp_path, onnx):
    with pytest.raises(FileNotFoundError, match='detector .*none.onnx does not exist'):
        build_detector(tmp_path / 'none.onnx')
    for content in (b'words', b'', onnx.read_bytes()[:200_000]):
        (tmp_path / 'bad.onnx').write_bytes(content)
        with pytest.raises(ValueError, match='bad.onnx is no ONNX file'):
            build_detector(tmp_path / 'bad.onnx')
    (tmp_path / 'same.onnx').write_bytes(identity_onnx())
    with pytest.raises(ValueError, match=r'it returns \(1, 3, 32, 32\), where \(1, 21'):
        build_detector(tmp_path / 'same.onnx', side=32)
    with pytest.raises(ValueError, match='is no detector: give an .onnx file'):
        build_detector(tmp_path / 'bad.txt')
    (tmp_path / 'a.py').touch()
    with pytest.raises(ValueError, match='needs weights: give a checkpoint'):
        build_detector(tmp_path / 'a.py')
    with pytest.raises(FileNotFoundError, match='b.py of a detector does not exist'):
        build_detector(tmp_path / 'b.py')


def test_a_file_that_opencv_crashes_on(tmp_path, onnx):
    damaged = bytearray(onnx.read_bytes())
    damaged[20276] = 239
    (tmp_path / 'bad.onnx').write_bytes(damaged)
    with pytest.raises(ValueError, match='bad.onnx is no ONNX file that OpenCV can'):
        build_detector(tmp_path / 'bad.onnx')


def test_a_network_that_takes_forever(tmp_path, onnx, monkeypatch):
    from mmkp.datasets.object_detection import onnx_trial

    monkeypatch.setattr(onnx_trial, '_PATIENCE', 1e-3)
    shutil.copy(onnx, tmp_path / 'slow.onnx')
    with pytest.raises(ValueError, match='slow.onnx .* one image takes over 0.001 s'):
        build_detector(tmp_path / 'slow.onnx')


class Planted(BoxDetector):
    """Finds two boxes beside and across the border, and one that is small."""

    def detect(self, image):
        return np.array(
            [[5, 5, 9, 9, 0.9], [-9, 4, 40, 99, 0.5], [0, 0, 40, 40, 0.2]]
            + [[1, 1, 50, 40, 0.6], [99, 0, 140, 40, 0.8]]
        )


def test_boxes_of_use():
    boxes = Planted('planted', ['a'])(np.zeros((60, 48, 3), np.uint8))
    np.testing.assert_allclose(boxes, [[1, 1, 48, 40, 0.6], [0, 4, 40, 60, 0.5]])


def test_damaged_images_get_no_box(tmp_path, caplog):
    cv2.imwrite(str(tmp_path / 'a.png'), np.zeros((60, 48, 3), np.uint8))
    (tmp_path / 'b.png').write_bytes(b'no image')
    done = []
    detector = Planted('planted', ['a'])
    found = find_boxes(detector, tmp_path, ['a.png', 'b.png'], done.append)
    assert found == {'a.png': [[1, 1, 47, 39, 0.6], [0, 4, 40, 56, 0.5]]}
    assert done == [1, 1]
    with pytest.raises(ValueError, match='finds no box of 32 pixels and more in any'):
        find_boxes(detector, tmp_path, ['b.png'])


@pytest.fixture
def photos(tmp_path, people, monkeypatch):
    """Two pictures with people and one without."""
    folder, annotated = people
    (tmp_path / 'photos').mkdir()
    names = [name for name in annotated if annotated[name]][:2]
    for name in names:
        shutil.copy(folder / name, tmp_path / 'photos')
    cv2.imwrite(str(tmp_path / 'photos' / 'z.png'), np.zeros((60, 48, 3), np.uint8))
    monkeypatch.chdir(tmp_path)
    return tmp_path / 'photos'


def test_a_data_set_of_detected_boxes(photos, onnx):
    options = dict(model=str(onnx), classes='person')
    data_set = UnlabeledImageDataset(4, data_root=str(photos), detector=options)
    [path] = (photos.parent / 'work_dirs' / 'boxes').glob('*.json')
    boxes, _ = read_boxes(str(path))
    assert len(data_set) == sum(map(len, boxes.values())) >= 2
    name = os.path.basename(data_set.get_data_info(0)['img_path'])
    np.testing.assert_allclose(data_set.get_data_info(0)['bbox'][0], boxes[name][0, :4])
    # Another one reads what was found, whatever way the classes are written.
    written = path.stat().st_mtime_ns
    options['classes'] = ['person']
    again = UnlabeledImageDataset(4, data_root=str(photos), detector=options)
    assert len(again) == len(data_set) and path.stat().st_mtime_ns == written
    plain = UnlabeledImageDataset(4, data_root=str(photos), detector=dict(model=None))
    assert len(plain) == 3 and 'bbox' not in plain.get_data_info(0)
    with pytest.raises(ValueError, match='give either bbox_file or detector, not both'):
        UnlabeledImageDataset(4, bbox_file='boxes.json', detector=options)


def test_what_a_box_file_was_found_by_decides_on_it(photos, onnx, tmp_path):
    names = sorted(os.listdir(photos))
    options = dict(model=onnx, classes='person')
    first = cached_box_file(options, str(photos), names)
    assert cached_box_file(dict(options, score=0.5), str(photos), names) != first
    assert cached_box_file(options, str(photos), names[:1]) != first
    cv2.imwrite(str(photos / 'z.png'), np.zeros((40, 48, 3), np.uint8))
    assert cached_box_file(options, str(photos), names) != first


def test_a_detector_of_mmdetection(tmp_path):
    """CenterNet at random weights: it needs no compiled operator."""
    import mmdet
    import torch
    from mmdet.registry import MODELS
    from mmengine.config import Config

    theirs = os.path.join(os.path.dirname(mmdet.__file__), '.mim', 'configs')
    name = os.path.join(theirs, 'centernet/centernet_r18_8xb16-crop512-140e_coco.py')
    cfg = Config.fromfile(name)
    cfg.model.backbone.init_cfg = None
    cfg.dump(str(tmp_path / 'centernet.py'))
    torch.manual_seed(0)
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(cfg.model)
    weights = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=model.state_dict()), weights)
    image = np.random.default_rng(0).integers(0, 255, (64, 96, 3), np.uint8)
    everything = MMDetDetector(
        tmp_path / 'centernet.py', weights, device='cpu', score=0, min_size=0
    )
    assert everything.class_names[:2] == ('person', 'bicycle')
    boxes = everything(image)
    assert (
        0 < len(boxes) <= 100 and (boxes[:, :4].max(axis=0) <= [96, 64, 96, 64]).all()
    )
    everything.labels = everything.labels[:40]
    assert 0 <= len(everything(image)) < len(boxes)
