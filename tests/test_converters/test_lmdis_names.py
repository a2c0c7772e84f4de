"""Conversion of LMDIS, on checkpoints made of our own weights."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from official_lmdis import K, build, dump, hourglass

import mmkp  # noqa: F401  registers the model
from mmkp.converters.lmdis import (
    ORDERS,
    SCOPES,
    convert_variables,
)


@pytest.mark.parametrize('norms', ['inside', 'beside'])
@pytest.mark.parametrize(('when', 'kind'), ORDERS)
def test_round_trip_is_exact(when, kind, norms):
    model = build(0)
    converted = convert_variables(dump(model, when, kind, norms), build(1))
    expected = model.state_dict()
    assert set(converted) == set(expected)
    for name, value in converted.items():
        if not name.endswith('num_batches_tracked'):
            assert torch.equal(value, expected[name]), name


def test_a_bias_before_the_normalisation_changes_nothing():
    model, other = build(0), build(1)
    variables = dump(model, bias=0.25)
    other.load_state_dict(convert_variables(variables, other))
    images = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        expected, found = (m.reconstruct(images) for m in (model, other))
    torch.testing.assert_close(found['reconstruction'], expected['reconstruction'])
    # Of the first layer, by hand: convolution, bias, normalisation.
    scope = SCOPES['structure'][0]
    kernel = torch.from_numpy(variables[f'{scope}/conv2d/weights'].copy())
    maps = F.conv2d(images, kernel.permute(3, 2, 0, 1), padding=1) + 0.25
    parts = (variables[f'{scope}/conv2d/batch_normalize/{p}'] for p in (
        'moving_mean', 'moving_variance', 'gamma', 'beta'))  # fmt: skip
    maps = F.batch_norm(maps, *(torch.from_numpy(p) for p in parts), eps=1e-3)
    with torch.no_grad():
        found = other.backbone.encoder[0][0](images)
    torch.testing.assert_close(found, F.leaky_relu(maps, 0.2))


def test_a_transposed_convolution_stays_what_it_was():
    model = build(0)
    kernel = dump(model)[f'{SCOPES["structure"][0]}/deconv2d/weights']
    maps = torch.rand(1, kernel.shape[3], 5, 6)
    # TensorFlow has (height, width, out, in), torch (in, out, height, width).
    transposed = torch.from_numpy(kernel.copy()).permute(3, 2, 0, 1)
    expected = F.conv_transpose2d(maps, transposed, padding=1)
    found = model.backbone.decoder[0][0].convolution(maps)
    torch.testing.assert_close(found, expected)


def cases():
    structure, feature, image = (scope for scope, _, _ in SCOPES.values())

    def renamed(variables):
        return {name.replace('vae/', 'gan/'): v for name, v in variables.items()}

    def without(name):
        return lambda v: {key: value for key, value in v.items() if key != name}

    def with_more(name):
        return lambda v: {**v, name: np.zeros(3, np.float32)}

    def wider(variables):
        name = f'{structure}/conv2d/weights'
        return {**variables, name: np.zeros((3, 3, 3, 9), np.float32)}

    return [
        (renamed, f'no variable in {structure}'),
        (
            without(f'{structure}/conv2d/weights'),
            'conv2d: convolution.weight is missing',
        ),
        (
            without(f'{feature}/group_connected/bias'),
            'group_connected: bias is missing',
        ),
        (with_more(f'{structure}/lstm/kernel'), 'lstm/kernel is no variable of'),
        (with_more(f'{image}/conv2d_99/weights'), 'layers conv2d, but the model needs'),
        (
            wider,
            r'backbone.encoder.0.0 as vae/.*conv2d: convolution.weight is '
            r'\(9, 3, 3, 3\) in the file and \(\d, 3, 3, 3\) in the network: set num_',
        ),
    ]


@pytest.mark.parametrize(('change', 'message'), cases())
def test_refuses_what_does_not_fit(change, message):
    model = build(0)
    with pytest.raises(ValueError, match=message):
        convert_variables(change(dump(model)), model)


def test_refuses_shapes_that_leave_a_choice():
    same = dict(
        encoder=((4, 4), (4,)),
        bottleneck=(4,),
        decoder=((4,), (4,), (4,)),
        in_channels=4,
    )
    model = build(0, backbone=hourglass(**same), head=dict(
        type='ChannelSoftmaxHead', in_channels=4, num_keypoints=K))  # fmt: skip
    with pytest.raises(ValueError, match='fit several orders'):
        convert_variables(dump(model), model)


def test_refuses_other_networks():
    backbone = dict(type='AutoLinkEncoder', channels=(4, 2))
    model = build(0, backbone=backbone)
    with pytest.raises(ValueError, match='backbone is a AutoLinkEncoder'):
        convert_variables(dump(build(0)), model)
