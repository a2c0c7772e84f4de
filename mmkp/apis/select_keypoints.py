# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Of the keypoints that a training discovered, those that are worth having."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from mmengine.config import Config

from mmkp.apis.model import load_model
from mmkp.engine.config import load_config
from mmkp.engine.selected_keypoints import write_selected
from mmkp.evaluation.functional import choose_keypoints
from mmkp.evaluation.functional.keypoint_score import KeypointScores
from mmkp.evaluation.score_keypoints import UPRIGHT, measure_keypoints
from mmkp.models.frozen_features import Features


def select_keypoints(
    config: str | Path | Config,
    checkpoint: str | Path,
    samples: Iterable[dict],
    number: int,
    folder: str | Path,
    features: Features | None = None,
    device: str | None = None,
    rotation_std: float = UPRIGHT,
) -> tuple[Path, np.ndarray, KeypointScores]:
    """Keep K of M keypoints, by their score and how far apart they lie.

    Train more keypoints than are asked for, and keep the best: those on the background
    of a fixed camera, those at the border and those that wander are left out.

    Args:
        config: of the training.
        checkpoint: of it.
        samples: images as its test pipeline makes them, see :func:`score_keypoints`;
            no labels are read.
        number: K.
        folder: gets the config and ``selected.pth``, which predict only those.
        features: of a frozen network, for the score.
        device: such as 'cpu'; by default a GPU where there is one.
        rotation_std: of the score's warps in degrees, see :func:`score_keypoints`.

    Returns:
        The written checkpoint, the K indices of the M keypoints, and all M scores.

    Raises:
        ValueError: there are fewer than K keypoints, or no image.
    """
    cfg = config if isinstance(config, Config) else load_config(config)
    model = load_model(cfg, checkpoint, device)
    found = measure_keypoints(
        model, samples, features=features, rotation_std=rotation_std
    )
    scores = found.scores()
    kept = choose_keypoints(scores.scores, found.keypoints, number)
    return write_selected(cfg, checkpoint, kept.tolist(), folder), kept, scores
