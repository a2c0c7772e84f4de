# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the losses of the configs are worth, whatever unit they measure in."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mmkp.engine.config_check import ConfigError, check_config
from mmkp.ops.warps.affine import AffineWarp

ROOT = Path(__file__).resolve().parents[3] / 'configs/unsupervised_2d_keypoint'
# Computed before heads told losses where cells lie, from settings of each loss.
AUTOLINK = dict(equivariance=13.659008781247696, diversity=3.059253462531319)
FSE = dict(equivariance=591.1349949313094, diversity=1918.886708146983)
FSE_LIGHT = dict(equivariance=13.659008781247696, diversity=6.11912643528295)
LMDIS = dict(
    concentration=614.7944921779833,
    separation=0.023478796095685664,
    equivariance=12368.788683363187,
)
LMDIS_LIGHT = dict(
    concentration=667.045184547891,
    separation=0.012726012755426445,
    equivariance=12876.798020414897,
)
# Side of the images, cells of the maps and what the losses were worth.
CASES = {
    'autolink-equivariance_actions-64x64': (
        (64, 32),
        dict(equivariance=6.829504390623848, diversity=2.9670900514584164),
    ),
    'autolink-equivariance_faces-64x64': ((64, 32), AUTOLINK),
    'autolink-equivariance_puppets-64x64': (
        (64, 32),
        {**AUTOLINK, 'equivariance': 6.829504390623848},
    ),
    'fse_celeba-aligned-128x128': ((128, 42), FSE),
    'fse-k30_celeba-aligned-128x128': ((128, 42), FSE),
    'fse_cats-128x128': ((128, 42), FSE),
    'fse-light_actions-64x64': (
        (64, 32),
        dict(equivariance=6.829504390623848, diversity=5.935021566414798),
    ),
    'fse-light_faces-64x64': ((64, 32), FSE_LIGHT),
    'fse-light_mnist-64x64': ((64, 32), FSE_LIGHT),
    'lmdis_celeba-aligned-80x80': ((80, 96), LMDIS),
    'lmdis-k30_celeba-aligned-80x80': (
        (80, 96),
        {**LMDIS, 'separation': 1.5282407704116036e-11},
    ),
    'lmdis_aflw-80x80': ((80, 96), {**LMDIS, 'separation': 7.747505789260625e-05}),
    'lmdis_cats-80x80': ((80, 96), {**LMDIS, 'equivariance': 6184.394341681594}),
    'lmdis-k20_cats-80x80': (
        (80, 96),
        dict(
            concentration=614.7944921779833,
            separation=2.3253014484176673e-07,
            equivariance=6184.394341681594,
        ),
    ),
    'lmdis-flow_human36m-masked-80x80': ((80, 96), LMDIS),
    'lmdis-light_faces-64x64': ((64, 40), LMDIS_LIGHT),
    'lmdis-light-flow_actions-64x64': (
        (64, 40),
        {**LMDIS_LIGHT, 'separation': 3.411862321814416e-05},
    ),
    'lmdis-figure_puppets-64x64': (
        (64, 40),
        dict(
            figure=986.277753182303,
            concentration=1334.090369095782,
            separation=0.006363006377713223,
            equivariance=5150.71920816596,
        ),
    ),
}


def config_of(name):
    (path,) = ROOT.rglob(f'{name}.py')
    return Config.fromfile(path)


def waves(*shape, phase=0.0):
    """Numbers from -1 to 1 that are the same everywhere."""
    steps = torch.arange(math.prod(shape), dtype=torch.float64)
    return torch.sin(1.7 * steps + phase).view(shape)


def outputs_of(head, side, cells):
    """Made-up outputs of a model with that head."""
    geometry = head.geometry((side, side), (cells, cells))
    full = geometry.image_size[0]
    rows = [[0.9, -0.1, 0.05], [0.12, 1.05, -0.1]]
    affine = torch.tensor([rows], dtype=torch.float64).expand(2, -1, -1)

    def maps(phase):
        logits = 3 * waves(2, 3, cells, cells, phase=phase)
        return logits.flatten(2).softmax(-1).view_as(logits)

    return dict(
        geometry=geometry,
        images=waves(2, 3, full, full),
        heatmaps=maps(0.3),
        warped_heatmaps=maps(1.1),
        keypoints=(waves(2, 3, 2, phase=0.2) + 1) * full / 2,
        warped_keypoints=(waves(2, 3, 2, phase=0.9) + 1) * full / 2,
        warp=AffineWarp(affine, (full, full)),
        background=(waves(2, cells, cells) + 1) / 2,
        edge_map=(waves(2, 1, side, side) + 1) / 2,
    )


@pytest.mark.parametrize('name', CASES)
def test_values_are_those_of_before(name):
    (side, cells), expected = CASES[name]
    model = config_of(name).model
    outputs = outputs_of(MODELS.build(model.head), side, cells)
    for key, value in expected.items():
        loss = MODELS.build(model.losses[key])
        found = loss(**{which: outputs[which] for which in loss.inputs})
        assert found.item() == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize(
    ('name', 'loss', 'key', 'value'),
    [
        ('fse-light_faces-64x64', 'equivariance', 'grid', 'inclusive'),
        ('fse-light_faces-64x64', 'equivariance', 'alignment', 'inclusive'),
        ('lmdis_celeba-aligned-80x80', 'concentration', 'frame_ratio', 0.5),
        ('lmdis_celeba-aligned-80x80', 'separation', 'unit', 'pixels'),
        ('lmdis-figure_puppets-64x64', 'figure', 'padding', 4),
    ],
)
def test_no_loss_can_contradict_the_head(name, loss, key, value):
    config = config_of(name)
    check_config(config, name)
    config.model.losses[loss][key] = value
    with pytest.raises(ConfigError, match=f"'?{key}'?"):
        check_config(config, name)


@pytest.mark.parametrize('name', CASES)
def test_geometry_is_said_once(name):
    said = {'grid', 'alignment', 'frame_ratio', 'frame_margin', 'padding', 'unit'}
    losses = config_of(name).model.losses
    assert not [key for loss in losses.values() for key in said & set(loss)]
