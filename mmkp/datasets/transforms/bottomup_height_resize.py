# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Resize a whole picture to a height, for networks that take any width."""

import logging
from collections.abc import Sequence
from fractions import Fraction
from math import ceil, lcm

import cv2
import numpy as np
from mmengine.logging import print_log
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform

# Scales with larger denominators are not met exactly.
_LARGEST_DENOMINATOR = 8
# Pixels to pad a picture to, at most; a tall line of pixels is reduced before.
_LARGEST_REGION = 2**27


@TRANSFORMS.register_module()
class BottomupHeightResize(Transform):
    """Resize a picture to a height, its aspect ratio kept, and pad to whole cells.

    MMPose's ``BottomupResize`` takes a width and a height. OpenPose, and whoever
    reports results like it, fixes the height and lets the width follow. It follows up
    to ``max_aspect`` times the height; a longer strip is shown at a smaller height, so
    that no picture costs more than so much, and a warning says so.

    The picture is padded on the right and below, and then resized as a whole, at each
    of ``aug_scales`` too: images of all scales show exactly the same region. So maps of
    any scale, stretched to the size of the first, lie on each other, and MMPose's
    ``kpt / input_size * input_scale + input_center - 0.5 * input_scale`` is exact in
    both axes: cells are aligned, not the centres of corner pixels. The aspect ratio of
    the picture itself changes by at most half a pixel of its width or height.

    For ``test_cfg=dict(multiscale_test=True)`` give ``aug_scales``, and name that key
    in the ``meta_keys`` of ``PackPoseInputs``.

    Required key: ``img`` (H, W, 3).
    Changed and added keys: ``img`` (h, w, 3), a list of such with ``aug_scales``;
    ``img_shape`` (h, w), ``input_size`` (w, h), ``input_center`` and ``input_scale``
    (2,) float32 of the first scale, ``aug_scales``.

    Args:
        height: of the picture in the network input, in pixels.
        size_factor: width and height are padded to a multiple of it.
        aug_scales: further scales, relative to the first, such as (0.5, 1.5, 2).
            Scales that are fractions with a denominator up to 8 are met exactly
            (which may take more padding), others to within a cell.
        pad_val: grey value of the padding.
        max_aspect: largest width of the picture in the network input, as a multiple
            of ``height``.

    Raises:
        ValueError: a size that is no positive whole number, or a scale that is
            not positive.
    """

    def __init__(
        self,
        height: int,
        size_factor: int = 8,
        aug_scales: Sequence[float] | None = None,
        pad_val: int = 128,
        max_aspect: float = 8,
    ) -> None:
        for name, value in (('height', height), ('size_factor', size_factor)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(
                    f'{name} must be a whole number of pixels, got {value!r}'
                )
        scales = list(aug_scales or ())
        if not all(scale > 0 for scale in scales):
            raise ValueError(f'aug_scales must be positive, got {aug_scales}')
        if not max_aspect >= 1:
            raise ValueError(f'max_aspect must be at least 1, got {max_aspect}')
        self.height = height
        self.max_aspect, self.max_width = max_aspect, max_aspect * height
        self.size_factor = size_factor
        self.aug_scales = scales
        self.pad_val = pad_val
        parts = [Fraction(s).limit_denominator(_LARGEST_DENOMINATOR) for s in scales]
        simple = [p for p, s in zip(parts, scales, strict=True) if abs(p - s) < 1e-6]
        self._multiple = size_factor * lcm(*(part.denominator for part in simple))

    def transform(self, results: dict) -> dict:
        """Resize one picture.

        Args:
            results: the sample; see the class for its keys.

        Returns:
            The same dict with the network input.
        """
        image = results['img']
        height, width = image.shape[:2]
        if width * self.height > self.max_width * height:
            print_log(
                f'{results.get("img_path") or "an image"} is a strip of '
                f'{width}x{height} pixels: it is shown to the network '
                f'{self.max_width:g} pixels wide, not {self.height} high',
                logger='current',
                level=logging.WARNING,
            )
        size, region = self._geometry(height, width)
        shown = region
        if region[0] * region[1] > _LARGEST_REGION:
            ratios = np.divide(region, size)
            smaller = np.maximum(np.rint((width, height) / ratios), 1).astype(int)
            image, shown = _resize(image, tuple(smaller.tolist())), size
        below, right = shown[1] - image.shape[0], shown[0] - image.shape[1]
        sides, color = (0, below, 0, right), (self.pad_val,) * 3
        padded = cv2.copyMakeBorder(image, *sides, cv2.BORDER_CONSTANT, value=color)
        images = [_resize(padded, size)]
        for scale in self.aug_scales:
            cells = [max(round(side * scale / self.size_factor), 1) for side in size]
            other = (cells[0] * self.size_factor, cells[1] * self.size_factor)
            images.append(_resize(padded, other))
        # Cell i of the input covers [i, i + 1) * ratio of the region, so the centre of
        # pixel i lies (ratio - 1) / 2 beyond i * ratio.
        ratio = np.array(region) / size
        center = np.array(region) / 2 + (ratio - 1) / 2
        results['img'] = images if self.aug_scales else images[0]
        results['img_shape'] = size[::-1]
        results['input_size'] = size
        results['input_scale'] = np.array(region, np.float32)
        results['input_center'] = center.astype(np.float32)
        results['aug_scales'] = self.aug_scales or None
        return results

    def _geometry(
        self, height: int, width: int
    ) -> tuple[tuple[int, int], tuple[int, int]]:
        """Width and height of the input, and of the region of the picture it shows."""
        ratio = max(height / self.height, width / self.max_width)
        padded_width, padded_height = (
            ceil(side / ratio / self._multiple - 1e-6) * self._multiple
            for side in (width, height)
        )
        # Half a pixel at most, and none where nothing is padded.
        region = (
            max(round(padded_width * ratio), width),
            max(round(padded_height * ratio), height),
        )
        return (padded_width, padded_height), region


def _resize(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize an image (H, W, 3) with cells aligned and without aliasing."""
    height, width = image.shape[:2]
    # Linear interpolation looks at 2 pixels a side only.
    shrinks = width > 2 * size[0] or height > 2 * size[1]
    return cv2.resize(
        image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
