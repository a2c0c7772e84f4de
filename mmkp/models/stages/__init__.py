# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Multi-stage networks that predict heatmaps and part affinity fields."""

from mmkp.models.stages.fields_first_stages import FieldsFirstStages
from mmkp.models.stages.lightweight_stages import LightweightStages
from mmkp.models.stages.separable_stages import SeparableStages
from mmkp.models.stages.stage_outputs import StageOutputs
from mmkp.models.stages.two_branch_stages import TwoBranchStages

__all__ = [
    'FieldsFirstStages',
    'LightweightStages',
    'SeparableStages',
    'StageOutputs',
    'TwoBranchStages',
]
