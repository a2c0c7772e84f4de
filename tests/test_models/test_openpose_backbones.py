"""Backbones of OpenPose: sizes, strides, and VGG19's weights to start from."""

import pytest
import torch
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the networks
from mmkp.converters.vgg19 import VGG19_LAYERS, convert_vgg19

NARROW = dict(channels=(4, 6, 8, 10), narrow_channels=(7, 5))


def build(name, **options):
    torch.manual_seed(0)
    backbone = MODELS.build(dict(type=name, **options))
    backbone.init_weights()
    return backbone


def count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize('activation', ['relu', 'prelu'])
def test_vgg19_sizes(activation):
    with torch.device('meta'):
        backbone = MODELS.build(dict(type='OpenPoseVGG19', activation=activation))
        (features,) = backbone(torch.empty(2, 3, 64, 48))
    assert features.shape == (2, 128, 8, 6)
    assert backbone.out_channels == 128
    assert count(backbone) == 7_340_480 + (896 if activation == 'prelu' else 0)
    with pytest.raises(ValueError, match=r"'relu', 'prelu'\), got 'elu'"):
        MODELS.build(dict(type='OpenPoseVGG19', activation='elu'))


@pytest.mark.parametrize('activation', ['relu', 'prelu'])
def test_vgg19_activations(activation):
    backbone = build('OpenPoseVGG19', activation=activation, **NARROW)
    slopes = [n for n, m in backbone.layers.named_children() if n.startswith('prelu')]
    expected = ['prelu4_2', 'prelu4_3_CPM', 'prelu4_4_CPM']
    assert slopes == (expected if activation == 'prelu' else [])
    images = torch.randn(1, 3, 32, 32, requires_grad=True)
    (features,) = backbone(images)
    assert features.shape == (1, 5, 4, 4)
    assert (features.min() < 0) == (activation == 'prelu')
    features.square().sum().backward()
    assert images.grad.any()


def test_vgg19_initialisation():
    backbone = build('OpenPoseVGG19')
    (features,) = backbone(torch.randn(1, 3, 32, 32))
    assert 0.1 < features.std() < 5
    constant = dict(type='Constant', layer='Conv2d', val=0.5)
    backbone = build('OpenPoseVGG19', init_cfg=constant, **NARROW)
    assert (backbone.layers.conv1_1.weight == 0.5).all()


def torchvision_vgg19(channels=NARROW['channels']):
    generator = torch.Generator().manual_seed(3)
    state, inputs = {}, 3
    for name, index in VGG19_LAYERS.items():
        outputs = channels[int(name[4]) - 1]
        weight = torch.randn(outputs, inputs, 3, 3, generator=generator)
        state[f'features.{index}.weight'] = weight / (9 * inputs) ** 0.5
        state[f'features.{index}.bias'] = torch.randn(outputs, generator=generator) / 9
        inputs = outputs
    state['features.34.weight'] = torch.zeros(1)
    state['classifier.0.weight'] = torch.zeros(1)
    return state


@pytest.fixture
def vgg19_file(tmp_path):
    torch.save(torchvision_vgg19(), tmp_path / 'vgg19.pth')
    return str(tmp_path / 'vgg19.pth')


def test_vgg19_starts_from_torchvision(vgg19_file):
    official = torchvision_vgg19()
    options = dict(vgg19_weights=vgg19_file, **NARROW)
    imagenet = build('OpenPoseVGG19', vgg19_input='imagenet', **options)
    openpose = build('OpenPoseVGG19', **options)
    for name, index in VGG19_LAYERS.items():
        expected = official[f'features.{index}.weight']
        assert torch.equal(imagenet.layers.get_submodule(name).weight, expected)
        found = openpose.layers.get_submodule(name).weight
        assert torch.equal(found, expected) == (name != 'conv1_1')

    # The same image, as either preprocessing delivers it.
    rgb = torch.randint(0, 256, (1, 3, 32, 32)).double()
    mean = rgb.new_tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
    std = rgb.new_tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
    first = imagenet.double().layers.conv1_1((rgb - mean) / std)
    second = openpose.double().layers.conv1_1(rgb.flip(1) / 256 - 0.5)
    inner = (..., slice(1, -1), slice(1, -1))
    torch.testing.assert_close(second[inner], first[inner], atol=2e-6, rtol=0)
    # Along the border the padding is another grey.
    assert not torch.allclose(second[..., 0, :], first[..., 0, :], atol=1e-3)


def test_only_the_other_layers_start_from_init_cfg(vgg19_file):
    constant = dict(type='Constant', layer='Conv2d', val=0.5)
    options = dict(vgg19_weights=vgg19_file, **NARROW)
    backbone = build('OpenPoseVGG19', init_cfg=constant, **options)
    official = torchvision_vgg19()
    assert torch.equal(backbone.layers.conv4_2.weight, official['features.21.weight'])
    assert (backbone.layers.conv4_3_CPM.weight == 0.5).all()

    with torch.no_grad():
        backbone.layers.conv4_2.weight.zero_()
    backbone.init_weights()  # once is enough
    assert not backbone.layers.conv4_2.weight.any()

    pretrained = dict(type='Pretrained', checkpoint='openpose.pth')
    with pytest.raises(ValueError, match='weights from both'):
        build('OpenPoseVGG19', init_cfg=pretrained, **options)


def test_converted_vgg19_has_exactly_the_first_ten_layers():
    converted = convert_vgg19(torchvision_vgg19(), 'imagenet')
    assert len(converted) == 20
    assert {name.split('.')[0] for name in converted} == set(VGG19_LAYERS)


def test_weights_of_another_network_are_refused(vgg19_file, tmp_path):
    with pytest.raises(ValueError, match=r'vgg19\.pth.*conv1_1\.weight'):
        build('OpenPoseVGG19', vgg19_weights=vgg19_file)
    torch.save({'conv1.weight': torch.zeros(1)}, tmp_path / 'resnet.pth')
    with pytest.raises(ValueError, match=r'resnet\.pth.*no features\.0\.weight'):
        build('OpenPoseVGG19', vgg19_weights=str(tmp_path / 'resnet.pth'), **NARROW)
    with pytest.raises(ValueError, match="the input is 'rgb'; choose openpose"):
        build('OpenPoseVGG19', vgg19_input='rgb')


@pytest.mark.parametrize('size', [(64, 96), (33, 17)])
@pytest.mark.parametrize(('width', 'channels'), [(1.0, 512), (0.25, 128), (0.01, 8)])
@pytest.mark.parametrize('stride', [8, 4])
def test_mobilenet_sizes(size, width, channels, stride):
    options = dict(type='LightweightMobileNetV1', widen_factor=width, out_stride=stride)
    with torch.device('meta'):
        backbone = MODELS.build(options).eval()
        (features,) = backbone(torch.empty(2, 3, *size))
    cells = tuple(-(-side // stride) for side in size)
    assert features.shape == (2, channels, *cells)
    assert backbone.out_channels == channels


def test_mobilenet_initialisation():
    backbone = build('LightweightMobileNetV1').eval()
    (features,) = backbone(torch.randn(1, 3, 64, 64))
    assert 0.05 < features.std() < 5


def test_mobilenet_stride_4_refines_stride_8():
    coarse = build('LightweightMobileNetV1', widen_factor=0.25).eval().double()
    fine = (
        build('LightweightMobileNetV1', widen_factor=0.25, out_stride=4).eval().double()
    )
    fine.load_state_dict(coarse.state_dict())
    images = torch.randn(1, 3, 64, 48).double()
    (expected,), (found,) = coarse(images), fine(images)
    torch.testing.assert_close(found[..., ::2, ::2], expected)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(out_stride=16), r'out_stride .* \(4, 8\), got 16'),
        (dict(widen_factor=0), 'widen_factor > 0, got 0'),
    ],
)
def test_impossible_mobilenets(options, message):
    with pytest.raises(ValueError, match=message):
        build('LightweightMobileNetV1', **options)
