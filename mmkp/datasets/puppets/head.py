# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Draws the head of a puppet: ears, face, eyes, nose, mouth, hair."""

import numpy as np

from .figure import Figure
from .pose import HEAD_HEIGHT, HEAD_WIDTH, head_coordinates
from .shapes import Canvas, coverage, mix

Pair = tuple[float, float]

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


class _Head:
    """The pixels around a head, in half heads: u to the figure's left, v down."""

    def __init__(self, canvas: Canvas, figure: Figure, label: int) -> None:
        self.canvas, self.figure, self.label = canvas, figure, label
        self.scale = HEAD_WIDTH * figure.stature
        center = figure.point('head')
        self.window = canvas.window(center[None], 1.75 * HEAD_HEIGHT * figure.stature)
        down = figure.head_axis.astype(np.float32)
        x, y = self.window.x - center[0], self.window.y - center[1]
        width = np.float32(HEAD_WIDTH * figure.stature)
        height = np.float32(HEAD_HEIGHT * figure.stature)
        self.u = x * (down[1] / width) - y * (down[0] / width)
        self.v = x * (down[0] / height) + y * (down[1] / height)

    def ellipse(self, center: Pair, radii: Pair) -> np.ndarray:
        """Signed distance (pixels, first order) of an ellipse in half heads."""
        a = (self.u - np.float32(center[0])) / np.float32(radii[0])
        b = (self.v - np.float32(center[1])) / np.float32(radii[1])
        size = np.float32(min(radii) * self.scale)
        return (np.sqrt(a * a + b * b) - 1) * size

    def fill(self, color: np.ndarray, distance: np.ndarray, tones: Pair) -> None:
        """Draw a shape with an outline, see :meth:`Canvas.fill`."""
        outline = self.figure.outline
        self.canvas.fill(self.window, color, distance, self.label, outline, tones)


def paint_hair_behind(canvas: Canvas, figure: Figure, label: int) -> None:
    """Draw the hair that surrounds the head.

    Args:
        canvas (Canvas): Where to draw.
        figure (Figure): Whose hair.
        label (int): Label of the part.
    """
    head = _Head(canvas, figure, label)
    distance = np.full((1, 1), np.inf, dtype=np.float32)
    for x, y, width, height in _HAIR_SHAPES[figure.appearance.hairstyle]:
        distance = np.minimum(distance, head.ellipse((x, y), (width, height)))
    head.fill(figure.appearance.hair[:, None, None], distance, (0.55, 0.45))


def paint_head(canvas: Canvas, figure: Figure, label: int) -> None:
    """Draw ears, face and the hair on the forehead.

    Args:
        canvas (Canvas): Where to draw.
        figure (Figure): Whose head.
        label (int): Label of the part.
    """
    head = _Head(canvas, figure, label)
    skin = figure.appearance.skin[:, None, None]
    for side, hidden in zip(('left', 'right'), figure.hidden_ears, strict=True):
        if not hidden:
            ear = _face_position(figure, f'{side}_ear')
            head.fill(skin, head.ellipse(ear, (0.2, 0.24)), (0.5, 0.45))
    tone = np.float32(1.02) - np.float32(0.07) * head.u - np.float32(0.05) * head.v
    color = _with_face(head, skin * tone)
    head.fill(color, head.ellipse((0, 0), (1, 1)), (0.5, 0.5))


def _face_position(figure: Figure, name: str) -> tuple[float, float]:
    """Position of a face point in half heads."""
    x, y = figure.point(name) - figure.point('head')
    down = figure.head_axis
    return (
        (x * down[1] - y * down[0]) / (HEAD_WIDTH * figure.stature),
        (x * down[0] + y * down[1]) / (HEAD_HEIGHT * figure.stature),
    )


def _with_face(head: _Head, color: np.ndarray) -> np.ndarray:
    """Put mouth, nose, eyes and fringe on the colour of the skin (3, h, w)."""
    figure, scale = head.figure, np.float32(head.scale)
    look = figure.appearance
    turn, nod = figure.head_angles
    x, y, _ = (
        float(c[0]) for c in head_coordinates(0, -32, np.array([turn]), np.array([nod]))
    )
    smile = head.ellipse((x, y), (0.36, 0.3))
    smile = np.maximum(smile, (np.float32(y) - head.v) * scale)
    color = mix(color, _MOUTH, coverage(smile))
    nose = head.ellipse(_face_position(figure, 'nose'), (0.12, 0.13))
    color = mix(color, look.skin * np.float32(0.72), coverage(nose))
    for side in ('left', 'right'):
        eye = _face_position(figure, f'{side}_eye')
        color = mix(color, _WHITE, coverage(head.ellipse(eye, (0.2, 0.21))))
        color = mix(color, _PUPIL, coverage(head.ellipse(eye, (0.115, 0.13))))
    shifted = head.u - np.float32(0.35 * np.sin(turn))
    hairline = np.float32(-0.5) + np.float32(0.16) * shifted * shifted
    return mix(color, look.hair, coverage((head.v - hairline) * scale))
