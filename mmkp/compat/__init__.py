"""Guarded shims for defects of today's stack, applied before anything else.

One file per shim. Each shim is a function without arguments that tests whether the
defect is there, returns ``False`` and touches nothing when it is not, and returns
``True`` after mending it. Each names the upstream thread, so that it can be deleted
when upstream has moved. ``applied`` lists the shims that were needed.

Checkpoints on torch 2.6 and later are the matter of :mod:`mmkp.engine.checkpoint`.
"""

from collections.abc import Callable

from mmkp.compat.bottomup_heatmaps import draw_bottomup_heatmaps
from mmkp.compat.coco_annotations import check_annotation_files
from mmkp.compat.config_files import read_configs
from mmkp.compat.image_pyramid import take_image_pyramids
from mmkp.compat.installed_packages import find_packages_without_setuptools
from mmkp.compat.mmcv_ops import provide_mmcv_ops
from mmkp.compat.torchvision_ops import declare_torchvision_ops
from mmkp.compat.visualizer import draw_circles_of_array_radius
from mmkp.compat.xtcocotools_stand_in import provide_xtcocotools

# The last ones mend MMPose itself and import it, which takes the others.
SHIMS: tuple[Callable[[], bool], ...] = (
    declare_torchvision_ops,
    provide_mmcv_ops,
    provide_xtcocotools,
    find_packages_without_setuptools,
    read_configs,
    draw_circles_of_array_radius,
    take_image_pyramids,
    draw_bottomup_heatmaps,
    check_annotation_files,
)

applied: list[str] = []


def apply() -> None:
    """Run every shim once and note in ``applied`` which were needed."""
    applied.extend(shim.__name__ for shim in SHIMS if shim())


__all__ = ['SHIMS', 'applied', 'apply']
