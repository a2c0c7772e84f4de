# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Logits are those of the layers, and nothing else about the UNet changes."""

import copy

import pytest
import torch
from diffusers.models.attention_processor import (
    Attention,
    AttnProcessor,
    AttnProcessor2_0,
)
from tiny_diffusion import FAMILIES, tiny_config, tiny_tokens

from mmkp.models.token_attention.attention_capture import (
    AttentionCapture,
    attention_logits,
    capture_logits,
    cross_attention_layers,
    default_layers,
    find_layers,
    map_shape,
)
from mmkp.models.token_attention.diffusion_models import load_models

UP = 'up_blocks.{}.attentions.{}.transformer_blocks.0.attn2'
PUBLISHED = [UP.format(1, 0), UP.format(1, 1), UP.format(1, 2), UP.format(2, 0)]


def tiny_unet(family='sd1'):
    unet = load_models(tiny_config(family)).unet
    return unet.requires_grad_(False).eval()


def inputs(tokens, shape=(8, 12), batch=2):
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn(batch, 4, *shape, generator=generator)
    context = tokens.expand(batch, -1, -1)
    return (latents, torch.tensor(1)), dict(encoder_hidden_states=context)


def gradient(capture, tokens):
    args, kwargs = inputs(tokens)
    found = capture.run(*args, **kwargs)
    weighted = sum((logits * logits.detach().sin()).sum() for logits in found)
    return found, torch.autograd.grad(weighted, tokens)[0]


@pytest.fixture(scope='module')
def reference():
    tokens = tiny_tokens()
    return tokens, *gradient(AttentionCapture(tiny_unet(), stop_early=False), tokens)


class TestLayers:
    @pytest.mark.parametrize('family', ('sd1', 'sd2'))
    def test_published_ones(self, family):
        assert default_layers(tiny_unet(family)) == PUBLISHED

    def test_of_xl(self):
        names = default_layers(tiny_unet('sdxl'))
        block = 'up_blocks.0.attentions.{}.transformer_blocks.{}.attn2'
        assert names == [block.format(i, j) for i in (0, 1) for j in (0, 1)]

    def test_order_is_that_of_execution(self):
        names = cross_attention_layers(tiny_unet())
        assert len(names) == 16
        middle = names.index('mid_block.attentions.0.transformer_blocks.0.attn2')
        assert all(name.startswith('down_blocks') for name in names[:middle])
        assert all(name.startswith('up_blocks') for name in names[middle + 1 :])

    def test_short_names(self):
        unet = tiny_unet()
        names = ('up_blocks.2.attentions.0', f'{PUBLISHED[0]}.processor', PUBLISHED[0])
        assert find_layers(unet, names) == [PUBLISHED[0], PUBLISHED[3]]

    def test_unknown(self):
        with pytest.raises(ValueError, match=r"'up_blocks\.0.*it has down_blocks\.0"):
            find_layers(tiny_unet(), ['up_blocks.0.attentions.0'])
        with pytest.raises(ValueError, match='leaves no attention'):
            find_layers(tiny_unet(), [])


class TestLogits:
    @pytest.mark.parametrize(
        'options',
        (
            dict(),
            dict(bias=True, norm_num_groups=4, residual_connection=True),
            dict(qk_norm='layer_norm', rescale_output_factor=2.0),
            dict(cross_attention_norm='layer_norm', scale_qk=False),
            dict(spatial_norm_dim=6),
        ),
    )
    def test_softmax_is_the_attention_of_the_layer(self, options):
        torch.manual_seed(0)
        layer = Attention(32, cross_attention_dim=10, heads=2, dim_head=8, **options)
        layer.set_processor(AttnProcessor())  # the one that has probabilities
        context = torch.randn(3, 5, 10)
        states = torch.randn(3, 32, 4, 6)
        temb = torch.randn(3, 6, 4, 6) if layer.spatial_norm is not None else None
        seen = []
        scores = layer.get_attention_scores

        def keep(*args):
            seen.append(scores(*args))
            return seen[-1]

        layer.get_attention_scores = keep
        if 'qk_norm' in options:  # which AttnProcessor leaves out
            query, key = layer.to_q(states.flatten(2).mT), layer.to_k(context)
            query, key = (x.unflatten(-1, (2, 8)).transpose(1, 2) for x in (query, key))
            products = layer.norm_q(query) @ layer.norm_k(key).mT * 8**-0.5
            expected = products.softmax(-1)
        else:
            layer(states, context, temb=temb)
            expected = seen[0].view(3, 2, 24, 5)
        logits = attention_logits(layer, states, context, temb)
        assert logits.shape == (3, 2, 24, 5)
        torch.testing.assert_close(logits.softmax(-1), expected, rtol=1e-5, atol=1e-6)

    def test_self_attention(self):
        layer = Attention(16, heads=2, dim_head=8)
        states = torch.randn(1, 7, 16)
        assert torch.equal(
            attention_logits(layer, states), attention_logits(layer, states, states)
        )

    @pytest.mark.parametrize('dtype', (torch.bfloat16, torch.float64))
    def test_precision(self, dtype):
        layer = Attention(16, cross_attention_dim=10, heads=2, dim_head=8).to(dtype)
        states = torch.randn(1, 7, 16, dtype=dtype)
        logits = attention_logits(layer, states, torch.randn(1, 5, 10, dtype=dtype))
        assert logits.dtype == (dtype if dtype == torch.float64 else torch.float32)

    def test_output_stays(self):
        torch.manual_seed(0)
        layer = Attention(16, cross_attention_dim=10, heads=2, dim_head=8)
        states, context = torch.randn(1, 7, 16), torch.randn(1, 5, 10)
        expected, found = layer(states, context), []
        capture_logits(layer, found.append)
        assert torch.equal(layer(states, context), expected)
        assert torch.equal(found[0], attention_logits(layer, states, context))


class TestCapture:
    def test_unet_computes_what_it_did(self):
        tokens = tiny_tokens()
        args, kwargs = inputs(tokens)
        unet = tiny_unet()
        with torch.no_grad():
            expected = unet(*args, **kwargs).sample
            capture = AttentionCapture(unet)
            assert torch.equal(unet(*args, **kwargs).sample, expected)
            capture.run(*args, **kwargs)
            assert torch.equal(unet(*args, **kwargs).sample, expected)

    def test_logits_reach_the_tokens(self, reference):
        tokens, found, expected = reference
        shapes = [tuple(logits.shape) for logits in found]
        assert shapes == [(2, 4, 6, 6)] * 3 + [(2, 4, 24, 6)]
        assert expected.abs().min() > 0

    @pytest.mark.parametrize('stop_early', (True, False))
    @pytest.mark.parametrize('checkpointing', (True, False))
    def test_same_gradients_in_every_mode(self, reference, stop_early, checkpointing):
        tokens, logits, expected = reference
        unet = tiny_unet()
        capture = AttentionCapture(unet, None, stop_early, checkpointing)
        ends = []
        unet.conv_out.register_forward_hook(lambda *_: ends.append(True))
        found, result = gradient(capture, tokens)
        assert len(found) == 4 and bool(ends) == (not stop_early)
        for one, other in zip(found, logits, strict=True):
            assert torch.equal(one, other)
        assert torch.equal(result, expected)

    @pytest.mark.parametrize('family', FAMILIES[1:])
    def test_checkpointing_of_other_families(self, family):
        config = tiny_config(family)['unet']
        tokens = tiny_tokens(width=config['cross_attention_dim'])
        if family == 'sdxl':
            extra = dict(text_embeds=torch.zeros(2, 16), time_ids=torch.zeros(2, 6))
        else:
            extra = None
        results = []
        for checkpointing in (False, True):
            unet = tiny_unet(family)
            capture = AttentionCapture(unet, checkpointing=checkpointing)
            args, kwargs = inputs(tokens)
            found = capture.run(*args, **kwargs, added_cond_kwargs=extra)
            total = sum(logits.square().sum() for logits in found)
            results.append(torch.autograd.grad(total, tokens)[0])
        assert results[0].abs().max() > 0
        assert torch.equal(*results)

    def test_less_is_kept_with_checkpointing(self):
        tokens, kept = tiny_tokens(), []
        for checkpointing in (False, True):
            capture = AttentionCapture(tiny_unet(), checkpointing=checkpointing)
            args, kwargs = inputs(tokens)
            saved = []

            def pack(tensor, saved=saved):
                saved.append(tensor.numel())
                return tensor

            hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x)
            with hooks:
                capture.run(*args, **kwargs)
            kept.append(sum(saved))
        assert kept[1] < kept[0] / 2

    def test_works_after_a_failure(self, reference):
        tokens, logits, expected = reference
        capture = AttentionCapture(tiny_unet())
        args, kwargs = inputs(torch.zeros(3, 5))  # tokens of a wrong width
        with pytest.raises(RuntimeError):
            capture.run(*args, **kwargs)
        found, result = gradient(capture, tokens)
        assert len(found) == 4
        assert torch.equal(result, expected)

    def test_chosen_layers_come_in_order(self, reference):
        tokens, logits, _ = reference
        names = ['up_blocks.2.attentions.0', 'up_blocks.1.attentions.1']
        args, kwargs = inputs(tokens)
        found = AttentionCapture(tiny_unet(), names).run(*args, **kwargs)
        assert torch.equal(found[0], logits[1]) and torch.equal(found[1], logits[3])

    def test_copies_stay_with_their_unet(self):
        capture = AttentionCapture(tiny_unet())
        assert copy.deepcopy(capture) is capture


@pytest.mark.parametrize(
    'queries, latents, expected',
    (
        (4096, (64, 64), (64, 64)),
        (256, (64, 64), (16, 16)),
        (6, (8, 12), (2, 3)),
        (12, (9, 13), (3, 4)),
        (1, (3, 3), (1, 1)),
    ),
)
def test_map_shape(queries, latents, expected):
    assert map_shape(queries, latents) == expected


def test_map_shape_of_what_is_no_map():
    with pytest.raises(ValueError, match='77 queries'):
        map_shape(77, (64, 64))


CHANGES = {
    'one processor': lambda unet: unet.set_attn_processor(AttnProcessor()),
    'processors by name': lambda unet: unet.set_attn_processor(
        {name: AttnProcessor2_0() for name in unet.attn_processors}
    ),
    'the default ones': lambda unet: unet.set_default_attn_processor(),
    'fused projections': lambda unet: unet.fuse_qkv_projections(),
    'slices': lambda unet: unet.set_attention_slice(2),
    'compiled': lambda unet: unet.compile(backend='eager'),
    'frozen anew': lambda unet: unet.eval().requires_grad_(False),
}


class TestLaterChanges:
    """Whatever is set in the UNet after it was built, the logits stay those of it."""

    @pytest.mark.parametrize('checkpointing', (True, False))
    @pytest.mark.parametrize('name', CHANGES)
    def test_processors(self, name, checkpointing):
        if checkpointing and name == 'compiled':
            pytest.skip('torch compiles no checkpoints that end early')
        args, kwargs = inputs(tiny_tokens())
        unet = tiny_unet()
        capture = AttentionCapture(unet, checkpointing=checkpointing)
        expected = capture.run(*args, **kwargs)
        CHANGES[name](unet)
        for _ in range(2):
            found = capture.run(*args, **kwargs)
            assert len(found) == len(expected) == 4
            for pair in zip(found, expected, strict=True):
                torch.testing.assert_close(*pair, rtol=1e-4, atol=1e-5)

    def test_replaced_layers_are_told(self):
        args, kwargs = inputs(tiny_tokens())
        unet = tiny_unet()
        capture = AttentionCapture(unet)
        for layer in capture.layers[:3]:
            parent = unet.get_submodule(layer.rpartition('.')[0])
            parent.attn2 = copy.deepcopy(parent.attn2)
            parent.attn2._forward_pre_hooks.clear()
        with pytest.raises(ValueError, match='of 1 layers instead of 4 .*attn2'):
            capture.run(*args, **kwargs)
