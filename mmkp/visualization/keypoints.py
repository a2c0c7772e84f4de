"""Keypoints, and the edges between them, on a picture."""

import cv2
import numpy as np

from mmkp.visualization.canvas import put_text

_SHIFT = 4  # OpenCV takes positions in sixteenths of a pixel
_EDGE_COLOR = (255, 214, 64)
_MAX_COORDINATE = 1e5  # beyond, OpenCV's integers overflow


def draw_keypoints(
    image: np.ndarray,
    keypoints: np.ndarray,
    colors: np.ndarray,
    radius: float | None = None,
    scores: np.ndarray | None = None,
    min_score: float = 0.0,
    numbers: bool = False,
) -> np.ndarray:
    """Draw one disc with a white rim for each keypoint.

    Args:
        image: RGB, shape (H, W, 3), uint8; not changed.
        keypoints: (x, y) in pixels, shape (K, 2); NaN is left out.
        colors: RGB from 0 to 255, shape (K, 3).
        radius: of the discs in pixels; by default it fits the size of the image.
        scores: shape (K,), optional.
        min_score: keypoints of a lower score are left out.
        numbers: whether to write the number of each keypoint beside it.

    Returns:
        Picture of the same shape.
    """
    drawn = np.ascontiguousarray(image).copy()
    if radius is None:
        radius = default_radius(image)
    for index, (point, color) in enumerate(zip(keypoints, colors, strict=True)):
        if not _drawable(point) or (scores is not None and scores[index] < min_score):
            continue
        rim = max(1.0, 0.35 * radius)
        _disc(drawn, point, radius + rim, (255, 255, 255))
        _disc(drawn, point, radius, tuple(int(c) for c in color))
        if numbers:
            size = max(9, round(2.4 * radius))
            x, y = point[0] + 1.8 * radius, point[1]
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                place = (x + dx, y + dy)
                drawn = put_text(drawn, str(index), place, (0, 0, 0), size, 'lm')
            drawn = put_text(drawn, str(index), (x, y), (255, 255, 255), size, 'lm')
            drawn = np.ascontiguousarray(drawn).copy()
    return drawn


def draw_edges(
    image: np.ndarray,
    keypoints: np.ndarray,
    edges: np.ndarray,
    weights: np.ndarray | None = None,
    thickness: float | None = None,
) -> np.ndarray:
    """Draw edges, the brighter the larger their weight.

    Args:
        image: RGB, shape (H, W, 3), uint8; not changed.
        keypoints: (x, y) in pixels, shape (K, 2).
        edges: pairs of indices, shape (E, 2), int.
        weights: non-negative, shape (E,); relative to the largest. Equal when None.
        thickness: of the lines in pixels; by default it fits the image.

    Returns:
        Picture of the same shape.
    """
    if thickness is None:
        thickness = 0.7 * default_radius(image)
    strength = relative_weights(weights, len(edges))
    # On one channel and from weak to strong, so that crossing edges keep the maximum.
    lines, rims = (np.zeros(image.shape[:2], np.uint8) for _ in range(2))
    for index in np.argsort(strength):
        start, end = (keypoints[joint] for joint in edges[index])
        # Dozens of weak edges would add up to a veil; this keeps them faint.
        level = round(255 * float(strength[index]) ** 1.5)
        if level < 10 or not (_drawable(start) and _drawable(end)):
            continue
        first, last = _fixed_point(start), _fixed_point(end)
        width = max(1, round(thickness))
        cv2.line(rims, first, last, level, width + 2, cv2.LINE_AA, _SHIFT)
        cv2.line(lines, first, last, level, width, cv2.LINE_AA, _SHIFT)
    # A dark rim keeps a bright line visible on a bright image.
    rim, line = (layer[..., None].astype(np.float32) / 255 for layer in (rims, lines))
    shaded = image * (1 - 0.6 * rim)
    drawn = shaded * (1 - line) + np.asarray(_EDGE_COLOR, np.float32) * line
    return drawn.round().clip(0, 255).astype(np.uint8)


def draw_limbs(
    image: np.ndarray,
    keypoints: np.ndarray,
    limbs: np.ndarray,
    colors: np.ndarray,
    thickness: float,
) -> np.ndarray:
    """Draw limbs in colours of their own, with a dark rim.

    Args:
        image: RGB, shape (H, W, 3), uint8; not changed.
        keypoints: (x, y) in pixels, shape (K, 2); limbs to NaN are left out.
        limbs: pairs of indices, shape (L, 2), int; later ones lie on top.
        colors: RGB from 0 to 255, shape (L, 3).
        thickness: of the lines in pixels.

    Returns:
        Picture of the same shape.
    """
    drawn = np.ascontiguousarray(image).copy()
    width = max(1, round(thickness))
    shown = [
        (_fixed_point(keypoints[a]), _fixed_point(keypoints[b]), color)
        for (a, b), color in zip(limbs, colors, strict=True)
        if _drawable(keypoints[a]) and _drawable(keypoints[b])
    ]
    rims = drawn.copy()
    for first, last, _ in shown:
        cv2.line(rims, first, last, (0, 0, 0), width + 2, cv2.LINE_AA, _SHIFT)
    drawn = cv2.addWeighted(drawn, 0.4, rims, 0.6, 0)
    for first, last, color in shown:
        rgb = tuple(int(c) for c in color)
        cv2.line(drawn, first, last, rgb, width, cv2.LINE_AA, _SHIFT)
    return drawn


def relative_weights(weights: np.ndarray | None, number: int) -> np.ndarray:
    """Weights divided by the largest of them, shape (E,); ones when None."""
    if weights is None:
        return np.ones(number)
    weights = np.nan_to_num(np.asarray(weights, float))
    largest = weights.max(initial=0)
    return weights / largest if largest > 0 else np.zeros(number)


def default_radius(image: np.ndarray) -> float:
    """Radius of a keypoint's disc that suits an image, in pixels."""
    return 0.2 * float(np.hypot(image.shape[0], image.shape[1])) ** 0.5


def _drawable(point: np.ndarray) -> bool:
    return bool(np.isfinite(point).all() and (np.abs(point) < _MAX_COORDINATE).all())


def _fixed_point(point: np.ndarray) -> tuple[int, int]:
    x, y = (round(float(value) * (1 << _SHIFT)) for value in point)
    return x, y


def _disc(
    image: np.ndarray, center: np.ndarray, radius: float, color: tuple[int, ...]
) -> None:
    scaled = round(radius * (1 << _SHIFT))
    cv2.circle(image, _fixed_point(center), scaled, color, -1, cv2.LINE_AA, _SHIFT)
