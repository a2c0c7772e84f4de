# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A skeleton from a preset, a data set or its metainfo."""

import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from mmkp.codecs.make_skeleton import make_skeleton
from mmkp.codecs.skeleton_presets import PRESETS
from mmkp.datasets.sides import complete_metainfo, flip_partners
from mmkp.ops.part_affinity.limb_skeleton import LimbSkeleton

# Accuracy of the annotators for COCO's feet, as COCO-WholeBody publishes it.
_FOOT_SIGMAS = dict(
    left_big_toe=0.068,
    left_small_toe=0.066,
    left_heel=0.066,
    right_big_toe=0.092,
    right_small_toe=0.094,
    right_heel=0.094,
)
# For data sets whose metainfo gives none.
_TYPICAL_SIGMA = 0.05


def build_skeleton(spec: str | Mapping | LimbSkeleton) -> LimbSkeleton:
    """Build a skeleton.

    Args:
        spec: a preset ('coco18', 'body25', 'body25_body', 'mpi15'); the name of a data
            set class such as 'AP10KDataset', whose METAINFO says what is linked; a
            metainfo as MMPose's data sets take it (``dict(from_file=...)`` too); or a
            skeleton. A metainfo may hold ``part_affinity``, a dict of any of
            ``keypoints``, ``derived_keypoints``, ``limbs``, ``assembly_order`` and
            ``redundant_limbs`` (see :func:`make_skeleton`). Where it names no limbs,
            they are derived from its links, see :func:`limbs_from_links`.

    Returns:
        The skeleton.

    Raises:
        ValueError: neither a preset nor a data set, or no links between keypoints.
    """
    if isinstance(spec, LimbSkeleton):
        return spec
    if isinstance(spec, Mapping):
        return _from_metainfo(dict(spec))
    if spec in PRESETS:
        return _from_preset(spec)
    dataset = DATASETS.get(spec)
    if dataset is None or not getattr(dataset, 'METAINFO', None):
        raise ValueError(
            f"unknown skeleton '{spec}': it is neither one of {sorted(PRESETS)} nor "
            'the name of a registered data set with keypoints (as AP10KDataset is); a '
            'metainfo dict works too'
        )
    return _from_metainfo(dict(dataset.METAINFO), spec)


def limbs_from_links(
    num_keypoints: int, links: Sequence[tuple[int, int]]
) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Choose limbs for any skeleton: a spanning tree, and the links beyond it.

    The root is the keypoint from which the farthest one is nearest, so that people are
    put together from the middle; limbs lead away from it. Parts that no link joins to
    the root are joined to it by a limb of their own, which may be long: better add a
    link to the metainfo.

    Args:
        num_keypoints: number K of keypoints.
        links: pairs of keypoints, in either direction.

    Returns:
        Limbs of the tree, in the order of assembly, and redundant limbs.
    """
    neighbors: list[list[int]] = [[] for _ in range(num_keypoints)]
    for a, b in links:
        if a != b and b not in neighbors[a]:
            neighbors[a].append(b)
            neighbors[b].append(a)
    reach = [_distances(k, neighbors) for k in range(num_keypoints)]
    # The largest part first; within it the centre, then the best connected.
    center = [
        (-len(found), max(found.values()), -len(neighbors[k]), k)
        for k, found in enumerate(reach)
    ]
    root = min(center)[-1]
    tree: list[tuple[int, int]] = []
    depth = _grow(root, neighbors, tree)
    for *_, keypoint in sorted(center):
        if keypoint not in depth:
            tree.append((root, keypoint))
            below = _grow(keypoint, neighbors, tree)
            depth |= {k: d + 1 for k, d in below.items()}
    joined = {frozenset(limb) for limb in tree}
    redundant = []
    for a, b in links:
        if a != b and frozenset((a, b)) not in joined:
            joined.add(frozenset((a, b)))
            redundant.append((a, b) if depth[a] <= depth[b] else (b, a))
    return tree, redundant


def _distances(start: int, neighbors: list[list[int]]) -> dict[int, int]:
    return _grow(start, neighbors, [])


def _grow(
    root: int, neighbors: list[list[int]], tree: list[tuple[int, int]]
) -> dict[int, int]:
    """Add all limbs that lead away from a root, nearest first; depth by keypoint."""
    depth = {root: 0}
    queue = deque([root])
    while queue:
        keypoint = queue.popleft()
        for other in neighbors[keypoint]:
            if other not in depth:
                depth[other] = depth[keypoint] + 1
                tree.append((keypoint, other))
                queue.append(other)
    return depth


def _from_preset(name: str) -> LimbSkeleton:
    preset = dict(PRESETS[name])
    metainfo = _parsed(DATASETS.get(preset.pop('dataset')).METAINFO)
    names, swaps, sigmas = _source(metainfo)
    for keypoint in preset.pop('additional_keypoints', ()):
        names.append(keypoint)
        sigmas.append(_FOOT_SIGMAS[keypoint])
    swaps |= flip_partners(preset['keypoints'])
    return make_skeleton(name, names, swaps, sigmas, **preset)


def _from_metainfo(metainfo: dict, name: str | None = None) -> LimbSkeleton:
    options: dict[str, Any] = dict(metainfo.pop('part_affinity', None) or {})
    parsed = _parsed(metainfo)
    name = name or str(parsed['dataset_name'])
    names, swaps, sigmas = _source(parsed)
    if 'limbs' not in options:
        links = [(int(a), int(b)) for a, b in parsed['skeleton_links']]
        tree, redundant = limbs_from_links(len(names), links) if links else ([], [])
        options['limbs'] = [(names[a], names[b]) for a, b in tree + redundant]
        options['redundant_limbs'] = [(names[a], names[b]) for a, b in redundant]
    for key in ('limbs', 'assembly_order', 'redundant_limbs'):
        if key in options:
            options[key] = [tuple(pair) for pair in options[key]]
    return make_skeleton(name, names, swaps, sigmas, **options)


def _parsed(metainfo: Mapping) -> dict:
    """Metainfo with indices; one that a data set has parsed is taken as it is."""
    if 'skeleton_links' in metainfo:
        return dict(metainfo)
    with warnings.catch_warnings():
        # It announces that it takes MMPose's own file for one that is not here.
        warnings.simplefilter('ignore')
        return parse_pose_metainfo(complete_metainfo(dict(metainfo)))


def _source(parsed: Mapping) -> tuple[list[str], dict[str, str], list[float]]:
    """Names, mirrored names and sigmas of a data set's keypoints."""
    names = [parsed['keypoint_id2name'][i] for i in range(parsed['num_keypoints'])]
    flips = zip(names, parsed['flip_indices'], strict=True)
    swaps = {name: names[other] for name, other in flips if names[other] != name}
    sigmas = [float(sigma) for sigma in parsed['sigmas']]
    return names, swaps, sigmas or [_TYPICAL_SIGMA] * len(names)
