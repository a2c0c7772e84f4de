# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Data sets and transforms that MMPose lacks."""

from mmkp.datasets.coco_body_foot_dataset import CocoBodyFootDataset
from mmkp.datasets.discovery_evaluation_dataset import DiscoveryEvaluationDataset
from mmkp.datasets.flic_dataset import FlicDataset
from mmkp.datasets.label_free_dataset import LabelFreeDataset
from mmkp.datasets.landmark_dataset import LandmarkDataset
from mmkp.datasets.lsp_dataset import LspDataset
from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.datasets.mpii_people_dataset import MpiiPeopleDataset
from mmkp.datasets.puppet_dataset import PuppetDataset
from mmkp.datasets.transforms import (
    BottomupHeightResize,
    LabelledMask,
    LoadVerifiedImage,
    PersonScaledAffine,
    RandomChannelGain,
    RandomScaleRotation,
    TopdownResize,
)
from mmkp.datasets.unlabeled_image_dataset import UnlabeledImageDataset

__all__ = [
    'BottomupHeightResize',
    'CocoBodyFootDataset',
    'DiscoveryEvaluationDataset',
    'FlicDataset',
    'LabelFreeDataset',
    'LabelledMask',
    'LandmarkDataset',
    'LoadVerifiedImage',
    'LspDataset',
    'MpiiPeopleDataset',
    'PersonScaledAffine',
    'PuppetDataset',
    'RandomChannelGain',
    'RandomScaleRotation',
    'TopdownResize',
    'UnlabeledImageDataset',
    'discovered_metainfo',
]
