"""What the decoding looks up about a skeleton, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LimbTables:
    """A skeleton as index arrays, int64 where nothing else is said.

    Args:
        num_keypoints: number K of keypoints.
        limbs: (L, 2) keypoints at which each limb begins and ends.
        start: (L,) keypoint at which each limb begins.
        end: (L,) keypoint at which it ends.
        assembly_order: (L,) limbs in the order of assembly.
        rank: (L,) place of each limb in that order.
        is_redundant: (L,) bool, whether it only joins people.
        bridges: (3 J,) triplets of two keypoints and a third to which both have limbs.
        edge_target: (2 L,) the limbs seen from both ends, ordered by this keypoint.
        edge_other: (2 L,) the keypoint at the other end.
        edge_limb: (2 L,) the limb.
        edge_sign: (2 L,) float64, 1 where the limb leads to the target, else -1.
        flip_indices: (K,) mirror image of each keypoint.
    """

    num_keypoints: int
    limbs: np.ndarray
    start: np.ndarray
    end: np.ndarray
    assembly_order: np.ndarray
    rank: np.ndarray
    is_redundant: np.ndarray
    bridges: np.ndarray
    edge_target: np.ndarray
    edge_other: np.ndarray
    edge_limb: np.ndarray
    edge_sign: np.ndarray
    flip_indices: np.ndarray


def limb_tables(
    num_keypoints: int,
    limbs: Sequence[tuple[int, int]],
    assembly_order: Sequence[int],
    redundant_limbs: Sequence[int],
    flip_indices: Sequence[int],
) -> LimbTables:
    """Make the tables of a skeleton.

    Args:
        num_keypoints: number K of keypoints.
        limbs: L pairs of keypoints.
        assembly_order: the L limbs in the order of assembly.
        redundant_limbs: limbs that only join people.
        flip_indices: mirror image of each of the K keypoints.

    Returns:
        The tables.
    """
    pairs = np.array(limbs, np.int64).reshape(-1, 2)
    number = len(pairs)
    order = np.array(assembly_order, np.int64)
    rank = np.empty(number, np.int64)
    rank[order] = np.arange(number)
    limb = np.arange(number)
    target = np.concatenate([pairs[:, 1], pairs[:, 0]])
    by_target = np.lexsort((np.tile(limb, 2), target))
    return LimbTables(
        num_keypoints=num_keypoints,
        limbs=pairs,
        start=pairs[:, 0].copy(),
        end=pairs[:, 1].copy(),
        assembly_order=order,
        rank=rank,
        is_redundant=np.isin(limb, np.array(redundant_limbs, np.int64)),
        bridges=_bridges(num_keypoints, pairs),
        edge_target=target[by_target],
        edge_other=np.concatenate([pairs[:, 0], pairs[:, 1]])[by_target],
        edge_limb=np.tile(limb, 2)[by_target],
        edge_sign=np.repeat([1.0, -1.0], number)[by_target],
        flip_indices=np.array(flip_indices, np.int64),
    )


def _bridges(num_keypoints: int, pairs: np.ndarray) -> np.ndarray:
    """Two neighbours of a keypoint and the keypoint, flattened triplets."""
    found = []
    for over in range(num_keypoints):
        near = {int(b) for a, b in pairs if a == over}
        near |= {int(a) for a, b in pairs if b == over}
        ordered = sorted(near)
        found += [(a, b, over) for i, a in enumerate(ordered) for b in ordered[i + 1 :]]
    return np.array(found, np.int64).reshape(-1)
