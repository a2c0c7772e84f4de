"""The keypoints and limbs of part affinity fields, and what is looked up about them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


@dataclass(frozen=True)
class LimbSkeleton:
    """The keypoints and limbs that a part affinity field model predicts.

    Indices in ``limbs`` and ``flip_indices`` count the K keypoints of the maps,
    indices in ``sources`` the S keypoints of the data set.

    Args:
        name: what to call it in messages.
        keypoints: names of the K keypoints, in the order of the heatmaps.
        limbs: the L pairs (A, B), each in the direction in which its field points.
            The field of limb l fills channels 2l (x) and 2l + 1 (y).
        assembly_order: the L limbs in the order in which people are put together.
        redundant_limbs: limbs that close a loop. They join parts of people, and never
            begin a person of their own.
        flip_indices: for each keypoint the one that a mirrored image shows there, K.
        limb_flip_indices: the same for limbs, L; -1 where no limb is the mirror image.
        limb_flip_signs: -1 where the mirrored limb is listed from B to A, L.
        source_keypoints: names of the S keypoints that the data set labels.
        sources: for each of the K keypoints the data set's keypoints whose mean it is.
            Empty where the data set does not label it.
        sigmas: of the object keypoint similarity, K.
    """

    name: str
    keypoints: tuple[str, ...]
    limbs: tuple[tuple[int, int], ...]
    assembly_order: tuple[int, ...]
    redundant_limbs: tuple[int, ...]
    flip_indices: tuple[int, ...]
    limb_flip_indices: tuple[int, ...]
    limb_flip_signs: tuple[int, ...]
    source_keypoints: tuple[str, ...]
    sources: tuple[tuple[int, ...], ...]
    sigmas: tuple[float, ...]

    @property
    def num_keypoints(self) -> int:
        """Number K of keypoints with a heatmap."""
        return len(self.keypoints)

    @property
    def num_limbs(self) -> int:
        """Number L of limbs with a field."""
        return len(self.limbs)

    @property
    def num_source_keypoints(self) -> int:
        """Number S of keypoints that the data set labels."""
        return len(self.source_keypoints)

    @property
    def source_places(self) -> list[int]:
        """Of each of the S keypoints the heatmap that stands for it, -1 for none."""
        alone = {p[0]: place for place, p in enumerate(self.sources) if len(p) == 1}
        return [alone.get(index, -1) for index in range(self.num_source_keypoints)]

    def from_source(
        self, keypoints: np.ndarray, visible: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn a data set's keypoints into those of the maps.

        A derived keypoint, such as OpenPose's neck, is the mean of its parents and is
        labelled where all of them are.

        Args:
            keypoints: (N, S, 2) float, pixels.
            visible: (N, S), positive where labelled; keypoints that are not finite
                never are.

        Returns:
            Keypoints (N, K, 2) float32, 0 where not labelled; visible (N, K) float32, 1
            where labelled; ignored (N, K) bool, where nothing is known: some but not
            all parents are labelled, or the data set never labels the keypoint
            (OpenPose's codes 3 and 4).

        Raises:
            ValueError: another number of keypoints.
        """
        keypoints = np.asarray(keypoints, np.float32)
        if keypoints.ndim != 3 or keypoints.shape[1] != self.num_source_keypoints:
            raise ValueError(
                f"skeleton '{self.name}' reads {self.num_source_keypoints} keypoints "
                f'of the data set, got an array of shape {keypoints.shape}'
            )
        labeled = (np.asarray(visible) > 0) & np.isfinite(keypoints).all(2)
        mean = self._source_weights()
        seen = labeled.astype(np.float32) @ (mean > 0).astype(np.float32)
        parents = (mean > 0).sum(0)
        complete = (seen == parents) & (parents > 0)
        placed = np.where(labeled[..., None], keypoints, 0)
        derived = np.einsum('nsd,sk->nkd', placed, mean)
        ignored = ~complete & ((seen > 0) | (parents == 0))
        derived = np.where(complete[..., None], derived, 0).astype(np.float32)
        return derived, complete.astype(np.float32), ignored

    def to_source(
        self, keypoints: np.ndarray, scores: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Turn keypoints of the maps into those of the data set.

        Args:
            keypoints: (N, K, 2), pixels.
            scores: (N, K).

        Returns:
            Keypoints (N, S, 2) and scores (N, S); a keypoint that no heatmap stands
            for lies in the middle of the person and has score 0.
        """
        index = np.array(self.source_places, np.int64)
        found, found_scores = keypoints[:, index], scores[:, index]
        absent = index < 0
        if absent.any() and len(keypoints):
            found[:, absent] = keypoints.mean(1, keepdims=True)
            found_scores[:, absent] = 0
        return found, found_scores

    def trained_keypoints(self, names: Sequence[str] | None) -> np.ndarray | None:
        """Which keypoints have channels that count in the loss.

        Args:
            names: of the keypoints, or None for all that the data set labels.

        Returns:
            (K,) bool, or None if all do.

        Raises:
            ValueError: a name that the skeleton lacks.
        """
        if names is None:
            trained = np.array([bool(parents) for parents in self.sources])
        else:
            strange = sorted(set(names) - set(self.keypoints))
            if strange:
                raise ValueError(
                    f'trained_keypoints names {", ".join(strange)}, which skeleton '
                    f'{self.name!r} lacks; it has {", ".join(self.keypoints)}'
                )
            trained = np.array([keypoint in names for keypoint in self.keypoints])
        return None if trained.all() else trained

    def unlabeled_extremities(self) -> np.ndarray:
        """Limbs that go on to keypoints nobody labels: inner and outer end (M, 2)."""
        outer = {a for a, b in self.limbs if self.sources[a] and not self.sources[b]}
        found = [(a, b) for a, b in self.limbs if b in outer and self.sources[a]]
        return np.array(found, np.int64).reshape(-1, 2)

    def _source_weights(self) -> np.ndarray:
        """Share of each data set's keypoint in each keypoint, (S, K) float32."""
        weights = np.zeros((self.num_source_keypoints, self.num_keypoints), np.float32)
        for place, parents in enumerate(self.sources):
            weights[list(parents), place] = 1 / max(len(parents), 1)
        return weights


class LimbTables(NamedTuple):
    """A skeleton as index arrays, int64 where nothing else is said.

    ``start`` and ``end`` (L,) are the keypoints of each limb, ``assembly_order`` (L,)
    the limbs in that order, ``is_redundant`` (L,) bool says which only join poses.
    ``missing_links`` (J, 3) are two keypoints and a third to which both have limbs.
    ``edge_target``, ``edge_other``, ``edge_limb`` (2 L,) and ``edge_sign`` (2 L,)
    float64 are the limbs seen from both ends, ordered by target, with sign 1 where the
    limb leads to the target and else -1. ``flip_indices`` (K,) is the mirror image of
    each keypoint.
    """

    start: np.ndarray
    end: np.ndarray
    assembly_order: np.ndarray
    is_redundant: np.ndarray
    missing_links: np.ndarray
    edge_target: np.ndarray
    edge_other: np.ndarray
    edge_limb: np.ndarray
    edge_sign: np.ndarray
    flip_indices: np.ndarray


def limb_tables(skeleton: LimbSkeleton) -> LimbTables:
    """Make the tables of a skeleton.

    Args:
        skeleton: K keypoints and L limbs.

    Returns:
        The tables.
    """
    start, end = np.array(skeleton.limbs, np.int64).reshape(-1, 2).T.copy()
    limb = np.arange(len(start))
    target, other = np.concatenate([end, start]), np.concatenate([start, end])
    by_target = np.lexsort((np.tile(limb, 2), target))
    links = [
        (first, second, between)
        for between in range(skeleton.num_keypoints)
        for near in [np.unique(other[target == between]).tolist()]
        for index, first in enumerate(near)
        for second in near[index + 1 :]
    ]
    return LimbTables(
        start=start,
        end=end,
        assembly_order=np.array(skeleton.assembly_order, np.int64),
        is_redundant=np.isin(limb, np.array(skeleton.redundant_limbs, np.int64)),
        missing_links=np.array(links, np.int64).reshape(-1, 3),
        edge_target=target[by_target],
        edge_other=other[by_target],
        edge_limb=np.tile(limb, 2)[by_target],
        edge_sign=np.repeat([1.0, -1.0], len(limb))[by_target],
        flip_indices=np.array(skeleton.flip_indices, np.int64),
    )
