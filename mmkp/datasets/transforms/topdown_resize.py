# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Cut the box out of the image and resize it without aliasing."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform, checked_input_size


@TRANSFORMS.register_module()
class TopdownResize(Transform):
    """Cut out the box and resize it to the network input, by default squashed.

    ``TopdownAffine`` extends the box to the aspect ratio of the input and samples it
    bilinearly. Unsupervised protocols squash a whole photograph to a square instead
    (AutoLink on CelebA in the wild, section 4.1), and shrink it by factors at which
    bilinear sampling aliases. This transform averages areas when it shrinks.

    Cells, not pixel centres, are aligned: the input covers exactly the cells of the
    box, and ``input_center`` carries the resulting half-pixel shift, so MMPose's
    ``kpt / input_size * input_scale + input_center - 0.5 * input_scale`` is exact in
    both axes, also for non-square boxes and inputs.

    Required keys: ``img``, an image or a list of frames of one size, ``bbox_center``
    and ``bbox_scale`` (1, 2) image pixels, as ``GetBBoxCenterScale`` gives them.
    Optional: ``keypoints`` (1, K, 2).
    Changed and added keys: ``img``, ``bbox_scale``, ``input_size`` (w, h),
    ``input_center`` and ``input_scale`` (2,), ``transformed_keypoints`` (1, K, 2).

    Args:
        input_size: Width and height of the network input.
        keep_aspect_ratio: Whether to extend the box to the aspect ratio of the input
            first, as ``TopdownAffine`` does.
        pad_val: Grey value outside of the image.

    Raises:
        ValueError: If ``input_size`` is no pair of positive whole numbers.
    """

    def __init__(
        self,
        input_size: Sequence[int],
        keep_aspect_ratio: bool = False,
        pad_val: int = 0,
    ) -> None:
        self.input_size = checked_input_size(input_size)
        self.keep_aspect_ratio = keep_aspect_ratio
        self.pad_val = pad_val

    def transform(self, results: dict) -> dict:
        """Cut and resize one sample.

        Args:
            results: The sample; see the class for its keys.

        Returns:
            The same dict with the network input.

        Raises:
            ValueError: If there is not exactly one box, or if it is empty or no
                finite number.
        """
        left, top, right, bottom = self._whole_pixel_box(results)
        scale = np.array([right - left, bottom - top], np.float32)
        size = np.array(self.input_size, np.float32)
        ratio = scale / size
        image = results['img']
        frames = [
            self._resize(self._cut(frame, left, top, right, bottom))
            for frame in (image if isinstance(image, list) else [image])
        ]
        results['img'] = frames if isinstance(image, list) else frames[0]
        # Cell i of the input covers [i, i + 1) * ratio of the box, so the centre of
        # pixel i lies (ratio - 1) / 2 beyond i * ratio.
        corner = np.array([left, top], np.float32) + (ratio - 1) / 2
        results['bbox_scale'] = scale[None]
        results['input_size'] = self.input_size
        results['input_scale'] = scale
        results['input_center'] = corner + scale / 2
        if results.get('keypoints') is not None:
            moved = results['keypoints'].astype(np.float32)
            moved[..., :2] = (moved[..., :2] - corner) / ratio
            results['transformed_keypoints'] = moved
        return results

    def _whole_pixel_box(self, results: dict) -> tuple[int, int, int, int]:
        """Return the box as whole pixel edges (left, top, right, bottom)."""
        center = np.asarray(results['bbox_center'], np.float64).reshape(-1, 2)
        scale = np.asarray(results['bbox_scale'], np.float64).reshape(-1, 2)
        where = results.get('img_path')
        if len(center) != 1:
            raise ValueError(f'{where}: TopdownResize takes one box, got {len(center)}')
        center, scale = center[0].copy(), scale[0].copy()
        if not np.isfinite([center, scale]).all() or (scale <= 0).any():
            raise ValueError(
                f'{where}: the box with centre {center} and size {scale} is empty or '
                'not finite'
            )
        # MMPose mirrors the centre of a box like a pixel index (w - 1 - x) although
        # boxes are measured from edge to edge (w - x).
        direction = results.get('flip_direction') if results.get('flip') else None
        center[0] += direction in ('horizontal', 'diagonal')
        center[1] += direction in ('vertical', 'diagonal')
        if self.keep_aspect_ratio:
            width, height = self.input_size
            scale = np.maximum(scale, scale[::-1] * [width / height, height / width])
        low = np.round(center - scale / 2).astype(int)
        high = np.maximum(np.round(center + scale / 2).astype(int), low + 1)
        return int(low[0]), int(low[1]), int(high[0]), int(high[1])

    def _cut(
        self, image: np.ndarray, left: int, top: int, right: int, bottom: int
    ) -> np.ndarray:
        """Cut a box (edges in pixels) out of an image and pad what lies outside."""
        height, width = image.shape[:2]
        x0, x1 = np.clip([left, right], 0, width)
        y0, y1 = np.clip([top, bottom], 0, height)
        part = image[y0:y1, x0:x1]
        if part.shape[:2] == (bottom - top, right - left):
            return part
        cut = np.full((bottom - top, right - left, 3), self.pad_val, image.dtype)
        if part.size:
            cut[y0 - top : y1 - top, x0 - left : x1 - left] = part
        return cut

    def _resize(self, image: np.ndarray) -> np.ndarray:
        """Resize an image (H, W, 3) to the input size, cells aligned."""
        # INTER_AREA averages where it shrinks, but aligns differently where it
        # enlarges; each axis therefore gets the interpolation that fits it.
        height, width = image.shape[:2]
        shrunk = (min(width, self.input_size[0]), min(height, self.input_size[1]))
        image = cv2.resize(image, shrunk, interpolation=cv2.INTER_AREA)
        return cv2.resize(image, self.input_size, interpolation=cv2.INTER_LINEAR)
