# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Any loss in any unsupervised model over any backbone, by config alone.

{equivariance, concentration, separation} x {AutoLink, FactorizedSpatialEmbedding,
LMDIS} x {the paper's own backbone, HRNet, MobileNetV2}: each cell is built, makes a
training step that changes its detector, and predicts.
"""

import copy

import numpy as np
import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

K, SIDE, BATCH = 3, 64, 2
WARP = {'type': 'RandomThinPlateSpline', 'brightness': 0.1}
PREPROCESSOR = {
    'type': 'PoseDataPreprocessor',
    'mean': [127.5] * 3,
    'std': [127.5] * 3,
    'bgr_to_rgb': True,
}


def hrnet(widths=(4, 6, 8, 10)) -> dict:
    """HRNet-w18's four stages with fewer channels and blocks."""
    stages = {
        'stage1': {
            'num_modules': 1,
            'num_branches': 1,
            'block': 'BOTTLENECK',
            'num_blocks': (1,),
            'num_channels': (4,),
        }
    }
    for number in (2, 3, 4):
        stages[f'stage{number}'] = {
            'num_modules': 1,
            'num_branches': number,
            'block': 'BASIC',
            'num_blocks': (1,) * number,
            'num_channels': widths[:number],
        }
    return {'type': 'HRNet', 'extra': stages}


LIGHT_HOURGLASS = {
    'type': 'LMDISHourglass',
    'encoder': ((6,), (8,)),
    'bottleneck': (8,),
    'decoder': ((8,), (8,), (6,)),
    'skip_convolutions': 1,
}
PAPER_BACKBONES = {
    'AutoLink': ({'type': 'AutoLinkEncoder', 'channels': (6, 8)}, 8, (6,)),
    'FactorizedSpatialEmbedding': (
        {
            'type': 'ThewlisNet',
            'channels': (4, 4, 4, 6, 8),
            'padding': 'reflect',
        },
        8,
        (),
    ),
    'LMDIS': (LIGHT_HOURGLASS, 6, ()),
}
# Backbone, its channels, and the doublings after it.
BACKBONES = {
    'paper': None,
    'HRNet': (hrnet(), 4, (4,)),
    'MobileNetV2': (
        {'type': 'MobileNetV2', 'widen_factor': 0.25, 'out_indices': (2,)},
        8,
        (6,),
    ),
}
MODEL_PARTS = {
    'AutoLink': {
        'head': {'type': 'SoftArgmaxHead', 'alignment': 'cell_centers'},
        'generator': {
            'type': 'EdgeMapGenerator',
            'num_keypoints': K,
            'channels': (4, 6, 8),
            'mask_cells': 4,
        },
    },
    'FactorizedSpatialEmbedding': {
        'head': {
            'type': 'SoftArgmaxHead',
            'alignment': 'cell_centers',
            'padding': 'reflect',
        },
        'first_view_transform': WARP,
        'crop_margin': 16,  # HRNet needs multiples of 32 pixels
    },
    'LMDIS': {
        'head': {'type': 'ChannelSoftmaxHead', 'padding': 16},
        'generator': {
            'type': 'LMDISGenerator',
            'num_keypoints': K,
            'features': LIGHT_HOURGLASS,
            'decoder': LIGHT_HOURGLASS,
            'descriptor_channels': 2,
            'sigmas': (0.1, 0.2),
        },
    },
}
LOSSES = {
    'equivariance': {'type': 'EquivarianceLoss'},
    'concentration': {'type': 'ConcentrationLoss'},
    'separation': {'type': 'SeparationLoss', 'bandwidth': 0.5, 'both_views': True},
}


def build(model: str, backbone: str, loss: str) -> torch.nn.Module:
    network, channels, doublings = BACKBONES[backbone] or PAPER_BACKBONES[model]
    config = copy.deepcopy(MODEL_PARTS[model])
    config['head'].update(
        in_channels=channels, num_keypoints=K, upsample_channels=doublings
    )
    config.update(
        type=model,
        data_preprocessor=PREPROCESSOR,
        backbone=copy.deepcopy(network),
        view_transform=WARP,
        losses={loss: LOSSES[loss]},
        test_cfg={'untrained_control': True},
    )
    torch.manual_seed(0)
    built = MODELS.build(config)
    built.with_untrained_control = True
    built.init_weights()
    return built


def batch() -> dict:
    """Random images as a data loader hands them out, shown at half of their size."""
    generator = torch.Generator().manual_seed(1)
    images = torch.randint(
        0, 256, (BATCH, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8
    )
    whole = 2.0 * SIDE
    samples = [
        PoseDataSample(
            gt_instances=InstanceData(
                bboxes=np.array([[0.0, 0.0, whole, whole]]), bbox_scores=np.ones(1)
            ),
            metainfo={
                'input_size': (SIDE, SIDE),
                'input_center': np.full(2, SIDE, float),
                'input_scale': np.full(2, whole),
            },
        )
        for _ in range(BATCH)
    ]
    return {'inputs': list(images), 'data_samples': samples}


def test_the_table_is_whole():
    for name in (*MODEL_PARTS, *(loss['type'] for loss in LOSSES.values())):
        assert MODELS.get(name) is not None, name
    assert set(PAPER_BACKBONES) == set(MODEL_PARTS)


@pytest.mark.parametrize('loss', LOSSES)
@pytest.mark.parametrize('backbone', BACKBONES)
@pytest.mark.parametrize('model', MODEL_PARTS)
def test_every_combination_steps_and_predicts(model, backbone, loss):
    network = build(model, backbone, loss)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    before = {name: p.clone() for name, p in network.backbone.named_parameters()}
    logs = network.train().train_step(batch(), OptimWrapper(optimizer))
    assert set(logs) == {'loss', f'loss_{loss}'}
    assert torch.isfinite(logs['loss']) and logs['loss'] > 0
    moved = [
        name
        for name, parameter in network.backbone.named_parameters()
        if not torch.equal(parameter, before[name])
    ]
    assert len(moved) >= 4

    with torch.no_grad():
        results = network.eval().test_step(batch())
    assert len(results) == BATCH
    for result in results:
        for name in ('keypoints', 'untrained_keypoints'):
            found = result.pred_instances.get(name)
            assert found.shape == (1, K, 2)
            # In pixels of the image; those of LMDIS may lie in its frame.
            assert -32 <= found.min() and found.max() <= 2 * SIDE + 32
