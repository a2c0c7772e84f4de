"""Multi-stage networks that predict heatmaps and part affinity fields."""

from mmkp.models.stages.stage_outputs import StageOutputs

__all__ = ['StageOutputs']
