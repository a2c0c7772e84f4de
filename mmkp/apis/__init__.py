# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The few functions that a notebook needs."""

from mmkp.apis.detect_boxes import detect_boxes
from mmkp.apis.drawing import (
    draw_maps,
    draw_people,
    draw_predictions,
    draw_stacks,
    skeleton_style,
)
from mmkp.apis.find_sides import find_sides
from mmkp.apis.model import load_model
from mmkp.apis.predict_files import predict_files
from mmkp.apis.predict_people import predict_people
from mmkp.apis.predict_topdown import predict_topdown
from mmkp.apis.rank_trainings import rank_trainings
from mmkp.apis.select_keypoints import select_keypoints
from mmkp.datasets.image_decoding import as_image, read_image
from mmkp.evaluation.score_keypoints import score_keypoints
from mmkp.models.frozen_features import vgg16_features
from mmkp.visualization.model_pictures import keypoint_colors, learned_edges

__all__ = [
    'as_image',
    'detect_boxes',
    'draw_maps',
    'draw_people',
    'draw_predictions',
    'draw_stacks',
    'find_sides',
    'keypoint_colors',
    'learned_edges',
    'load_model',
    'predict_files',
    'predict_people',
    'predict_topdown',
    'rank_trainings',
    'read_image',
    'score_keypoints',
    'select_keypoints',
    'skeleton_style',
    'vgg16_features',
]
