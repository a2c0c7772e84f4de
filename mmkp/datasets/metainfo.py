# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Skeleton descriptions for keypoints that have no human-given names."""

import numbers
from collections.abc import Sequence
from functools import lru_cache

import numpy as np


def check_num_keypoints(num_keypoints: int) -> int:
    """Return a number of keypoints, or say what is wrong with it.

    Args:
        num_keypoints: Number of keypoints K, a whole number of at least 1.

    Returns:
        The same number as a Python int.

    Raises:
        ValueError: If it is no whole number, or smaller than 1.
    """
    whole = isinstance(num_keypoints, numbers.Integral)
    if not whole or isinstance(num_keypoints, bool) or num_keypoints < 1:
        raise ValueError(
            f'num_keypoints must be a whole number of at least 1, got {num_keypoints!r}'
        )
    return int(num_keypoints)


def unlabeled_keypoints(num_keypoints: int) -> dict[str, np.ndarray]:
    """What a sample of an unlabeled image has where others have annotations.

    As in COCO's format, all visibilities are 0, of which codecs make targets of weight
    0: unlabeled images can stand beside labeled ones and go through their pipeline.

    Args:
        num_keypoints: Number of keypoints K.

    Returns:
        ``keypoints`` (1, K, 2) and ``keypoints_visible`` (1, K), zeros, float32.
    """
    return dict(
        keypoints=np.zeros((1, num_keypoints, 2), np.float32),
        keypoints_visible=np.zeros((1, num_keypoints), np.float32),
    )


def _lab(srgb: np.ndarray) -> np.ndarray:
    """Convert sRGB (N, 3), 0 to 1, to CIELAB (N, 3) under the white point D65.

    OpenCV's first conversion takes a quarter of a second to set up its tables, which
    would be paid by every ``import mmkp``.
    """
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.412453, 0.357580, 0.180423],
            [0.212671, 0.715160, 0.072169],
            [0.019334, 0.119193, 0.950227],
        ]
    )
    xyz = linear @ (to_xyz / to_xyz.sum(1, keepdims=True)).T
    cone = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = cone.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


@lru_cache(maxsize=1)
def _color_candidates() -> tuple[np.ndarray, np.ndarray]:
    """Return vivid colours as RGB 0-255 (N, 3) and as CIELAB (N, 3)."""
    levels = np.linspace(0, 255, 18)
    rgb = np.stack(np.meshgrid(levels, levels, levels, indexing='ij'), -1)
    rgb = rgb.reshape(-1, 3).round()
    lab = _lab(rgb / 255)
    lightness, chroma = lab[:, 0], np.hypot(lab[:, 1], lab[:, 2])
    # Greys, very dark and very pale colours vanish on photographs.
    vivid = (lightness > 40) & (lightness < 88) & (chroma > 35)
    return rgb[vivid].astype(int), lab[vivid]


@lru_cache(maxsize=64)
def distinct_colors(count: int) -> tuple[tuple[int, int, int], ...]:
    """Choose colours that are as far apart in CIELAB as possible.

    Each colour is the candidate farthest from all colours before it, so the first
    colours stay the same when more are asked for.

    Args:
        count: Number of colours.

    Returns:
        ``count`` RGB triplets, 0 to 255; they repeat beyond about 2,000.
    """
    rgb, lab = _color_candidates()
    chosen = [int(np.argmin(np.abs(rgb - (225, 30, 45)).sum(1)))]
    gap = np.linalg.norm(lab - lab[chosen[0]], axis=1)
    while len(chosen) < min(count, len(rgb)):
        chosen.append(int(gap.argmax()))
        gap = np.minimum(gap, np.linalg.norm(lab - lab[chosen[-1]], axis=1))
    return tuple(
        (int(red), int(green), int(blue))
        for red, green, blue in (rgb[chosen[i % len(chosen)]] for i in range(count))
    )


def discovered_metainfo(
    num_keypoints: int,
    edges: Sequence[Sequence[int]] | np.ndarray | None = None,
    name: str = 'discovered',
    pairs: Sequence[Sequence[int]] = (),
) -> dict:
    """Describe K discovered keypoints in the METAINFO format of MMPose.

    Discovered keypoints have no names and no agreed accuracy; they get numbers,
    distinct colours and equal weights, and left and right where it was found
    (:func:`mmkp.apis.find_sides`).

    Args:
        num_keypoints: Number of keypoints K.
        edges: Index pairs (E, 2), int, the links to draw; ``None`` draws none.
        name: Name of the data set.
        pairs: Index pairs of keypoints that change places in a mirrored image.

    Returns:
        Dict with ``dataset_name``, ``keypoint_info``, ``skeleton_info``,
        ``joint_weights`` and ``sigmas``, as ``parse_pose_metainfo`` reads it.

    Raises:
        ValueError: If ``num_keypoints`` is no whole number of at least 1, or if an
            edge or a pair joins a keypoint to itself or to one that does not exist, or
            a keypoint is in two pairs.
    """
    num_keypoints = check_num_keypoints(num_keypoints)
    colors = distinct_colors(num_keypoints)
    names = [f'keypoint_{index}' for index in range(num_keypoints)]
    links = np.empty((0, 2), int) if edges is None else np.asarray(edges)
    if links.size == 0:
        links = np.empty((0, 2), int)
    if links.ndim != 2 or links.shape[1] != 2:
        raise ValueError(f'edges must be pairs (E, 2), got an array {links.shape}')
    swaps = _swaps(pairs, names)
    skeleton_info = {}
    for index, (start, end) in enumerate(links.tolist()):
        if start == end or not {start, end} <= set(range(num_keypoints)):
            raise ValueError(
                f'edge {index} joins keypoints {start} and {end}; it must join two '
                f'different ones of 0 to {num_keypoints - 1}'
            )
        both = zip(colors[start], colors[end], strict=True)
        color = [(a + b) // 2 for a, b in both]
        skeleton_info[index] = dict(
            link=(names[start], names[end]), id=index, color=color
        )
    return dict(
        dataset_name=name,
        keypoint_info={
            index: dict(
                name=names[index],
                id=index,
                color=list(colors[index]),
                type='',
                swap=swaps.get(index, ''),
            )
            for index in range(num_keypoints)
        },
        skeleton_info=skeleton_info,
        joint_weights=[1.0] * num_keypoints,
        sigmas=[0.05] * num_keypoints,
    )


def _swaps(pairs: Sequence[Sequence[int]], names: Sequence[str]) -> dict[int, str]:
    """Name of the partner of each keypoint that has one."""
    swaps: dict[int, str] = {}
    for left, right in pairs:
        known = {left, right} <= set(range(len(names)))
        if not known or left == right or left in swaps or right in swaps:
            raise ValueError(
                f'the pair {(left, right)} must join two different keypoints of 0 to '
                f'{len(names) - 1}, neither of which is in another pair'
            )
        swaps[left], swaps[right] = names[right], names[left]
    return swaps
