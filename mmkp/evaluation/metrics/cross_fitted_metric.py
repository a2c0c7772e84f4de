# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The metric of discovered keypoints, with errors by ridge regression."""

from mmkp.evaluation.functional.ridge_errors import ridge_errors

from .discovered_keypoint_metric import DiscoveredKeypointMetric
from .evaluation_record import EvaluationRecord
from .evaluation_sets import split_records, to_samples, untrained_keypoints


class CrossFittedMetric(DiscoveredKeypointMetric):
    """The metric, and the figures of :func:`ridge_errors` beside its own.

    It is what comparisons of methods are made by, and not registered: a config's own
    evaluation keeps the figures of the papers.
    """

    def compute_metrics(self, results: list[EvaluationRecord]) -> dict[str, float]:
        """Figures of the metric, and ``[fit_]ridge[_mean_pose|_untrained]``.

        Args:
            results: Records of all images from all processes.

        Returns:
            Figures without prefix.

        Raises:
            ValueError: If there is nothing to fit or to score.
        """
        figures = super().compute_metrics(list(results))
        unique = {record.key: record for record in results}
        fit, score = split_records([unique[key] for key in sorted(unique)])
        samples = to_samples(fit), to_samples(score)
        control = untrained_keypoints(fit, score)
        return {**figures, **ridge_errors(self.protocol, *samples, control)}
