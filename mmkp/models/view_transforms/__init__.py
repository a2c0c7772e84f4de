"""Random transformations of an image into another view of the same object."""

from mmkp.models.view_transforms.optical_flow_view import OpticalFlowView
from mmkp.models.view_transforms.random_affine_warp import RandomAffineWarp
from mmkp.models.view_transforms.random_lmdis_warp import RandomLMDISWarp
from mmkp.models.view_transforms.random_thin_plate_spline import (
    RandomThinPlateSpline,
)

__all__ = [
    'OpticalFlowView',
    'RandomAffineWarp',
    'RandomLMDISWarp',
    'RandomThinPlateSpline',
]
