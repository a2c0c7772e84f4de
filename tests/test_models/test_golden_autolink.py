"""AutoLink against the official code's numbers, through the checkpoint converter.

Weights, pictures and tolerances are those of ``golden/autolink/README.md``; the
official values were computed in float64.
"""

import importlib.util
import json

import numpy as np
import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

import mmkp  # noqa: F401  registers the models
from mmkp.converters.autolink import convert_state_dict

K = 8
SIZE = 128
MODES = ('eval', 'train')


class Golden:
    """The golden folder: arrays, names, and the recipe that rebuilds the weights."""

    def __init__(self, folder):
        spec = importlib.util.spec_from_file_location('recipe', folder / 'recipe.py')
        self.recipe = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.recipe)
        folder = folder / 'autolink'
        self.numbers = json.loads((folder / 'numbers.json').read_text())
        with np.load(folder / 'detector_k8.npz') as arrays:
            self.detector = dict(arrays)
        with np.load(folder / 'decoder_k8.npz') as arrays:
            self.decoder = dict(arrays)
        state = {}
        for part in ('detector', 'decoder'):
            state.update(self.recipe.state(str(folder / f'names_{part}_k8.json')))
        state['encoder.detector.coord'] = np.zeros((1, 1, 1024, 2), np.float32)
        state['decoder.alpha'] = self.decoder['alpha']
        state['decoder.skeleton_scalar'] = self.decoder['edge_logits'] / 512
        self.official = {k: torch.from_numpy(np.array(v)) for k, v in state.items()}

    @staticmethod
    def of_mode(arrays, mode):
        """Entries of one mode, 'eval' or 'train', without the prefix."""
        start = f'{mode}_'
        return {k[len(start) :]: v for k, v in arrays.items() if k.startswith(start)}

    def pictures(self, name):
        pixels = self.recipe.image(name, 2, SIZE, SIZE)
        return torch.from_numpy(pixels.astype(np.float64) / 127.5 - 1)


@pytest.fixture(scope='module')
def golden(golden_dir):
    return Golden(golden_dir)


@pytest.fixture(scope='module')
def vgg_weights(data_dir):
    return str(data_dir / 'weights' / 'vgg16_hed_bsds_conv1_to_conv4_fp16.npz')


def build(golden, dtype, mode, vgg_weights=None):
    init_default_scope('mmpose')
    if vgg_weights:
        vgg = dict(weights=vgg_weights, preprocessing='torchvision', image_size=224)
    else:
        vgg = dict(base_channels=2)
    model = MODELS.build(
        dict(
            type='AutoLink',
            backbone=dict(type='AutoLinkEncoder'),
            head=dict(type='SoftArgmaxHead', in_channels=512, num_keypoints=K),
            generator=dict(type='EdgeMapGenerator', num_keypoints=K, thickness=1e-3),
            losses=dict(perceptual=dict(type='PerceptualLoss', **vgg)),
        )
    )
    model.load_state_dict(convert_state_dict(golden.official))
    return model.to(dtype).train(mode == 'train')


def in_paper_units(keypoints):
    """Input pixels (x, y) to the official (row, column) in [-1, 1]."""
    return (keypoints.flip(-1) / (SIZE - 1) * 2 - 1).detach().numpy()


def close(found, expected, atol):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=atol)


def test_parameter_counts_golden(golden):
    model = build(golden, torch.float32, 'eval')
    count = [
        sum(p.numel() for p in part.parameters())
        for part in (model.backbone, model.head, model.generator.unet)
    ]
    assert sum(count[:2]) == golden.numbers['summary']['detector_params_k8'] == 7727048
    # The official count holds a K x K matrix and alpha beside the U-Net.
    assert count[2] + K * K + 1 == 17972868


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize(
    ('dtype', 'map_tolerance', 'point_tolerance'),
    # In float64 what remains is the official grid, which is stored in float32.
    [(torch.float64, 1e-8, 5e-8), (torch.float32, 2e-6, 5e-6)],
)
def test_detector_golden(golden, mode, dtype, map_tolerance, point_tolerance):
    model = build(golden, dtype, mode)
    pictures = golden.pictures('autolink_detector').to(dtype)
    with torch.no_grad():
        keypoints, heatmaps = model.detect(pictures)
    stored = golden.of_mode(golden.detector, mode)
    assert keypoints.dtype == heatmaps.dtype == dtype
    close(heatmaps, stored['prob_map'], map_tolerance)
    close(in_paper_units(keypoints), stored['keypoints_rowcol'], point_tolerance)
    close(keypoints, stored['xy_index128'], point_tolerance * (SIZE - 1) / 2)


def forward(golden, model, perturbation=0):
    """Detect and reconstruct the golden pictures, with the golden mask.

    A perturbation (a seed) changes the pictures by a relative 1e-7, which is what
    rounding to float32 does.
    """
    dtype = next(model.parameters()).dtype
    pictures = golden.pictures('autolink_decoder')
    if perturbation:
        generator = torch.Generator().manual_seed(perturbation)
        noise = torch.randn(pictures.shape, generator=generator, dtype=torch.float64)
        pictures = pictures * (1 + 1e-7 * noise)
    pictures = pictures.to(dtype)
    mask = torch.from_numpy(golden.decoder['mask']).to(dtype)
    mask = torch.nn.functional.interpolate(mask, scale_factor=SIZE // 16)
    keypoints, _ = model.detect(pictures)
    out = model.generator(pictures, keypoints, mask=mask)
    return {'pictures': pictures, 'keypoints': keypoints, **out}


def check_forward(golden, found, mode):
    stored = golden.of_mode(golden.decoder, mode)
    double = found['keypoints'].dtype == torch.float64
    points = in_paper_units(found['keypoints'])
    close(points, stored['keypoints_rowcol'], 5e-8 if double else 5e-6)
    # In float64 what remains is the rounding of the stored maps.
    close(found['edge_map'].detach(), stored['edge_map'], 1e-6 if double else 2e-5)
    close(found['reconstruction'].detach(), stored['img'], 2e-6 if double else 5e-5)


def gradients_of(golden, model, found, mode):
    """Check the loss, go backward, return the gradients."""
    loss = model.losses['perceptual']
    # Both from one pass, because the two passes of a call are most of the time.
    parts = loss.per_layer(found['reconstruction'], found['pictures'])
    value = sum(parts)
    numbers = golden.numbers[mode]
    assert value.item() == pytest.approx(numbers['loss'], rel=1e-6)
    for part, expected in zip(parts, numbers['per_block'], strict=True):
        assert part.item() == pytest.approx(expected, rel=3e-6)
    model.zero_grad()
    value.backward()
    return {k: p.grad.clone() for k, p in model.named_parameters()}


def official_norms(golden, gradients):
    """Gradient norms under the official names."""
    ours = convert_state_dict(golden.official)
    by_tensor = {id(v): k for k, v in ours.items()}
    norms = {}
    for name, value in golden.official.items():
        if name == 'decoder.skeleton_scalar':
            norms[name] = 512 * gradients['generator.edge_logits'].norm().item()
        elif by_tensor.get(id(value)) in gradients:
            norms[name] = gradients[by_tensor[id(value)]].norm().item()
    return norms


def worst_norm(golden, gradients, mode):
    """Largest relative deviation of a gradient norm, and the parameter's name."""
    norms, worst = official_norms(golden, gradients), []
    for name, expected in golden.numbers[mode]['grad_norm'].items():
        if name == 'encoder.detector.conv.6.bias':
            assert norms[name] < 1e-5, 'zero: a softmax does not see a shift'
        else:
            worst.append((abs(norms[name] / expected - 1), name))
    return max(worst)


def check_gradients_and_step(golden, model, gradients, mode, tolerance):
    """Stored gradients, and one step of the optimizer that the configs set up."""
    stored = golden.of_mode(golden.decoder, mode)
    rows, columns = np.triu_indices(K, 1)
    logits = stored['grad/decoder.skeleton_scalar'][rows, columns] / 512
    for name, expected in (
        ('generator.visible_scale', stored['grad/decoder.alpha']),
        ('generator.unet.final_layer.bias', stored['grad/decoder.conv.bias']),
        ('generator.edge_logits', logits),
    ):
        close(gradients[name], expected, tolerance * np.abs(expected).max())

    before = {k: p.detach().clone() for k, p in model.named_parameters()}
    # The gradient of a logit is 512 times smaller than that of the official
    # parameter: with an eps as much smaller AdamW takes exactly the same step.
    multiplier = dict(custom_keys={'edge_logits': dict(lr_mult=512, decay_mult=0)})
    wrapper = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='AdamW', lr=1e-4, weight_decay=1e-3, eps=1e-8 / 512),
            paramwise_cfg=multiplier,
        ),
    )
    wrapper.step()
    moved = {k: p.detach() - before[k] for k, p in model.named_parameters()}
    close(moved['generator.visible_scale'], stored['delta/decoder.alpha'], 2e-7)
    expected = stored['delta/decoder.conv.bias']
    close(moved['generator.unet.final_layer.bias'], expected, 2e-7)
    # Its weight decay, 1e-7 of the value, is switched off for our logits.
    official = golden.official['decoder.skeleton_scalar'].numpy()[rows, columns]
    expected = stored['delta/decoder.skeleton_scalar'][rows, columns]
    expected = expected + 1e-4 * 1e-3 * official
    close(moved['generator.edge_logits'] / 512, expected, 2e-7)


def test_decoder_float64_golden(golden):
    model = build(golden, torch.float64, 'eval')
    with torch.no_grad():
        check_forward(golden, forward(golden, model), 'eval')


def test_training_step_float64_golden(golden, vgg_weights):
    model = build(golden, torch.float64, 'train', vgg_weights)
    found = forward(golden, model)
    check_forward(golden, found, 'train')
    gradients = gradients_of(golden, model, found, 'train')
    assert worst_norm(golden, gradients, 'train')[0] < 1e-5
    check_gradients_and_step(golden, model, gradients, 'train', 1e-5)


@pytest.mark.parametrize('mode', MODES)
def test_training_step_float32_golden(golden, vgg_weights, mode):
    model = build(golden, torch.float32, mode, vgg_weights)
    found = forward(golden, model)
    check_forward(golden, found, mode)
    gradients = gradients_of(golden, model, found, mode)
    # The gradient jumps where an activation changes sign or another edge wins, which
    # rounding decides here: entries move by up to 1.3e-2 of the largest with batch
    # statistics and 2.4e-4 without, norms by 3e-3, whichever way sums are ordered.
    tolerance = 2e-2 if mode == 'train' else 5e-4
    check_gradients_and_step(golden, model, gradients, mode, tolerance)
    # So the official norms have to be met within rounding of the pictures; in float64,
    # above, they are met to 1e-5 at once.
    deviations = [worst_norm(golden, gradients, mode)]
    for perturbation in range(1, 7):
        if min(deviations)[0] < 1e-3:
            break
        model = build(golden, torch.float32, mode, vgg_weights)
        found = forward(golden, model, perturbation)
        gradients = gradients_of(golden, model, found, mode)
        deviations.append(worst_norm(golden, gradients, mode))
    assert min(deviations)[0] < 1e-3, deviations
    assert max(deviations)[0] < 1e-2, deviations
