"""Keypoints without a peak: searched along fields, else put at a plausible place."""

import numpy as np

from mmkp.ops.part_affinity.assembled_poses import AssembledPoses
from mmkp.ops.part_affinity.compiled import compiled
from mmkp.ops.part_affinity.limb_skeleton import LimbTables

NUM_STEPS = 12
REACH = 0.8  # of the person's size
LEAST_REACH = 2.0  # cells
LEAST_FIELD = 0.01
# Share of the confidence that a keypoint found along a field has as its score.
SHARE = 0.5
# Cells around another person's peak where a search finds nothing.
TAKEN_RADIUS = 1.5


@compiled
def recover_keypoints(
    poses: AssembledPoses,
    confidence_maps: np.ndarray,
    fields: np.ndarray,
    tables: LimbTables,
    field_offset: float,
) -> None:
    """Search keypoints that lack a peak along all fields that lead there, in place.

    The best of the walks to a keypoint counts, see :func:`walk_along_field`. A peak
    belongs to one person only, also when another one's walk ends there.

    Args:
        poses: N poses, float64, in cells.
        confidence_maps: (K, h, w) float32.
        fields: (2 L, h, w) float32.
        tables: the skeleton.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps.
    """
    found, best = poses.scores > 0, np.zeros(poses.scores.shape)
    for n in range(len(found)):
        reach = max(_size(poses.keypoints[n], found[n]) * REACH, LEAST_REACH)
        for edge in range(len(tables.edge_target)):
            k, other = tables.edge_target[edge], tables.edge_other[edge]
            if found[n, k] or not found[n, other]:
                continue
            limb = tables.edge_limb[edge]
            score, confidence, x, y = walk_along_field(
                confidence_maps[k],
                fields[2 * limb : 2 * limb + 2],
                (poses.keypoints[n, other, 0], poses.keypoints[n, other, 1]),
                tables.edge_sign[edge],
                reach / NUM_STEPS,
                field_offset,
            )
            if score > best[n, k] and not _is_taken(poses, found, k, x, y):
                best[n, k], poses.scores[n, k] = score, confidence * SHARE
                poses.keypoints[n, k, 0], poses.keypoints[n, k, 1] = x, y


@compiled
def walk_along_field(
    confidence_map: np.ndarray,
    field: np.ndarray,
    start: tuple[float, float],
    sign: float,
    step: float,
    field_offset: float,
) -> tuple[float, float, float, float]:
    """Walk from a keypoint in the direction of a field and look for another keypoint.

    At each of twelve steps the confidence is weighed with the mean of the field on the
    way, and the best step counts.

    Args:
        confidence_map: (h, w) float32, of the keypoint that is looked for.
        field: (2, h, w) float32, that leads there.
        start: x and y of the known keypoint in cells.
        sign: 1 if the limb leads there and -1 if it comes from there.
        step: length of a step in cells.
        field_offset: cells by which a place in the field lies right of and below the
            same place in the map.

    Returns:
        Score of the best step, 0 where there is nothing; the confidence there; its x
        and y in cells.
    """
    height, width = confidence_map.shape
    best, confidence, best_x, best_y = 0.0, 0.0, 0.0, 0.0
    x, y = start[0] + field_offset, start[1] + field_offset
    along_x, along_y = _nearest(field[0], x, y) * sign, _nearest(field[1], x, y) * sign
    length = (along_x * along_x + along_y * along_y) ** 0.5
    if not length >= LEAST_FIELD:
        return best, confidence, best_x, best_y
    along_x, along_y = along_x / length, along_y / length
    total = 0.0
    for s in range(1, NUM_STEPS + 1):
        x, y = start[0] + along_x * step * s, start[1] + along_y * step * s
        field_x = _nearest(field[0], x + field_offset, y + field_offset)
        field_y = _nearest(field[1], x + field_offset, y + field_offset)
        total += (field_x * along_x + field_y * along_y) * sign
        if not (-0.5 < x < width - 0.5 and -0.5 < y < height - 0.5):
            continue
        here = _nearest(confidence_map, x, y)
        # Steps in one cell are equal but for the last bits: the first of them counts.
        score = _rounded(max(here, 0.0) * max(total / s, 0.0))
        if score > best:
            best, confidence, best_x, best_y = score, here, x, y
    return best, confidence, best_x, best_y


@compiled
def _nearest(plane: np.ndarray, x: float, y: float) -> float:
    """Value of the nearest cell."""
    height, width = plane.shape
    j = int(min(max(y + 0.5, 0.0), height - 1.0))
    i = int(min(max(x + 0.5, 0.0), width - 1.0))
    return float(np.float64(plane[j, i]))


@compiled
def _rounded(value: float) -> float:
    """The nearest number of single precision."""
    return float(np.float64(np.float32(value)))


@compiled
def _size(keypoints: np.ndarray, found: np.ndarray) -> float:
    """Larger side of the box around keypoints (K, 2) that were found, in cells."""
    left, right, top, bottom = np.inf, -np.inf, np.inf, -np.inf
    for k in range(len(found)):
        if found[k]:
            left, right = min(left, keypoints[k, 0]), max(right, keypoints[k, 0])
            top, bottom = min(top, keypoints[k, 1]), max(bottom, keypoints[k, 1])
    return max(right - left, bottom - top)


@compiled
def _is_taken(
    poses: AssembledPoses, found: np.ndarray, k: int, x: float, y: float
) -> bool:
    """Whether somebody's keypoint k has its peak here."""
    for n in range(len(found)):
        if found[n, k]:
            across, down = x - poses.keypoints[n, k, 0], y - poses.keypoints[n, k, 1]
            if across * across + down * down < TAKEN_RADIUS**2:
                return True
    return False


@compiled
def place_absent_keypoints(poses: AssembledPoses, tables: LimbTables) -> None:
    """Put keypoints that were not found at a plausible place in the body, in place.

    First choice is symmetry: a wrist hangs from its elbow as the other wrist does from
    the other elbow. Second is the mean of the neighbours, third of the whole person.

    Args:
        poses: N poses, float64; those with score 0 are placed.
        tables: the skeleton.
    """
    for n in range(len(poses.scores)):
        points, found = poses.keypoints[n], poses.scores[n] > 0
        x, y, number = 0.0, 0.0, 0
        for k in range(len(found)):
            if found[k]:
                x, y, number = x + points[k, 0], y + points[k, 1], number + 1
        for k in range(len(found)):
            if not found[k]:
                points[k, 0], points[k, 1] = x / number, y / number
                _place_beside_neighbors(points, found, k, tables)


@compiled
def _place_beside_neighbors(
    points: np.ndarray, found: np.ndarray, k: int, tables: LimbTables
) -> None:
    """Put keypoint k by symmetry or at the mean of its neighbors, if one was found."""
    mirror, x, y, number = tables.flip_indices[k], 0.0, 0.0, 0
    for edge in range(len(tables.edge_target)):
        other = tables.edge_other[edge]
        if tables.edge_target[edge] != k or not found[other]:
            continue
        opposite = tables.flip_indices[other]
        if mirror != k and found[mirror] and found[opposite]:
            for axis in range(2):
                hang = points[mirror, axis] - points[opposite, axis]
                points[k, axis] = points[other, axis] + hang
            return
        x, y, number = x + points[other, 0], y + points[other, 1], number + 1
    if number:
        points[k, 0], points[k, 1] = x / number, y / number
