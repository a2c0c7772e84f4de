# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.engine.hooks.atomic_checkpoint_hook import AtomicCheckpointHook
from mmkp.engine.hooks.average_statistics_hook import AverageStatisticsHook
from mmkp.engine.hooks.checkpoint_match_hook import CheckpointMatchHook
from mmkp.engine.hooks.cluster_tokens_hook import ClusterTokensHook
from mmkp.engine.hooks.discovery_visualization_hook import DiscoveryVisualizationHook
from mmkp.engine.hooks.exact_resume_hook import ExactResumeHook
from mmkp.engine.hooks.finite_training_hook import FiniteTrainingHook
from mmkp.engine.hooks.heatmap_collapse_hook import HeatmapCollapseHook
from mmkp.engine.hooks.interrupt_hook import InterruptHook
from mmkp.engine.hooks.judged_model_hook import JudgedModelHook
from mmkp.engine.hooks.keypoint_score_hook import KeypointScoreHook
from mmkp.engine.hooks.loss_weight_schedule import LossWeightSchedule
from mmkp.engine.hooks.progress_hook import ProgressHook
from mmkp.engine.hooks.resumed_settings_hook import ResumedSettingsHook
from mmkp.engine.hooks.time_limit_hook import TimeLimitHook
from mmkp.engine.hooks.timed_learning_rate_hook import TimedLearningRateHook
from mmkp.engine.hooks.token_selection_hook import TokenSelectionHook
from mmkp.engine.hooks.untrained_control_hook import UntrainedControlHook

__all__ = [
    'AtomicCheckpointHook',
    'AverageStatisticsHook',
    'CheckpointMatchHook',
    'ClusterTokensHook',
    'DiscoveryVisualizationHook',
    'ExactResumeHook',
    'FiniteTrainingHook',
    'HeatmapCollapseHook',
    'InterruptHook',
    'JudgedModelHook',
    'KeypointScoreHook',
    'LossWeightSchedule',
    'ProgressHook',
    'ResumedSettingsHook',
    'TimeLimitHook',
    'TimedLearningRateHook',
    'TokenSelectionHook',
    'UntrainedControlHook',
]
