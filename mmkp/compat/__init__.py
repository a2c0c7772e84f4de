"""Guarded shims for defects of today's stack, applied before anything else.

One file per shim. Each shim is a function without arguments that tests whether the
defect is there, returns ``False`` and touches nothing when it is not, and returns
``True`` after mending it. Each names the upstream thread, so that it can be deleted
when upstream has moved. ``applied`` holds the names of the shims that were needed.
"""

from collections.abc import Callable

from mmkp.compat.mmcv_ops import provide_mmcv_ops
from mmkp.compat.torchvision_ops import declare_torchvision_ops

applied: list[str] = []

# Order matters: MMPose imports torchvision and mmcv.ops while it is imported itself.
SHIMS_BEFORE_MMPOSE: tuple[Callable[[], bool], ...] = (
    declare_torchvision_ops,
    provide_mmcv_ops,
)


def apply(shims: tuple[Callable[[], bool], ...] = SHIMS_BEFORE_MMPOSE) -> None:
    """Run the shims in order and note in ``applied`` which of them were needed."""
    applied.extend(shim.__name__ for shim in shims if shim())


__all__ = ['applied', 'apply', 'declare_torchvision_ops', 'provide_mmcv_ops']
