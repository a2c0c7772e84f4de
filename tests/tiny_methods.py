"""A model of each method that makes a step in a fraction of a second, and its batch."""

from typing import Any

import torch
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import nn

from mmkp.codecs import PartAffinityField

K, SIDE = 3, 64
WARP = dict(type='RandomThinPlateSpline', brightness=0.1)
ENCODER = dict(type='AutoLinkEncoder', channels=(4, 8))
HEAD = dict(
    type='SoftArgmaxHead', in_channels=8, num_keypoints=K, upsample_channels=(4,)
)
EQUIVARIANCE = dict(type='EquivarianceLoss')
REGRESSION = dict(type='KeypointRegressionLoss', loss_weight=3.0)
HOURGLASS = dict(
    type='LMDISHourglass',
    encoder=((6,), (8,)),
    bottleneck=(8,),
    decoder=((8,), (8,), (6,)),
    skip_convolutions=1,
)
CODEC = dict(type='PartAffinityField', skeleton='coco18', input_size=(SIDE, SIDE))
HEATMAPS = dict(
    type='HourglassHeatmap', input_size=(SIDE, SIDE), heatmap_size=(16, 16), sigma=1.5
)
METHODS: dict[str, dict[str, Any]] = {
    'AutoLink': dict(
        backbone=ENCODER,
        head=HEAD,
        generator=dict(type='EdgeMapGenerator', channels=(4, 6, 8), mask_cells=4),
        view_transform=WARP,
        losses=dict(
            equivariance=EQUIVARIANCE,
            perceptual=dict(type='PerceptualLoss', base_channels=2, image_size=None),
        ),
    ),
    'FactorizedSpatialEmbedding': dict(
        backbone=dict(type='ThewlisNet', channels=(4, 4, 4, 6, 8), padding='reflect'),
        head=dict(
            HEAD,
            upsample_channels=(),
            alignment='cell_centers',
            padding='reflect',
        ),
        view_transform=WARP,
        first_view_transform=WARP,
        crop_margin=16,
        losses=dict(
            equivariance=dict(EQUIVARIANCE, variant='means'),
            diversity=dict(type='DiversityLoss', variant='quadratic', both_views=True),
            regression=REGRESSION,
        ),
    ),
    'IMM': dict(
        backbone=ENCODER,
        head=HEAD,
        generator=dict(
            type='IMMGenerator',
            encoder=dict(type='AutoLinkEncoder', channels=(4, 6)),
            in_channels=6,
            channels=(8, 6, 4),
        ),
        first_view_transform=WARP,
        view_transform=WARP,
        losses=dict(
            pixels=dict(type='torch.nn.MSELoss', inputs=('reconstruction', 'images'))
        ),
    ),
    'LMDIS': dict(
        backbone=HOURGLASS,
        head=dict(
            type='ChannelSoftmaxHead', in_channels=6, num_keypoints=K, padding=16
        ),
        generator=dict(
            type='LMDISGenerator',
            features=HOURGLASS,
            decoder=HOURGLASS,
            descriptor_channels=2,
            sigmas=(0.1, 0.2),
        ),
        view_transform=dict(type='RandomLMDISWarp'),
        image_jitter=dict(brightness=0.1),
        losses=dict(
            reconstruction=dict(type='SquaredErrorLoss', loss_weight=0.1),
            equivariance=EQUIVARIANCE,
            concentration=dict(type='ConcentrationLoss', both_views=True),
            separation=dict(type='SeparationLoss', both_views=True),
            regression=REGRESSION,
        ),
    ),
    'StableKeypoints': dict(
        backbone=dict(type='FeatureAttention', backbone=ENCODER, in_channels=(8,)),
        head=dict(type='TokenHead', num_tokens=40, num_keypoints=4, map_size=(8, 8)),
        view_transform=dict(
            type='RandomAffineWarp', preset='stable_keypoints', padding_mode='zeros'
        ),
        losses=dict(
            localization=dict(type='LocalizationLoss', sigma=1.0),
            equivariance=dict(type='MapEquivarianceLoss'),
        ),
        train_cfg=dict(num_candidates=12, num_selected=4, sigma=1.0),
    ),
    'BottomupPoseEstimator': dict(
        backbone=dict(
            type='ResNet',
            depth=18,
            base_channels=4,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(1,),
        ),
        head=dict(
            type='PartAffinityHead',
            in_channels=8,
            feature_channels=4,
            stages=dict(type='LightweightStages'),
            decoder=CODEC,
        ),
    ),
    'TopdownPoseEstimator': dict(
        backbone=dict(
            type='StackedHourglass',
            num_stacks=2,
            num_keypoints=K,
            order=2,
            channels=16,
        ),
        head=dict(
            type='StackedHourglassHead',
            num_stacks=2,
            num_keypoints=K,
            decoder=HEATMAPS,
            loss=dict(type='KeypointMSELoss', use_target_weight=True),
        ),
    ),
}


def build(name: str, **changes: Any) -> nn.Module:
    """Build a model whose batch normalization does not look at the batch."""
    init_default_scope('mmpose')
    torch.manual_seed(0)
    preprocessor = dict(
        type='PoseDataPreprocessor', mean=[127.5] * 3, std=[127.5] * 3, bgr_to_rgb=True
    )
    model = MODELS.build(
        dict(METHODS[name], type=name, data_preprocessor=preprocessor, **changes)
    )
    model.init_weights()
    return model


def batch_of(name: str, number: int) -> dict[str, list]:
    """Images, and targets of a part of them, as a loader hands them out."""
    draw = torch.Generator().manual_seed(1)
    images = torch.randint(
        0, 256, (number, 3, SIDE, SIDE), generator=draw, dtype=torch.uint8
    )
    samples = [
        _sample(name, index, torch.rand(500, generator=draw)) for index in range(number)
    ]
    return dict(inputs=list(images), data_samples=samples)


def _sample(name: str, index: int, numbers: torch.Tensor) -> PoseDataSample:
    sample = PoseDataSample(metainfo=dict(input_size=(SIDE, SIDE)))
    labels = InstanceData(
        keypoint_labels=numbers[: 2 * K].reshape(1, K, 2),
        keypoint_weights=(numbers[:K] * (index > 1)).reshape(1, K),
    )
    if name == 'BottomupPoseEstimator':
        codec = PartAffinityField('coco18', (SIDE, SIDE))
        points = (numbers[:34] * SIDE).reshape(1, 17, 2).numpy()
        encoded = codec.encode(points)
        maps = ('heatmaps', 'part_affinity_fields', 'heatmap_weights', 'field_weights')
        fields = {key: torch.as_tensor(encoded[key]) for key in maps}
        if index == 0:  # people are labeled in half of the picture
            for key in maps[2:]:
                fields[key][..., 4:] = 0
        sample.gt_fields = PixelData(**fields)
    elif name == 'TopdownPoseEstimator':
        maps = numbers[:256].reshape(1, 16, 16).expand(K, -1, -1).clone()
        sample.gt_fields = PixelData(heatmaps=maps)
        sample.gt_instance_labels = labels
    else:
        sample.gt_instance_labels = labels
    return sample
