"""NumPy 2.4 and later, which does not convert an array of one element to a number."""

import warnings
from typing import Any

import numpy as np

from mmkp.compat.replacing import is_replaced, replace


def draw_circles_of_array_radius() -> bool:
    """Let MMPose draw keypoints on NumPy 2.4 and later.

    MMPose passes each radius as an array of one element, and its OpenCV backend calls
    ``int`` on it: deprecated since NumPy 1.25, a TypeError since 2.4. The radius is
    taken out of its array before that backend sees it.

    Upstream: unreported; ``draw_circles`` in mmpose/visualization/
    opencv_backend_visualizer.py of MMPose 1.3.2. The change: numpy/numpy#10615.

    Returns:
        Whether drawing had to be mended.
    """
    if _array_converts_to_int():
        return False
    from mmpose.visualization import opencv_backend_visualizer

    visualizer = opencv_backend_visualizer.OpencvBackendVisualizer
    if is_replaced(visualizer.draw_circles):
        return False
    replace(visualizer, 'draw_circles', _draw_circles)
    return True


def _draw_circles(
    upstream: Any, self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any
) -> Any:
    if self.backend == 'opencv' and np.size(radius) == 1:
        radius = np.asarray(radius).item()
    return upstream(self, center, radius, *args, **kwargs)


def _array_converts_to_int() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            int(np.ones(1))  # type: ignore[call-overload]
        except TypeError:
            return False
    return True
