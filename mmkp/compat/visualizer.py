"""NumPy 2.4 and later, which does not convert an array of one element to a number."""

import functools
import warnings
from typing import Any

import numpy as np


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
    upstream = visualizer.draw_circles
    if getattr(upstream, 'takes_numbers', False):
        return False

    @functools.wraps(upstream)
    def draw_circles(
        self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any
    ) -> Any:
        if self.backend == 'opencv' and np.size(radius) == 1:
            radius = np.asarray(radius).item()
        return upstream(self, center, radius, *args, **kwargs)

    draw_circles.takes_numbers = True  # type: ignore[attr-defined]
    visualizer.draw_circles = draw_circles
    return True


def _array_converts_to_int() -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            int(np.ones(1))  # type: ignore[call-overload]
        except TypeError:
            return False
    return True
