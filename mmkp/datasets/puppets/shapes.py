# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Signed distances of the shapes that puppets are made of, and their blending.

Edges are anti-aliased by the signed distance itself: a pixel is covered by
``clip(0.5 - distance, 0, 1)``. All positions are multiples of 1/64 pixel, for
which float32 differences are exact, so a figure moved by whole pixels gives
the very same values elsewhere. Pictures are planar, (3, H, W) float32, as rows
of pixels are then contiguous.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np

#: Direction of the light in the picture plane: from above, from the left.
LIGHT = (-0.6, -0.8)
# Brighter by this towards the light, at the rim of a limb.
_SHADE = 0.2 * np.array(LIGHT, dtype=np.float32)


@dataclass
class Window:
    """A rectangle of pixels.

    Args:
        rows (slice): Rows of the picture.
        columns (slice): Columns of the picture.
        x (np.ndarray): Pixel centres of the columns, float32 of shape (1, w).
        y (np.ndarray): Pixel centres of the rows, float32 of shape (h, 1).
    """

    rows: slice
    columns: slice
    x: np.ndarray
    y: np.ndarray

    def around(self, points: np.ndarray, reach: float) -> tuple[slice, slice]:
        """Rows and columns of the window within ``reach`` of points (P, 2)."""
        low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
        left, top = self.columns.start, self.rows.start
        return (
            slice(max(floor(low[1]) - top, 0), max(ceil(high[1]) - top + 1, 0)),
            slice(max(floor(low[0]) - left, 0), max(ceil(high[0]) - left + 1, 0)),
        )


@dataclass
class Canvas:
    """A picture in the making.

    Args:
        image (np.ndarray): BGR, float32 of shape (3, H, W), 0 to 255.
        labels (np.ndarray): Running number of the part seen in each pixel,
            int32 of shape (H, W), 0 for the background.
    """

    image: np.ndarray
    labels: np.ndarray

    def window(self, points: np.ndarray, reach: float) -> Window:
        """Pixels within ``reach`` of the box around ``points`` (P, 2).

        Returns:
            Window: Without pixels where the picture has none.
        """
        height, width = self.labels.shape
        low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
        left, top = max(floor(low[0]), 0), max(floor(low[1]), 0)
        right, bottom = min(ceil(high[0]) + 1, width), min(ceil(high[1]) + 1, height)
        return Window(
            slice(top, max(top, bottom)),
            slice(left, max(left, right)),
            np.arange(left, right, dtype=np.float32)[None],
            np.arange(top, bottom, dtype=np.float32)[:, None],
        )

    def blend(
        self, window: Window, color: np.ndarray, cover: np.ndarray, label: int = 0
    ) -> None:
        """Lay a colour over the picture.

        Args:
            window (Window): Where.
            color (np.ndarray): Colours of shape (3, h, w) or (3, 1, 1).
            cover (np.ndarray): Opacity of shape (h, w), 0 to 1.
            label (int): Number of the part; 0 leaves the labels alone.
        """
        patch = self.image[:, window.rows, window.columns]
        patch += cover * (color - patch)
        if label:
            self.labels[window.rows, window.columns][cover > 0.5] = label

    def fill(
        self,
        window: Window,
        color: np.ndarray,
        distance: np.ndarray,
        label: int,
        outline: float,
        tones: tuple[float, float] = (0.45, 0.55),
        shade: np.ndarray | float = 1.0,
    ) -> None:
        """Draw a shape with a darker outline.

        Args:
            window (Window): Where.
            color (np.ndarray): Colours of shape (3, h, w) or (3, 1, 1).
            distance (np.ndarray): Signed distance from the shape, (h, w) pixels.
            label (int): Number of the part.
            outline (float): Width of the outline in pixels.
            tones (tuple[float]): Tone of the outline, and what the inside has more.
            shade (np.ndarray | float): Further factor of the colours, (h, w).
        """
        tone = coverage(distance + outline)
        tone *= tones[1]
        tone += tones[0]
        tone *= shade
        self.blend(window, color * tone, coverage(distance), label)


def coverage(distance: np.ndarray) -> np.ndarray:
    """Share of a pixel that lies inside, from the signed distance."""
    # faster than np.clip on the small arrays of a puppet
    return np.minimum(np.maximum(np.float32(0.5) - distance, 0), 1)


def mix(base: np.ndarray, over: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Interpolate from ``base`` (3, ...) to the colour ``over`` (3,)."""
    return base + share * (over[:, None, None] - base)


def triangle_wave(phase: np.ndarray) -> np.ndarray:
    """Wave of period 1 between -1 and 1 (exact arithmetic, unlike a sine)."""
    return np.abs(phase - np.floor(phase) - np.float32(0.5)) * 4 - 1


def chain_field(
    points: np.ndarray, radii: Sequence[tuple[float, float]], window: Window
) -> tuple[np.ndarray, ...]:
    """Union of tapered capsules along a chain of bones.

    Args:
        points (np.ndarray): Ends of the S bones, float32 of shape (S + 1, 2).
        radii (Sequence[tuple]): Radius in pixels at both ends of each bone.
        window (Window): Where to evaluate.

    Returns:
        tuple[np.ndarray]: Each (h, w): signed distance in pixels; position
        along the chain, bone s spanning s to s + 1; brightness (about 1) of a
        round limb under the light.
    """
    shape = (window.y.size, window.x.size)
    nearest = np.full(shape, 1e4, dtype=np.float32)
    position, brightness = np.zeros(shape, np.float32), np.ones(shape, np.float32)
    for bone, (start, end) in enumerate(radii):
        ends = points[bone : bone + 2]
        here = window.around(ends, max(start, end) + 1)
        offset = ends[1] - ends[0]
        x, y = window.x[:, here[1]] - ends[0, 0], window.y[here[0]] - ends[0, 1]
        step = offset / max(float(offset @ offset), 1e-4)
        along = np.minimum(np.maximum(x * step[0] + y * step[1], 0), 1)
        x, y = x - along * offset[0], y - along * offset[1]
        radius = along * np.float32(end - start) + np.float32(start)
        distance = np.sqrt(x * x + y * y) - radius
        closer = distance < nearest[here]
        bright = (x * _SHADE[0] + y * _SHADE[1]) / radius + np.float32(1)
        along += bone
        np.copyto(nearest[here], distance, where=closer)
        np.copyto(position[here], along, where=closer)
        np.copyto(brightness[here], bright, where=closer)
    return nearest, position, brightness


def rounded_trapezoid(
    along: np.ndarray,
    across: np.ndarray,
    length: float,
    widths: tuple[float, float],
    rounding: float,
) -> np.ndarray:
    """Signed distance of a trapezoid with round corners.

    Args:
        along (np.ndarray): Coordinate along the axis, 0 at its start.
        across (np.ndarray): Coordinate across the axis, 0 on it.
        length (float): Length of the trapezoid in pixels.
        widths (tuple[float]): Half widths at the start and the end.
        rounding (float): Radius of the corners.

    Returns:
        np.ndarray: Distance in pixels (approximate by the cosine of the
        sides' slope).
    """
    half = length / 2
    share = np.clip(along / np.float32(length), 0, 1)
    width = widths[0] + share * np.float32(widths[1] - widths[0])
    side = np.abs(across) - width + np.float32(rounding)
    end = np.abs(along - np.float32(half)) - np.float32(half - rounding)
    outside_side, outside_end = np.maximum(side, 0), np.maximum(end, 0)
    outside = np.sqrt(outside_side * outside_side + outside_end * outside_end)
    return outside + np.minimum(np.maximum(side, end), 0) - np.float32(rounding)
