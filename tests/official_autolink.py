"""Weights as the official AutoLink names them, and Lightning's checkpoints of them."""

from itertools import pairwise

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the models
from mmkp.models.losses.perceptual_loss import PerceptualLoss

ENCODER = (3, 4, 5, 6)


UNET = (3, 4, 5, 6, 6)


def official_state(num_keypoints=4, seed=0):
    """Names and shapes of the official checkpoint, with narrower networks."""
    generator = np.random.default_rng(seed)
    state = {}

    def add(name, *shape):
        values = generator.standard_normal(shape).astype(np.float32)
        state[name] = torch.from_numpy(np.asarray(values))

    def conv(name, inputs, outputs):
        add(f'{name}.weight', outputs, inputs, 3, 3)
        add(f'{name}.bias', outputs)

    def norm(name, channels):
        for kind in ('weight', 'bias', 'running_mean'):
            add(f'{name}.{kind}', channels)
        state[f'{name}.running_var'] = torch.rand(channels) + 0.5
        state[f'{name}.num_batches_tracked'] = torch.tensor(7)

    detector = 'encoder.detector.conv'
    state['encoder.detector.coord'] = torch.zeros(1, 1, 1024, 2)
    for i, (a, b) in enumerate(pairwise((3, *ENCODER))):
        conv(f'{detector}.{i}.conv_res.0', a, b)
        norm(f'{detector}.{i}.conv_res.2', b)
        conv(f'{detector}.{i}.net.0', a, b)
        norm(f'{detector}.{i}.net.2', b)
        conv(f'{detector}.{i}.net.4', b, b)
        norm(f'{detector}.{i}.net.5', b)
    conv(f'{detector}.4.net.1', 6, 8)
    norm(f'{detector}.4.net.2', 8)
    conv(f'{detector}.5.net.1', 8, 7)
    norm(f'{detector}.5.net.2', 7)
    conv(f'{detector}.6', 7, num_keypoints)
    add('decoder.alpha')
    add('decoder.skeleton_scalar', num_keypoints, num_keypoints)
    conv('decoder.down0.0', 4, UNET[0])
    for i, (a, b) in enumerate(pairwise(UNET), start=1):
        conv(f'decoder.down{i}.net.0', a, b)
        norm(f'decoder.down{i}.net.1', b)
        conv(f'decoder.down{i}.net.3', b, b)
        norm(f'decoder.down{i}.net.4', b)
    for i, (a, b) in enumerate(((6, 6), (12, 5), (10, 4), (8, 3)), start=1):
        conv(f'decoder.up{i}.net.1', a, b)
        norm(f'decoder.up{i}.net.2', b)
        conv(f'decoder.up{i}.net.4', b, b)
        norm(f'decoder.up{i}.net.5', b)
    conv('decoder.conv', 6, 3)
    return state


def add_vgg(state):
    vgg = PerceptualLoss(seed=5).features
    places = '0.0 0.2 1.5 1.7 2.10 2.12 2.14 3.17 3.19 3.21'.split()
    for place, name in zip(places, vgg.plan, strict=True):
        for kind in ('weight', 'bias'):
            key = f'vgg_loss.blocks.{place}.{kind}'
            state[key] = getattr(vgg, f'{name}_{kind}')
    state['vgg_loss.mean'] = torch.zeros(1, 3, 1, 1)
    state['vgg_loss.std'] = torch.ones(1, 3, 1, 1)
    return vgg


def lightning(state, **hyper_parameters):
    return {
        'epoch': 3,
        'global_step': 20001,
        'pytorch-lightning_version': '1.5.10',
        'state_dict': state,
        'callbacks': {"ModelCheckpoint{'monitor': 'val_loss'}": {'best': None}},
        'optimizer_states': [{'state': {}, 'param_groups': [{'lr': 1e-4}]}],
        'lr_schedulers': [],
        'hparams_name': 'kwargs',
        'hyper_parameters': dict(n_parts=4, thick=2.5e-3, sklr=512, **hyper_parameters),
    }


def small_model(num_keypoints=4):
    init_default_scope('mmpose')
    return MODELS.build(
        dict(
            type='AutoLink',
            backbone=dict(type='AutoLinkEncoder', channels=ENCODER),
            head=dict(
                type='SoftArgmaxHead',
                in_channels=6,
                upsample_channels=(8, 7),
                num_keypoints=num_keypoints,
            ),
            generator=dict(
                type='EdgeMapGenerator', num_keypoints=num_keypoints, channels=UNET
            ),
        )
    )
