# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What to try where discovered keypoints are not good enough."""

from collections.abc import Mapping
from typing import Any

from mmkp.evaluation.functional.keypoint_score import LEVELS, WEAK, KeypointScores
from mmkp.evaluation.score_keypoints import UPRIGHT

#: Fewer images than these leave little to compare.
FEW_IMAGES = 50
#: Of the recipe: what its page reports, in minutes.
ENOUGH_MINUTES = 25


def advice(scores: KeypointScores, info: Mapping[str, Any]) -> list[str]:
    """What to try next, the most promising first.

    Args:
        scores: of the run.
        info: of the run: ``settings``, ``method``, ``num_training_images``,
            ``score_rotation``.

    Returns:
        Sentences, none where the score is good.
    """
    if scores.score >= LEVELS[0][0]:
        return []
    settings = info.get('settings', {})
    lines = []
    means = {name: values.mean() for name, values in scores.components.items()}
    if info.get('num_training_images', FEW_IMAGES) < FEW_IMAGES:
        lines.append(
            f'{info["num_training_images"]} images are few: a hundred or more, of '
            'other poses and places, tell what belongs together'
        )
    beside = means.get('on_object', 1) < 0.2 or means.get('inside', 1) < WEAK
    if not settings.get('boxes') and info.get('method') != 'guarded' and beside:
        lines.append(
            'keypoints lie beside the object: give its boxes by --boxes FILE, or a '
            'detector by --boxes DETECTOR.onnx'
        )
    lies_any_way = info.get('score_rotation', UPRIGHT) > UPRIGHT
    if lies_any_way and info.get('method') != 'guarded':
        lines.append(
            'the objects lie any way, which only --method recommended or guarded is '
            'trained for'
        )
    minutes = settings.get('minutes', 0)
    if minutes < ENOUGH_MINUTES:
        lines.append(f'train longer: --minutes {max(ENOUGH_MINUTES, 2 * minutes):g}')
    if info.get('method') != 'clusters':
        lines.append(
            'try keypoints of frozen features, which need no training: '
            '--method clusters'
        )
    number = settings.get('k', 0)
    wrong = sum(bool(verdict) for verdict in scores.verdicts)
    if number > 5 and wrong > number / 2:
        lines.append(f'ask for fewer keypoints: -k {max(4, number - wrong)}')
    return lines
