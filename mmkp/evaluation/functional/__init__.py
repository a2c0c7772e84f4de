# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The maths of evaluating discovered keypoints; numpy only."""

from .backward_error import evaluate_backward
from .collapse import CollapseStatistics, collapse_statistics
from .discovery_report import DiscoveryReport
from .evaluate_discovery import evaluate_discovery, evaluate_few_shot
from .few_shot import FewShotSummary, draw_few_shot
from .forward_error import FittedProtocol, ProtocolScore, fit_protocol, score_protocol
from .keypoint_errors import errors_per_point, point_errors, reduce_errors
from .left_right import fit_side_agnostic, human36m_permutation, swap_permutation
from .linear_regression import AffineMap, fit_affine
from .mean_pose import without_inputs
from .normalizers import normalizer_lengths
from .protocols import PROTOCOLS, VARIANTS, RegressionProtocol, get_protocol
from .samples import KeypointSamples
from .visible_regression import fit_visible_affine

__all__ = [
    'AffineMap',
    'CollapseStatistics',
    'DiscoveryReport',
    'FewShotSummary',
    'FittedProtocol',
    'KeypointSamples',
    'PROTOCOLS',
    'ProtocolScore',
    'RegressionProtocol',
    'VARIANTS',
    'collapse_statistics',
    'draw_few_shot',
    'errors_per_point',
    'evaluate_backward',
    'evaluate_discovery',
    'evaluate_few_shot',
    'fit_affine',
    'fit_protocol',
    'fit_side_agnostic',
    'fit_visible_affine',
    'get_protocol',
    'human36m_permutation',
    'normalizer_lengths',
    'point_errors',
    'reduce_errors',
    'score_protocol',
    'swap_permutation',
    'without_inputs',
]
