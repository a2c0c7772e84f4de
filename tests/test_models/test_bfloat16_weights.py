"""Rounded weights that make up for each other."""

import tiny_methods
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import nn

from mmkp.models.bfloat16_weights import fitted_to_bfloat16, round_in_turn
from mmkp.models.layers.tf_convolution import SeparableConvolution


def test_products_with_what_was_seen_change_less_than_by_nearest_numbers() -> None:
    """Of inputs that are alike, as features of images are."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.rand(500, 40, generator=generator) + 0.5
    weights = torch.randn(1, 7, 40, generator=generator)
    moments = (inputs.T @ inputs / len(inputs))[None]
    fitted = round_in_turn(weights, moments)
    assert torch.equal(fitted, fitted.bfloat16().float())
    expected = inputs @ weights[0].T
    errors = [
        (inputs @ rounded[0].T - expected).square().mean().sqrt()
        for rounded in (fitted, weights.bfloat16().float())
    ]
    assert errors[0] < 0.6 * errors[1]
    torch.testing.assert_close(fitted, weights, atol=0.05, rtol=0)


def test_one_weight_alone_becomes_the_nearest_number() -> None:
    """Nothing can make up for it."""
    weights = torch.tensor([[[1.001]], [[-3.14159]]])
    fitted = round_in_turn(weights, torch.ones(2, 1, 1))
    assert torch.equal(fitted, weights.bfloat16().float())


def test_a_network_comes_nearer_to_float32() -> None:
    """All weights are bfloat16's; the model itself stays as it is."""
    init_default_scope('mmpose')
    torch.manual_seed(0)
    config = dict(tiny_methods.METHODS['LMDIS'], type='LMDIS', losses=None)
    model = MODELS.build(config).eval()
    inputs = [torch.rand(1, 3, 64, 64) for _ in range(3)]
    before = {key: value.clone() for key, value in model.state_dict().items()}
    fitted = fitted_to_bfloat16(model, inputs[:2])
    nearest = fitted_to_bfloat16(model, inputs[:2])
    for key, value in model.state_dict().items():
        assert torch.equal(value, before[key])
    detector = nn.ModuleList([fitted.backbone, fitted.head])
    convolutions = [m for m in detector.modules() if isinstance(m, nn.Conv2d)]
    assert len(convolutions) > 4
    for module in convolutions:
        assert torch.equal(module.weight, module.weight.bfloat16().float())
    for module, other in zip(nearest.modules(), model.modules(), strict=True):
        if isinstance(module, nn.Conv2d):
            module.weight.data = other.weight.data.bfloat16().float()
            if module.bias is not None:
                module.bias.data = other.bias.data.bfloat16().float()
    with torch.no_grad():
        maps = [
            one.head(one.extract_feat(inputs[2])) for one in (model, fitted, nearest)
        ]
    expected, found, plain = (m[0] if isinstance(m, tuple) else m for m in maps)
    assert (found - expected).norm() < (plain - expected).norm()


def test_factors_become_part_of_the_convolution() -> None:
    """The layer computes the same."""
    torch.manual_seed(0)
    layer, inputs = SeparableConvolution(4, 5, 1), torch.randn(2, 4, 6, 6)
    with torch.no_grad():
        expected = layer(inputs)
        layer.merge_factors()
        assert torch.equal(layer.depthwise.weight, torch.ones(4, 1, 1, 1))
        torch.testing.assert_close(layer(inputs), expected)
