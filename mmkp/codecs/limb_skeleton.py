# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which keypoints are joined by limbs, and which of a data set's they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
        index = np.full(self.num_source_keypoints, -1)
        for place, parents in enumerate(self.sources):
            if len(parents) == 1:
                index[parents[0]] = place
        found, found_scores = keypoints[:, index], scores[:, index]
        absent = index < 0
        if absent.any() and len(keypoints):
            found[:, absent] = keypoints.mean(1, keepdims=True)
            found_scores[:, absent] = 0
        return found, found_scores

    def _source_weights(self) -> np.ndarray:
        """Share of each data set's keypoint in each keypoint, (S, K) float32."""
        weights = np.zeros((self.num_source_keypoints, self.num_keypoints), np.float32)
        for place, parents in enumerate(self.sources):
            weights[list(parents), place] = 1 / max(len(parents), 1)
        return weights


def make_skeleton(
    name: str,
    source_keypoints: Sequence[str],
    source_swaps: Mapping[str, str],
    source_sigmas: Sequence[float],
    limbs: Sequence[tuple[str, str]],
    keypoints: Sequence[str] | None = None,
    derived_keypoints: Mapping[str, Sequence[str]] | None = None,
    assembly_order: Sequence[tuple[str, str]] | None = None,
    redundant_limbs: Sequence[tuple[str, str]] = (),
) -> LimbSkeleton:
    """Describe a skeleton by names.

    Args:
        name: what to call it in messages.
        source_keypoints: names of the S keypoints that the data set labels.
        source_swaps: left to right and right to left names; others mirror themselves.
        source_sigmas: of the object keypoint similarity, S.
        limbs: pairs of names, in the order of the fields.
        keypoints: names of the K keypoints with a heatmap, in their order; by default
            those of the data set, then derived ones.
        derived_keypoints: name to the names of the keypoints whose mean it is. Their
            mirror image is the one whose parents are the mirrored parents.
        assembly_order: pairs of names, all limbs in the order of assembly; by default
            that of ``limbs``, redundant ones last.
        redundant_limbs: pairs of names, limbs that close a loop.

    Returns:
        The skeleton.

    Raises:
        ValueError: a name that is not known, or no limb at all.
    """
    derived = dict(derived_keypoints or {})
    source = tuple(source_keypoints)
    chosen = tuple(keypoints if keypoints is not None else (*source, *derived))
    parents = {k: tuple(derived.get(k, (k,) if k in source else ())) for k in chosen}
    place = {keypoint: index for index, keypoint in enumerate(chosen)}
    known = set(chosen)
    pairs = [*limbs, *(assembly_order or ()), *redundant_limbs]
    strange = {k for pair in pairs for k in pair} - known
    strange |= {k for group in derived.values() for k in group} - set(source)
    if strange:
        raise ValueError(
            f"skeleton '{name}' names keypoints that are not in it: "
            f'{", ".join(sorted(strange))}; it has {", ".join(sorted(known))}'
        )
    if not limbs:
        raise ValueError(
            f"skeleton '{name}' has no limb, so nothing would join its keypoints: give "
            "skeleton_info in the data set's metainfo, or limbs"
        )
    mirrored = {
        k: _mirror(k, parents[k], parents, dict(source_swaps), known) for k in chosen
    }
    number = {(a, b): index for index, (a, b) in enumerate(limbs)}
    flips = [_mirror_limb(mirrored[a], mirrored[b], number) for a, b in limbs]
    redundant = tuple(number[a, b] for a, b in redundant_limbs)
    order = [number[a, b] for a, b in assembly_order or ()]
    if not order:
        order = [i for i in range(len(limbs)) if i not in redundant] + list(redundant)
    sigma = dict(zip(source, map(float, source_sigmas), strict=True))
    typical = float(np.mean(list(sigma.values())))
    return LimbSkeleton(
        name=name,
        keypoints=chosen,
        limbs=tuple((place[a], place[b]) for a, b in limbs),
        assembly_order=tuple(order),
        redundant_limbs=redundant,
        flip_indices=tuple(place[mirrored[k]] for k in chosen),
        limb_flip_indices=tuple(index for index, _ in flips),
        limb_flip_signs=tuple(sign for _, sign in flips),
        source_keypoints=source,
        sources=tuple(tuple(source.index(p) for p in parents[k]) for k in chosen),
        sigmas=tuple(
            float(np.mean([sigma[p] for p in parents[k]])) if parents[k] else typical
            for k in chosen
        ),
    )


def _mirror(
    keypoint: str,
    parents: tuple[str, ...],
    all_parents: Mapping[str, tuple[str, ...]],
    swaps: Mapping[str, str],
    known: set[str],
) -> str:
    """Name of the keypoint that a mirrored image shows in a keypoint's place."""
    if swaps.get(keypoint) in known:
        return swaps[keypoint]
    image = {swaps.get(p) or p for p in parents}
    for other, group in all_parents.items():
        if set(group) == image and len(parents) > 1:
            return other
    return keypoint


def _mirror_limb(
    start: str, end: str, number: Mapping[tuple[str, str], int]
) -> tuple[int, int]:
    """Index and sign of a mirrored limb; (-1, 1) where there is none."""
    if (start, end) in number:
        return number[start, end], 1
    if (end, start) in number:
        return number[end, start], -1
    return -1, 1
