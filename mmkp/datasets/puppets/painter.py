# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Draws one puppet: legs, trunk, neck, head with face and hair, arms."""

from collections.abc import Callable, Sequence

import numpy as np

from .figure import Figure
from .head import paint_hair_behind, paint_head
from .pose import HIP, SHOULDER
from .shapes import Canvas, chain_field, coverage, mix, rounded_trapezoid, triangle_wave

#: Parts of a figure, the names of what labels stand for.
PARTS = (
    'left_arm',
    'right_arm',
    'hair',
    'left_leg',
    'right_leg',
    'trunk',
    'neck',
    'head',
)

# Radii in statures, at the start and the end of each bone.
ARM_RADII = ((0.037, 0.031), (0.031, 0.025), (0.031, 0.031))
LEG_RADII = ((0.048, 0.040), (0.040, 0.031), (0.035, 0.030))


def owners(joint: str) -> tuple[str, ...]:
    """Parts that show a joint when they are not covered."""
    side, _, kind = joint.rpartition('_')
    if kind in ('nose', 'eye', 'ear'):
        return ('head',)
    if kind in ('shoulder', 'hip'):
        limb = 'arm' if kind == 'shoulder' else 'leg'
        return ('trunk', f'{side}_{limb}')
    return (f'{side}_arm' if kind in ('elbow', 'wrist') else f'{side}_leg',)


def paint_figure(canvas: Canvas, figure: Figure, first_label: int) -> list[str]:
    """Draw a figure.

    Args:
        canvas (Canvas): Where to draw.
        figure (Figure): What to draw.
        first_label (int): Label of the part that is painted first.

    Returns:
        list[str]: Names of the parts in the order they were painted; part i
        has the label ``first_label + i``.
    """
    _paint_shadow(canvas, figure)
    behind = [
        f'{side}_arm'
        for side, hidden in zip(('left', 'right'), figure.arms_behind, strict=True)
        if hidden
    ]
    front = [n for n in ('right_arm', 'left_arm') if n not in behind]
    parts = behind + ['hair', 'right_leg', 'left_leg', 'trunk', 'neck', 'head']
    parts += front
    for label, part in enumerate(parts, first_label):
        side, _, kind = part.rpartition('_')
        if kind == 'arm':
            _paint_arm(canvas, figure, side, label)
        elif kind == 'leg':
            _paint_leg(canvas, figure, side, label)
        else:
            _PAINTERS[part](canvas, figure, label)
    return parts


def _paint_limb(
    canvas: Canvas,
    figure: Figure,
    points: np.ndarray,
    radii: Sequence[tuple[float, float]],
    sections: Sequence[tuple[float, np.ndarray]],
    label: int,
) -> None:
    """Draw a chain of bones.

    Args:
        canvas (Canvas): Where to draw.
        figure (Figure): Whose limb.
        points (np.ndarray): Ends of the bones in pixels, (S + 1, 2).
        radii (Sequence[tuple]): Radii at both ends of each bone, statures.
        sections (Sequence[tuple]): Where along the chain (bone s spans s to
            s + 1) a new material starts, with its colour (3,).
        label (int): Label of the part.
    """
    scaled = [(a * figure.stature, b * figure.stature) for a, b in radii]
    window = canvas.window(points, max(max(r) for r in scaled) + 1)
    distance, position, shade = chain_field(points, scaled, window)
    color = sections[0][1][:, None, None]
    for start, material in sections[1:]:
        bone = min(int(start), len(points) - 2)
        length = float(np.hypot(*(points[bone + 1] - points[bone])))
        color = mix(color, material, coverage((start - position) * length))
    canvas.fill(window, color, distance, label, figure.outline, shade=shade)


def _paint_arm(canvas: Canvas, figure: Figure, side: str, label: int) -> None:
    look = figure.appearance
    sleeve = look.left_sleeve if side == 'left' else look.shirt
    points = figure.chain(
        f'{side}_shoulder', f'{side}_elbow', f'{side}_wrist', f'{side}_hand'
    )
    sections = [(0.0, sleeve), (0.8 if look.short_sleeves else 1.9, look.skin)]
    _paint_limb(canvas, figure, points, ARM_RADII, sections, label)


def _paint_leg(canvas: Canvas, figure: Figure, side: str, label: int) -> None:
    look = figure.appearance
    cloth = look.left_trouser if side == 'left' else look.trousers
    points = figure.chain(f'{side}_hip', f'{side}_knee', f'{side}_ankle', f'{side}_toe')
    sections = [(0.0, cloth)]
    if look.shorts:
        sections.append((1.12, look.skin))
    sections.append((1.9, look.shoes))
    _paint_limb(canvas, figure, points, LEG_RADII, sections, label)


def _paint_trunk(canvas: Canvas, figure: Figure, label: int) -> None:
    size, look = figure.stature, figure.appearance
    ends = figure.chain('neck', 'pelvis')
    window = canvas.window(ends, 0.16 * size)
    spine = (ends[1] - ends[0]).astype(np.float64)
    spine_length = max(float(np.hypot(*spine)), 1e-3)
    down = (spine / spine_length).astype(np.float32)
    x, y = window.x - ends[0][0], window.y - ends[0][1]
    overlap = np.float32(0.028 * size)  # above the shoulders, below the hips
    along = x * down[0] + y * down[1] + overlap
    across = x * down[1] - y * down[0]
    length = spine_length + 0.075 * size
    shoulder = (SHOULDER * figure.breadth + 0.012) * size
    hip = (HIP * figure.breadth + 0.034) * size
    distance = rounded_trapezoid(along, across, length, (shoulder, hip), 0.036 * size)
    second = _pattern(look.pattern, along, across, look.period * size)
    color = (
        look.shirt[:, None, None] + second * (look.accent - look.shirt)[:, None, None]
    )
    shade = 1 - np.float32(0.1 / shoulder) * across
    canvas.fill(window, color, distance, label, figure.outline, shade=shade)


def _pattern(
    kind: str, along: np.ndarray, across: np.ndarray, period: float
) -> np.ndarray:
    """Share of the accent colour of a cloth pattern, (h, w) or 0."""
    sharpness = np.float32(period / 4)
    along, across = along / np.float32(period), across / np.float32(period)
    if kind == 'plain':
        return np.zeros((1, 1), dtype=np.float32)
    if kind == 'dots':
        along, across = along * np.float32(0.8), across * np.float32(0.8)
        row = np.floor(along)
        shifted = across + np.float32(0.5) * row
        u = along - row - np.float32(0.5)
        v = shifted - np.floor(shifted) - np.float32(0.5)
        distance = np.sqrt(u * u + v * v) - np.float32(0.27)
        return coverage(distance * np.float32(period / 0.8))
    hoops = coverage(-sharpness * triangle_wave(along))
    if kind == 'hoops':
        return hoops
    stripes = coverage(-sharpness * triangle_wave(across))
    if kind == 'stripes':
        return stripes
    return hoops + stripes - 2 * hoops * stripes


def _paint_neck(canvas: Canvas, figure: Figure, label: int) -> None:
    points = figure.chain('neck', 'head')
    radius = (0.036, 0.032)
    shade = figure.appearance.skin * np.float32(0.88)
    _paint_limb(canvas, figure, points, [radius], [(0.0, shade)], label)


def _paint_shadow(canvas: Canvas, figure: Figure) -> None:
    """Darken the ground under the feet."""
    feet = figure.chain('left_ankle', 'right_ankle')
    spread = abs(float(feet[0, 0] - feet[1, 0])) / 2 + 0.11 * figure.stature
    height = 0.028 * figure.stature
    center = np.array(
        [(feet[0, 0] + feet[1, 0]) / 2, feet[:, 1].max() + 0.03 * figure.stature]
    )
    reach = np.array([spread, height])
    window = canvas.window(np.stack([center - reach, center + reach]), 1)
    u = (window.x - np.float32(center[0])) / np.float32(spread)
    v = (window.y - np.float32(center[1])) / np.float32(height)
    dark = np.maximum(1 - u * u - v * v, 0) * np.float32(0.4)
    canvas.blend(window, np.full((3, 1, 1), 25, dtype=np.float32), dark)


_PAINTERS: dict[str, Callable[[Canvas, Figure, int], None]] = dict(
    hair=paint_hair_behind, trunk=_paint_trunk, neck=_paint_neck, head=paint_head
)
