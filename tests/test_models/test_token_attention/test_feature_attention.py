# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tokens attend to the features of any backbone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import nn

from mmkp.models.token_attention.feature_attention import FeatureAttention
from mmkp.models.token_attention.frozen_vgg import FrozenVGG


@MODELS.register_module(force=True)
class ThreeMaps(nn.Module):
    """Maps of 2, 3 and 4 channels, at a half, a half and a quarter of the size."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(
            [nn.Conv2d(3, 2, 2, 2), nn.Conv2d(2, 3, 1), nn.Conv2d(3, 4, 2, 2)]
        )

    def forward(self, images):
        found = [images]
        for layer in self.layers:
            found.append(layer(found[-1]))
        return tuple(found[1:])


def build(in_channels=(3, 4), backbone=None, **options):
    config = dict(
        type='FeatureAttention',
        backbone=backbone or dict(type='ThreeMaps'),
        in_channels=in_channels,
    )
    return MODELS.build({**config, **options})


def pictures(batch=2, size=(24, 16)):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(batch, 3, size[1], size[0], generator=generator)


def tokens(number, width):
    generator = torch.Generator().manual_seed(2)
    return torch.randn(number, width, generator=generator).requires_grad_()


class TestLogits:
    def test_scaled_products_with_normalised_features(self):
        attention, images, learned = build(), pictures(), tokens(5, 7)
        with torch.no_grad():
            _, fine, coarse = attention.frozen('backbone')(images)
        vectors = []
        for feature in (fine, coarse):
            by_cell = F.layer_norm(feature.permute(0, 2, 3, 1), feature.shape[1:2])
            vectors.append(by_cell.permute(0, 3, 1, 2))
        coarse = F.interpolate(
            vectors[1], scale_factor=2, mode='bilinear', align_corners=False
        )
        features = torch.cat((vectors[0], coarse), 1)
        expected = torch.einsum('bchw,nc->bhwn', features, learned) / 7**0.5
        (logits,) = attention(images, learned)
        assert logits.shape == (2, 1, 8, 12, 5)
        torch.testing.assert_close(logits[:, 0], expected, rtol=1e-5, atol=1e-5)

    def test_gradients_reach_the_tokens_alone(self):
        attention, learned = build(), tokens(5, 7)
        images = pictures().requires_grad_()
        attention(images, learned)[0].square().sum().backward()
        assert (learned.grad.abs().sum(1) > 0).all()
        assert images.grad is None
        assert all(p.grad is None for p in attention.frozen('backbone').parameters())

    def test_choice_of_maps(self):
        attention = build((4, 2), in_index=(2, 0))
        assert attention.token_width == 6
        first = build((4,)).features(pictures())
        last = build((2,), in_index=(0,)).features(pictures())
        found = attention.features(pictures())
        assert found.shape == (2, 6, 8, 12)
        assert torch.equal(found[:, 4:], last)
        resized = F.interpolate(first, scale_factor=2, mode='bilinear')
        assert torch.equal(found[:, :4], resized)

    def test_scale(self):
        learned = tokens(5, 7)
        (plain,) = build()(pictures(), learned)
        (scaled,) = build(logit_scale=2.0)(pictures(), learned)
        torch.testing.assert_close(scaled, 2 * 7**0.5 * plain)

    def test_constant_features_do_not_divide_by_zero(self):
        (logits,) = build()(torch.zeros(1, 3, 8, 8), torch.zeros(4, 7))
        assert logits.isfinite().all()

    def test_autocast_leaves_logits_in_single_precision(self):
        attention, learned = build(), tokens(5, 7)
        (expected,) = attention(pictures(), learned)
        with torch.autocast('cpu', torch.bfloat16):
            (logits,) = attention(pictures(), learned)
        assert logits.dtype == torch.float32
        assert (logits - expected).abs().max() < 0.1 * expected.abs().max()


class TestBackbones:
    def test_random_weights_follow_from_the_seed(self):
        torch.manual_seed(5)
        state = torch.get_rng_state()
        first = build(seed=3)
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(6)
        assert torch.equal(build(seed=3).fingerprint(), first.fingerprint())
        assert not torch.equal(build(seed=4).fingerprint(), first.fingerprint())

    def test_any_of_mmpose_with_weights_of_a_file(self, tmp_path):
        resnet = dict(
            type='ResNet', depth=18, base_channels=8, stem_channels=8, out_indices=(2,)
        )
        drawn = build((32,), resnet, seed=0)
        path = tmp_path / 'resnet.pth'
        torch.save(drawn.frozen('backbone').state_dict(), path)
        resnet['init_cfg'] = dict(type='Pretrained', checkpoint=str(path))
        loaded = build((32,), resnet, seed=1)
        assert torch.equal(loaded.fingerprint(), drawn.fingerprint())
        # Batch normalisation keeps to the statistics of the file, in training too.
        images, learned = pictures(size=(64, 64)), tokens(3, 32)
        (logits,) = loaded.train()(images, learned)
        assert torch.equal(logits, drawn.eval()(images, learned)[0])
        assert not loaded.frozen('backbone').bn1.running_mean.any()

    def test_wrong_channels(self):
        with pytest.raises(ValueError) as raised:
            build((3, 5)).features(pictures())
        assert str(raised.value) == (
            'feature maps (-2, -1) of the backbone have (3, 4) channels, in_channels '
            'says (3, 5): correct it'
        )

    @pytest.mark.parametrize(
        'options', (dict(in_channels=()), dict(in_index=(0, 1, 2)))
    )
    def test_a_number_of_channels_for_each_map(self, options):
        with pytest.raises(ValueError, match='one number of channels for each map'):
            build(**options)


class TestFrozenVGG:
    LAYERS = ('relu1_2', 'relu2_1')

    def test_as_a_backbone(self):
        vgg = dict(type='FrozenVGG', layers=self.LAYERS, base_channels=2)
        attention = build((2, 4), vgg)
        assert isinstance(attention, FeatureAttention)
        (logits,) = attention(pictures(), tokens(5, 6))
        assert logits.shape == (2, 1, 16, 24, 5) and logits.std() > 0
        other = build((2, 4), {**vgg, 'seed': 1})
        # Its weights are buffers that are not saved, and count nevertheless.
        assert not torch.equal(other.fingerprint(), attention.fingerprint())

    def test_order_of_colours_follows_from_the_kind_of_file(self, tmp_path):
        rng = np.random.default_rng(0)
        weight, bias = rng.normal(size=(64, 3, 3, 3)), rng.normal(size=64)
        weight, bias = weight.astype(np.float32), bias.astype(np.float32)
        caffe, torchvision = tmp_path / 'vgg.npz', tmp_path / 'vgg.pth'
        # Caffe's reads BGR, torchvision's RGB.
        content = {'conv1_1.weight': weight[:, ::-1], 'conv1_1.bias': bias}
        np.savez(caffe, **content)
        state = {'features.0.weight': weight, 'features.0.bias': bias}
        torch.save({k: torch.from_numpy(v) for k, v in state.items()}, torchvision)
        found = [
            FrozenVGG(layers=('relu1_1',), weights=str(path))(pictures())[0]
            for path in (caffe, torchvision)
        ]
        assert torch.equal(*found)
        expected = F.conv2d(
            pictures(), *map(torch.from_numpy, (weight, bias)), padding=1
        )
        torch.testing.assert_close(found[0], expected.relu())

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError, match='absent.npz'):
            FrozenVGG(weights=str(tmp_path / 'absent.npz')).init_weights()

    def test_is_read_when_it_is_needed(self, tmp_path):
        vgg = dict(type='FrozenVGG', layers=('relu1_1',), weights='later.npz')
        vgg['weights'] = str(tmp_path / 'later.npz')
        attention = build((64,), vgg).half().float()
        for use in (
            attention.init_weights,
            lambda: attention(pictures(), tokens(5, 64)),
            lambda: attention.fingerprint(),
        ):
            with pytest.raises(FileNotFoundError, match='later.npz'):
                use()
        weight = np.random.default_rng(0).normal(size=(64, 3, 3, 3)).astype('f4')
        np.savez(
            vgg['weights'], **{'conv1_1.weight': weight, 'conv1_1.bias': np.zeros(64)}
        )
        attention(pictures(), tokens(5, 64))
        # It has followed the model to half precision and back.
        (stored,) = (
            value
            for name, value in attention.frozen('backbone').named_buffers()
            if name.endswith('weight')
        )
        expected = torch.from_numpy(weight)[:, [2, 1, 0]].half().float()
        assert torch.equal(stored, expected)

    def test_tokens_of_another_network_are_refused_before_it_was_used(self):
        vgg = dict(type='FrozenVGG', layers=self.LAYERS, base_channels=2)
        first = build((2, 4), vgg)
        first.init_weights()
        state = first.state_dict()
        build((2, 4), vgg).load_state_dict(state)
        with pytest.raises(ValueError, match='another frozen network'):
            build((2, 4), {**vgg, 'seed': 1}).load_state_dict(state)
