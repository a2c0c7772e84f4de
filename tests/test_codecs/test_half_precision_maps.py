# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Maps in half precision decode to what their values in float32 do."""

import warnings

import numpy as np
import pytest
import torch
from drawn_people import codec_for, crowd, draw

from mmkp.codecs import HourglassHeatmap

HALVES = (torch.bfloat16, torch.float16)


@pytest.fixture(scope='module')
def people():
    maps = draw(codec_for(size=(160, 280)), crowd(2, 2))
    noise = np.random.default_rng(0)
    return [torch.from_numpy(m + 0.02 * noise.normal(size=m.shape)) for m in maps]


@pytest.mark.parametrize('half', HALVES, ids=str)
@pytest.mark.parametrize('upsample', [1, 2])
def test_people(people, half, upsample):
    codec = codec_for(size=(160, 280), decoder=dict(upsample=upsample))
    maps = [each.to(half) for each in people]
    exact = codec.decode(*(each.float() for each in maps))
    assert len(exact[0]) == 4
    given = [maps]
    if half == torch.float16:
        given.append([each.numpy() for each in maps])
    for each in given:
        for one, other in zip(codec.decode(*each), exact, strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == np.float32


@pytest.mark.parametrize('half', HALVES, ids=str)
def test_hourglass(half):
    codec = HourglassHeatmap(input_size=(64, 64), heatmap_size=(32, 32))
    maps = torch.rand(5, 32, 32).to(half)
    exact = codec.decode(maps.float().numpy())
    given = [maps, maps.numpy()] if half == torch.float16 else [maps]
    for each in given:
        for one, other in zip(codec.decode(each), exact, strict=True):
            np.testing.assert_array_equal(one, other)
            assert one.dtype == np.float32


@pytest.mark.parametrize('largest', [6e4, 1e30])
def test_large_numbers_are_finite(people, largest):
    """Their squares are not, in half precision or in float32."""
    dtype = torch.float16 if largest < 65504 else torch.float32
    maps = [each.clone() for each in people]
    maps[1][0, 0] = largest  # a row of a field, where nobody is
    codec = codec_for(size=(160, 280))
    with warnings.catch_warnings():
        warnings.simplefilter('error', UserWarning)
        points = codec.decode(*(each.to(dtype) for each in maps))[0]
    assert len(points) == 4
