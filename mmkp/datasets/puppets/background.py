# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Backgrounds behind puppets."""

import cv2
import numpy as np

#: Kinds of background; ``'mixed'`` draws one of the others for each clip.
BACKGROUNDS = ('plain', 'gradient', 'clutter', 'mixed')


def _muted(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """A colour of little saturation, BGR float32 (3,)."""
    gray = rng.uniform(low, high)
    tint = rng.uniform(-26, 26, 3)
    return np.clip(gray + tint - tint.mean(), 0, 255).astype(np.float32)


def paint_background(
    rng: np.random.Generator, kind: str, size: tuple[int, int]
) -> np.ndarray:
    """Draw a background.

    Args:
        rng (np.random.Generator): Source of chance.
        kind (str): One of ``BACKGROUNDS``.
        size (tuple[int]): Width and height in pixels.

    Returns:
        np.ndarray: BGR, float32 of shape (3, H, W), 0 to 255.
    """
    if kind == 'mixed':
        kind = BACKGROUNDS[int(rng.integers(3))]
    width, height = size
    if kind == 'plain':
        color = _muted(rng, 150, 225)
        return np.broadcast_to(color[:, None, None], (3, height, width)).copy()
    if kind == 'gradient':
        return _gradient(rng, width, height)
    return _clutter(rng, width, height)


def _gradient(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """A wall that fades into the floor."""
    top, bottom = _muted(rng, 165, 235), _muted(rng, 105, 175)
    tilt = rng.uniform(-0.35, 0.35)
    share = (
        np.linspace(0, 1, height, dtype=np.float32)[:, None]
        + np.linspace(-tilt, tilt, width, dtype=np.float32)[None]
    )
    np.clip(share, 0, 1, out=share)
    return top[:, None, None] + share * (bottom - top)[:, None, None]


def _clutter(rng: np.random.Generator, width: int, height: int) -> np.ndarray:
    """Cloudy texture with muted boxes, discs, bars and polygons."""
    coarse = rng.uniform(-1, 1, (5, 5, 3)).astype(np.float32)
    fine = rng.uniform(-1, 1, (17, 17, 1)).astype(np.float32)
    size = (width, height)
    image = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC) * 26
    image += cv2.resize(fine, size, interpolation=cv2.INTER_LINEAR)[..., None] * 14
    image += _muted(rng, 120, 200)
    image = np.clip(image, 0, 255).astype(np.uint8)
    unit = min(width, height) * 16  # cv2 takes sixteenths of pixels below
    for kind in rng.integers(4, size=int(rng.integers(6, 12))):
        color = tuple(float(c) for c in _muted(rng, 70, 215))
        x, y = (rng.random(2) * (width * 16, height * 16)).astype(int)
        radius = rng.uniform(0.05, 0.22) * unit
        if kind == 0:
            cv2.circle(
                image, (int(x), int(y)), int(radius * 0.7), color, -1, cv2.LINE_AA, 4
            )
            continue
        aspect = rng.uniform(0.4, 1.6) if kind < 3 else rng.uniform(0.06, 0.15)
        count = 3 if kind == 2 else 4
        angles = (np.arange(count) + 0.5) * 2 * np.pi / count
        corners = np.stack([np.cos(angles), np.sin(angles) * aspect], 1)
        turn = rng.uniform(0, np.pi)
        cos, sin = np.cos(turn), np.sin(turn)
        corners = corners @ np.array([[cos, sin], [-sin, cos]])
        if kind == 3:
            corners *= 2
        polygon = np.rint(corners * radius + (x, y)).astype(np.int32)
        cv2.fillConvexPoly(image, polygon, color, cv2.LINE_AA, 4)
    return np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32)
