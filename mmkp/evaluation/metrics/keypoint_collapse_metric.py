# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Signs of collapse, for validation where nothing is annotated."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.evaluation.functional import CollapseStatistics, collapse_statistics
from mmkp.ops.moments import spatial_entropy


class _Record(NamedTuple):
    """One image: keypoints (K, 2) as fractions of the crop, and what else is known."""

    keypoints: np.ndarray
    entropies: np.ndarray | None  # (K,), in [0, 1]
    scores: np.ndarray | None  # (K,)


@METRICS.register_module()
class KeypointCollapseMetric(BaseMetric):
    """How far discovered keypoints move, keep apart, off the border and are sure.

    It needs no annotation. Figures are in units of the crop: ``spread``,
    ``spread_min``, ``min_distance`` and ``border_share``; ``score`` where the head
    gives scores, and ``entropy`` where the model's ``test_cfg`` has
    ``output_heatmaps=True``, see
    :class:`~mmkp.evaluation.functional.CollapseStatistics`. A figure beyond its
    limit is logged as a warning that says which loss weight or setting to change.

    Args:
        spread_limit: Warn when keypoints move less than this between images.
        distance_limit: Warn when the nearest other keypoint is closer than this.
        border_limit: Warn when a larger share of keypoints is near the border.
        entropy_limit: Warn of diffuse maps when their entropy is above this share of
            a uniform map's; a Gaussian that is an eighth of the image wide has 0.8.
        score_limit: Warn of diffuse maps, where there is no entropy, when the mean
            score is below this; a uniform map has 0.05 in ``SpatialExpectationHead``.
            0 for heads whose scores mean something else.
        collect_device: ``'cpu'`` or ``'gpu'``, for distributed evaluation.
        prefix: Prefix of the figures' names.
    """

    default_prefix = 'collapse'

    def __init__(
        self,
        spread_limit: float = 0.01,
        distance_limit: float = 0.02,
        border_limit: float = 0.5,
        entropy_limit: float = 0.85,
        score_limit: float = 0.2,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix)
        self.spread_limit = spread_limit
        self.distance_limit = distance_limit
        self.border_limit = border_limit
        self.entropy_limit = entropy_limit
        self.score_limit = score_limit

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the keypoints of a batch as fractions of the crop.

        Args:
            data_batch: Unused.
            data_samples: Predicted ``PoseDataSample`` objects as dicts.
        """
        for sample in data_samples:
            keypoints = np.asarray(sample['pred_instances']['keypoints'], np.float64)
            scale = np.asarray(sample['input_scale'], np.float64)
            origin = np.asarray(sample['input_center'], np.float64) - scale / 2
            scores = sample['pred_instances'].get('keypoint_scores')
            self.results.append(
                _Record(
                    (keypoints[0] - origin) / scale,
                    _entropies(sample),
                    None if scores is None else np.asarray(scores, np.float64)[0],
                )
            )

    def compute_metrics(self, results: list[_Record]) -> dict[str, float]:
        """Measure, and warn of what is beyond its limit.

        Args:
            results: What was kept of each image, from all processes.

        Returns:
            Name -> figure, in units of the crop; ``entropy`` and ``score`` only where
            they are known.
        """
        keypoints, entropies, scores = zip(*results, strict=True)
        statistics = collapse_statistics(
            np.stack(keypoints), _stacked(entropies), _stacked(scores)
        )
        for warning in self.warnings(statistics):
            MMLogger.get_current_instance().warning(warning)
        return {
            name: value
            for name, value in asdict(statistics).items()
            if name not in ('entropy', 'score') or not math.isnan(value)
        }

    def warnings(self, statistics: CollapseStatistics) -> list[str]:
        """Say what has collapsed and what to change.

        Args:
            statistics: Figures of one validation.

        Returns:
            One sentence a sign of collapse.
        """
        messages = []
        if statistics.spread < self.spread_limit:
            messages.append(
                f'keypoints hardly move between images (spread {statistics.spread:.4f} '
                'of the crop): lower the weight of EquivarianceLoss, or raise '
                'mask_ratio so that the reconstruction needs them'
            )
        if statistics.min_distance < self.distance_limit:
            messages.append(
                f'keypoints lie on one another ({statistics.min_distance:.4f} of the '
                'crop apart): raise the weight or the window of DiversityLoss, or '
                'the weight or the bandwidth of SeparationLoss (add one of them if '
                'there is none), or ask for fewer keypoints'
            )
        if statistics.border_share > self.border_limit:
            messages.append(
                f'{statistics.border_share:.0%} of the keypoints stick to the border: '
                'crop the images closer, lower translation_std of the warps, or lower '
                'the weight of DiversityLoss or SeparationLoss, which drives them apart'
            )
        diffuse = self._diffuse(statistics)
        return [*messages, diffuse] if diffuse else messages

    def _diffuse(self, statistics: CollapseStatistics) -> str | None:
        if not math.isnan(statistics.entropy):
            found = f'entropy {statistics.entropy:.2f} of that of a uniform map'
            beyond = statistics.entropy > self.entropy_limit
        else:
            found = f'mean score {statistics.score:.3f}'
            beyond = statistics.score < self.score_limit
        if not beyond:
            return None
        return (
            f'the heatmaps are diffuse ({found}), so that keypoints are means over '
            'large parts of the image: raise the weight of ConcentrationLoss (add it '
            "if there is none) or of EquivarianceLoss with form='expected', which "
            'punishes spread too; or start sharper with logit_scale of the head'
        )


def _entropies(sample: dict) -> np.ndarray | None:
    """Entropies (K,) of the predicted maps, whatever each map's factor, or None."""
    heatmaps = sample.get('pred_fields', {}).get('heatmaps')
    if heatmaps is None:
        return None
    maps = torch.as_tensor(heatmaps).double().clamp_min(0)
    mass = maps.sum((-2, -1), keepdim=True)
    # Without any mass, nothing is known of where the keypoint is.
    uniform = torch.full_like(maps, 1 / maps[0].numel())
    return spatial_entropy(torch.where(mass > 0, maps / mass, uniform), True).numpy()


def _stacked(rows: tuple[np.ndarray | None, ...]) -> np.ndarray | None:
    """Rows (K,) as (n, K), or None if one is missing."""
    present = [row for row in rows if row is not None]
    return np.stack(present) if len(present) == len(rows) else None
