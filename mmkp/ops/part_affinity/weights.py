# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which cells of part affinity targets count in the loss, as OpenPose trains.

A person whose neck is only half known, or who was labelled without feet, must not teach
that nothing is there. OpenPose therefore leaves out boxes around such people, cell by
cell and channel by channel.
"""

import numpy as np

from mmkp.ops.part_affinity.targets import RenderedMaps, round_half_away

#: The background counts wherever a keypoint pushes it below this.
BACKGROUND_OF_KEYPOINTS = 0.85


def boxes_of_people(
    keypoints: np.ndarray,
    visible: np.ndarray,
    map_size: tuple[int, int],
    stride: int = 8,
    margin: float = 0.3,
) -> np.ndarray:
    """Box each person's keypoints, generously.

    The shorter side grows to half of the longer at least, then each by the margin.

    Args:
        keypoints: (x, y) in network-input pixels, shape (N, K, 2), finite.
        visible: shape (N, K), positive where there is a keypoint.
        map_size: number of cells (w, h).
        stride: pixels a cell.
        margin: share of the width (height) added on the left and right (top, bottom).

    Returns:
        Left, top, right and bottom in whole cells within the map, right and bottom
        exclusive, shape (N, 4) int64; zeros for people without keypoints.
    """
    seen = np.asarray(visible) > 0
    cells = np.asarray(keypoints, np.float64) / stride
    low = np.where(seen[..., None], cells, np.inf).min(1, initial=np.inf)
    high = np.where(seen[..., None], cells, -np.inf).max(1, initial=-np.inf)
    anybody = seen.any(1, keepdims=True)
    low, high = np.where(anybody, low, 0), np.where(anybody, high, 0)
    center, size = (low + high) / 2, high - low
    size = np.maximum(size, size.max(1, keepdims=True) / 2) * (1 + 2 * margin)
    corner = round_half_away(center - size / 2)
    return _clip_boxes(corner, corner + round_half_away(size), map_size) * anybody


def boxes_of_extremities(
    start: np.ndarray, end: np.ndarray, map_size: tuple[int, int], stride: int = 8
) -> np.ndarray:
    """Box what goes on beyond the end of a limb, such as the foot beyond the shank.

    Args:
        start: (x, y) of the limb's inner end, the knee, in pixels, shape (M, 2).
        end: of its outer end, the ankle, shape (M, 2).
        map_size: number of cells (w, h).
        stride: pixels a cell.

    Returns:
        Squares with half the side 0.8 times the limb's length, moved on by 0.15 of it,
        in whole cells like those of :func:`boxes_of_people`, shape (M, 4) int64.
    """
    start = np.asarray(start, np.float64) / stride
    end = np.asarray(end, np.float64) / stride
    limb = end - start
    length = np.hypot(limb[:, :1], limb[:, 1:])
    half = round_half_away(0.8 * length)
    corner = round_half_away(end + round_half_away(0.15 * limb)) - half
    return _clip_boxes(corner, corner + 2 * half, map_size)


def label_weights(
    heatmaps: RenderedMaps,
    fields: RenderedMaps,
    limbs: np.ndarray,
    mask: np.ndarray | None = None,
    trained: np.ndarray | None = None,
    ignored: np.ndarray | None = None,
    boxes: np.ndarray | None = None,
    background_boxes: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Weight every cell of every channel: W of the loss (CVPR'17, eq. 3 to 5).

    In this order: all channels take the mask; channels that are not trained become 0,
    and the background in ``background_boxes``; within the box of a person, the heatmaps
    of ignored keypoints, the fields that end in them and the background become 0; where
    something is drawn, its own channel counts in full; so does the background where
    keypoints push it below 0.85.

    Args:
        heatmaps: K + 1, of :func:`mmkp.ops.part_affinity.targets.render_heatmaps`.
        fields: from :func:`mmkp.ops.part_affinity.targets.render_fields`, 2L maps.
        limbs: keypoint indices (A, B), shape (L, 2) int64.
        mask: 0 where people are not labelled, else 1, shape (h, w), or None.
        trained: False for keypoints without heatmap and fields in the loss, (K,).
        ignored: whether nothing is known of a person's keypoint, (N, K) bool.
        boxes: of the people, (N, 4), see :func:`boxes_of_people`; with ``ignored``.
        background_boxes: (M, 4) further boxes.

    Returns:
        Weights in [0, 1] of the heatmaps (K + 1, h, w) and of the fields (2L, h, w),
        float32.
    """
    num_maps, height, width = heatmaps.maps.shape
    num_fields = fields.maps.shape[0]
    start, end = limbs.T
    part_weights = np.empty((num_maps, height, width), np.float32)
    field_weights = np.empty((num_fields // 2, 2, height, width), np.float32)
    part_weights[:] = field_weights[:] = 1 if mask is None else mask
    if trained is not None:
        part_weights[:-1][~trained] = 0
        field_weights[~(trained[start] & trained[end])] = 0
    for left, top, right, bottom in (
        () if background_boxes is None else background_boxes
    ):
        part_weights[-1, top:bottom, left:right] = 0
    if ignored is not None and boxes is not None:
        for person in np.flatnonzero(ignored.any(1)):
            left, top, right, bottom = boxes[person]
            parts = ignored[person]
            touched = parts[start] | parts[end]
            part_weights[:-1, top:bottom, left:right][parts] = 0
            part_weights[-1, top:bottom, left:right] = 0
            field_weights[:, :, top:bottom, left:right][touched] = 0
    part_weights.reshape(-1)[heatmaps.drawn] = 1
    limb, cell = np.divmod(fields.drawn, height * width)
    flat = field_weights.reshape(-1)
    place = limb * (2 * height * width) + cell
    flat[place] = flat[place + height * width] = 1
    part_weights[-1][heatmaps.maps[-1] < BACKGROUND_OF_KEYPOINTS] = 1
    return part_weights, field_weights.reshape(num_fields, height, width)


def _clip_boxes(
    low: np.ndarray, high: np.ndarray, map_size: tuple[int, int]
) -> np.ndarray:
    """Cut boxes off at the edges of the map; (M, 4) int64."""
    both = np.clip(np.stack((low, high), 1), 0, map_size)
    return both.reshape(-1, 4).astype(np.int64)
