# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A detector of YOLOX's form in an ONNX file, run by OpenCV."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from .box_detector import BoxDetector
from .onnx_trial import OnnxTrialError, output_shape
from .yolox import STRIDES, decode_yolox

_GREY = 114


def coco_classes() -> list[str]:
    """The 80 classes of COCO, in the order of detectors."""
    from mmdet.evaluation import get_classes  # which imports much

    return list(get_classes('coco'))


class YoloxDetector(BoxDetector):
    """YOLOX (Ge et al., arXiv:2107.08430), exported to ONNX without its decoding.

    The network takes (1, 3, side, side) float32, BGR, 0 to 255, the image scaled into
    the upper left corner and grey 114 beside it, and returns what
    :func:`decode_yolox` reads. Overlapping boxes are suppressed whatever their class,
    as in YOLOX's own ONNX demo, so that an object that looks like two classes has one
    box. OpenCV computes on the CPU.

    Args:
        model: The file.
        classes: Names of the classes to look for, all when there are none.
        class_names: Of all classes of the network; None for the 80 of COCO.
        side: Of the network's input in pixels, a multiple of 32: 416 for nano and
            tiny, 640 for the larger networks.
        overlap: Intersection over union beyond which the less sure box goes.
        **kwargs: ``score`` and ``min_size`` of :class:`BoxDetector`.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: It is no ONNX file, or one of another form; a class is unknown.
    """

    def __init__(
        self,
        model: str | Path,
        classes: str | Sequence[str] | None = None,
        class_names: Sequence[str] | None = None,
        side: int = 416,
        overlap: float = 0.5,
        **kwargs: Any,
    ) -> None:
        if side < max(STRIDES) or side % max(STRIDES):
            raise ValueError(f'side of YOLOX must be a multiple of 32, got {side}')
        if not Path(model).is_file():
            raise FileNotFoundError(f'detector {model} does not exist')
        names = coco_classes() if class_names is None else class_names
        super().__init__(model, names, classes, **kwargs)
        self.side, self.overlap = side, overlap
        self._check_form()
        self.net = cv2.dnn.readNetFromONNX(np.fromfile(model, np.uint8))

    def _check_form(self) -> None:
        """Refuse what OpenCV cannot compute, and another form of output."""
        try:
            shape = output_shape(self.model, self.side)
        except OnnxTrialError as error:
            raise ValueError(
                f'detector {self.model} is no ONNX file that OpenCV can read and run '
                f'on {self.side}x{self.side} pixels (side=...), or is damaged: {error}'
            ) from error
        cells = sum((self.side // stride) ** 2 for stride in STRIDES)
        expected = (1, cells, 5 + len(self.class_names))
        if shape != expected:
            raise ValueError(
                f'detector {self.model} is not of the form of YOLOX: it returns '
                f'{shape}, where {expected} is expected of images of '
                f'{self.side}x{self.side} pixels and {len(self.class_names)} classes'
            )

    def _forward(self, canvas: np.ndarray) -> np.ndarray:
        self.net.setInput(canvas.transpose(2, 0, 1)[None].astype(np.float32))
        return self.net.forward()

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Boxes of an image, BGR.

        Args:
            image: (H, W, 3), uint8, BGR.

        Returns:
            (N, 5) float32, ``x1, y1, x2, y2, score`` in pixels of the image.
        """
        height, width = image.shape[:2]
        ratio = min(self.side / height, self.side / width)
        size = max(int(width * ratio), 1), max(int(height * ratio), 1)
        canvas = np.full((self.side, self.side, 3), _GREY, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(image, size)
        outputs = self._forward(canvas)[0]
        boxes, scores = decode_yolox(outputs, (self.side, self.side))
        best = scores[:, self.labels].max(axis=1)
        # Not NaN or infinite either, as weights that overflow make them.
        sure = (best >= max(self.score, 1e-3)) & np.isfinite(boxes).all(axis=1)
        boxes, best = boxes[sure] / ratio, best[sure]
        corners = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
        kept = cv2.dnn.NMSBoxes(corners.tolist(), best.tolist(), 0.0, self.overlap)
        kept = np.array(kept, int).reshape(-1)
        return np.concatenate([boxes[kept], best[kept, None]], axis=1)
