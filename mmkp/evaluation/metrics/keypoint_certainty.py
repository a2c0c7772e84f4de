# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How sure a detector is of the keypoints of one image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from mmkp.evaluation.functional import CollapseStatistics, collapse_statistics
from mmkp.ops.heatmaps.moments import spatial_entropy

from .predicted_keypoints import as_array


@dataclass(frozen=True)
class KeypointCertainty:
    """Entropies and scores of one image's keypoints, where they are known.

    Args:
        entropies: (K,) float64, of the maps over that of a uniform one, in [0, 1].
        scores: (K,) float64, what the head calls scores.
    """

    entropies: np.ndarray | None = None
    scores: np.ndarray | None = None

    @classmethod
    def from_data_sample(cls, data_sample: dict) -> 'KeypointCertainty':
        """Read a predicted data sample.

        Args:
            data_sample: A ``PoseDataSample`` as a dict.

        Returns:
            Entropies if it has ``pred_instances.keypoint_entropies`` (1, K) or
            ``pred_fields.heatmaps`` (K, h, w), whatever each map's factor; scores if
            it has ``pred_instances.keypoint_scores`` (1, K).
        """
        instances = data_sample['pred_instances']
        entropies = _row(instances, 'keypoint_entropies')
        if entropies is None:
            entropies = _map_entropies(data_sample)
        return cls(entropies, _row(instances, 'keypoint_scores'))


def measure_collapse(
    discovered: Sequence[np.ndarray], certainties: Sequence[KeypointCertainty]
) -> CollapseStatistics:
    """Measure signs of collapse over images.

    Args:
        discovered: Of each image the keypoints (K, 2) as fractions of the crop.
        certainties: What is known of each image's certainty; a figure needs all.

    Returns:
        The statistics.
    """
    return collapse_statistics(
        np.stack(discovered),
        _stacked([certainty.entropies for certainty in certainties]),
        _stacked([certainty.scores for certainty in certainties]),
    )


def _row(instances: dict, field: str) -> np.ndarray | None:
    """Row (K,) of the single instance, or None if there is no such field."""
    values = instances.get(field)
    return None if values is None else as_array(values).astype(np.float64)[0]


def _map_entropies(data_sample: dict) -> np.ndarray | None:
    heatmaps = data_sample.get('pred_fields', {}).get('heatmaps')
    if heatmaps is None:
        return None
    maps = torch.as_tensor(heatmaps).detach().cpu().double().clamp_min(0)
    mass = maps.sum((-2, -1), keepdim=True)
    # Without any mass, nothing is known of where the keypoint is.
    uniform = torch.full_like(maps, 1 / maps[0].numel())
    return spatial_entropy(torch.where(mass > 0, maps / mass, uniform), True).numpy()


def _stacked(rows: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """Rows (K,) as (n, K), or None if one is missing."""
    present = [row for row in rows if row is not None]
    return np.stack(present) if len(present) == len(rows) else None
