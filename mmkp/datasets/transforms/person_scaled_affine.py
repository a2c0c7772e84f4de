# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Crop around one of the people, scaled by that person's size."""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform, checked_input_size

SIZES = ('height', 'longer_side')


class _Draw(NamedTuple):
    """Random numbers of one sample: factor, degrees, pixels and a number in [0, 1)."""

    scale: float
    rotation: float
    shift: np.ndarray
    choice: float


@TRANSFORMS.register_module()
class PersonScaledAffine(Transform):
    """Scale, rotate and crop a picture around one person, as OpenPose trains.

    One of the people who are labelled well enough is chosen at random. Their size
    becomes ``target_size`` times the height of the input, times a random factor, and
    their box's middle lands near the middle of the input (Cao et al., TPAMI 2019,
    section 5; the constants are those of its training code). If nobody is labelled well
    enough, anybody labelled is taken, and if there is none, the whole picture, scaled
    to fit the input's height before the random factor.

    Keypoints outside of the crop keep their coordinates and visibility: what
    reaches into the crop is drawn. ``RandomFlip`` must come after this
    transform, and ``LabeledMask`` after both.

    Required keys: ``img`` (H, W, 3). Optional, of N people: ``keypoints`` (N, S, 2),
    ``keypoints_visible`` (N, S), ``bbox`` (N, 4) as x1, y1, x2, y2, ``area`` (N,),
    ``iscrowd`` (N,).
    Changed and added keys: those (but visibility), ``img_shape`` (h, w) and
    ``warp_mat`` (2, 3) float64, from pixels of the picture to pixels of the input.
    There is no ``input_size``, which MMPose's ``RandomFlip`` would take for (h, w).

    Args:
        input_size: width and height of the network input.
        target_size: share of the input's height that the person fills before the
            random factor.
        scale_range: smallest and largest random factor.
        rotation: largest rotation in degrees, either way.
        shift: largest shift in input pixels, either way, in x and y.
        size_of: 'height' of the box, as for people; 'longer_side', for animals.
        min_keypoints: labelled keypoints from which a person may be chosen.
        min_area: area in square pixels of the picture from which a person may be
            chosen.
        pad_val: grey value outside of the picture.

    Raises:
        ValueError: an argument that cannot be used.
    """

    def __init__(
        self,
        input_size: Sequence[int] = (368, 368),
        target_size: float = 0.6,
        scale_range: tuple[float, float] = (0.5, 1.1),
        rotation: float = 40.0,
        shift: float = 40.0,
        size_of: str = 'height',
        min_keypoints: int = 5,
        min_area: float = 32.0**2,
        pad_val: int = 128,
    ) -> None:
        low, high = scale_range
        if not 0 < low <= high or target_size <= 0:
            raise ValueError(
                'target_size and scale_range must be positive, the range with the '
                f'smaller number first, got {target_size} and {scale_range}'
            )
        if size_of not in SIZES:
            raise ValueError(f'size_of must be one of {SIZES}, got {size_of!r}')
        self.input_size = checked_input_size(input_size)
        self.target_size = target_size
        self.scale_range = (low, high)
        self.rotation = rotation
        self.shift = shift
        self.size_of = size_of
        self.min_keypoints = min_keypoints
        self.min_area = min_area
        self.pad_val = pad_val

    def transform(self, results: dict) -> dict:
        """Crop one sample.

        Args:
            results: the sample; see the class for its keys.

        Returns:
            The same dict with the crop.

        Raises:
            ValueError: the picture has been mirrored already.
        """
        if results.get('flip'):
            raise ValueError(
                'RandomFlip must come after PersonScaledAffine, so that LabeledMask '
                'can follow both: change their order in the pipeline'
            )
        draw = self._draw()
        image = results['img']
        center, size = self._choose(results, draw.choice)
        scale = draw.scale * self.input_size[1] / size
        matrix = self._matrix(center, scale, draw)
        results['img'] = self._warp(image, matrix, scale)
        results['img_shape'] = self.input_size[::-1]
        results['warp_mat'] = matrix
        results.pop('input_size', None)
        if results.get('keypoints') is not None:
            results['keypoints'] = _move(results['keypoints'], matrix)
        if results.get('bbox') is not None:
            results['bbox'] = _move_boxes(results['bbox'], matrix)
        if results.get('area') is not None:
            results['area'] = np.asarray(results['area'], np.float32) * scale**2
        return results

    @cache_randomness
    def _draw(self) -> _Draw:
        return _Draw(
            scale=np.random.uniform(*self.scale_range),
            rotation=np.random.uniform(-self.rotation, self.rotation),
            shift=np.random.uniform(-self.shift, self.shift, 2),
            choice=np.random.uniform(),
        )

    def _choose(self, results: dict, choice: float) -> tuple[np.ndarray, float]:
        """Middle (2,) of what to crop around, and its size over its target share."""
        height, width = results['img'].shape[:2]
        whole = np.array([(width - 1) / 2, (height - 1) / 2]), float(height)
        if results.get('bbox') is None or results.get('keypoints_visible') is None:
            return whole
        boxes = np.asarray(results['bbox'], np.float64)
        sides = boxes[:, 2:] - boxes[:, :2]
        labeled = (np.asarray(results['keypoints_visible']) > 0).sum(1)
        possible = (labeled > 0) & (sides > 0).all(1)
        if results.get('iscrowd') is not None:
            possible &= np.asarray(results['iscrowd']) == 0
        areas = results.get('area')
        areas = sides.prod(1) if areas is None else np.asarray(areas)
        good = possible & (labeled >= self.min_keypoints) & (areas >= self.min_area)
        people = np.flatnonzero(good if good.any() else possible)
        if not len(people):
            return whole
        person = people[int(choice * len(people))]
        side = sides[person, 1] if self.size_of == 'height' else sides[person].max()
        return boxes[person].reshape(2, 2).mean(0), float(side) / self.target_size

    def _matrix(self, center: np.ndarray, scale: float, draw: _Draw) -> np.ndarray:
        """Similarity (2, 3) that brings the centre near the middle of the input."""
        angle = np.deg2rad(draw.rotation)
        cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
        turn = np.array([[cosine, -sine], [sine, cosine]])
        target = (np.array(self.input_size) - 1) / 2 + draw.shift
        return np.column_stack([turn, target - turn @ center])

    def _warp(self, image: np.ndarray, matrix: np.ndarray, scale: float) -> np.ndarray:
        """Warp an image (H, W, 3) without aliasing."""
        # Linear interpolation looks at 2 pixels only: areas are averaged first where
        # several pixels share one of the input.
        factor = int(np.ceil(0.5 / scale))
        if factor > 1:
            height, width = image.shape[:2]
            small = (max(width // factor, 1), max(height // factor, 1))
            image = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
            ratio = np.array([width / small[0], height / small[1]])
            # The centre of pixel i of the small image lies at (i + 0.5) * ratio - 0.5.
            corner = matrix[:, :2] @ ((ratio - 1) / 2) + matrix[:, 2]
            matrix = np.column_stack([matrix[:, :2] * ratio, corner])
        return cv2.warpAffine(
            image,
            matrix,
            self.input_size,
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(self.pad_val,) * 3,
        )


def _move(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Map points (..., 2) by a matrix (2, 3); float32."""
    moved = np.asarray(points, np.float64) @ matrix[:, :2].T + matrix[:, 2]
    return moved.astype(np.float32)


def _move_boxes(boxes: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Smallest upright boxes around the moved ones, (N, 4) float32."""
    boxes = np.asarray(boxes)
    corners = _move(boxes[:, [[0, 1], [2, 1], [2, 3], [0, 3]]], matrix)
    return np.concatenate([corners.min(1), corners.max(1)], axis=1)
