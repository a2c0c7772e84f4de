# Copyright (c) mmkp authors. Licensed under Apache-2.0.
from mmkp.codecs.build_skeleton import build_skeleton
from mmkp.codecs.hourglass_heatmap import HourglassHeatmap
from mmkp.codecs.part_affinity_field import PartAffinityField
from mmkp.ops.part_affinity.limb_skeleton import LimbSkeleton

__all__ = ['HourglassHeatmap', 'LimbSkeleton', 'PartAffinityField', 'build_skeleton']
