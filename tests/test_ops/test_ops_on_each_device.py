# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Operations that have one form give the same on each device."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from mmkp.codecs import PartAffinityField
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.heatmaps.peaks import locate_maxima, peak_centroids
from mmkp.ops.heatmaps.soft_argmax import soft_argmax
from mmkp.ops.token_maps.selection import select_tokens
from mmkp.ops.warps.samplers import random_lmdis_warp

GEOMETRY = MapGeometry((48, 32), (12, 8), (1.5, 1.5), (4.0, 4.0))


def maps(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, 6, 8, 12, generator=generator)


OPERATIONS = {
    'soft_argmax': lambda m: soft_argmax(m / m.sum((-2, -1), keepdim=True), GEOMETRY),
    'peak_centroids': lambda m: peak_centroids(m, GEOMETRY, 2.0),
    'locate_maxima': lambda m: torch.cat([part.flatten() for part in locate_maxima(m)]),
    'select_tokens': lambda m: select_tokens(m, m.flip(-1), 4, 2),
}


@pytest.mark.parametrize('name', OPERATIONS)
def test_maps(name, device_form):
    expected = OPERATIONS[name](maps())
    found = OPERATIONS[name](maps().to(device_form))
    assert found.device.type == device_form
    assert_close(found.cpu(), expected, rtol=1e-5, atol=1e-5)


def test_warps(device_form):
    torch.manual_seed(0)
    images = torch.rand(2, 3, 32, 48)
    warp = random_lmdis_warp(2, (48, 32))
    points = torch.rand(2, 5, 2) * 30
    expected = warp.points_to_source(points), warp.images(images)
    for name, value in vars(warp).items():
        if isinstance(value, torch.Tensor):
            setattr(warp, name, value.to(device_form))
    found = (
        warp.points_to_source(points.to(device_form)),
        warp.images(images.to(device_form)),
    )
    for ours, reference in zip(found, expected, strict=True):
        assert ours.device.type == device_form
        assert_close(ours.cpu(), reference, rtol=1e-4, atol=1e-4)


def test_people(device_form):
    codec = PartAffinityField(skeleton='coco18', input_size=(128, 128))
    rng = np.random.default_rng(0)
    people = rng.uniform(10, 118, (3, 17, 2)).astype(np.float32)
    targets = codec.encode(people, np.ones((3, 17), np.float32))
    both = [
        torch.from_numpy(targets[name])[None]
        for name in ('heatmaps', 'part_affinity_fields')
    ]
    expected = codec.batch_decode(*both)
    found = codec.batch_decode(*(part.to(device_form) for part in both))
    for ours, reference in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours[0], reference[0], rtol=1e-6)
    assert len(found[0][0]) > 0
