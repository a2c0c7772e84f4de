# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""10 keypoints of a fly seen from above, turned any way."""

_base_ = 'mmkp::unsupervised_2d_keypoint/lmdis/flies/lmdis-guarded-frame_flies-64x64.py'
