# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The maths of evaluating discovered keypoints; numpy only."""

from .backward_error import evaluate_backward, score_backward
from .collapse import CollapseStatistics, collapse_statistics
from .collapse_advice import CollapseAdvice
from .collapse_limits import CollapseLimits
from .discovery_report import DiscoveryReport
from .evaluate_discovery import evaluate_discovery, evaluate_few_shot
from .few_shot import FewShotSummary, draw_few_shot
from .forward_error import FittedProtocol, ProtocolScore, fit_protocol, score_protocol
from .keypoint_choice import choose_keypoints
from .keypoint_errors import errors_per_point, point_errors, reduce_errors
from .keypoint_score import KeypointScores, score_components
from .left_right import fit_side_agnostic, human36m_permutation, swap_permutation
from .limb_share import inside_polygon, limb_distances, near_body
from .linear_regression import AffineMap, fit_affine
from .mean_pose import mean_keypoints, place_keypoints, without_inputs
from .normalizers import normalizer_lengths
from .object_share import object_cover, on_object
from .pck import (
    CorrectKeypointCounts,
    count_correct_keypoints,
    group_percentages,
    keypoint_percentages,
    mean_of_groups,
    pooled_percentage,
    unweighted_percentage,
)
from .pck_summary import (
    MeanDefinition,
    PCKSummary,
    keypoint_index,
    left_right_groups,
)
from .protocols import PROTOCOLS, VARIANTS, RegressionProtocol, get_protocol
from .relative_spread import relative_spread
from .ridge_regression import fit_ridge
from .samples import KeypointSamples
from .swap_rate import pairs_of, swap_rate, swapped_pairs
from .temporal_consistency import TemporalConsistency, temporal_consistency
from .visible_regression import fit_visible_affine
