"""All ways to decode give the same people: numpy, numba, torch, one by one, at once."""

import importlib.util

import cv2
import numpy as np
import pytest
import torch
from drawn_people import codec_for, crowd, draw, upright
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.codecs import build_skeleton
from mmkp.codecs.pose_decoder import PoseDecoder

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


some_maps = given(
    name=st.sampled_from(SKELETONS),
    seed=st.integers(0, 2**32 - 1),
    number=st.integers(0, 4),
    strength=st.sampled_from([0.0, 0.1, 0.6]),
    rules=st.sampled_from(RULES),
)


@needs_numba
@some_maps
@settings(max_examples=60, deadline=None)
def test_numba_gives_the_same_bits_as_numpy(name, seed, number, strength, rules):
    skeleton, *maps = noisy_maps(name, seed, number, strength)
    for offset in (0.0, 7 / 16):
        options = dict(field_offset=offset, **rules)
        by_numpy = PoseDecoder(skeleton, 8, backend='numpy', **options)(*maps)
        by_numba = PoseDecoder(skeleton, 8, backend='numba', **options)(*maps)
        assert_equal(by_numpy, by_numba)


@some_maps
@settings(max_examples=30, deadline=None)
def test_torch_gives_the_same_as_numpy(name, seed, number, strength, rules):
    skeleton, *maps = noisy_maps(name, seed, number, strength)
    by_numpy = PoseDecoder(skeleton, 8, backend='numpy', **rules)(*maps)
    tensors = [torch.from_numpy(m) for m in maps]
    by_torch = PoseDecoder(skeleton, 8, backend='torch', **rules)(*tensors)
    assert_same(by_numpy, by_torch, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('profile', ['openpose', 'lightweight'])
def test_torch_follows_every_profile(profile):
    skeleton, *maps = noisy_maps('coco18', 0, 3, 0.05)
    by_numpy = PoseDecoder(skeleton, 8, profile, 'numpy')(*maps)
    tensors = [torch.from_numpy(m) for m in maps]
    by_torch = PoseDecoder(skeleton, 8, profile, 'torch')(*tensors)
    assert len(by_numpy[0].keypoints)
    assert_same(by_numpy, by_torch, rtol=1e-4, atol=1e-3)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a GPU')
@pytest.mark.parametrize('profile', ['accurate', 'openpose', 'lightweight'])
def test_gpu_gives_the_same_as_numpy(profile):
    for seed in range(5):
        skeleton, *maps = noisy_maps('coco18', seed, 4, 0.1, batch=4)
        by_numpy = PoseDecoder(skeleton, 8, profile, 'numpy')(*maps)
        tensors = [torch.from_numpy(m).cuda() for m in maps]
        by_gpu = PoseDecoder(skeleton, 8, profile)(*tensors)
        assert_same(by_numpy, by_gpu, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('backend', ['auto', 'numpy', 'torch'])
@pytest.mark.parametrize('strength', [0.02, 0.5])
def test_batch_is_image_by_image(backend, strength):
    skeleton, heatmaps, fields = noisy_maps('coco18', 5, 3, strength, batch=4)
    # An empty image among the others.
    heatmaps[1], fields[1] = 0, 0
    if backend == 'torch':
        heatmaps, fields = torch.from_numpy(heatmaps), torch.from_numpy(fields)
    decode = PoseDecoder(skeleton, 8, backend=backend)
    together = decode(heatmaps, fields)
    alone = [decode(heatmaps[b : b + 1], fields[b : b + 1])[0] for b in range(4)]
    assert [len(p.keypoints) > 0 for p in together] == [True, False, True, True]
    assert_same(together, alone, rtol=1e-6)


@needs_numba
def test_crowd_outgrows_all_first_guesses():
    # More than 500 peaks and several thousand pairs of them.
    codec = codec_for(size=(480, 664))
    maps = [m[None] for m in draw(codec, crowd(6, 5))]
    skeleton = codec.skeleton
    by_numpy = PoseDecoder(skeleton, 8, backend='numpy')(*maps)
    assert len(by_numpy[0].keypoints) == 30
    assert_equal(by_numpy, PoseDecoder(skeleton, 8, backend='numba')(*maps))


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
