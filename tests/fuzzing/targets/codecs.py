"""Keypoints to heatmaps and fields, and arguments of the codecs."""

from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import Random, array, chance, choose, number
from fuzzing.target import Target
from mmkp.codecs import HourglassHeatmap, PartAffinityField
from mmkp.codecs.build_skeleton import build_skeleton

_SKELETONS = {name: build_skeleton(name) for name in ('coco18', 'mpi15')}


def _paf_options(rng: Random) -> dict[str, Any]:
    options: dict[str, Any] = dict(
        skeleton=choose(rng, tuple(_SKELETONS)),
        input_size=choose(rng, ((64, 64), (96, 64), (8, 8), (368, 368))),
        field_alignment=choose(rng, ('openpose', 'centred')),
    )
    if chance(rng, 0.3):
        name = choose(rng, ('sigma', 'limb_half_width', 'stride', 'input_size'))
        options[name] = _strange(rng)
    return options


def _strange(rng: Random) -> Any:
    if chance(rng, 0.3):
        return (number(rng), number(rng))
    return number(rng) if chance(rng, 0.9) else choose(rng, ('7', None, [], True))


def _make_paf(rng: Random) -> tuple:
    options = _paf_options(rng)
    skeleton = _SKELETONS[options['skeleton']]
    people = int(rng.integers(4))
    shape = (people, choose(rng, (skeleton.num_source_keypoints, 18, 15)))
    visible = array(rng, shape, 1.0) if chance(rng, 0.5) else None
    ignored = array(rng, shape, 1.0) if chance(rng, 0.2) else None
    mask = None
    if chance(rng, 0.3):
        mask = array(rng, tuple(s // 8 for s in (64, 64)), 0.2)
    return options, array(rng, (*shape, 2), 30.0), visible, ignored, mask


def _use_paf(case: tuple, folder: Path) -> None:
    options, *arrays = case
    options = dict(options, skeleton=_SKELETONS[options['skeleton']])
    for name, maps in PartAffinityField(**options).encode(*arrays).items():
        if maps.dtype != np.float32 or not np.isfinite(maps).all():
            raise AssertionError(f'{name} are not finite float32')


def _make_hourglass(rng: Random) -> tuple:
    options: dict[str, Any] = dict(input_size=(64, 64), heatmap_size=(16, 16))
    if chance(rng, 0.3):
        options[choose(rng, ('sigma', 'patch_size'))] = _strange(rng)
    if chance(rng, 0.1):
        side = choose(rng, (0, -1, 1, 7, 300, True, 2.5, '8', None))
        options['heatmap_size'] = (side, 16) if chance(rng, 0.8) else side
    keypoints = array(rng, (1, int(rng.integers(6)), 2), 30.0)
    visible = array(rng, keypoints.shape[:2], 1.0) if chance(rng, 0.5) else None
    return options, keypoints, visible


def _use_hourglass(case: tuple, folder: Path) -> None:
    options, keypoints, visible = case
    found = HourglassHeatmap(**options).encode(keypoints, visible)
    heatmaps, weights = found['heatmaps'], found['keypoint_weights']
    if not (np.isfinite(heatmaps).all() and 0 <= heatmaps.min(initial=0) <= 1):
        raise AssertionError('heatmaps are not between 0 and 1')
    if not set(np.unique(weights)) <= {0.0, 1.0}:
        raise AssertionError('weights are neither 0 nor 1')


def _make_hourglass_maps(rng: Random) -> np.ndarray:
    return array(rng, (int(rng.integers(5)), 16, 16), choose(rng, (0.1, 1.0, 1e30)))


def _use_hourglass_maps(case: np.ndarray, folder: Path) -> None:
    keypoints, scores = HourglassHeatmap((64, 64), (16, 16)).decode(case)
    if not np.isfinite(keypoints).all() or not np.isfinite(scores).all():
        raise AssertionError('keypoints or scores are not finite')


TARGETS = {
    'paf-encode': Target(_make_paf, _use_paf),
    'hourglass-encode': Target(_make_hourglass, _use_hourglass, 2.0),
    'hourglass-decode': Target(_make_hourglass_maps, _use_hourglass_maps),
}
