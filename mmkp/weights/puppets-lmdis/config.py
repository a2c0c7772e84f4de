# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""16 keypoints of drawn figures and the edges between them."""

_base_ = ['mmkp::unsupervised_2d_keypoint/lmdis/puppets/lmdis-figure_puppets-64x64.py']
