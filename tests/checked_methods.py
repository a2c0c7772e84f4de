# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Each method as a config of a network that trains in milliseconds, for the tests."""

K, SIDE = 4, 32
PREPROCESSOR = {
    'type': 'PoseDataPreprocessor',
    'mean': [127.5] * 3,
    'std': [127.5] * 3,
    'bgr_to_rgb': True,
}
WARP = {'type': 'RandomThinPlateSpline', 'brightness': 0.1}
HOURGLASS = {
    'type': 'LMDISHourglass',
    'encoder': ((6,), (8,)),
    'bottleneck': (8,),
    'decoder': ((8,), (8,), (6,)),
    'skip_convolutions': 1,
}
ENCODER = {'type': 'AutoLinkEncoder', 'channels': (6, 8)}
HEAD = {
    'type': 'SoftArgmaxHead',
    'in_channels': 8,
    'num_keypoints': K,
    'upsample_channels': (6,),
}
EQUIVARIANCE = {
    'equivariance': {'type': 'EquivarianceLoss'},
    'diversity': {'type': 'DiversityLoss'},
}
PERCEPTUAL = {'type': 'PerceptualLoss', 'base_channels': 2, 'image_size': None}


def pipeline(side: int = SIDE) -> list[dict]:
    """Whole images, resized."""
    return [
        {'type': 'LoadVerifiedImage'},
        {'type': 'GetBBoxCenterScale', 'padding': 1.0},
        {'type': 'TopdownAffine', 'input_size': (side, side)},
        {'type': 'PackPoseInputs'},
    ]


def discovery(**model) -> dict:
    """A config of a model that discovers keypoints."""
    model = {
        'data_preprocessor': PREPROCESSOR,
        'backbone': ENCODER,
        'head': HEAD,
        'test_cfg': {},
        **model,
    }
    dataset = {
        'type': 'UnlabeledImageDataset',
        'data_root': 'nowhere',
        'num_keypoints': K,
        'pipeline': pipeline(),
    }
    loader = {'dataset': dataset}
    return {
        'default_scope': 'mmpose',
        'data_mode': 'topdown',
        'dataset_type': 'UnlabeledImageDataset',
        'model': model,
        'train_dataloader': loader,
        'test_dataloader': loader,
        'optim_wrapper': {'optimizer': {'type': 'Adam', 'lr': 1e-2}},
    }


def autolink() -> dict:
    generator = {'type': 'EdgeMapGenerator', 'mask_cells': 4, 'channels': (4, 4, 4)}
    return discovery(
        type='AutoLink',
        generator=generator,
        view_transform=WARP,
        losses={**EQUIVARIANCE, 'perceptual': PERCEPTUAL},
    )


def factorized_spatial_embedding() -> dict:
    return discovery(
        type='FactorizedSpatialEmbedding',
        backbone={'type': 'ThewlisNet', 'channels': (4, 4, 6, 8), 'padding': 'reflect'},
        head={
            **HEAD,
            'upsample_channels': (),
            'alignment': 'cell_centers',
            'padding': 'reflect',
        },
        view_transform=WARP,
        first_view_transform=WARP,
        crop_margin=2,
        losses=EQUIVARIANCE,
    )


def imm() -> dict:
    return discovery(
        type='IMM',
        generator={
            'type': 'IMMGenerator',
            'encoder': ENCODER,
            'in_channels': 8,
            'channels': (8, 6),
        },
        view_transform=WARP,
        losses={**EQUIVARIANCE, 'perceptual': PERCEPTUAL},
    )


def lmdis() -> dict:
    return discovery(
        type='LMDIS',
        backbone=HOURGLASS,
        head={
            'type': 'ChannelSoftmaxHead',
            'in_channels': 6,
            'num_keypoints': K,
            'padding': 8,
        },
        generator={
            'type': 'LMDISGenerator',
            'features': HOURGLASS,
            'decoder': HOURGLASS,
            'descriptor_channels': 2,
            'sigmas': (0.1, 0.2),
        },
        view_transform={'type': 'RandomLMDISWarp'},
        losses={
            'reconstruction': {'type': 'SquaredErrorLoss'},
            'equivariance': {'type': 'EquivarianceLoss'},
            'concentration': {'type': 'ConcentrationLoss', 'loss_weight': 1e-3},
            'separation': {'type': 'SeparationLoss', 'bandwidth': 0.5},
        },
    )


def stable_keypoints() -> dict:
    return discovery(
        type='StableKeypoints',
        backbone={
            'type': 'FeatureAttention',
            'backbone': {'type': 'AutoLinkEncoder', 'channels': (8, 16)},
            'in_channels': (16,),
        },
        head={
            'type': 'TokenHead',
            'num_tokens': 70,
            'num_keypoints': K,
            'map_size': (16, 16),
        },
        view_transform={'type': 'RandomAffineWarp', 'preset': 'stable_keypoints'},
        losses={
            'localization': {'type': 'LocalizationLoss', 'loss_weight': 100.0},
            'equivariance': {'type': 'MapEquivarianceLoss', 'loss_weight': 30.0},
        },
        train_cfg={'num_candidates': 66},
    )


def supervised(mode: str, dataset: str, model: dict, train: list, test: list) -> dict:
    """A config of a model that learns from annotations."""
    place = {'type': dataset, 'data_root': 'nowhere', 'data_mode': mode}
    return {
        'default_scope': 'mmpose',
        'data_mode': mode,
        'dataset_type': dataset,
        'model': {'data_preprocessor': PREPROCESSOR, 'test_cfg': {}, **model},
        'train_dataloader': {'dataset': {**place, 'pipeline': train}},
        'test_dataloader': {'dataset': {**place, 'pipeline': test}},
        'optim_wrapper': {'optimizer': {'type': 'Adam', 'lr': 1e-2}},
    }


def openpose() -> dict:
    side = 64
    codec = {
        'type': 'PartAffinityField',
        'skeleton': 'coco18',
        'input_size': (side, side),
        'field_alignment': 'centred',
    }
    load = {'type': 'LoadVerifiedImage'}
    model = {
        'type': 'BottomupPoseEstimator',
        'backbone': {'type': 'AutoLinkEncoder', 'channels': (6, 8, 8)},
        'head': {
            'type': 'PartAffinityHead',
            'in_channels': 8,
            'stages': {
                'type': 'TwoBranchStages',
                'num_stages': 2,
                'channels': 8,
                'hidden_channels': 8,
            },
            'decoder': codec,
        },
    }
    train = [
        load,
        {'type': 'BottomupRandomAffine', 'input_size': (side, side)},
        {'type': 'RandomFlip'},
        {'type': 'GenerateTarget', 'encoder': codec},
        {'type': 'PackPoseInputs'},
    ]
    keys = ('input_size', 'input_center', 'input_scale', 'flip_indices')
    test = [
        load,
        {'type': 'BottomupHeightResize', 'height': side, 'size_factor': 8},
        {'type': 'PackPoseInputs', 'meta_keys': (*keys, 'img_path', 'ori_shape')},
    ]
    return supervised('bottomup', 'CocoDataset', model, train, test)


def stacked_hourglass() -> dict:
    side, number = 64, 17
    codec = {
        'type': 'HourglassHeatmap',
        'input_size': (side, side),
        'heatmap_size': (side // 4, side // 4),
        'sigma': 1.5,
    }
    stacks = {'num_stacks': 2, 'num_keypoints': number}
    loss = {'type': 'KeypointMSELoss', 'use_target_weight': True, 'loss_weight': 100.0}
    model = {
        'type': 'TopdownPoseEstimator',
        'backbone': {'type': 'StackedHourglass', 'order': 2, 'channels': 16, **stacks},
        'head': {
            'type': 'StackedHourglassHead',
            'decoder': codec,
            'loss': loss,
            **stacks,
        },
    }
    test = pipeline(side)
    train = [*test[:3], {'type': 'GenerateTarget', 'encoder': codec}, test[3]]
    return supervised('topdown', 'CocoDataset', model, train, test)


METHODS = {
    function.__name__: function
    for function in (
        autolink,
        factorized_spatial_embedding,
        imm,
        lmdis,
        stable_keypoints,
        openpose,
        stacked_hourglass,
    )
}
