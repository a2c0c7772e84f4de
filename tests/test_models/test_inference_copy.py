"""Copies of models that compute the same for less."""

from typing import Any

import pytest
import tiny_methods
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.inference_copy import (
    bfloat16_copy,
    convolution_norm_pairs,
    inference_copy,
)

HEATMAPS = dict(
    type='TopdownPoseEstimator',
    backbone=dict(type='ResNet', depth=18, base_channels=8, stem_channels=8),
    head=dict(
        type='HeatmapHead',
        in_channels=64,
        out_channels=3,
        deconv_out_channels=(8,),
        deconv_kernel_sizes=(4,),
        decoder=dict(
            type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(4, 4), sigma=2
        ),
    ),
)


def drawn(config: dict, seed: int = 0) -> Any:
    """A model whose batch normalizations do something."""
    init_default_scope('mmpose')
    torch.manual_seed(seed)
    model = MODELS.build(config).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.bias):
                nn.init.normal_(tensor, 0, 0.3)
            for tensor in (module.running_var, module.weight):
                nn.init.uniform_(tensor, 0.5, 2)
    return model


def heads_output(model: Any, inputs: Tensor) -> Tensor:
    with torch.no_grad():
        found = model.head(model.extract_feat(inputs))
    return found[0] if isinstance(found, tuple) else found


def test_resnet_has_no_normalization_left_and_computes_the_same() -> None:
    """Shortcuts, deconvolutions, and what is normalized by properties."""
    model, inputs = drawn(HEATMAPS), torch.randn(2, 3, 64, 64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    expected = heads_output(model, inputs)
    fast = inference_copy(model, inputs)
    assert not any(isinstance(one, nn.BatchNorm2d) for one in fast.modules())
    assert sum(isinstance(one, nn.BatchNorm2d) for one in model.modules()) == 21
    found = heads_output(fast, torch.randn(2, 3, 64, 64))
    assert not torch.allclose(found, expected)
    torch.testing.assert_close(heads_output(fast, inputs), expected)
    # The model itself is as it was.
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    torch.testing.assert_close(heads_output(model, inputs), expected, atol=0, rtol=0)


@pytest.mark.parametrize('name', ['AutoLink', 'LMDIS', 'FactorizedSpatialEmbedding'])
def test_methods_of_discovery(name: str) -> None:
    """Keypoints stay where they are."""
    config = dict(tiny_methods.METHODS[name], type=name, losses=None)
    model = drawn(config)
    inputs = torch.randn(1, 3, tiny_methods.SIDE, tiny_methods.SIDE)
    fast = inference_copy(model, inputs)
    with torch.no_grad():
        expected, found = model.detect(inputs)[0], fast.detect(inputs)[0]
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=0)


class Chain(nn.Module):
    """Convolution and normalization, in several ways."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)
        self.head = nn.Identity()

    def extract_feat(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        if self.kind == 'changed':
            return self.norm(y.relu_())
        if self.kind == 'twice':
            return self.norm(self.conv(self.norm(y)))
        return self.norm(y) + y if self.kind == 'also read' else self.norm(y)


def chain(kind: str) -> Chain:
    torch.manual_seed(0)
    model = Chain(kind).eval()
    nn.init.uniform_(model.norm.running_var, 2, 3)
    return model


def test_only_what_may_be_folded_is() -> None:
    """Not what is changed in between, nor what is called twice; else it is refused."""
    inputs = torch.randn(1, 3, 8, 8)
    assert len(convolution_norm_pairs(chain('plain'), inputs)) == 1
    assert not convolution_norm_pairs(chain('changed'), inputs)
    assert not convolution_norm_pairs(chain('twice'), inputs)
    with pytest.raises(ValueError, match='Chain cannot be folded: outputs differ'):
        inference_copy(chain('also read'), inputs)


def test_bfloat16_gives_float32_and_leaves_the_model_alone() -> None:
    """Outputs are near; those of the model are what they were."""
    model, inputs = drawn(HEATMAPS), torch.randn(2, 3, 64, 64)
    expected = heads_output(model, inputs)
    rounded = bfloat16_copy(model)
    found = rounded.head.forward(rounded.extract_feat(inputs))
    assert found.dtype == torch.float32
    distance = (found - expected).abs().max() / expected.abs().max()
    assert 1e-5 < distance < 0.1
    assert torch.equal(heads_output(model, inputs), expected)
