# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Optical flow between two frames, and where it may be trusted."""

import cv2
import numpy as np
from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform


def dense_flow(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Find for every pixel of one frame where it lies in another.

    Dense inverse search (Kroeger et al., ECCV 2016).

    Args:
        source: Frame at whose pixels the flow is wanted, grey, (H, W) uint8.
        target: The other frame, of the same size.

    Returns:
        Position in ``target`` minus position in ``source``, (x, y) in pixels,
        (H, W, 2) float32.
    """
    dis = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    # Network inputs are small: the preset would stop at a quarter of their size.
    dis.setFinestScale(0)
    return dis.calc(source, target, None)


def consistent_flow(
    flow: np.ndarray,
    back: np.ndarray,
    relative: float = 0.01,
    absolute: float = 0.5,
) -> np.ndarray:
    """Check that there and back leads where one came from.

    Sundaram, Brox and Keutzer, ECCV 2010, equation 5: a pixel is occluded, or its flow
    wrong, unless |f + b|^2 < relative (|f|^2 + |b|^2) + absolute, b the flow back at
    the place that f leads to. Pixels that leave the frame are not trusted either.

    Args:
        flow: Flow of each pixel, (H, W, 2) float32 in pixels.
        back: Flow from the other frame, of the same shape.
        relative: Factor on the squared lengths.
        absolute: Squared pixels.

    Returns:
        Where the flow may be trusted, (H, W) bool.
    """
    height, width = flow.shape[:2]
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    ahead = np.stack((x, y), -1).astype(np.float32) + flow
    # To the edges of the outer pixels, or noise would rule out the whole border.
    inside = ((ahead >= -0.5) & (ahead <= (width - 0.5, height - 0.5))).all(-1)
    there = cv2.remap(back, ahead, None, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    miss = np.square(flow + there).sum(-1)
    length = np.square(flow).sum(-1) + np.square(there).sum(-1)
    return inside & (miss < relative * length + absolute)


def checked_flow(
    source: np.ndarray, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Find the flow between two frames, and where it may be trusted.

    Args:
        source: Frame at whose pixels the flow is wanted, grey, (H, W) uint8.
        target: The other frame, of the same size.

    Returns:
        Flow (H, W, 2) float32 in pixels, and where it may be trusted, (H, W) bool.
    """
    flow = dense_flow(source, target)
    return flow, consistent_flow(flow, dense_flow(target, source))


@TRANSFORMS.register_module()
class ComputeOpticalFlow(Transform):
    """Compute the flow that the view transform ``OpticalFlowView`` reads.

    Goes behind the transforms that bring both frames of ``LoadClipFrame`` to the size
    of the network input, and before those that change colours, for which the
    brightness of a point would not stay the same.

    Required keys: ``img``, a list of two images (H, W, 3) uint8.
    Added keys: ``flow`` (2, H, W) float32: for each pixel of the second frame its
    position in the first frame minus its own, (x, y) in pixels; ``flow_valid``
    (1, H, W) float32: 1 where the flow may be trusted. ``field_mapping_table`` is
    extended, so that ``PackPoseInputs`` packs both into ``gt_fields``.
    """

    def transform(self, results: dict) -> dict:
        """Compute the flow of one sample.

        Args:
            results: The sample; see the class for its keys.

        Returns:
            The same dict with the flow.

        Raises:
            ValueError: If there are not exactly two frames.
        """
        frames = results['img']
        if not isinstance(frames, list) or len(frames) != 2:
            raise ValueError(
                f'{results.get("img_path")}: ComputeOpticalFlow needs two frames, put '
                "dict(type='LoadClipFrame') behind the transform that loads the image"
            )
        first, second = (
            cv2.cvtColor(np.clip(frame, 0, 255).astype(np.uint8), cv2.COLOR_BGR2GRAY)
            for frame in frames
        )
        flow, valid = checked_flow(second, first)
        results['flow'] = np.ascontiguousarray(flow.transpose(2, 0, 1))
        results['flow_valid'] = valid[None].astype(np.float32)
        table = results.get('field_mapping_table', PackPoseInputs.field_mapping_table)
        results['field_mapping_table'] = {
            **table,
            'flow': 'flow',
            'flow_valid': 'flow_valid',
        }
        return results
