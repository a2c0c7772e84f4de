# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A sound method on MMPose's base classes alone, as another project would write it."""

import numpy as np
import torch
from mmengine.model import BaseModule
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import BaseHead
from mmpose.registry import MODELS
from torch import nn

SIDE = 32


@MODELS.register_module()
class ThirdPartyBackbone(BaseModule):
    """Two convolutions, a quarter of the size."""

    def __init__(self, channels=8):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, channels, 3, stride=2, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
        )

    def forward(self, images):
        return (self.layers(images),)


@MODELS.register_module()
class ThirdPartyHead(BaseHead):
    """Mean positions under a softmax over space, taught by annotations."""

    def __init__(self, num_keypoints, channels=8):
        super().__init__()
        self.num_keypoints = num_keypoints
        self.final_layer = nn.Conv2d(channels, num_keypoints, 1)

    def forward(self, feats):
        return self.final_layer(feats[-1])

    def locate(self, maps, size):
        height, width = maps.shape[-2:]
        shares = maps.float().flatten(2).softmax(-1).view(maps.shape)
        x = (torch.arange(width) + 0.5) * size[0] / width - 0.5
        y = (torch.arange(height) + 0.5) * size[1] / height - 0.5
        return torch.stack(
            ((shares.sum(2) * x).sum(-1), (shares.sum(3) * y).sum(-1)), -1
        )

    def loss(self, feats, batch_data_samples, train_cfg=None):
        size = batch_data_samples[0].input_size
        found = self.locate(self.forward(feats), size)
        labels = [s.gt_instance_labels.keypoint_labels for s in batch_data_samples]
        return {'loss_points': (found / SIDE - torch.cat(labels)).abs().mean()}

    def predict(self, feats, batch_data_samples, test_cfg=None):
        if test_cfg.get('flip_test'):
            raise ValueError('this method has no flip_test')
        maps = self.forward(feats)
        points = self.locate(maps, batch_data_samples[0].input_size)
        instances = [
            InstanceData(
                keypoints=each[None],
                keypoint_scores=np.ones((1, len(each)), np.float32),
            )
            for each in points.numpy()
        ]
        if not test_cfg.get('output_heatmaps'):
            return instances
        return instances, [PixelData(heatmaps=each) for each in maps]


def config(
    model='TopdownPoseEstimator',
    backbone='ThirdPartyBackbone',
    head='ThirdPartyHead',
    loader='LoadVerifiedImage',
    after=(),
    before=(),
):
    """Its config, a part of which may be of another type."""
    codec = {'type': 'RegressionLabel', 'input_size': (SIDE, SIDE)}
    steps = [
        {'type': loader},
        *({'type': name} for name in before),
        {'type': 'GetBBoxCenterScale', 'padding': 1.0},
        {'type': 'TopdownAffine', 'input_size': (SIDE, SIDE)},
        *({'type': name} for name in after),
    ]
    target = {'type': 'GenerateTarget', 'encoder': codec}
    dataset = {'type': 'CocoDataset', 'data_root': 'nowhere'}
    pack = {'type': 'PackPoseInputs'}
    train = {**dataset, 'pipeline': [*steps, target, pack]}
    test = {**dataset, 'pipeline': [*steps, pack]}
    return {
        'default_scope': 'mmpose',
        'data_mode': 'topdown',
        'dataset_type': 'CocoDataset',
        'model': {
            'type': model,
            'data_preprocessor': {
                'type': 'PoseDataPreprocessor',
                'mean': [127.5] * 3,
                'std': [127.5] * 3,
            },
            'backbone': {'type': backbone},
            'head': {'type': head, 'num_keypoints': 17},
        },
        'train_dataloader': {'dataset': train},
        'test_dataloader': {'dataset': test},
        'optim_wrapper': {'optimizer': {'type': 'Adam', 'lr': 1e-2}},
    }
