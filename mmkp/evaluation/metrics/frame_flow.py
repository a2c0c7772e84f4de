# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The optical flow of two frames, for positions in pixels of the frames."""

import cv2
import numpy as np
import torch

from mmkp.datasets.transforms.compute_optical_flow import checked_flow
from mmkp.ops.warps.optical_flow import FlowWarp


class FrameFlow:
    """Flow from one frame to another, which may be computed on smaller images.

    Args:
        image: First frame, grey, (H, W) uint8.
        later: The other frame, of the same size.
        max_side: Frames are reduced until their longer side has so many pixels.
    """

    def __init__(self, image: np.ndarray, later: np.ndarray, max_side: int) -> None:
        height, width = image.shape
        factor = min(1.0, max_side / max(width, height))
        size = (max(round(width * factor), 1), max(round(height * factor), 1))
        if size != (width, height):
            image, later = (
                cv2.resize(frame, size, interpolation=cv2.INTER_AREA)
                for frame in (image, later)
            )
        flow, self.valid = checked_flow(image, later)
        self.size = size
        # Reduced pixels in one of the frame, along each axis.
        self.factor = np.array(size) / (width, height)
        self.lengths = np.linalg.norm(flow / self.factor, axis=-1)
        displacement = np.ascontiguousarray(flow.transpose(2, 0, 1))
        self.warp = FlowWarp(
            torch.from_numpy(displacement)[None],
            size,
            torch.from_numpy(self.valid)[None, None],
        )

    def carry(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Carry points of the first frame to the other one.

        Args:
            points: (K, 2) float64, (x, y) in pixels.

        Returns:
            Their places there, (K, 2) float64, and whether the flow may be trusted at
            them, (K,) bool.
        """
        places = torch.from_numpy((points + 0.5) * self.factor - 0.5)[None]
        moved = self.warp.points_to_source(places)[0].numpy()
        known = self.warp.validity(places)[0].numpy() > 0
        return (moved + 0.5) / self.factor - 0.5, known

    def moving_pixels(
        self, origin: np.ndarray, scale: np.ndarray, threshold: float
    ) -> np.ndarray:
        """Lengths of the trusted flow where the picture moves.

        Args:
            origin: (x, y) of the corner of the part to look at, in pixels.
            scale: Its width and height.
            threshold: Pixels that longer flow counts as motion.

        Returns:
            (n,) float32, in pixels.
        """
        low, high = (
            np.clip(np.round(corner * self.factor), 0, self.size).astype(int)
            for corner in (origin, origin + scale)
        )
        part = slice(low[1], high[1]), slice(low[0], high[0])
        lengths = self.lengths[part]
        moving = self.valid[part] & (lengths > threshold)
        return lengths[moving].astype(np.float32)
