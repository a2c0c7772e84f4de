"""Backbones that MMPose lacks."""

from mmkp.models.backbones.autolink_encoder import AutoLinkEncoder
from mmkp.models.backbones.lightweight_mobilenet import LightweightMobileNetV1
from mmkp.models.backbones.openpose_vgg19 import OpenPoseVGG19

__all__ = ['AutoLinkEncoder', 'LightweightMobileNetV1', 'OpenPoseVGG19']
