# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The best of several trainings of one config, without labels."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmkp.apis.model import load_model
from mmkp.evaluation.functional.keypoint_score import KeypointScores
from mmkp.evaluation.score_keypoints import UPRIGHT, measure_keypoints
from mmkp.models.frozen_features import Features


def rank_trainings(
    config: str | Path | Config,
    checkpoints: Sequence[str | Path],
    samples: Iterable[dict],
    features: Features | None = None,
    device: str | None = None,
    rotation_std: float = UPRIGHT,
) -> list[tuple[str | Path, KeypointScores]]:
    """Order trainings from other seeds by their score, the best first.

    Each is scored on the same images. Where there are several, what a keypoint's place
    can be foretold from by the other trainings is part of its score (``agreement``).

    Args:
        config: of all of them.
        checkpoints: of each training.
        samples: images as the test pipeline makes them, see :func:`score_keypoints`.
        features: of a frozen network, for the score.
        device: such as 'cpu'; by default a GPU where there is one.
        rotation_std: of the score's warps in degrees, see :func:`score_keypoints`.

    Returns:
        Checkpoints and scores.

    Raises:
        ValueError: there is no checkpoint or no image.
    """
    if not checkpoints:
        raise ValueError('there is no checkpoint to rank')
    images = list(samples)
    found = [
        measure_keypoints(
            load_model(config, path, device),
            images,
            features=features,
            rotation_std=rotation_std,
        )
        for path in checkpoints
    ]
    scores = []
    for index, measured in enumerate(found):
        others = [other.keypoints for i, other in enumerate(found) if i != index]
        if others:
            measured = replace(measured, others=np.concatenate(others, axis=1))
        scores.append(measured.scores())
    pairs = zip(checkpoints, scores, strict=True)
    return sorted(pairs, key=lambda pair: -pair[1].score)
