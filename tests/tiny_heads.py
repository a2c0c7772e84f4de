"""MMPose's top-down heads over a backbone of a few channels, and their pictures."""

from typing import Any

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from mmkp.deployment.check import NetworkInput

K, WIDTH, HEIGHT = 4, 48, 64
FLIP_INDICES = [0, 2, 1, 3]
SIZES = dict(input_size=(WIDTH, HEIGHT))
MAPS = dict(SIZES, heatmap_size=(12, 16))
LOSS = dict(type='KeypointMSELoss')
GAU = dict(hidden_dims=16, s=8, expansion_factor=2, dropout_rate=0.0, drop_path=0.0)
GAU = dict(GAU, act_fn='SiLU', use_rel_bias=False, pos_enc=False)
_HEATMAP = dict(type='HeatmapHead', out_channels=K, deconv_out_channels=(8,))
_HEATMAP = dict(_HEATMAP, deconv_kernel_sizes=(4,), loss=LOSS)
_SIMCC = dict(in_featuremap_size=(6, 8), **SIZES, simcc_split_ratio=2.0)
_LABEL = dict(type='SimCCLabel', **SIZES, sigma=(4.9, 5.66))
HEADS: dict[str, dict[str, Any]] = {
    'msra': dict(_HEATMAP, decoder=dict(type='MSRAHeatmap', **MAPS, sigma=2)),
    'dark': dict(
        _HEATMAP, decoder=dict(type='MSRAHeatmap', **MAPS, sigma=2, unbiased=True)
    ),
    'udp': dict(_HEATMAP, decoder=dict(type='UDPHeatmap', **MAPS)),
    'offsets': dict(
        _HEATMAP,
        out_channels=3 * K,
        decoder=dict(
            type='UDPHeatmap', **MAPS, heatmap_type='combined', blur_kernel_size=3
        ),
    ),
    'hourglass': dict(_HEATMAP, decoder=dict(type='HourglassHeatmap', **MAPS)),
    'rtmcc': dict(
        _SIMCC,
        type='RTMCCHead',
        out_channels=K,
        final_layer_kernel_size=3,
        gau_cfg=GAU,
        decoder=dict(_LABEL, use_dark=False, normalize=False),
    ),
    'simcc': dict(
        _SIMCC,
        type='SimCCHead',
        out_channels=K,
        deconv_out_channels=None,
        decoder=dict(_LABEL, use_dark=True),
    ),
    'regression': dict(
        type='RegressionHead',
        num_joints=K,
        decoder=dict(type='RegressionLabel', **SIZES),
    ),
    'rle': dict(
        type='RLEHead', num_joints=K, decoder=dict(type='RegressionLabel', **SIZES)
    ),
    'integral': dict(
        type='IntegralRegressionHead',
        in_featuremap_size=(6, 8),
        num_joints=K,
        deconv_out_channels=(8,),
        deconv_kernel_sizes=(4,),
        decoder=dict(type='IntegralRegressionLabel', **MAPS, sigma=2),
    ),
}
_POOLED = ('regression', 'rle')


def build(name: str, **test_cfg: Any) -> Any:
    """A model with the head of that name, whose weights make maps vary."""
    init_default_scope('mmpose')
    torch.manual_seed(1)
    backbone = dict(
        type='ResNet',
        depth=18,
        base_channels=4,
        num_stages=2,
        strides=(1, 2),
        dilations=(1, 1),
        out_indices=(1,),
    )
    config = dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(
            type='PoseDataPreprocessor',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            bgr_to_rgb=True,
        ),
        backbone=backbone,
        head=dict(HEADS[name], in_channels=8),
        test_cfg=test_cfg,
    )
    if name in _POOLED:
        config['neck'] = dict(type='GlobalAveragePooling')
    model = MODELS.build(config).eval()
    with torch.no_grad():
        for parameter in model.head.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
    model.dataset_meta = dict(flip_indices=FLIP_INDICES)
    return model


def pictures(number: int = 3, size: tuple[int, int] = (WIDTH, HEIGHT)) -> list:
    """Random network inputs, as a test pipeline would pack them."""
    draw = torch.Generator().manual_seed(2)
    width, height = size
    shape = (number, 3, height // 8, width // 8)
    coarse = torch.rand(shape, generator=draw) * 255
    images = torch.nn.functional.interpolate(coarse, (height, width), mode='bicubic')
    return [
        NetworkInput(f'{index}.png', dict(inputs=image, data_samples=_sample(size)))
        for index, image in enumerate(images.clamp(0, 255).byte())
    ]


def _sample(size: tuple[int, int]) -> PoseDataSample:
    sample = PoseDataSample(metainfo=dict(flip_indices=FLIP_INDICES, input_size=size))
    boxes = np.array([[0, 0, *size]], np.float32)
    sample.gt_instances = InstanceData(bboxes=boxes, bbox_scores=np.ones(1, np.float32))
    return sample
