# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where the one object of a picture is, told from its border or a still camera."""

from mmkp.datasets.figure_ground.backgrounds import border_surface, median_picture
from mmkp.datasets.figure_ground.figure_mask import (
    background_distance,
    figure_mask,
    object_pixels,
)
from mmkp.datasets.figure_ground.orientation import standing_share

__all__ = [
    'background_distance',
    'border_surface',
    'figure_mask',
    'median_picture',
    'object_pixels',
    'standing_share',
]
