# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The 17 joints of each of several drawn figures."""

_base_ = [
    'mmkp::body_2d_keypoint/openpose/puppets/openpose_res18-w25_puppets-128x128.py'
]
