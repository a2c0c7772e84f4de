# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Draws the head of a puppet: ears, face, eyes, nose, mouth, hair."""

import numpy as np

from .figure import Figure
from .pose import HEAD_HEIGHT, HEAD_WIDTH, head_coordinates
from .shapes import Canvas, Window, coverage, mix

_WHITE = np.array([250, 250, 250], dtype=np.float32)
_PUPIL = np.array([40, 28, 24], dtype=np.float32)
_MOUTH = np.array([50, 40, 150], dtype=np.float32)

# Hair seen around the head, by style: ellipses (x, y, half width, half
# height) in half heads, x to the figure's left, y from crown to chin.
_HAIR_SHAPES: dict[str, tuple[tuple[float, float, float, float], ...]] = dict(
    short=((0, -0.1, 1.09, 1.0),),
    long=((0, 0.28, 1.2, 1.3),),
    bun=((0, -1.05, 0.42, 0.36), (0, -0.1, 1.08, 1.0)),
    curly=(
        (-0.6, -0.55, 0.62, 0.56),
        (0.6, -0.55, 0.62, 0.56),
        (0, -0.82, 0.7, 0.5),
        (-0.85, 0.02, 0.42, 0.45),
        (0.85, 0.02, 0.42, 0.45),
    ),
)


def _head_frame(
    canvas: Canvas, figure: Figure
) -> tuple[Window, np.ndarray, np.ndarray] | None:
    """Pixels around the head and their coordinates in half heads."""
    center = figure.point('head')
    window = canvas.window(center[None], 1.75 * HEAD_HEIGHT * figure.stature)
    if window is None:
        return None
    down = figure.head_axis.astype(np.float32)
    x, y = window.x - center[0], window.y - center[1]
    width = np.float32(HEAD_WIDTH * figure.stature)
    height = np.float32(HEAD_HEIGHT * figure.stature)
    return (
        window,
        (x * (down[1] / width) - y * (down[0] / width)),
        (x * (down[0] / height) + y * (down[1] / height)),
    )


def _ellipse(
    u: np.ndarray,
    v: np.ndarray,
    center: tuple[float, float],
    radii: tuple[float, float],
    scale: float,
) -> np.ndarray:
    """Signed distance (pixels, first order) of an ellipse in half heads."""
    a = (u - np.float32(center[0])) / np.float32(radii[0])
    b = (v - np.float32(center[1])) / np.float32(radii[1])
    size = np.float32(min(radii) * scale)
    return (np.sqrt(a * a + b * b) - 1) * size


def paint_hair_behind(canvas: Canvas, figure: Figure, label: int) -> None:
    """Draw the hair that surrounds the head.

    Args:
        canvas (Canvas): Where to draw.
        figure (Figure): Whose hair.
        label (int): Label of the part.
    """
    frame = _head_frame(canvas, figure)
    if frame is None:
        return
    window, u, v = frame
    scale = HEAD_WIDTH * figure.stature
    distance = np.full((1, 1), np.inf, dtype=np.float32)
    for x, y, width, height in _HAIR_SHAPES[figure.appearance.hairstyle]:
        part = _ellipse(u, v, (x, y), (width, height), scale)
        distance = np.minimum(distance, part)
    tone = 0.55 + 0.45 * coverage(distance + figure.outline)
    canvas.blend(
        window, figure.appearance.hair[:, None, None] * tone, coverage(distance), label
    )


def paint_head(canvas: Canvas, figure: Figure, label: int) -> None:
    """Draw ears, face and fringe.

    Args:
        canvas (Canvas): Where to draw.
        figure (Figure): Whose head.
        label (int): Label of the part.
    """
    frame = _head_frame(canvas, figure)
    if frame is None:
        return
    window, u, v = frame
    scale = HEAD_WIDTH * figure.stature
    look = figure.appearance
    points = {
        name: _face_position(figure, name)
        for name in ('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')
    }
    _paint_ears(canvas, figure, window, u, v, points, label)
    distance = _ellipse(u, v, (0, 0), (1, 1), scale)
    tone = np.float32(1.02) - np.float32(0.07) * u - np.float32(0.05) * v
    color = look.skin[:, None, None] * tone
    color = _face(figure, color, u, v, points, scale)
    tone = 0.5 + 0.5 * coverage(distance + figure.outline)
    canvas.blend(window, color * tone, coverage(distance), label)


def _face_position(figure: Figure, name: str) -> tuple[float, float]:
    """Position of a face point in half heads."""
    x, y = figure.point(name) - figure.point('head')
    down = figure.head_axis
    return (
        (x * down[1] - y * down[0]) / (HEAD_WIDTH * figure.stature),
        (x * down[0] + y * down[1]) / (HEAD_HEIGHT * figure.stature),
    )


def _paint_ears(
    canvas: Canvas,
    figure: Figure,
    window: Window,
    u: np.ndarray,
    v: np.ndarray,
    points: dict,
    label: int,
) -> None:
    scale = HEAD_WIDTH * figure.stature
    for side, hidden in zip(('left', 'right'), figure.hidden_ears, strict=True):
        if hidden:
            continue
        distance = _ellipse(u, v, points[f'{side}_ear'], (0.2, 0.24), scale)
        tone = 0.5 + 0.45 * coverage(distance + figure.outline)
        canvas.blend(
            window,
            figure.appearance.skin[:, None, None] * tone,
            coverage(distance),
            label,
        )


def _face(
    figure: Figure,
    color: np.ndarray,
    u: np.ndarray,
    v: np.ndarray,
    points: dict,
    scale: float,
) -> np.ndarray:
    """Lay mouth, nose, eyes and fringe over the skin (3, h, w)."""
    look = figure.appearance
    turn, nod = figure.head_angles
    x, y, _ = (
        float(c[0]) for c in head_coordinates(0, -32, np.array([turn]), np.array([nod]))
    )
    smile = _ellipse(u, v, (x, y), (0.36, 0.3), scale)
    smile = np.maximum(smile, (np.float32(y) - v) * np.float32(scale))
    color = mix(color, _MOUTH, coverage(smile))
    nose = _ellipse(u, v, points['nose'], (0.12, 0.13), scale)
    color = mix(color, look.skin * np.float32(0.72), coverage(nose))
    for side in ('left', 'right'):
        eye = points[f'{side}_eye']
        white = _ellipse(u, v, eye, (0.2, 0.21), scale)
        color = mix(color, _WHITE, coverage(white))
        pupil = _ellipse(u, v, eye, (0.115, 0.13), scale)
        color = mix(color, _PUPIL, coverage(pupil))
    shifted = u - np.float32(0.35 * np.sin(turn))
    hairline = np.float32(-0.5) + np.float32(0.16) * shifted * shifted
    fringe = (v - hairline) * np.float32(scale)
    return mix(color, look.hair, coverage(fringe))
