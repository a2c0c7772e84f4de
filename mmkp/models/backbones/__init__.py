"""Backbones that MMPose lacks."""

from mmkp.models.backbones.autolink_encoder import AutoLinkEncoder
from mmkp.models.backbones.light_hourglass import LightHourglass
from mmkp.models.backbones.lightweight_mobilenet import LightweightMobileNetV1
from mmkp.models.backbones.mobilenet_thin import MobileNetThin
from mmkp.models.backbones.openpose_vgg19 import OpenPoseVGG19
from mmkp.models.backbones.six_layer_landmark_net import SixLayerLandmarkNet
from mmkp.models.backbones.stacked_hourglass import StackedHourglass
from mmkp.models.backbones.tfpose_mobilenet_v2 import TFPoseMobileNetV2

__all__ = [
    'AutoLinkEncoder',
    'LightHourglass',
    'LightweightMobileNetV1',
    'MobileNetThin',
    'OpenPoseVGG19',
    'SixLayerLandmarkNet',
    'StackedHourglass',
    'TFPoseMobileNetV2',
]
