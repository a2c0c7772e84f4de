# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How many keypoints lie on the object, where masks are known but no points."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from mmkp.datasets.unlabeled_image_dataset import STANDS_IN
from mmkp.evaluation.functional.discovery_report import (
    CHANCE,
    DETECTOR,
    MEAN_POSE,
    UNTRAINED,
)
from mmkp.evaluation.functional.ranked_values import ranked_values
from mmkp.evaluation.functional.relative_spread import relative_spread

from .object_keypoints import ObjectView, object_shares, object_view
from .predicted_keypoints import predicted_keypoints


@dataclass(frozen=True)
class _Record:
    """One image: keypoints (C, K, 2) as fractions of the crop, and its object."""

    keypoints: np.ndarray
    view: ObjectView


@METRICS.register_module()
class ObjectShareMetric(BaseMetric):
    """Share of keypoints that lie on the object, in percent, by masks.

    It needs no annotated points. Figures: ``on_object`` and its controls:
    ``on_object_mean_pose``, the keypoints' mean places put into every image,
    ``on_object_untrained`` where the model provides ``untrained_keypoints``, and
    ``on_object_chance``, the share of the crop that the object covers;
    ``on_object_worst`` is that of the worst keypoint, and ``relative_spread`` how far
    a keypoint's place among the others wanders, in percent of the crop. Each keypoint
    has its share in the log.

    Args:
        mask_folder: Folder of masks, see
            :func:`~.object_keypoints.object_view`. Default: segmentations in COCO's
            format of the annotations.
        **kwargs: Of ``BaseMetric``.
    """

    default_prefix = 'object'

    def __init__(self, mask_folder: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_folder = mask_folder

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the keypoints and the object of each image of a batch.

        Args:
            data_batch: Unused.
            data_samples: Predicted ``PoseDataSample`` objects as dicts.

        Raises:
            FileNotFoundError: If an image has no mask.
            ValueError: If an object has no segmentation, or one of another size.
        """
        for sample in data_samples:
            if not sample.get(STANDS_IN):
                name = str(sample.get('img_path'))
                view = object_view(sample, name, self.mask_folder)
                fractions = view.crop.to_crop(predicted_keypoints(sample))
                self.results.append(_Record(fractions, view))

    def compute_metrics(self, results: list[_Record]) -> dict[str, float]:
        """Measure, and log the share of each keypoint.

        Args:
            results: What was kept of each image, from all processes.

        Returns:
            Name -> figure, see the class.
        """
        keypoints = np.stack([record.keypoints for record in results], axis=1)
        columns = dict(zip((DETECTOR, UNTRAINED), keypoints, strict=False))
        mean = keypoints[0].mean(axis=0, keepdims=True)
        columns[MEAN_POSE] = np.broadcast_to(mean, keypoints[0].shape)
        shares, chance = object_shares([record.view for record in results], columns)
        numbers = [str(index) for index in range(len(shares[DETECTOR]))]
        MMLogger.get_current_instance().info(
            'on the object, % of the images, of each keypoint: '
            + ranked_values(numbers, shares[DETECTOR])
        )
        figures = {
            'on_object' + ('' if column == DETECTOR else f'_{column}'): share.mean()
            for column, share in shares.items()
        }
        figures[f'on_object_{CHANCE}'] = chance
        figures['on_object_worst'] = shares[DETECTOR].min()
        figures['relative_spread'] = 100 * relative_spread(keypoints[0]).mean()
        return {n: float(v) for n, v in figures.items() if np.isfinite(v)}
