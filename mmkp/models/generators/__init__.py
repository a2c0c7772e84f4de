"""Generators, which turn keypoints and appearance into images."""

from mmkp.models.generators.edge_map_generator import EdgeMapGenerator

__all__ = ['EdgeMapGenerator']
