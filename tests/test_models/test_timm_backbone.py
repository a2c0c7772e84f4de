# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Networks of timm give feature maps, with random weights and with those of a file."""

import sys

import pytest
import torch
from mmpose.registry import MODELS

import mmkp  # noqa: F401

CONFIG = dict(
    type='TimmBackbone',
    model_name='vit_tiny_patch16_224',
    out_indices=(1, 3),
    model_args=dict(img_size=64, depth=4, dynamic_img_size=True),
)


def pictures():
    return torch.randn(2, 3, 48, 80, generator=torch.Generator().manual_seed(0))


class TestWithTimm:
    @pytest.fixture(autouse=True)
    def has_timm(self):
        pytest.importorskip('timm')

    def test_maps_of_any_size(self):
        network = MODELS.build(CONFIG).eval()
        maps = network(pictures())
        assert [tuple(m.shape) for m in maps] == [(2, 192, 3, 5)] * 2
        assert not torch.equal(*maps)

    def test_weights_of_a_file_with_a_classifier(self, tmp_path):
        import timm

        other = timm.create_model(
            CONFIG['model_name'], num_classes=7, img_size=64, depth=4
        )
        torch.save(other.state_dict(), tmp_path / 'vit.pth')
        network = MODELS.build(dict(CONFIG, weights=str(tmp_path / 'vit.pth'))).eval()
        network.init_weights()
        images = torch.randn(1, 3, 64, 64)
        expected = other.eval().forward_intermediates(
            images, [1, 3], output_fmt='NCHW', intermediates_only=True
        )
        for found, value in zip(network(images), expected, strict=True):
            torch.testing.assert_close(found, value)

    def test_refuses_weights_of_another_network(self, tmp_path):
        network = MODELS.build(dict(CONFIG, weights=str(tmp_path / 'vit.pth')))
        with pytest.raises(FileNotFoundError, match='vit.pth'):
            network.init_weights()
        state = network.network.state_dict()
        state.pop('cls_token')
        torch.save(state, tmp_path / 'vit.pth')
        with pytest.raises(ValueError, match=r'1 of \d+ entries .* cls_token'):
            network.init_weights()

    def test_refuses_unknown_networks(self):
        with pytest.raises(ValueError, match="has no network 'vit_nano'"):
            MODELS.build(dict(CONFIG, model_name='vit_nano'))


def test_without_timm(monkeypatch):
    monkeypatch.setitem(sys.modules, 'timm', None)
    with pytest.raises(ImportError, match='pip install timm'):
        MODELS.build(CONFIG)
