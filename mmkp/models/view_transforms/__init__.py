"""Random transformations of an image into another view of the same object."""

from mmkp.models.view_transforms.random_thin_plate_spline import (
    RandomThinPlateSpline,
)

__all__ = ['RandomThinPlateSpline']
