# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Transforms that MMPose lacks."""

from mmkp.datasets.transforms.bottomup_height_resize import BottomupHeightResize
from mmkp.datasets.transforms.compute_optical_flow import ComputeOpticalFlow
from mmkp.datasets.transforms.cut_out_figure import CutOutFigure
from mmkp.datasets.transforms.labeled_mask import LabeledMask
from mmkp.datasets.transforms.load_clip_frame import LoadClipFrame
from mmkp.datasets.transforms.load_verified_image import LoadVerifiedImage
from mmkp.datasets.transforms.object_frame_crop import ObjectFrameCrop
from mmkp.datasets.transforms.person_scaled_affine import PersonScaledAffine
from mmkp.datasets.transforms.random_channel_gain import RandomChannelGain
from mmkp.datasets.transforms.random_scale_rotation import RandomScaleRotation
from mmkp.datasets.transforms.topdown_resize import TopdownResize

__all__ = [
    'BottomupHeightResize',
    'ComputeOpticalFlow',
    'CutOutFigure',
    'LabeledMask',
    'LoadClipFrame',
    'LoadVerifiedImage',
    'ObjectFrameCrop',
    'PersonScaledAffine',
    'RandomChannelGain',
    'RandomScaleRotation',
    'TopdownResize',
]
