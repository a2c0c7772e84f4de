"""Normalization inside a graph equals MMPose's data preprocessor."""

import pytest
import torch
from mmpose.models.data_preprocessors import PoseDataPreprocessor
from mmpose.structures import PoseDataSample
from torch import nn

from mmkp.deployment.graphs.normalization import InputNormalization

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


@pytest.mark.parametrize(
    'arguments',
    [
        dict(mean=MEAN, std=STD, bgr_to_rgb=True),
        dict(mean=MEAN, std=STD),
        dict(mean=[127.5], std=[100.0]),
        dict(),
        dict(mean=MEAN, std=STD, pad_size_divisor=8, pad_value=3),
    ],
)
def test_images_become_what_the_preprocessor_makes_of_them(arguments):
    preprocessor = PoseDataPreprocessor(**arguments)
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (2, 3, 10, 13), dtype=torch.uint8, generator=draw)
    samples = [PoseDataSample() for _ in images]
    expected = preprocessor(dict(inputs=list(images), data_samples=samples))['inputs']
    found = InputNormalization(preprocessor)(images.float())
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_it_says_what_it_does():
    made = InputNormalization(PoseDataPreprocessor(mean=MEAN, std=STD, bgr_to_rgb=True))
    described = made.described()
    assert described['mean'] == pytest.approx(MEAN)
    assert described['std'] == pytest.approx(STD)
    assert described['to_rgb'] is True
    plain = InputNormalization(PoseDataPreprocessor()).described()
    assert plain == dict(mean=[0.0] * 3, std=[1.0] * 3, to_rgb=False)


def test_a_preprocessor_of_another_kind_is_refused_by_name():
    with pytest.raises(TypeError, match='Identity cannot become part of a graph'):
        InputNormalization(nn.Identity())
