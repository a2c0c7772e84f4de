"""Signs of collapse, for validation where nothing is annotated."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.evaluation.functional import CollapseStatistics, collapse_statistics


@METRICS.register_module()
class KeypointCollapseMetric(BaseMetric):
    """How far discovered keypoints move, keep apart and keep off the border.

    It needs no annotation. Figures are in units of the crop: ``spread``,
    ``spread_min``, ``min_distance`` and ``border_share``, see
    :class:`~mmkp.evaluation.functional.CollapseStatistics`. A figure beyond its
    limit is logged as a warning that says which setting to change.

    Args:
        spread_limit: Warn when keypoints move less than this between images.
        distance_limit: Warn when the nearest other keypoint is closer than this.
        border_limit: Warn when a larger share of keypoints is near the border.
        collect_device: ``'cpu'`` or ``'gpu'``, for distributed evaluation.
        prefix: Prefix of the figures' names.
    """

    default_prefix = 'collapse'

    def __init__(
        self,
        spread_limit: float = 0.01,
        distance_limit: float = 0.02,
        border_limit: float = 0.5,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device, prefix)
        self.spread_limit = spread_limit
        self.distance_limit = distance_limit
        self.border_limit = border_limit

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
            self.results.append((keypoints[0] - origin) / scale)

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Measure, and warn of what is beyond its limit.

        Args:
            results: Keypoints (K, 2) of each image from all processes.

        Returns:
            Name -> figure, in units of the crop.
        """
        statistics = collapse_statistics(np.stack(results))
        for warning in self.warnings(statistics):
            MMLogger.get_current_instance().warning(warning)
        return asdict(statistics)

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
                'ask for fewer keypoints'
            )
        if statistics.border_share > self.border_limit:
            messages.append(
                f'{statistics.border_share:.0%} of the keypoints stick to the border: '
                'crop the images closer, or lower translation_std of the warps'
            )
        return messages
