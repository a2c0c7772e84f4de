"""Colours that stand for directions. Pictures are RGB, uint8."""

from collections.abc import Sequence

import numpy as np

from mmkp.visualization.canvas import PAPER


def direction_colors(vectors: np.ndarray) -> np.ndarray:
    """Give each direction its hue: red right, green down, cyan left, violet up.

    Args:
        vectors: (..., 2), x to the right and y down; the length does not matter.

    Returns:
        RGB from 0 to 255, shape (..., 3), float32.
    """
    vectors = np.asarray(vectors, np.float32)
    turn = np.arctan2(vectors[..., 1], vectors[..., 0]) / (2 * np.pi)
    # Each primary fades over a third of a turn to both sides of its direction.
    offsets = np.array([0, 1 / 3, 2 / 3], np.float32)
    distance = np.abs((turn[..., None] - offsets + 0.5) % 1 - 0.5)
    level = (2 - 6 * distance).clip(0, 1)
    # Pure blue is too dark to see on a photograph.
    return 255 * (0.22 + 0.78 * level)


def direction_wheel(diameter: int, background: Sequence[int] = PAPER) -> np.ndarray:
    """Draw the colours of directions and lengths: full at the rim, dark in the middle.

    Args:
        diameter: in pixels.
        background: RGB around it.

    Returns:
        Picture (diameter, diameter, 3).
    """
    side = (np.arange(diameter, dtype=np.float32) + 0.5) * 2 / diameter - 1
    vectors = np.stack(np.meshgrid(side, side), -1)
    length = np.hypot(vectors[..., 0], vectors[..., 1])[..., None]
    wheel = direction_colors(vectors) * length.clip(0, 1)
    inside = ((1 - length) * diameter / 2 + 0.5).clip(0, 1)
    drawn = wheel * inside + np.asarray(background, np.float32) * (1 - inside)
    return drawn.round().clip(0, 255).astype(np.uint8)


def with_direction_wheel(image: np.ndarray) -> np.ndarray:
    """Put the wheel into the lower left corner, where there is room for it.

    Args:
        image: (H, W, 3).

    Returns:
        Picture of the same shape.
    """
    drawn = image.copy()
    height, width = drawn.shape[:2]
    diameter = round(0.13 * min(height, width))
    if diameter < 16:
        return drawn
    margin = max(3, diameter // 8)
    wheel = direction_wheel(diameter, (0, 0, 0))
    side = diameter + 2 * margin
    corner = drawn[height - side :, :side]
    corner[:] = corner // 3
    corner[margin:-margin, margin:-margin] = wheel
    return drawn
