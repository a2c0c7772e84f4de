# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A skeleton by names of keypoints and limbs."""

from collections.abc import Mapping, Sequence

import numpy as np

from mmkp.ops.part_affinity.limb_skeleton import LimbSkeleton


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
