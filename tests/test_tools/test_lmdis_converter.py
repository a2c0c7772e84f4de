"""Converter of LMDIS checkpoints, on synthetic ones made of our own weights.

No file of the release could be read, so the names are those that its code gives.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the model
from mmkp.converters.lmdis import (
    ORDERS,
    SCOPES,
    convert_variables,
    creation_order,
)

SCRIPT = Path(__file__).resolve().parents[2] / 'tools/model_converters/lmdis_to_mmkp.py'
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
        (without(f'{structure}/conv2d/weights'), 'conv2d has no weights'),
        (without(f'{feature}/group_connected/bias'), r"found \['weight'\]"),
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


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('lmdis_to_mmkp', SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tool_writes_what_mmengine_loads(tool, tmp_path, capsys):
    model = build(0)
    np.savez(tmp_path / 'lmdis.npz', **dump(model))
    config = tmp_path / 'config.py'
    config.write_text(f'model = {model_config()!r}')
    target = tmp_path / 'out' / 'lmdis.pth'
    tool.main([str(config), str(tmp_path / 'lmdis.npz'), str(target)])
    assert 'legacy_gauss=True' in capsys.readouterr().out
    loaded = build(1)
    checkpoint = load_checkpoint(loaded, str(target), map_location='cpu', strict=True)
    assert checkpoint['meta']['dataset_meta']['num_keypoints'] == K
    images = torch.rand(1, 3, 16, 16)
    with torch.no_grad():
        expected, found = (m.reconstruct(images) for m in (model, loaded))
    torch.testing.assert_close(found['keypoints'], expected['keypoints'])


def test_the_tool_tells_of_errors_in_a_sentence(tool, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text(f'model = {model_config()!r}')
    broken = tmp_path / 'broken.npz'
    broken.write_bytes(b'no archive')
    for source, message in (
        (tmp_path / 'missing.npz', 'does not exist'),
        (broken, 'broken.npz .*no .npz file'),
    ):
        with pytest.raises((OSError, ValueError), match=message):
            tool.main([str(config), str(source), str(tmp_path / 'out.pth')])
    config.write_text("model = dict(type='AutoLink')")
    with pytest.raises(ValueError, match='is of a AutoLink, not of LMDIS'):
        tool.main([str(config), str(broken), str(tmp_path / 'out.pth')])
