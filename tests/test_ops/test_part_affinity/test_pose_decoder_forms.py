"""Arrays, tensors, batches, compiled or not: all give the same people."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from drawn_people import codec_for, crowd, draw, upright

from mmkp.codecs import build_skeleton
from mmkp.ops.part_affinity.pose_decoder import PoseDecoder

SKELETONS = ('coco18', 'body25', 'mpi15', 'AP10KDataset', 'FlyDataset')
SIZE = (152, 136)
RULES = (
    {},
    dict(search_missing=False),
    dict(max_gap=0.0),
    dict(length_penalty=False, min_fraction=0.6),
    dict(merge=False, min_keypoints=2),
    dict(instance_score='sum', min_score=0.5),
    dict(peak_threshold=0.2, num_samples=5, min_fraction=0.8),
    dict(upsample=2),
)
needs_numba = pytest.mark.skipif(
    not importlib.util.find_spec('numba'), reason='numba is optional'
)


def smooth_noise(random, shape, strength):
    """Noise that has some extent, (C, h, w) float32."""
    noise = random.standard_normal(shape[1:] + shape[:1]).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.2).reshape(noise.shape)
    return strength * smooth.transpose(2, 0, 1)


def noisy_maps(name, seed, number, strength, batch=1):
    """Maps of random people as an imperfect network would predict them."""
    random = np.random.default_rng(seed)
    skeleton = build_skeleton(name)
    codec = codec_for(skeleton, SIZE)
    maps = []
    for _ in range(batch):
        shape = (number, skeleton.num_keypoints, 2)
        points = random.uniform(-10, 160, (number, 1, 2)) + random.normal(0, 30, shape)
        drawn = draw(codec, points, random.random(shape[:2]) < 0.8)
        maps.append([m + smooth_noise(random, m.shape, strength) for m in drawn])
    heatmaps, fields = (np.stack(m) for m in zip(*maps, strict=True))
    return skeleton, heatmaps, fields


def assert_same(first, second, **tolerance):
    assert len(first) == len(second)
    for people, others in zip(first, second, strict=True):
        for array, other in zip(people, others, strict=True):
            assert array.dtype == other.dtype == np.float32
            np.testing.assert_allclose(array, other, **tolerance)


def assert_equal(first, second):
    assert_same(first, second, rtol=0, atol=0)


def decode_noise(path):
    """Decode many noisy maps by all profiles and rules, into a file."""
    found = {}
    cases = [*RULES, dict(profile='openpose'), dict(profile='lightweight')]
    for seed, rules in enumerate(cases):
        for strength, offset in ((0.0, 0.0), (0.1, 7 / 16), (0.6, 7 / 16)):
            name, number = SKELETONS[seed % len(SKELETONS)], seed % 5
            skeleton, *maps = noisy_maps(name, seed, number, strength)
            decode = PoseDecoder(skeleton, 8, field_offset=offset, **rules)
            (poses,) = decode(*maps)
            for key, values in poses._asdict().items():
                found[f'{seed} {strength} {key}'] = values
    np.savez(path, **found)


@needs_numba
def test_without_numba_the_same_bits_come_out(tmp_path):
    machine, plain = tmp_path / 'compiled.npz', tmp_path / 'plain.npz'
    decode_noise(machine)
    code = (
        "import sys; sys.modules['numba'] = None; "
        'from mmkp.ops.part_affinity.compiled import njit; assert njit is None; '
        f'from test_pose_decoder_forms import *; decode_noise({str(plain)!r})'
    )
    folders = [str(Path(__file__).parent), *sys.path]
    environment = os.environ | {'PYTHONPATH': os.pathsep.join(folders)}
    subprocess.run([sys.executable, '-c', code], check=True, env=environment)
    with np.load(machine) as one, np.load(plain) as other:
        assert one.files == other.files
        assert sum(len(one[key]) for key in one.files) > 100
        for key in one.files:
            np.testing.assert_array_equal(one[key], other[key], err_msg=key)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('profile', ['accurate', 'openpose', 'lightweight'])
def test_gpu_gives_the_same_as_the_cpu(profile):
    for seed in range(5):
        skeleton, *maps = noisy_maps('coco18', seed, 4, 0.1, batch=4)
        by_cpu = PoseDecoder(skeleton, 8, profile)(*maps)
        tensors = [torch.from_numpy(m).cuda() for m in maps]
        by_gpu = PoseDecoder(skeleton, 8, profile)(*tensors)
        assert_same(by_cpu, by_gpu, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('kind', [np.asarray, torch.from_numpy])
@pytest.mark.parametrize('strength', [0.02, 0.5])
def test_batch_is_image_by_image(kind, strength):
    skeleton, heatmaps, fields = noisy_maps('coco18', 5, 3, strength, batch=4)
    # An empty image among the others.
    heatmaps[1], fields[1] = 0, 0
    heatmaps, fields = kind(heatmaps), kind(fields)
    decode = PoseDecoder(skeleton, 8)
    together = decode(heatmaps, fields)
    alone = [decode(heatmaps[b : b + 1], fields[b : b + 1])[0] for b in range(4)]
    assert [len(p.keypoints) > 0 for p in together] == [True, False, True, True]
    assert_equal(together, alone)


def test_a_crowd_is_found():
    # More than 500 peaks and several thousand pairs of them.
    codec = codec_for(size=(480, 664))
    maps = [m[None] for m in draw(codec, crowd(6, 5))]
    (poses,) = PoseDecoder(codec.skeleton, 8)(*maps)
    assert len(poses.keypoints) == 30 and (poses.scores > 0).all()


class TestKindsOfMaps:
    @pytest.fixture(scope='class')
    @classmethod
    def maps(cls):
        people = np.array([upright(50, 30), upright(110, 36)])
        return [m[None] for m in draw(codec_for(), people)]

    @pytest.fixture(scope='class')
    @classmethod
    def decode(cls):
        return PoseDecoder(build_skeleton('coco18'), 8)

    def test_tensors_on_the_cpu(self, maps, decode):
        tensors = [torch.from_numpy(m).requires_grad_() for m in maps]
        assert_equal(decode(*tensors), decode(*maps))

    def test_background_is_not_looked_at(self, maps, decode):
        expected = decode(*maps)
        assert_equal(decode(maps[0][:, :-1], maps[1]), expected)
        assert_equal(decode(torch.from_numpy(maps[0][:, :-1]), maps[1]), expected)

    def test_any_memory_layout_and_precision(self, maps, decode):
        expected = decode(*maps)
        assert len(expected[0].keypoints) == 2
        strided = [np.asfortranarray(m).astype(np.float64) for m in maps]
        assert_equal(decode(*strided), expected)
        last = [torch.from_numpy(m).to(memory_format=torch.channels_last) for m in maps]
        assert_equal(decode(*last), expected)
        half = [m.astype(np.float16) for m in maps]
        assert_same(decode(*half), expected, rtol=0.01)
        assert_equal(decode(*map(torch.from_numpy, half)), decode(*half))

    def test_maps_are_left_as_they_are(self, maps, decode):
        copies = [m.copy() for m in maps]
        decode(*copies)
        for copy, original in zip(copies, maps, strict=True):
            np.testing.assert_array_equal(copy, original)
