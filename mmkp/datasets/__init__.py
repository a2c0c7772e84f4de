# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Data sets and transforms that MMPose lacks."""

from mmkp.datasets import transforms
from mmkp.datasets.coco_body_foot_dataset import CocoBodyFootDataset
from mmkp.datasets.discovery_evaluation_dataset import DiscoveryEvaluationDataset
from mmkp.datasets.flic_dataset import FlicDataset
from mmkp.datasets.label_free_dataset import LabelFreeDataset
from mmkp.datasets.landmark_dataset import LandmarkDataset
from mmkp.datasets.lsp_dataset import LspDataset
from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.datasets.mpii_people_dataset import MpiiPeopleDataset
from mmkp.datasets.puppet_dataset import PuppetDataset
from mmkp.datasets.transforms import *
from mmkp.datasets.unlabeled_image_dataset import UnlabeledImageDataset

__all__ = [
    'CocoBodyFootDataset',
    'DiscoveryEvaluationDataset',
    'FlicDataset',
    'LabelFreeDataset',
    'LandmarkDataset',
    'LspDataset',
    'MpiiPeopleDataset',
    'PuppetDataset',
    'UnlabeledImageDataset',
    'discovered_metainfo',
]
__all__ += transforms.__all__
