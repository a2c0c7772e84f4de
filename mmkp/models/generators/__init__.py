"""Generators, which turn keypoints and appearance into images."""

from mmkp.models.generators.edge_drawing import EdgeDrawing
from mmkp.models.generators.edge_map_generator import EdgeMapGenerator
from mmkp.models.generators.imm_generator import IMMGenerator
from mmkp.models.generators.lmdis_generator import LMDISGenerator

__all__ = ['EdgeDrawing', 'EdgeMapGenerator', 'IMMGenerator', 'LMDISGenerator']
