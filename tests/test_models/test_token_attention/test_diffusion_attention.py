# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tokens attend to tiny random Stable Diffusions."""

import copy
import sys
import types

import pytest
import torch
from mmpose.registry import MODELS
from tiny_diffusion import (
    FAMILIES,
    save_tiny_pipeline,
    tiny_config,
    tiny_images,
    tiny_tokens,
)

from mmkp.models.token_attention.diffusion_attention import DiffusionAttention


def build(family='sd1', **options):
    config = dict(type='DiffusionAttention', base_model=tiny_config(family), **options)
    return MODELS.build(config).eval()


@pytest.fixture(scope='module')
def attention():
    return build()


@pytest.fixture(scope='module')
def pipeline(tmp_path_factory):
    return save_tiny_pipeline(tmp_path_factory.mktemp('pipeline'))


class TestForward:
    @pytest.mark.parametrize('family', FAMILIES)
    def test_families(self, family):
        attention = build(family)
        widths = {'sd1': 32, 'sd2': 48, 'sdxl': 40}
        assert attention.token_width == widths[family]
        tokens = tiny_tokens(5, attention.token_width)
        logits = attention(tiny_images(2, (96, 64)), tokens)
        assert len(logits) == len(attention.layers) == 4
        sizes = {tuple(found.shape[2:]) for found in logits}
        assert sizes <= {(2, 3, 5), (4, 6, 5)}
        (gradient,) = torch.autograd.grad(sum(x.sum() for x in logits), tokens)
        assert gradient.isfinite().all() and gradient.abs().sum() > 0

    def test_xl_reads_the_size(self):
        attention, seen = build('sdxl'), {}
        unet = attention.frozen('unet')

        def keep(module, args, kwargs):
            seen.update(kwargs['added_cond_kwargs'])

        unet.register_forward_pre_hook(keep, with_kwargs=True)
        attention(tiny_images(2, (96, 64)), tiny_tokens(width=40))
        assert seen['time_ids'].tolist() == [[64, 96, 0, 0, 64, 96]] * 2
        assert seen['text_embeds'].shape == (2, 16) and not seen['text_embeds'].any()

    def test_logits_lie_where_the_image_changes(self, attention):
        # Rows are not taken for columns, whatever the layer's size.
        images, tokens = tiny_images(1, (256, 128)), tiny_tokens()
        changed = images.clone()
        changed[..., 128:] = 1 - changed[..., 128:]
        with torch.no_grad():
            before, after = attention(images, tokens), attention(changed, tokens)
        for one, other in zip(before, after, strict=True):
            height, width = one.shape[2:4]
            assert width == 2 * height
            change = (one - other).abs().sum((0, 1, 2, 4))
            assert change[width // 2 :].sum() > 1.5 * change[: width // 2].sum()

    def test_images_do_not_see_each_other(self, attention):
        images, tokens = tiny_images(3), tiny_tokens()
        together, alone = attention(images, tokens), attention(images[1:2], tokens)
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[1:2], other, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize('dtype', ('float16', 'bfloat16'))
    def test_half_precision(self, attention, dtype):
        half = build(dtype=dtype)
        tokens, images = tiny_tokens(), tiny_images()
        found, expected = half(images, tokens), attention(images, tokens)
        for one, other in zip(found, expected, strict=True):
            assert one.dtype == torch.float32
            assert (one - other).abs().max() < 0.1 * other.abs().max()
        (gradient,) = torch.autograd.grad(sum(x.square().mean() for x in found), tokens)
        assert gradient.dtype == torch.float32 and gradient.isfinite().all()

    def test_autocast_changes_nothing(self, attention):
        tokens, images = tiny_tokens(), tiny_images()
        expected = attention(images, tokens)
        with torch.autocast('cpu', torch.bfloat16):
            found = attention(images, tokens)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)

    def test_double_precision(self):
        attention = build().double()
        tokens = tiny_tokens().detach().double().requires_grad_()
        logits = attention(tiny_images().double(), tokens)
        assert all(found.dtype == torch.float64 for found in logits)

    def test_what_does_not_fit(self, attention):
        with pytest.raises(ValueError, match='multiples of 8'):
            attention(tiny_images(1, (60, 64)), tiny_tokens())
        with pytest.raises(ValueError, match='token_width=32'):
            attention(tiny_images(1), tiny_tokens(width=16))


class TestLatents:
    def test_are_the_scaled_mean_of_the_posterior(self, attention):
        images = tiny_images()
        vae = attention.frozen('vae')
        with torch.no_grad():
            moments = vae.quant_conv(vae.encoder(2 * images - 1))
        expected = moments[:, :4] * 0.18215
        found = attention.latents(images)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)
        assert not found.requires_grad

    def test_noise_is_that_of_the_last_step(self, attention):
        # Table of Stable Diffusion: alpha-bar of the steps 0 and 1.
        betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000).double() ** 2
        bars = (1 - betas).cumprod(0)
        assert attention.time == 1
        assert attention.signal == pytest.approx(float(bars[1]), rel=1e-6)
        released = build(schedule=dict(steps_offset=0))
        assert released.time == 0
        assert released.signal == pytest.approx(0.99915, rel=1e-6)

    def test_fresh_noise_in_training(self, attention):
        latents = torch.zeros(2, 4, 64, 64)
        attention.train()
        torch.manual_seed(0)
        first, second = attention.add_noise(latents), attention.add_noise(latents)
        torch.manual_seed(0)
        assert torch.equal(attention.add_noise(latents), first)
        torch.manual_seed(0)
        other = latents.contiguous(memory_format=torch.channels_last)
        assert torch.equal(attention.add_noise(other), first)
        attention.eval()
        assert not torch.equal(first, second)
        assert not torch.equal(first[0], first[1])
        deviation = (1 - attention.signal) ** 0.5
        assert first.std() == pytest.approx(deviation, rel=0.02)

    def test_same_noise_in_evaluation(self, attention):
        latents = torch.zeros(2, 4, 8, 8)
        state = torch.get_rng_state()
        first = attention.add_noise(latents)
        assert torch.equal(attention.add_noise(latents), first)
        assert torch.equal(first[0], first[1]) and first.any()
        assert torch.equal(torch.get_rng_state(), state)
        fresh = build(noise_seed=None)
        assert not torch.equal(fresh.add_noise(latents), fresh.add_noise(latents))

    def test_cache(self, attention, tmp_path):
        cached = build(latent_cache=str(tmp_path))
        images = tiny_images()
        assert torch.equal(cached.latents(images), attention.latents(images))
        assert not list(tmp_path.iterdir())
        first = cached.latents(images, cached=True)
        assert len(list(tmp_path.iterdir())) == 2
        cached.frozen('vae').encoder = None  # is not asked again
        assert torch.equal(cached.latents(images, cached=True), first)
        assert torch.equal(first, attention.latents(images))
        scaled = tiny_config()
        scaled['vae']['scaling_factor'] = 0.5
        other = DiffusionAttention(scaled, latent_cache=tmp_path).eval()
        other.latents(images, cached=True)
        assert len(list(tmp_path.iterdir())) == 4


class TestFrozen:
    def test_nothing_to_train_or_save(self, attention):
        assert not list(attention.parameters())
        assert list(attention.state_dict()) == ['base_fingerprint']
        attention.train()
        for name in ('unet', 'vae'):
            module = attention.frozen(name)
            assert not module.training
            assert not any(weight.requires_grad for weight in module.parameters())
        attention.eval()
        assert attention.frozen('vae').decoder is None

    def test_copy_attends_as_the_original(self, attention):
        copied = copy.deepcopy(attention)
        tokens, images = tiny_tokens(), tiny_images()
        found = zip(copied(images, tokens), attention(images, tokens), strict=True)
        for one, other in found:
            assert torch.equal(one, other)

    def test_random_weights_leave_the_generator_alone(self):
        torch.manual_seed(5)
        state = torch.get_rng_state()
        first = build()
        assert torch.equal(torch.get_rng_state(), state)
        torch.manual_seed(6)
        assert torch.equal(build().fingerprint(), first.fingerprint())
        other = DiffusionAttention({**tiny_config(), 'seed': 1})
        assert not torch.equal(other.fingerprint(), first.fingerprint())


class TestLoading:
    def test_folder(self, attention, pipeline):
        loaded = DiffusionAttention(str(pipeline)).eval()
        assert loaded.token_width is None  # nothing was read
        loaded.init_weights()
        assert loaded.token_width == attention.token_width
        assert torch.equal(loaded.fingerprint(), attention.fingerprint())
        assert (loaded.time, loaded.signal) == (attention.time, attention.signal)
        tokens, images = tiny_tokens(), tiny_images()
        found = zip(loaded(images, tokens), attention(images, tokens), strict=True)
        for one, other in found:
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)

    def test_schedule_of_another_sampler(self, pipeline, tmp_path):
        import json
        import shutil

        shutil.copytree(pipeline, tmp_path / 'other')
        path = tmp_path / 'other/scheduler/scheduler_config.json'
        config = json.loads(path.read_text())
        config |= {'_class_name': 'PNDMScheduler', 'skip_prk_steps': True}
        path.write_text(json.dumps(config))
        first, second = (DiffusionAttention(tmp_path / 'other') for _ in range(2))
        first.read()
        shutil.rmtree(path.parent)
        second.read()
        assert first.time == second.time == 1

    def test_half_precision(self, pipeline):
        loaded = DiffusionAttention(pipeline, dtype='float16')
        assert loaded.frozen('unet').dtype == torch.float16
        assert loaded.frozen('vae').dtype == torch.float32  # force_upcast

    def test_incomplete_folder(self, tmp_path):
        (tmp_path / 'unet').mkdir()
        with pytest.raises(FileNotFoundError, match='no folder vae: give the folder'):
            DiffusionAttention(str(tmp_path)).read()
        (tmp_path / 'vae').mkdir()
        with pytest.raises(FileNotFoundError, match='safetensors'):
            DiffusionAttention(str(tmp_path)).read()

    def test_missing_folder_is_not_looked_for_elsewhere(self):
        for name in ('/no/such/folder', './no/such', 'nothing', '../owner/name'):
            with pytest.raises(FileNotFoundError, match='unet or vae'):
                DiffusionAttention(name).read()

    def test_repository_that_cannot_be_reached(self, monkeypatch):
        from diffusers import UNet2DConditionModel

        def refuse(source, **kwargs):
            raise OSError('no connection')

        monkeypatch.setattr(UNet2DConditionModel, 'from_pretrained', refuse)
        with pytest.raises(FileNotFoundError, match='no connection'):
            DiffusionAttention('owner/name').read()

    @pytest.mark.parametrize(
        'changes, message',
        (
            (dict(in_channels=9), '9 channels, the VAE makes 4'),
            (dict(cross_attention_dim=(32, 32, 16, 16)), r'\[16, 32\]'),
            (dict(class_embed_type='timestep'), "class_embed_type='timestep'"),
        ),
    )
    def test_other_families(self, changes, message):
        config = tiny_config()
        config['unet'].update(changes)
        with pytest.raises(ValueError, match=message):
            DiffusionAttention(config)

    @pytest.mark.parametrize(
        'options, message',
        (
            (dict(dtype='int8'), "dtype must be one of .* got 'int8'"),
            (dict(noise_level=50), 'noise_level=50'),
            (dict(layers=['up_blocks.9']), "'up_blocks.9'"),
            (dict(base_model=dict(unet={})), r"keys \['unet'\]"),
        ),
    )
    def test_wrong_settings(self, options, message):
        with pytest.raises(ValueError, match=message):
            DiffusionAttention(**{'base_model': tiny_config(), **options})


@pytest.mark.parametrize('error', (None, RuntimeError('half an installation')))
def test_missing_or_broken_diffusers(monkeypatch, error):
    # That importing mmkp does not import it is shown by tests/test_import.py.
    if error is None:
        monkeypatch.setitem(sys.modules, 'diffusers', None)
    else:
        broken = types.ModuleType('diffusers')

        def fail(name):
            raise error

        broken.__getattr__ = fail
        monkeypatch.setitem(sys.modules, 'diffusers', broken)
    with pytest.raises(
        ImportError, match=r'pip install -r requirements/diffusion\.txt'
    ) as raised:
        DiffusionAttention('owner/name').read()
    assert raised.value.__cause__ is not None
    assert '\n' not in str(raised.value)
