# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where a picture shows people whom nobody has labelled."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import xtcocotools.mask as coco_mask
from mmcv.image import imflip
from mmpose.registry import TRANSFORMS

from mmkp.datasets.segmentation import run_lengths
from mmkp.datasets.transforms.base import Transform


@TRANSFORMS.register_module()
class LabeledMask(Transform):
    """Mask out people without keypoints, and crowds around those who have them.

    OpenPose's masks: 0 on people with no labelled keypoint, and on crowd regions
    except for the people annotated one by one. The mask is warped and mirrored like
    the picture, then averaged over the cells of the maps; values between 0 and
    1 are weights.

    It reads ``raw_ann_info``: MMPose joins the polygons of all people into one list in
    ``segmentation``, and its own mask transform drops crowds stored as run lengths.
    People without keypoints and without segmentation are masked by their boxes.

    Place it after ``PersonScaledAffine`` and ``RandomFlip``, before ``GenerateTarget``.

    Required keys: ``img``. Optional: ``raw_ann_info`` (a list of COCO annotations or
    None), ``ori_shape`` (H, W), ``warp_mat`` (2, 3), ``flip``, ``flip_direction``.
    Added key: ``labeled_mask`` (h, w) float32 in [0, 1].

    Args:
        stride: pixels of the network input a cell.
        outside: weight of cells outside of the picture; 1 trains them as background,
            which they are.

    Raises:
        ValueError: a stride that is no whole number from 1, or a weight
            outside of 0 to 1.
    """

    def __init__(self, stride: int = 8, outside: float = 1.0) -> None:
        if not isinstance(stride, int) or stride < 1:
            raise ValueError(f'stride must be a whole number of pixels, got {stride!r}')
        if not 0 <= outside <= 1:
            raise ValueError(f'outside must be a weight from 0 to 1, got {outside!r}')
        self.stride = stride
        self.outside = outside

    def transform(self, results: dict) -> dict:
        """Make the mask of one sample.

        Args:
            results: the sample; see the class for its keys.

        Returns:
            The same dict with the mask.

        Raises:
            ValueError: the size of the image is no multiple of the stride.
        """
        height, width = results['img'].shape[:2]
        if height % self.stride or width % self.stride:
            raise ValueError(
                f'the image has {width}x{height} pixels, no multiple of the stride '
                f'{self.stride}: LabeledMask must come after PersonScaledAffine, '
                'whose input_size must be such a multiple'
            )
        cells = (width // self.stride, height // self.stride)
        annotations = [a for a in results.get('raw_ann_info') or () if a is not None]
        matrix = results.get('warp_mat')
        shape = results['ori_shape'] if matrix is not None else (height, width)
        unlabeled = unlabeled_region(annotations, shape)
        if unlabeled is None and (self.outside == 1 or matrix is None):
            results['labeled_mask'] = np.ones(cells[::-1], np.float32)
            return results
        mask = np.full(shape, 255, np.uint8)
        if unlabeled is not None:
            mask[unlabeled] = 0
        if matrix is not None:
            mask = cv2.warpAffine(
                mask,
                np.asarray(matrix, np.float64)[:2],
                (width, height),
                flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_CONSTANT,
                borderValue=round(255 * self.outside),
            )
        if results.get('flip'):
            mask = imflip(mask, results['flip_direction'])
        mask = cv2.resize(mask, cells, interpolation=cv2.INTER_AREA)
        results['labeled_mask'] = mask / np.float32(255)
        return results


def unlabeled_region(
    annotations: Sequence[Mapping], shape: tuple[int, int]
) -> np.ndarray | None:
    """Find where people are shown whose keypoints nobody has labelled.

    Args:
        annotations: COCO annotations with ``iscrowd``, ``num_keypoints`` (or
            ``keypoints``), ``segmentation`` (polygons, run lengths or None) and
            ``bbox`` as x, y, w, h.
        shape: height and width of the picture.

    Returns:
        True there, (H, W) bool, or None if there is no such place.

    Raises:
        ValueError: run lengths of an image of another size.
    """
    crowds = [a for a in annotations if a.get('iscrowd')]
    unlabeled = [a for a in annotations if not a.get('iscrowd') and not _num_labeled(a)]
    if not crowds and not unlabeled:
        return None
    region = _union(unlabeled, shape)
    if crowds:
        people = [a for a in annotations if not a.get('iscrowd')]
        region |= _union(crowds, shape) & ~_union(people, shape, boxes=False)
    return region


def _num_labeled(annotation: Mapping) -> int:
    number = annotation.get('num_keypoints')
    if number is None:
        number = np.count_nonzero(annotation.get('keypoints', [0, 0, 0])[2::3])
    return int(number)


def _union(
    annotations: Sequence[Mapping], shape: tuple[int, int], boxes: bool = True
) -> np.ndarray:
    """Pixels (H, W) bool of any of the people, by their boxes if need be."""
    height, width = shape
    union = np.zeros((height, width), bool)
    lengths: list = []
    for annotation in annotations:
        parts = run_lengths(annotation.get('segmentation'), height, width)
        if any(tuple(part['size']) != (height, width) for part in parts):
            raise ValueError(
                f'the segmentation of annotation {annotation.get("id")} is for an '
                f'image of {parts[0]["size"]} (height, width), but its image has '
                f'{[height, width]}: correct the annotation file'
            )
        lengths += parts
        if boxes and not parts:
            x, y, w, h = annotation['bbox']
            left, top = max(round(x), 0), max(round(y), 0)
            union[top : max(round(y + h), 0), left : max(round(x + w), 0)] = True
    if lengths:
        union |= coco_mask.decode(coco_mask.merge(lengths)).astype(bool)
    return union
