"""Stacked Hourglass against the published implementations.

Weights are rebuilt under the official names and go through the converter. Pictures,
targets and tolerances are those of the READMEs beside the golden files.
"""

import importlib.util
import json

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

import mmkp  # noqa: F401  registers the network
from mmkp.converters.hourglass import convert_checkpoint

TOLERANCES = {torch.float64: 1e-5, torch.float32: 1e-4}
GRADIENT_TOLERANCES = {torch.float64: 1e-5, torch.float32: 1e-2}
#: bearpaw's golden loss leaves out one joint of a sample and two of the other.
WEIGHTS = np.ones((2, 16), np.float32)
WEIGHTS[[0, 1, 1], [3, 0, 1]] = 0
EVERY_JOINT = np.ones((2, 16), np.float32)

PRINCETON = ('hourglass_princeton', 's2')
AUTHOR = ('hourglass_newell', 's1_modules2')
AUTHOR_TWO_STACKS = ('hourglass_newell', 's2')
BEARPAW = ('hourglass_bearpaw', 's2b1')
BEARPAW_TWO_BLOCKS = ('hourglass_bearpaw', 's1b2')


class Network:
    """A converted golden network and what it should compute."""

    def __init__(self, golden_dir, case, arrays=None):
        folder, name = case
        spec = importlib.util.spec_from_file_location(
            'recipe', golden_dir / 'recipe.py'
        )
        self.recipe = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.recipe)
        names = json.loads((golden_dir / folder / f'names_{name}.json').read_text())
        train = (golden_dir / folder / f'train_{name}.json').read_text()
        self.train = json.loads(train)
        official = {k: torch.from_numpy(v) for k, v in self.recipe.state(names).items()}
        converted = convert_checkpoint(official)
        self.meta = converted['meta']
        state = {
            k.removeprefix('backbone.'): v for k, v in converted['state_dict'].items()
        }
        official_names = {id(v): k for k, v in official.items()}
        self.official_names = {k: official_names[id(v)] for k, v in state.items()}
        # Initialisation is of no use here.
        with torch.device('meta'):
            self.backbone = MODELS.build(self.meta['backbone'])
        self.backbone.load_state_dict(state, assign=True)
        arrays = arrays or golden_dir / folder / f'io_{name}.npz'
        with np.load(arrays) as stored:
            self.stored = dict(stored)

    @property
    def num_stacks(self):
        return self.backbone.num_stacks

    def train_step(self, dtype):
        """Images, and what the network makes of them in training mode."""
        self.backbone.to(dtype).train()
        images = self.recipe.image('hg_train', 2, 256, 256)
        images = (torch.from_numpy(images).to(dtype) / 255).requires_grad_()
        return images, self.backbone(images)

    def losses(self, outputs, keypoint_weights=EVERY_JOINT, loss_weight=1.0, **options):
        head = MODELS.build(
            dict(
                type='StackedHourglassHead',
                num_stacks=self.num_stacks,
                num_keypoints=16,
                loss=dict(
                    type='KeypointMSELoss',
                    use_target_weight=True,
                    loss_weight=loss_weight,
                ),
                decoder=dict(
                    type='MSRAHeatmap',
                    input_size=(256, 256),
                    heatmap_size=(64, 64),
                    sigma=1,
                ),
                **options,
            )
        )
        targets = self.recipe.target('hg', (2, 16, 64, 64))
        samples = []
        for target, weights in zip(targets, keypoint_weights, strict=True):
            fields = PixelData(heatmaps=torch.from_numpy(target).to(outputs[0].dtype))
            labels = InstanceData(keypoint_weights=torch.from_numpy(weights)[None])
            sample = PoseDataSample(gt_fields=fields)
            sample.gt_instance_labels = labels
            samples.append(sample)
        found = head.loss(outputs, samples)
        return [found[f'loss_stack{i}'] for i in range(self.num_stacks)]

    def check_outputs(self, outputs, mode, **tolerances):
        for stack, maps in enumerate(outputs[: self.num_stacks]):
            expected = self.stored[f'{mode}_stack{stack}'].astype(np.float64)
            found = maps.detach().double().numpy()
            np.testing.assert_allclose(found, expected, **tolerances)

    def check_statistics(self):
        """Of the first normalisation, after one step."""
        norm = self.backbone.stem.norm
        assert norm.num_batches_tracked == 1
        for kind in ('mean', 'var'):
            expected = self.stored[f'bn_first_running_{kind}_after_1_step']
            found = getattr(norm, f'running_{kind}').double().numpy()
            np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)

    def check_gradients(self, images, form, dtype):
        expected = self.train[form]
        rtol, total = GRADIENT_TOLERANCES[dtype], expected['grad_norm_total']
        # What a normalisation takes out again, such as a bias before it, has no
        # gradient but rounding errors.
        atol = total * {torch.float64: 1e-10, torch.float32: 1e-4}[dtype]
        norms = {
            self.official_names[name]: parameter.grad.double().norm().item()
            for name, parameter in self.backbone.named_parameters()
        }
        assert set(norms) == set(expected['grad_norms']) - set(expected['no_grad'])
        for name, norm in norms.items():
            assert norm == pytest.approx(
                expected['grad_norms'][name], rel=rtol, abs=atol
            ), name
        whole = np.linalg.norm(list(norms.values()))
        assert whole == pytest.approx(total, rel=rtol)
        found = images.grad.double().norm().item()
        assert found == pytest.approx(expected['grad_norm_input'], rel=rtol)
        first = norms[expected['first_conv_weight']]
        assert first == pytest.approx(expected['grad_norm_first_conv_weight'], rel=rtol)
        # Far from what the filter above would let pass.
        assert first > 100 * atol


@pytest.mark.parametrize('dtype', TOLERANCES)
@pytest.mark.parametrize(
    ('case', 'num_parameters', 'config'),
    [
        (PRINCETON, 6_570_400, dict(num_stacks=2, stem='newell')),
        (AUTHOR, 6_429_840, dict(num_stacks=1, stem='newell', num_residuals=2)),
        (BEARPAW, 6_730_912, dict(num_stacks=2, stem='bearpaw')),
        (
            BEARPAW_TWO_BLOCKS,
            6_590_352,
            dict(num_stacks=1, stem='bearpaw', num_residuals=2),
        ),
    ],
)
def test_evaluation_golden(golden_dir, case, num_parameters, config, dtype):
    network = Network(golden_dir, case)
    expected = dict(type='StackedHourglass', num_keypoints=16, **config)
    assert network.meta['backbone'] == expected
    backbone = network.backbone.to(dtype).eval()
    assert sum(p.numel() for p in backbone.parameters()) == num_parameters
    with torch.no_grad():
        pixels = torch.from_numpy(network.stored['input_uint8'])
        outputs = backbone(pixels.to(dtype) / 255)
    assert len(outputs) == 2 * network.num_stacks
    assert outputs[-1].shape == (1, 256, 64, 64)
    network.check_outputs(outputs, 'eval', rtol=0, atol=TOLERANCES[dtype])


def step_and_check(network, form, dtype, **head):
    """Take one training step and compare all that is stored of it."""
    images, outputs = network.train_step(dtype)
    if dtype is torch.float64:
        network.check_outputs(outputs, 'train', rtol=1e-3, atol=1e-3)
    network.check_statistics()
    losses = network.losses(outputs, **head)
    loss = sum(losses)
    assert loss.item() == pytest.approx(network.train[form]['loss'], rel=1e-5)
    loss.backward()
    network.check_gradients(images, form, dtype)
    return outputs, losses


def test_princeton_training_golden(golden_dir):
    network = Network(golden_dir, PRINCETON)
    form = 'princeton_mean_over_stacks'
    outputs, losses = step_and_check(
        network, form, torch.float64, stack_reduction='mean'
    )
    errors = [2 * loss.item() for loss in losses]
    assert errors == pytest.approx(network.train[form]['per_stack_mse'], rel=1e-5)
    summed = sum(network.losses([maps.detach() for maps in outputs]))
    expected = network.train['sum_over_stacks_mse']['loss']
    assert summed.item() == pytest.approx(expected, rel=1e-5)


def test_two_residuals_training_golden(golden_dir):
    network = Network(golden_dir, AUTHOR)
    step_and_check(network, 'torch_sum_over_stacks_mse', torch.float64)


def test_bearpaw_training_golden(golden_dir):
    network = Network(golden_dir, BEARPAW)
    bearpaw = dict(keypoint_weights=WEIGHTS, loss_weight=0.5)
    form = 'bearpaw_half_mse_weighted_sum'
    outputs, _ = step_and_check(network, form, torch.float64, **bearpaw)
    losses = network.losses([maps.detach() for maps in outputs])
    expected = network.train['sum_over_stacks_mse']
    found = [loss.item() for loss in losses]
    assert found == pytest.approx(expected['per_stack_mse'], rel=1e-5)
    assert sum(found) == pytest.approx(expected['loss'], rel=1e-5)


def test_bearpaw_two_blocks_training_golden(golden_dir):
    network = Network(golden_dir, BEARPAW_TWO_BLOCKS)
    bearpaw = dict(keypoint_weights=WEIGHTS, loss_weight=0.5)
    form = 'bearpaw_half_mse_weighted_sum'
    step_and_check(network, form, torch.float32, **bearpaw)


def test_recomputed_activations_golden(golden_dir):
    """The author's names give Princeton's numbers; here with a stack recomputed."""
    arrays = golden_dir / 'hourglass_princeton' / 'io_s2.npz'
    network = Network(golden_dir, AUTHOR_TWO_STACKS, arrays)
    network.backbone.checkpointing = 'stack'
    step_and_check(network, 'torch_sum_over_stacks_mse', torch.float32)
