# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From what figure on keypoints count as collapsed, and what to change then."""

import math
from dataclasses import dataclass

from .collapse import CollapseStatistics
from .collapse_advice import CollapseAdvice


@dataclass(frozen=True)
class CollapseLimits:
    """Limits of the signs of collapse, in crop units.

    Args:
        spread_limit: Warn when keypoints move less than this between images.
        distance_limit: Warn when the nearest other keypoint is closer than this.
        border_limit: Warn when a larger share of keypoints is near the border.
        entropy_limit: Warn of diffuse maps when their entropy is above this share of
            a uniform map's; a Gaussian that is an eighth of the image wide has 0.8.
        score_limit: Warn of diffuse maps, where there is no entropy, when the mean
            score is below this; a uniform map has 0.05 in ``SoftArgmaxHead``.
            0 for heads whose scores mean something else.
    """

    spread_limit: float = 0.01
    distance_limit: float = 0.02
    border_limit: float = 0.5
    entropy_limit: float = 0.85
    score_limit: float = 0.2

    def warnings(
        self, statistics: CollapseStatistics, advice: CollapseAdvice | None = None
    ) -> list[str]:
        """Say what has collapsed and what to change.

        Args:
            statistics: Figures of one validation.
            advice: Of the model; without it the arguments that not every method has
                are left unnamed.

        Returns:
            One sentence a sign of collapse; of keypoints that are no numbers one only.
        """
        advice = advice or CollapseAdvice()
        if statistics.non_finite_share > 0:
            return [
                f'{statistics.non_finite_share:.0%} of the keypoints are NaN or '
                'infinite, so the figures say nothing: the training has diverged or '
                'the checkpoint is damaged. Go back to an earlier checkpoint, with a '
                'lower learning rate or with optim_wrapper.clip_grad'
            ]
        messages = []
        if statistics.spread < self.spread_limit:
            messages.append(
                f'keypoints hardly move between images (spread {statistics.spread:.4f} '
                f'of the crop): {advice.still()}'
            )
        if statistics.min_distance < self.distance_limit:
            messages.append(
                f'keypoints lie on one another ({statistics.min_distance:.4f} of the '
                f'crop apart): {advice.apart()}'
            )
        if statistics.border_share > self.border_limit:
            messages.append(
                f'{statistics.border_share:.0%} of the keypoints stick to the border: '
                f'{advice.border()}'
            )
        diffuse = self._diffuse(statistics, advice)
        return [*messages, diffuse] if diffuse else messages

    def _diffuse(
        self, statistics: CollapseStatistics, advice: CollapseAdvice
    ) -> str | None:
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
            f'large parts of the image: {advice.diffuse()}'
        )
