# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The runner finds what mmkp finds, without mmkp and torch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import films
import numpy as np
import pytest
import tiny
import tiny_people_network
import torch
from drawn_people import crowd, draw
from mmpose.apis import init_model
from mmpose.registry import TRANSFORMS

import mmkp
from mmkp.codecs import PartAffinityField
from mmkp.deployment import mmkp_runner
from mmkp.deployment.graphs.people_graph import grouping_rules
from mmkp.ops.part_affinity.grouping_config import PROFILES
from mmkp.ops.part_affinity.tensor_limbs import batch_limbs
from mmkp.ops.part_affinity.tensor_peaks import batch_peaks, thin_batch_peaks

RUNNER = Path(mmkp_runner.__file__)
# Runs a file as a program, where torch, mmkp and the like cannot be imported.
BLOCKED = """
import runpy, sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'mmkp', 'mmpose', 'mmengine', 'scipy'):
            raise ImportError(f'{name} is blocked')
sys.meta_path.insert(0, Blocker())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


def photo(width, height, seed=0):
    """A smooth random picture, BGR."""
    draw = np.random.default_rng(seed)
    cells = draw.integers(0, 256, (height // 12 + 2, width // 12 + 2, 3), np.uint8)
    return cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC)


def test_it_has_200_lines_at_most():
    assert len(RUNNER.read_text(encoding='utf-8').splitlines()) <= 200


BOXES = [(0, 0, 160, 120), (-20.5, 10, 60, 150), (30.25, 20.75, 41, 90), (5, 5, 6, 99)]
TRANSFORM = {'resize': 'TopdownResize', 'affine': 'TopdownAffine'}


@pytest.mark.parametrize('padding', [1.0, 1.25])
@pytest.mark.parametrize(
    'how',
    [
        dict(type='resize', keep_aspect_ratio=False, pad_val=7),
        dict(type='resize', keep_aspect_ratio=True, pad_val=0),
        dict(type='affine', use_udp=False),
        dict(type='affine', use_udp=True),
    ],
    ids=str,
)
def test_boxes_are_placed_as_the_transforms_do(how, padding):
    how = dict(how, input_size=[64, 48], box_padding=padding)
    options = {k: v for k, v in how.items() if k not in ('type', 'box_padding')}
    transform = TRANSFORMS.build(dict(options, type=TRANSFORM[how['type']]))
    image = photo(160, 120)
    for box in np.array(BOXES, np.float32):
        center, scale = (box[2:] + box[:2]) * 0.5, (box[2:] - box[:2]) * padding
        sample = dict(img=image, bbox_center=center[None], bbox_scale=scale[None])
        expected = transform(sample)
        shown, ratio, corner = mmkp_runner.place(image, box, how)
        # A place that is between two 32nds of a pixel but for the last bit.
        differing = shown.astype(int) - expected['img']
        assert np.abs(differing).max() <= 8 and np.mean(differing != 0) < 1e-2
        scale = expected['input_scale']
        np.testing.assert_allclose(ratio, scale / (64, 48), rtol=1e-6)
        np.testing.assert_allclose(
            corner, expected['input_center'] - scale / 2, atol=1e-4
        )


@pytest.mark.parametrize('size', [(160, 120), (121, 333), (700, 60), (40, 30)])
def test_whole_pictures_are_placed_as_the_transform_does(size):
    how = dict(height=96, size_factor=8, pad_val=128, max_aspect=4)
    transform = TRANSFORMS.build(dict(how, type='BottomupHeightResize'))
    image = photo(*size)
    expected = transform(dict(img=image))
    box = np.float32([0, 0, *size])
    how.update(type='height', box_padding=1)
    shown, ratio, corner = mmkp_runner.place(image, box, how)
    np.testing.assert_array_equal(shown, expected['img'])
    region = expected['input_scale']
    np.testing.assert_allclose(ratio, region / expected['input_size'])
    first = expected['input_center'] - region / 2
    np.testing.assert_allclose(corner, first, atol=1e-4)


def graph_outputs(codec, heatmaps, fields):
    """What a graph gives for such maps."""
    decoder = codec.pose_decoder
    rules, up = decoder.rules, int(decoder.rules.upsample)
    maps = [torch.from_numpy(m)[None] for m in (heatmaps, fields)]
    if up > 1:
        bicubic = dict(scale_factor=up, mode='bicubic', align_corners=False)
        maps = [torch.nn.functional.interpolate(m, **bicubic) for m in maps]
    number = codec.skeleton.num_keypoints
    args = rules.peak_threshold, rules.max_peaks, up == 1
    peaks = batch_peaks(maps[0][:, :number], *args)
    if rules.min_peak_distance > 0:
        peaks = thin_batch_peaks(peaks, rules.min_peak_distance)
    limbs = batch_limbs(maps[1], peaks, decoder.tables, decoder.field_offset, rules)
    return [one.numpy() for one in (peaks.rows, limbs, *maps)]


@pytest.mark.parametrize(
    'skeleton, profile, seed',
    [*(('coco18', profile, 0) for profile in PROFILES), ('body25', 'accurate', 1)],
)
def test_crowds_are_grouped_as_the_codec_does(skeleton, profile, seed):
    codec = PartAffinityField(skeleton, (320, 160), profile=profile)
    draw_numbers = np.random.default_rng(seed)
    points = crowd(3, 1, (100, 0)) + draw_numbers.normal(0, 6, (3, 17, 2))
    if skeleton == 'body25':
        points = np.concatenate([points, points[:, -6:] + 3], 1)
    visible = (draw_numbers.random(points.shape[:2]) < 0.8).astype(np.float32)
    heatmaps, fields = draw(codec, points, visible)
    heatmaps = heatmaps + draw_numbers.normal(0, 0.03, heatmaps.shape)
    fields = fields + draw_numbers.normal(0, 0.2, fields.shape)
    heatmaps, fields = np.float32(heatmaps), np.float32(fields)
    outputs = graph_outputs(codec, heatmaps, fields)
    found = mmkp_runner.people(outputs, grouping_rules(codec))
    expected = codec.decode(heatmaps, fields)
    assert len(expected[0]) >= 2 and (expected[1] == 0).any()
    for one, other, digits in zip(found, expected, (2, 4, 3), strict=True):
        np.testing.assert_allclose(one, other, atol=10.0**-digits, rtol=1e-4)


def write_pictures(folder):
    """Two pictures, one below a folder and turned, a damaged one, and a text."""
    from PIL import Image

    (folder / 'sub').mkdir(parents=True)
    cv2.imwrite(str(folder / 'b.png'), photo(160, 120))
    turned = Image.fromarray(photo(150, 110, 1))
    exif = turned.getexif()
    exif[0x0112] = 6
    turned.save(folder / 'sub/a.jpg', exif=exif)
    (folder / 'c.jpg').write_bytes((folder / 'sub/a.jpg').read_bytes()[:80])
    (folder / 'read.txt').write_text('no picture')
    return folder


def run_blocked(export, source, out):
    """Run the runner of an export as a program; its keypoints."""
    pytest.importorskip('onnxruntime')
    environment = {k: v for k, v in os.environ.items() if k != 'PYTHONPATH'}
    command = [sys.executable, '-c', BLOCKED, str(export / 'mmkp_runner.py')]
    command += [str(export), str(source), '-o', str(out)]
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False
    )
    return done, json.loads(out.read_text()) if out.is_file() else None


def check_same(found, expected):
    """Compare two files of keypoints."""
    assert [one['image'] for one in found['images']] == [
        one['image'] for one in expected['images']
    ]
    for one, other in zip(found['images'], expected['images'], strict=True):
        assert one.keys() == other.keys()
        assert (one['width'], one['height']) == (other['width'], other['height'])
        assert one.get('time') == other.get('time')
        assert len(one['instances']) == len(other['instances']) > 0
        for a, b in zip(one['instances'], other['instances'], strict=True):
            assert a.keys() == b.keys()
            for key, value in a.items():
                np.testing.assert_allclose(value, b[key], atol=2e-3, err_msg=key)
    for key in ('damaged_images', 'keypoint_names', 'links', 'flip_indices', 'edges'):
        assert found[key] == expected[key]
    assert found['num_keypoints'] == expected['num_keypoints']


@pytest.fixture(scope='module')
def pictures(tmp_path_factory):
    return write_pictures(tmp_path_factory.mktemp('pictures'))


def test_people_of_a_folder_are_those_of_mmkp(pictures, tmp_path):
    model, folder = tiny_people_network.exported()
    done, found = run_blocked(folder, pictures, tmp_path / 'keypoints.json')
    assert done.returncode == 0, done.stderr
    expected = mmkp.predict(model, pictures, tmp_path / 'own', draw='none').content
    check_same(found, expected)


@pytest.fixture(scope='module')
def keypoint_export(tmp_path_factory):
    """A tiny discovery model, whose edges are learned, and its export."""
    folder = tmp_path_factory.mktemp('keypoints')
    model = init_model(str(tiny.write_config(folder)), None, device='cpu')
    data = folder / 'images'
    return model, mmkp.export(model, ['onnx'], out=folder / 'export', data=data).path


def test_keypoints_of_a_film_are_those_of_mmkp(keypoint_export, tmp_path):
    model, folder = keypoint_export
    film = films.write(tmp_path / 'film.avi', 4)
    done, found = run_blocked(folder, film, tmp_path / 'keypoints.json')
    assert done.returncode == 0, done.stderr
    expected = mmkp.predict(model, film, tmp_path / 'own', draw='none').content
    check_same(found, expected)
    assert len(found['edges']) > 0


def test_keypoints_of_boxes_are_those_of_mmkp(keypoint_export):
    model, folder = keypoint_export
    image, boxes = (
        photo(160, 120),
        np.array([[10, 20, 80, 90, 0.5], [0, 0, 160, 120, 1]]),
    )
    found = mmkp_runner.Runner(folder)(image, boxes)
    (expected,) = mmkp.apis.predict_topdown(model, [image], [boxes])
    assert [one['bbox_score'] for one in found] == [0.5, 1.0]
    for one, keypoints in zip(found, expected['keypoints'], strict=True):
        np.testing.assert_allclose(one['keypoints'], keypoints, atol=2e-3)
    assert mmkp_runner.Runner(folder)(image, []) == []
    again = mmkp_runner.Runner(folder)(image, boxes[:, :4])
    assert [one['bbox_score'] for one in again] == [1.0, 1.0]


def test_what_is_no_picture_is_told_in_a_sentence(keypoint_export, tmp_path):
    _, folder = keypoint_export
    done, found = run_blocked(folder, tmp_path / 'none.jpg', tmp_path / 'out.json')
    assert found is None and done.returncode == 2
    assert 'none.jpg' in done.stderr and 'Traceback' not in done.stderr


def test_placements_that_it_has_not_are_refused(keypoint_export, tmp_path):
    _, folder = keypoint_export
    about = json.loads((folder / 'export.json').read_text())
    about['placement'] = dict(type='other', reason='it needs a detector')
    (tmp_path / 'export.json').write_text(json.dumps(about))
    with pytest.raises(ValueError, match='needs mmkp predict'):
        mmkp_runner.Runner(tmp_path)
