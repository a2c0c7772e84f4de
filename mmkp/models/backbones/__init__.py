"""Backbones that MMPose lacks."""

from mmkp.models.backbones.autolink_encoder import AutoLinkEncoder
from mmkp.models.backbones.efficientnet_lite import EfficientNetLite0
from mmkp.models.backbones.lightweight_mobilenet import LightweightMobileNetV1
from mmkp.models.backbones.lmdis_hourglass import LMDISHourglass
from mmkp.models.backbones.mobilenet_thin import MobileNetThin
from mmkp.models.backbones.openpose_vgg19 import OpenPoseVGG19
from mmkp.models.backbones.stacked_hourglass import StackedHourglass
from mmkp.models.backbones.tfpose_mobilenet_v2 import TFPoseMobileNetV2
from mmkp.models.backbones.thewlis_net import ThewlisNet
from mmkp.models.backbones.timm_backbone import TimmBackbone

__all__ = [
    'AutoLinkEncoder',
    'EfficientNetLite0',
    'LMDISHourglass',
    'LightweightMobileNetV1',
    'MobileNetThin',
    'OpenPoseVGG19',
    'ThewlisNet',
    'StackedHourglass',
    'TFPoseMobileNetV2',
    'TimmBackbone',
]
