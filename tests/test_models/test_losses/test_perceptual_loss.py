"""Perceptual loss: arithmetic, weights files, what is saved and what it refuses."""

import pickle
import warnings

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mmkp.models.losses import perceptual_loss as module
from mmkp.models.losses.perceptual_loss import PerceptualLoss
from mmkp.models.losses.vgg_features import VGGFeatures, torchvision_names

# torchvision's numbering of the convolutions, as in its published files.
INDICES = {
    16: (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28),
    19: (0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34),
}


@pytest.fixture(autouse=True)
def _silent(monkeypatch):
    monkeypatch.setattr(module, '_warned_random', True)


def pictures(n=2, size=16, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(n, 3, size, size, generator=generator) * 2 - 1


def torchvision_state(base=64, last='conv4_3', depth=16):
    net = VGGFeatures(depth, (f'relu{last[4:]}',), base_channels=base, seed=3)
    names = torchvision_names(depth)
    return {
        f'{names[conv]}.{kind}': getattr(net, f'{conv}_{kind}').clone()
        for conv in net.plan
        for kind in ('weight', 'bias')
    }


def plain_vgg16(state, x):
    """Reference: a Sequential in torchvision's layout, activations of four blocks."""
    config = [64, 64, 'M', 128, 128, 'M', 256, 256, 256, 'M', 512, 512, 512]
    layers, c = [], 3
    for v in config:
        if v == 'M':
            layers.append(torch.nn.MaxPool2d(2))
        else:
            layers += [torch.nn.Conv2d(c, v, 3, padding=1), torch.nn.ReLU()]
            c = v
    net = torch.nn.Sequential(*layers)
    net.load_state_dict({k[len('features.') :]: v for k, v in state.items()})
    out = []
    for i, layer in enumerate(net):
        x = layer(x)
        if i in (3, 8, 15, 22):
            out.append(x)
    return out


def test_layer_numbering_is_torchvisions():
    for depth, indices in INDICES.items():
        expected = [f'features.{i}' for i in indices]
        assert list(torchvision_names(depth).values()) == expected


def test_equals_plain_formulation_with_torchvision_file(tmp_path):
    state = torchvision_state()
    torch.save(state, tmp_path / 'vgg16.pth')
    loss = PerceptualLoss(weights=str(tmp_path / 'vgg16.pth'), image_size=24)
    assert loss.preprocessing == 'torchvision'
    a = pictures(seed=1).requires_grad_()
    b = pictures(seed=2)

    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    resized = [
        F.interpolate(((x * 0.5 + 0.5) - mean) / std, (24, 24), mode='bilinear')
        for x in (a, b)
    ]
    expected = sum(
        (f - g).abs().mean()
        for f, g in zip(
            plain_vgg16(state, resized[0]), plain_vgg16(state, resized[1]), strict=True
        )
    )
    (gradient,) = torch.autograd.grad(expected, a)
    value = loss(a, b)
    assert value.item() == pytest.approx(expected.item(), rel=1e-5)
    value.backward()
    torch.testing.assert_close(a.grad, gradient, rtol=1e-4, atol=1e-7)


def test_caffe_file_reads_bgr(tmp_path):
    state = torchvision_state(last='conv1_2')
    by_conv = {v: k for k, v in torchvision_names(16).items()}
    arrays = {
        f'{by_conv[k.rsplit(".", 1)[0]]}.{k.rsplit(".", 1)[1]}': v.numpy()
        for k, v in state.items()
    }
    np.savez(tmp_path / 'vgg.npz', **arrays)
    loss = PerceptualLoss(
        layers=['relu1_1'], weights=str(tmp_path / 'vgg.npz'), image_size=None
    )
    x = pictures(1)
    bgr = (x * 127.5 + 127.5).flip(1)
    bgr = bgr - torch.tensor([104.007, 116.669, 122.679]).view(1, 3, 1, 1)
    expected = F.relu(
        F.conv2d(bgr, state['features.0.weight'], state['features.0.bias'], padding=1)
    )
    (found,) = loss.features(loss.preprocess(x))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)


def test_hed_weights_of_the_data_folder_golden(data_dir):
    path = data_dir / 'weights' / 'vgg16_hed_bsds_conv1_to_conv4_fp16.npz'
    loss = PerceptualLoss(weights=str(path), image_size=None)
    loss.init_weights()
    with np.load(path) as arrays:
        stored = torch.from_numpy(arrays['conv4_2.weight'].astype(np.float32))
        first = torch.from_numpy(arrays['conv1_1.weight'].astype(np.float32))
    assert torch.equal(loss.features.conv4_2_weight, stored)
    assert torch.equal(loss.features.conv1_1_weight, first[:, [2, 1, 0]])
    assert 0.1 < loss(pictures(size=64, seed=1), pictures(size=64, seed=2)) < 200


def test_weights_layers_distance_and_scale():
    options = dict(base_channels=4, image_size=None)
    plain = PerceptualLoss(**options)
    a, b = pictures(seed=1), pictures(seed=2)
    parts = plain.per_layer(a, b)
    assert plain.features.layers == ('relu1_2', 'relu2_2', 'relu3_3', 'relu4_3')
    weighted = PerceptualLoss(
        layers=['relu3_3', 'relu1_2'], layer_weights=[2, 0.5], loss_weight=3, **options
    )
    torch.testing.assert_close(weighted(a, b), 3 * (2 * parts[2] + 0.5 * parts[0]))
    squared = PerceptualLoss(layers=['relu1_2'], distance='l2', **options)
    f, g = (plain.features(plain.preprocess(x))[0] for x in (a, b))
    torch.testing.assert_close(squared(a, b), ((f - g) ** 2).mean())
    assert plain(a, a) == 0
    deep = PerceptualLoss(depth=19, **options)
    assert deep.features.layers == ('relu1_2', 'relu2_2', 'relu3_4', 'relu4_4')


def test_input_mean_and_std_bring_back_the_picture():
    options = dict(base_channels=2, image_size=(20, 12))
    x = pictures()
    imagenet = PerceptualLoss(
        input_mean=[123.675, 116.28, 103.53],
        input_std=[58.395, 57.12, 57.375],
        **options,
    )
    plain = PerceptualLoss(**options)
    pixels = x * 127.5 + 127.5
    mean = torch.tensor([123.675, 116.28, 103.53]).view(1, 3, 1, 1)
    std = torch.tensor([58.395, 57.12, 57.375]).view(1, 3, 1, 1)
    same = imagenet.preprocess((pixels - mean) / std)
    assert same.shape == (2, 3, 12, 20)
    torch.testing.assert_close(plain.preprocess(x), same, rtol=1e-5, atol=1e-5)


def test_random_network_is_fixed_and_leaves_the_generators_alone():
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    loss = PerceptualLoss(seed=0)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])
    weight = loss.features.conv1_1_weight.flatten()[:3]
    torch.testing.assert_close(
        weight, torch.tensor([0.125730, -0.132105, 0.640423]) * (2 / 27) ** 0.5
    )
    other = PerceptualLoss(seed=1, base_channels=8).features.conv1_1_weight
    assert not torch.equal(loss.features.conv1_1_weight[:8], other)
    sizes = [f.pow(2).mean().item() for f in loss.features(pictures(size=32))]
    assert all(0.1 < s < 3 for s in sizes), sizes


def test_warns_once_without_weights(monkeypatch):
    monkeypatch.setattr(module, '_warned_random', False)
    with pytest.warns(UserWarning, match=r'random\s+VGG \(seed 4\)'):
        PerceptualLoss(base_channels=2, seed=4)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        PerceptualLoss(base_channels=2)


def test_network_is_neither_saved_nor_optimised_but_moves():
    loss = PerceptualLoss(base_channels=2)
    assert not loss.state_dict() and not list(loss.parameters())
    assert loss.double().features.conv1_1_weight.dtype == torch.float64
    value = loss(pictures().double(), pictures(seed=4).double())
    assert value.dtype == torch.float64
    loss = PerceptualLoss(base_channels=2).to(memory_format=torch.channels_last)
    a, b = pictures(size=32, seed=1), pictures(size=32, seed=2)
    nhwc = loss(*(x.contiguous(memory_format=torch.channels_last) for x in (a, b)))
    torch.testing.assert_close(
        nhwc, PerceptualLoss(base_channels=2)(a, b), rtol=1e-5, atol=0
    )
    moved = loss.to('meta')
    assert moved.features.conv4_3_weight.is_meta and moved.gain.is_meta


def test_gradient_only_to_the_reconstruction():
    loss = PerceptualLoss(base_channels=2, image_size=None)
    a, b = pictures(seed=1).requires_grad_(), pictures(seed=2).requires_grad_()
    loss(a, b).backward()
    assert b.grad is None and a.grad.abs().sum() > 0


def test_gradient_is_that_of_differences():
    loss = PerceptualLoss(base_channels=3, image_size=12, distance='l2').double()
    a = pictures(1, 10, seed=1).double().requires_grad_()
    b = pictures(1, 10, seed=2).double()
    (gradient,) = torch.autograd.grad(loss(a, b), a)
    direction = pictures(1, 10, seed=3).double()
    h = 1e-6
    with torch.no_grad():
        slope = (loss(a + h * direction, b) - loss(a - h * direction, b)) / (2 * h)
    assert (gradient * direction).sum().item() == pytest.approx(slope.item(), rel=1e-5)


@pytest.mark.parametrize('chunk', [1, 2, 4])
def test_chunks_change_nothing_but_memory(chunk):
    options = dict(base_channels=3, image_size=24, loss_weight=2.0)
    a, b = (pictures(5, seed=seed).double() for seed in (1, 2))
    a.requires_grad_()
    whole = PerceptualLoss(chunk_size=5, **options).double()(a, b)
    (expected,) = torch.autograd.grad(3 * whole, a)
    loss = PerceptualLoss(chunk_size=chunk, **options).double()
    value = loss(a, b)
    (gradient,) = torch.autograd.grad(3 * value, a)
    torch.testing.assert_close(value, whole, rtol=1e-12, atol=0)
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-15)
    with torch.no_grad():
        assert loss(a, b) == value
    assert not loss(a.detach(), b).requires_grad


def test_chunks_are_chosen_by_size():
    loss = PerceptualLoss(base_channels=2)
    assert loss._pictures_a_chunk(pictures(8)) == 2
    loss.image_size = None
    assert loss._pictures_a_chunk(torch.zeros(8, 3, 128, 128)) == 6
    assert loss._pictures_a_chunk(torch.zeros(8, 3, 1000, 1000)) == 1
    assert loss._pictures_a_chunk(torch.zeros(8, 3, 1000, 1000, device='meta')) == 8
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        under_float16 = torch.autocast('cpu', dtype=torch.float16)
    if not under_float16._enabled:
        pytest.skip('this torch has no autocast to float16 on the CPU')
    with under_float16:
        assert loss._pictures_a_chunk(torch.zeros(8, 3, 1000, 1000)) == 8


def test_chunks_under_bfloat16_autocast():
    options = dict(base_channels=8, image_size=32)
    a, b = pictures(4, seed=1).bfloat16().requires_grad_(), pictures(4, seed=2)
    results = []
    for chunk in (1, 4):
        with torch.autocast('cpu', dtype=torch.bfloat16):
            value = PerceptualLoss(chunk_size=chunk, **options)(a, b)
        results.append((value, *torch.autograd.grad(value, a)))
    torch.testing.assert_close(*results, rtol=2e-2, atol=1e-5)


def test_autocast_keeps_the_value_in_float32():
    loss = PerceptualLoss(base_channels=8, image_size=32)
    a, b = pictures(seed=1), pictures(seed=2)
    exact = loss(a, b)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        half = loss(a.bfloat16(), b)
    assert half.dtype == torch.float32
    assert half.item() == pytest.approx(exact.item(), rel=2e-2)


def test_built_from_a_config():
    init_default_scope('mmpose')
    loss = MODELS.build(dict(type='PerceptualLoss', base_channels=2, image_size=None))
    assert isinstance(loss, PerceptualLoss)
    assert loss.inputs == ('reconstruction', 'images')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(depth=13), 'VGG depth must be .* got 13'),
        (dict(layers=['relu1_2', 'relu3_4']), "VGG16 has no layer 'relu3_4'; choose"),
        (dict(layers=[]), 'layers is empty'),
        (dict(layer_weights=[1, 2]), 'layer_weights has 2 entries for 4'),
        (dict(distance='cosine'), "distance must be one of .* got 'cosine'"),
        (dict(preprocessing='tf'), "preprocessing must be one of .*'auto'.* got 'tf'"),
        (dict(image_size=0), 'image_size must be positive'),
        (dict(input_mean=[1, 2]), 'one number or three'),
        (dict(chunk_size=0), 'chunk_size must be at least 1'),
        (dict(base_channels=0), 'base_channels must be at least 1'),
    ],
)
def test_refuses_meaningless_options(options, message):
    with pytest.raises(ValueError, match=message):
        PerceptualLoss(**{'base_channels': 2, **options})


def test_refuses_wrong_pictures():
    loss = PerceptualLoss(base_channels=2, image_size=None)
    with pytest.raises(ValueError, match='must both be'):
        loss(pictures(2), pictures(1))
    with pytest.raises(ValueError, match=r'4 x 4 pixels are too small for relu4_3'):
        loss(pictures(size=4), pictures(size=4))


def test_refuses_other_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'absent\.pth does not exist.*vgg16'):
        PerceptualLoss(weights=str(tmp_path / 'absent.pth')).init_weights()

    torch.save(torchvision_state(), tmp_path / 'vgg16.pth')
    with pytest.raises(ValueError, match=r'does not fit VGG19: features\.16.*is missi'):
        PerceptualLoss(depth=19, weights=str(tmp_path / 'vgg16.pth')).init_weights()
    with pytest.raises(ValueError, match=r'has shape \(64, 3, 3, 3\), expected \(8, 3'):
        PerceptualLoss(
            base_channels=8, weights=str(tmp_path / 'vgg16.pth')
        ).init_weights()

    state = torchvision_state(depth=19, last='conv4_4')
    torch.save(state, tmp_path / 'vgg19.pth')
    PerceptualLoss(depth=19, weights=str(tmp_path / 'vgg19.pth')).init_weights()
    with pytest.raises(ValueError, match='The file looks like VGG19'):
        PerceptualLoss(depth=16, weights=str(tmp_path / 'vgg19.pth')).init_weights()

    state = torchvision_state(last='conv1_2')
    state['features.1.running_mean'] = torch.zeros(64)
    torch.save(state, tmp_path / 'bn.pth')
    with pytest.raises(ValueError, match='batch normalisation'):
        PerceptualLoss(weights=str(tmp_path / 'bn.pth')).init_weights()

    (tmp_path / 'text.pth').write_text('not a network')
    (tmp_path / 'text.npz').write_text('not a network')
    with pytest.raises(ValueError, match='loaded safely.*no checkpoint but text'):
        PerceptualLoss(weights=str(tmp_path / 'text.pth')).init_weights()
    with pytest.raises(ValueError, match='is no .npz file'):
        PerceptualLoss(weights=str(tmp_path / 'text.npz')).init_weights()


class _Harmful:
    def __reduce__(self):
        return exec, ('raise SystemExit("executed")',)


def test_does_not_run_code_of_a_file(tmp_path):
    with open(tmp_path / 'bad.pth', 'wb') as f:
        pickle.dump({'features.0.weight': _Harmful()}, f)
    torch.save({'features.0.weight': _Harmful()}, tmp_path / 'bad_zip.pth')
    for name in ('bad.pth', 'bad_zip.pth'):
        with pytest.raises(ValueError, match='loaded safely'):
            PerceptualLoss(weights=str(tmp_path / name)).init_weights()


def test_the_file_is_read_when_weights_are_initialised_or_at_the_first_use(tmp_path):
    path = tmp_path / 'vgg.pth'
    options = dict(layers=['relu1_1'], weights=str(path), image_size=None)
    first, second = PerceptualLoss(**options), PerceptualLoss(**options)
    for use in (first.init_weights, lambda: first(pictures(), pictures())):
        with pytest.raises(FileNotFoundError, match='hed_to_mmkp.py'):
            use()
    torch.save(torchvision_state(last='conv1_1'), path)
    first.init_weights()
    a, b = pictures(seed=1), pictures(seed=2)
    value = second(a, b)
    path.unlink()  # it is read once
    first.init_weights()
    assert value > 0 and torch.equal(first(a, b), value)


def test_a_model_hands_initialisation_on_to_its_losses(tmp_path):
    from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator

    model = UnsupervisedPoseEstimator(
        backbone=dict(type='AutoLinkEncoder', channels=(2, 4)),
        head=dict(type='SoftArgmaxHead', in_channels=4, num_keypoints=3),
        losses=dict(
            perceptual=dict(type='PerceptualLoss', weights=str(tmp_path / 'absent.pth'))
        ),
    )
    with pytest.raises(FileNotFoundError, match='absent.pth'):
        model.init_weights()
