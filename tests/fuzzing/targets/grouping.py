"""Confidence maps and fields to people, and the rules of the decoder."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import REAL, Random, array, chance, choose, number
from fuzzing.target import Target
from mmkp.codecs.build_skeleton import build_skeleton
from mmkp.ops.part_affinity.grouping_config import PROFILES, GroupingConfig
from mmkp.ops.part_affinity.pose_decoder import PoseDecoder

_SKELETON = build_skeleton('coco18')
_RULES = [field.name for field in fields(GroupingConfig)]
_TYPES = ('x', None, [], True, '3', 2.5)


def _make(rng: Random) -> tuple:
    options: dict[str, Any] = {}
    if chance(rng, 0.3):
        for _ in range(int(rng.integers(1, 3))):
            strange = number(rng) if chance(rng, 0.8) else choose(rng, _TYPES)
            options[choose(rng, _RULES)] = strange
    profile = 'accurate' if chance(rng, 0.8) else choose(rng, tuple(PROFILES))
    side = int(rng.integers(1, 20 if profile == 'accurate' else 8))
    size = (side, int(rng.integers(1, 20)))
    heatmaps = array(rng, (19, *size), choose(rng, (0.05, 0.5, 1e30)))
    if chance(rng, 0.15):
        heatmaps = np.full((19, *size), choose(rng, (0.5, *REAL)), np.float32)
    return profile, options, heatmaps, array(rng, (38, *size), 0.5)


def _use(case: tuple, folder: Path) -> None:
    profile, options, *maps = case
    decoder = PoseDecoder(_SKELETON, 8, profile, 0.4, **options)
    (people,) = decoder(*(m[None] for m in maps))
    if not all(np.isfinite(values).all() for values in people[:2]):
        raise AssertionError('keypoints are not finite')
    if np.isnan(people.instance_scores).any():
        raise AssertionError('scores are not numbers')


def _compile() -> None:
    maps = np.zeros((1, 19, 4, 4), np.float32), np.zeros((1, 38, 4, 4), np.float32)
    maps[0][0, :, 2, 2] = 0.9
    for profile in PROFILES:
        PoseDecoder(_SKELETON, 8, profile)(*maps)


TARGETS = {'grouping': Target(_make, _use, prepare=_compile)}
