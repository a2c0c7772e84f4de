"""Decoding as tensor operations equals what the codecs do in NumPy and OpenCV."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmpose.codecs import (
    SPR,
    IntegralRegressionLabel,
    MegviiHeatmap,
    MSRAHeatmap,
    RegressionLabel,
    SimCCLabel,
    UDPHeatmap,
)

from mmkp.codecs import HourglassHeatmap
from mmkp.deployment.graphs.decoders import decoder_of

SIZES = dict(input_size=(48, 64), heatmap_size=(12, 16))


def heatmaps(channels: int = 40) -> torch.Tensor:
    """Peaks anywhere, some at the border, on noise; one map nowhere above 0."""
    draw = torch.Generator().manual_seed(0)
    x, y = (torch.rand(2, 2, channels, generator=draw) * 1.2 - 0.1).unbind()
    columns = (torch.arange(12) - x[..., None] * 11)[:, :, None]
    rows = (torch.arange(16) - y[..., None] * 15)[..., None]
    maps = (-(columns**2 + rows**2) / 4.5).exp()
    maps = maps + torch.rand(maps.shape, generator=draw) * 0.02
    maps[1, 3] = -maps[1, 3]
    return maps


def expected(codec, outputs) -> tuple[np.ndarray, np.ndarray]:
    """What the codec makes of each image."""
    keypoints, scores = zip(
        *(codec.decode(np.array(image)) for image in outputs), strict=True
    )
    return np.concatenate(keypoints), np.concatenate(scores)


@pytest.mark.parametrize(
    'codec',
    [
        HourglassHeatmap(**SIZES),
        MSRAHeatmap(**SIZES, sigma=2),
        MSRAHeatmap(**SIZES, sigma=2, unbiased=True),
        MSRAHeatmap(**SIZES, sigma=2, unbiased=True, blur_kernel_size=5),
        UDPHeatmap(**SIZES),
        UDPHeatmap(**SIZES, blur_kernel_size=17),
        MegviiHeatmap(**SIZES, kernel_size=5),
    ],
    ids=lambda codec: f'{type(codec).__name__}-{vars(codec).get("unbiased", "")}',
)
def test_heatmaps_are_decoded_as_the_codec_does(codec):
    maps = heatmaps()
    keypoints, scores = expected(codec, maps)
    found, confidence = decoder_of(codec)(maps)
    assert len(np.unique(keypoints.round(2))) > 30
    np.testing.assert_allclose(found.numpy(), keypoints, atol=5e-4)
    np.testing.assert_allclose(confidence.numpy(), scores, atol=1e-6)


def test_offsets_are_decoded_as_the_codec_does():
    codec = UDPHeatmap(**SIZES, heatmap_type='combined', blur_kernel_size=3)
    maps = heatmaps(39)
    keypoints, scores = expected(codec, maps)
    found, confidence = decoder_of(codec)(maps)
    np.testing.assert_allclose(found.numpy(), keypoints, atol=5e-4)
    np.testing.assert_allclose(confidence.numpy(), scores, atol=1e-6)


@pytest.mark.parametrize('use_dark', [False, True])
def test_lines_are_decoded_as_the_codec_does(use_dark):
    codec = SimCCLabel(input_size=(48, 64), sigma=(4.9, 5.66), use_dark=use_dark)
    draw = torch.Generator().manual_seed(0)
    lines = []
    for number in (96, 128):
        middle = torch.rand(2, 30, 1, generator=draw) * number
        line = (-((torch.arange(number) - middle) ** 2) / 50).exp()
        lines.append(line + torch.rand(line.shape, generator=draw) * 0.01)
    lines[0][1, 4] = -1
    keypoints, scores = codec.decode(*(np.array(line) for line in lines))
    found, confidence = decoder_of(codec)(tuple(lines))
    assert len(np.unique(keypoints)) > 50
    np.testing.assert_allclose(found.numpy(), keypoints, atol=5e-4)
    np.testing.assert_allclose(confidence.numpy(), scores, atol=1e-6)


@pytest.mark.parametrize('channels', [2, 4])
def test_coordinates_are_decoded_as_the_codec_does(channels):
    codec = RegressionLabel(input_size=(48, 64))
    shares = torch.rand(2, 5, channels, generator=torch.Generator().manual_seed(0))
    keypoints, scores = codec.decode(shares.numpy())
    integral = IntegralRegressionLabel(**SIZES, sigma=2)
    for one in (codec, integral):
        found, confidence = decoder_of(one)(shares)
        np.testing.assert_allclose(found.numpy(), keypoints, atol=1e-5)
        np.testing.assert_allclose(confidence.numpy(), scores, atol=1e-6)


def test_a_codec_that_is_not_known_is_named():
    for codec in (SPR(**SIZES), SimpleNamespace()):
        name = type(codec).__name__
        with pytest.raises(TypeError, match=f'codec {name} has no decoding'):
            decoder_of(codec)
