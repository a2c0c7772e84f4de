# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From what figure on keypoints count as collapsed, and what to change then."""

import math
from dataclasses import dataclass

from .collapse import CollapseStatistics


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
            score is below this; a uniform map has 0.05 in ``SpatialExpectationHead``.
            0 for heads whose scores mean something else.
    """

    spread_limit: float = 0.01
    distance_limit: float = 0.02
    border_limit: float = 0.5
    entropy_limit: float = 0.85
    score_limit: float = 0.2

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
