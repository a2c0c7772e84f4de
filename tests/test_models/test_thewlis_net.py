# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The network of Thewlis et al.: sizes, parameters, and where its cells look."""

import pytest
import torch
from mmpose.registry import MODELS
from torch import nn

from mmkp.models.backbones import ThewlisNet
from mmkp.models.heads import SoftArgmaxHead

# Five convolutions without bias, each with two numbers of its normalisation a filter.
WIDTHS = (20, 48, 64, 80, 256)
PARAMETERS = 25 * (3 * 20 + 20 * 48 + 48 * 64 + 64 * 80 + 80 * 256) + 2 * sum(WIDTHS)
ALIGNMENTS = {'valid': {'first': 22.5, 'spacing': 2}, 'reflect': 'cell_centers'}


def detector(padding: str, num_keypoints: int = 3, **head: object):
    backbone = MODELS.build({'type': 'ThewlisNet', 'padding': padding})
    head = SoftArgmaxHead(
        in_channels=256,
        num_keypoints=num_keypoints,
        upsample_channels=(),
        kernel_size=5,
        padding=padding,
        alignment=ALIGNMENTS[padding],
        **head,
    )
    return backbone, head


def test_sizes_and_parameters_are_those_of_the_paper():
    backbone, head = detector('valid', 10, final_norm=True, final_relu=True)
    backbone.init_weights()
    # 128 -> 124 -> 62 -> 58 -> 54 -> 50 -> 46 and the head's 42
    (features,) = backbone(torch.rand(1, 3, 128, 132))
    assert features.shape == (1, 256, 46, 48)
    scores = head((features,))
    assert scores.shape == (1, 10, 42, 44)
    assert scores.min() == 0
    assert sum(p.numel() for p in backbone.parameters()) == PARAMETERS
    assert sum(p.numel() for p in head.parameters()) == 25 * 256 * 10 + 2 * 10
    weights = torch.cat([p.flatten() for p in backbone.parameters() if p.dim() == 4])
    assert weights.std().item() == pytest.approx(0.02, rel=0.01)


def test_the_head_starts_from_the_named_deviation():
    _, head = detector('valid', 10, init_std=0.02)
    head.init_weights()
    assert head.final_layer.weight.std().item() == pytest.approx(0.02, rel=0.02)
    assert head.final_layer.bias.abs().sum() == 0


def test_reflection_keeps_the_size_of_the_pooled_image():
    backbone, head = detector('reflect')
    assert head(backbone(torch.rand(2, 3, 64, 48))).shape == (2, 3, 32, 24)


@pytest.mark.parametrize('cell', [(0, 0), (7, 3), (11, 9)])
def test_cells_lie_in_the_middle_of_what_they_look_at(cell):
    torch.manual_seed(0)
    backbone, head = detector('valid')
    backbone.eval(), head.eval()
    # Several images, since a pooling passes on one pixel of four only.
    images = torch.randn(8, 3, 68, 64, requires_grad=True)
    scores = head(backbone(images))
    assert scores.shape[-2:] == (12, 10)
    scores[:, :, cell[0], cell[1]].sum().backward()
    seen = images.grad.abs().sum((0, 1)) > 0
    ends = [seen.any(axis).nonzero()[[0, -1]].float().mean().item() for axis in (0, 1)]
    weight = torch.zeros(1, 1, 12, 10)
    weight[0, 0, cell[0], cell[1]] = 1
    logits = torch.log(weight)
    keypoints, _ = head.locate(logits, (64, 68))
    assert keypoints[0, 0].tolist() == ends


def pass_through(backbone: nn.Module, head: nn.Module) -> None:
    """Let every layer hand its first channel on as it is."""
    for layer in (*backbone.modules(), *head.modules()):
        if isinstance(layer, nn.Conv2d):
            nn.init.zeros_(layer.weight)
            layer.weight.data[:, 0, 2, 2] = 1
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


@pytest.mark.parametrize('padding', ['valid', 'reflect'])
@pytest.mark.parametrize(
    'place', [(40.0, 52.0), (63.5, 63.5), (77.3, 48.8), (88.0, 90.0)]
)
def test_a_dot_is_found_where_it_was_painted(padding, place):
    backbone, head = detector(padding, 1)
    backbone.eval(), head.eval()
    pass_through(backbone, head)
    y, x = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing='ij')
    dot = torch.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * 3.0**2))
    with torch.no_grad():
        scores = head(backbone(dot.expand(1, 3, -1, -1)))
        keypoints, _ = head.locate(30 * scores, (128, 128))
    # The pooling takes the brighter of two pixels, up to half a pixel off its middle.
    assert (keypoints[0, 0] - torch.tensor(place)).abs().max() < 0.5


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        ({'padding': 'zeros'}, "'valid' or 'reflect'"),
        ({'channels': ()}, 'at least one width'),
        ({'kernel_size': 4}, 'kernel_size must be odd'),
    ],
)
def test_what_makes_no_network_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ThewlisNet(**arguments)


@pytest.mark.parametrize('padding', ['valid', 'reflect'])
def test_the_smallest_input_is_known(padding):
    backbone, _ = detector(padding)
    size = backbone.smallest_input
    assert min(backbone(torch.rand(2, 3, size, size))[0].shape[-2:]) >= 1
    with pytest.raises(ValueError, match=f'at least {size} a side'):
        backbone(torch.rand(2, 3, size, size - 1))


def test_heads_refuse_unknown_padding_and_alignment():
    with pytest.raises(ValueError, match="got 'same'"):
        SoftArgmaxHead(8, 2, padding='same')
    with pytest.raises(ValueError, match='alignment must be one of'):
        SoftArgmaxHead(8, 2, alignment='middle')
