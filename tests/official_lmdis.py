"""Small models of LMDIS, and their weights as the release names them.

No file of the release could be read, so the names are those that its code gives.
"""

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the model
from mmkp.converters.lmdis import (
    SCOPES,
    creation_order,
)

K = 2


def hourglass(**changes):
    config = dict(
        type='LMDISHourglass',
        encoder=((4, 5), (6,)),
        bottleneck=(7,),
        decoder=((6, 8), (5, 4), (3, 2)),
        skip_convolutions=2,
    )
    return {**config, **changes}


def model_config(**changes):
    config = dict(
        type='LMDIS',
        backbone=hourglass(),
        head=dict(type='ChannelSoftmaxHead', in_channels=2, num_keypoints=K),
        generator=dict(
            type='LMDISGenerator',
            num_keypoints=K,
            features=hourglass(final_activation=False),
            decoder=hourglass(decoder=((6,), (5,), ())),
            descriptor_channels=3,
            legacy_gauss=True,
        ),
    )
    return {**config, **changes}


def build(seed=0, **changes):
    init_default_scope('mmpose')
    torch.manual_seed(seed)
    model = MODELS.build(model_config(**changes)).eval()
    for name, value in model.state_dict().items():
        if name.endswith('running_var'):
            value.uniform_(0.5, 2)
        elif value.is_floating_point():
            value.normal_()
    return model


def dump(model, when='up', kind='conv2d', norms='inside', bias=0.0):
    """Write our weights as the release would have named them."""
    variables = {}
    for scope, ours, last in SCOPES.values():
        counts = {'conv2d': 0, 'deconv2d': 0}
        network = model.get_submodule(ours)
        order = creation_order(network, ours, last, when, kind)
        for total, (layer_kind, name) in enumerate(order):
            number = counts[layer_kind]
            counts[layer_kind] += 1
            layer = model.get_submodule(name)
            where = f'{scope}/{layer_kind}' + (f'_{number}' if number else '')
            norm = f'{where}/batch_normalize'
            if norms == 'beside':
                norm = f'{scope}/batch_normalize' + (f'_{total}' if total else '')
            kernel = layer.convolution.weight.detach().numpy()
            if layer_kind == 'conv2d':
                kernel = kernel.transpose(2, 3, 1, 0)
            else:
                kernel = kernel[..., ::-1, ::-1].transpose(2, 3, 0, 1)
            variables[f'{where}/weights'] = kernel
            variables[f'{where}/bias'] = np.full(kernel.shape[-1], bias, np.float32)
            if layer_kind == 'deconv2d':
                variables[f'{where}/bias'] = np.full(kernel.shape[2], bias, np.float32)
            variables[f'{norm}/gamma'] = layer.norm.weight.detach().numpy()
            variables[f'{norm}/beta'] = layer.norm.bias.detach().numpy()
            variables[f'{norm}/moving_mean'] = layer.norm.running_mean.numpy() + bias
            variables[f'{norm}/moving_variance'] = layer.norm.running_var.numpy()
            variables[f'{where}/weights/Adam'] = np.zeros_like(kernel)
    for scope, ours in (
        (SCOPES['feature'][0], 'generator.reduce'),
        (SCOPES['image'][0], 'generator.expand'),
    ):
        layer = model.get_submodule(ours)
        variables[f'{scope}/group_connected/weights'] = layer.weight.detach().numpy()
        variables[f'{scope}/group_connected/bias'] = layer.bias.detach().numpy()
    variables['global_step'] = np.array(7)
    return variables
