# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A detector of MMDetection."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .box_detector import BoxDetector


class MMDetDetector(BoxDetector):
    """Any detector of MMDetection, as MMPose's own demos use them.

    Most suppress overlapping boxes by an operator of the full mmcv; without it,
    detectors that need none remain, such as CenterNet and those of DETR's kind.

    Args:
        model: A config file, or the name of a model (then its published weights are
            downloaded where none are given).
        weights: The checkpoint, which a config file needs.
        classes: Names of the classes to look for, all when there are none.
        device: Such as 'cpu' or 'cuda:0'; a GPU where there is one.
        **kwargs: ``score`` and ``min_size`` of :class:`BoxDetector`.

    Raises:
        FileNotFoundError: A file does not exist.
        ValueError: There is no such model, or a class is unknown.
    """

    def __init__(
        self,
        model: str | Path,
        weights: str | Path | None = None,
        classes: str | Sequence[str] | None = None,
        device: str | None = None,
        **kwargs: Any,
    ) -> None:
        is_file = Path(model).suffix == '.py'
        for path in (model if is_file else None, weights):
            if path is not None and not Path(path).is_file():
                raise FileNotFoundError(f'{path} of a detector does not exist')
        if not is_file and ('/' in str(model) or Path(model).suffix):
            raise ValueError(
                f'{model} is no detector: give an .onnx file of the form of YOLOX, or '
                'a config (.py) or model name of MMDetection'
            )
        if is_file and weights is None:
            raise ValueError(
                f'the detector of {model} needs weights: give a checkpoint'
            )
        from mmdet.apis import DetInferencer  # which imports much

        self.inferencer = DetInferencer(
            str(model),
            weights=None if weights is None else str(weights),
            device=device,
            show_progress=False,
        )
        names = self.inferencer.model.dataset_meta['classes']
        super().__init__(model, names, classes, **kwargs)

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Boxes of an image, BGR.

        Args:
            image: (H, W, 3), uint8, BGR.

        Returns:
            (N, 5) float32, ``x1, y1, x2, y2, score`` in pixels of the image.
        """
        found = self.inferencer([image], return_datasamples=True, no_save_vis=True)
        instances = found['predictions'][0].pred_instances.cpu().numpy()
        chosen = np.isin(instances.labels, self.labels)
        scores = instances.scores[chosen, None]
        return np.concatenate([instances.bboxes[chosen], scores], axis=1)
