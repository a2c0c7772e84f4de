# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Latents are kept by what decides about them, and files are whole or not there."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from tiny_diffusion import tiny_images
from torch import nn

from mmkp.models.token_attention.latent_cache import LatentCache, weights_digest


class Encoder:
    """Counts the images it sees."""

    def __init__(self):
        self.seen = 0

    def __call__(self, images):
        assert images.shape[0] == 1
        self.seen += 1
        return images[:, :1, ::8, ::8] * 2


@pytest.fixture
def cache(tmp_path):
    return LatentCache(tmp_path / 'new' / 'latents', 'encoder')


def test_encodes_once(cache):
    images, encode = tiny_images(3), Encoder()
    first = cache.fetch(images[:2], encode)
    assert encode.seen == 2 and first.shape == (2, 1, 8, 8)
    again = cache.fetch(images, encode)
    assert encode.seen == 3
    assert torch.equal(again, images[:, :1, ::8, ::8] * 2)
    assert len(list(cache.folder.iterdir())) == 3


def test_memory_order_does_not_matter(cache):
    images = tiny_images(1)
    other = images.contiguous(memory_format=torch.channels_last)
    assert cache.path(images[0]) == cache.path(other[0])


def test_key_has_everything_in_it(cache):
    (image,) = tiny_images(1)
    changed = image.clone()
    changed[0, 5, 5] += 1e-6
    other = LatentCache(cache.folder, 'another encoder')
    paths = {
        cache.path(image),
        cache.path(changed),
        cache.path(image.double()),
        cache.path(image.view(3, 32, 128)),
        other.path(image),
    }
    assert len(paths) == 5


@pytest.mark.parametrize('damage', ('cut', 'bit', 'empty', 'other'))
def test_damaged_file_is_made_anew(cache, damage):
    images, encode = tiny_images(1), Encoder()
    expected = cache.fetch(images, encode)
    path = cache.path(images[0])
    content = bytearray(path.read_bytes())
    if damage == 'cut':
        content = content[: len(content) // 2]
    elif damage == 'bit':
        content[len(content) // 2] ^= 1
    else:
        content = b'' if damage == 'empty' else b'something else'
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=path.name):
        found = cache.fetch(images, encode)
    assert torch.equal(found, expected) and encode.seen == 2
    assert torch.equal(cache.fetch(images, encode), expected) and encode.seen == 2


def test_no_remains_of_a_failure(cache, monkeypatch):
    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr('numpy.savez', lambda *_, **__: fail())
    with pytest.raises(OSError, match='disk full'):
        cache.fetch(tiny_images(1), Encoder())
    assert not list(cache.folder.iterdir())


def test_many_at_a_time(cache):
    images = tiny_images(4)
    with ThreadPoolExecutor(8) as pool:
        results = list(
            pool.map(lambda _: cache.fetch(images, Encoder()), range(32), timeout=60)
        )
    assert all(torch.equal(found, results[0]) for found in results)
    assert len(list(cache.folder.iterdir())) == 4


def test_weights_digest():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = weights_digest(module)
    assert before == weights_digest(module)
    assert before != weights_digest(module.half())
    module.float()
    module[0].weight.data[2, 1] += 1e-3
    assert before != weights_digest(module)
