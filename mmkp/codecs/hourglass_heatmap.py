# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The targets of Stacked Hourglass and how keypoints are read from its heatmaps."""

from collections.abc import Sequence

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor

from mmkp.ops.arguments import check_size, check_visible, positive, real_array
from mmkp.ops.heatmaps.hourglass_heatmap import draw_patches, gaussian_patch
from mmkp.ops.heatmaps.peaks import locate_maxima

#: Cells of a side that a patch may have; larger ones cost memory and are mistakes.
_MAX_PATCH = 2049


@KEYPOINT_CODECS.register_module()
class HourglassHeatmap(BaseKeypointCodec):
    """Heatmaps of one person as in the author's code (Newell et al., section 3.3, 4.1).

    A Gaussian is drawn around the cell that the keypoint lies in; a keypoint is read in
    the middle of the highest cell, a quarter of a cell towards its higher neighbours.
    Cells lie symmetrically in the image, so maps of a mirrored image are mirrored and a
    flip test needs no ``shift_heatmap``, unlike with ``MSRAHeatmap``.

    Args:
        input_size: width and height of the network's input in pixels.
        heatmap_size: width w and height h of the maps in cells.
        sigma: standard deviation of the Gaussian in cells. 1 in the paper and the ports
            to PyTorch. The author's Torch code says 1 and draws 1.75, in 7 x 7 cells.
        patch_size: side of the square that is drawn, in cells, odd. None for three
            standard deviations to all sides.
        mask_unlabeled: whether keypoints that are not labelled, or that lie so far
            outside that nothing is drawn, are left out of the loss. False trains empty
            maps for them, as the author's code does.

    Raises:
        ValueError: sizes that are no two positive whole numbers, no positive ``sigma``,
            a ``patch_size`` that is no odd number, or a patch of more than 2049 cells.
    """

    label_mapping_table = dict(keypoint_weights='keypoint_weights')
    field_mapping_table = dict(heatmaps='heatmaps')

    def __init__(
        self,
        input_size: Sequence[int],
        heatmap_size: Sequence[int],
        sigma: float = 1.0,
        patch_size: int | None = None,
        mask_unlabeled: bool = True,
    ) -> None:
        super().__init__()
        self.input_size = check_size('input_size', input_size)
        self.heatmap_size = check_size('heatmap_size', heatmap_size)
        self.sigma = positive('sigma', sigma)
        size = 2 * int(np.ceil(3 * sigma)) + 1 if patch_size is None else patch_size
        if type(size) is not int or size < 1 or size % 2 == 0:
            raise ValueError(
                f'patch_size must be an odd number, got {patch_size!r:.80}'
            )
        if size > _MAX_PATCH:
            raise ValueError(
                f'sigma {sigma!r} and patch_size {patch_size!r:.80} draw {size} x '
                f'{size} cells, more than {_MAX_PATCH} x {_MAX_PATCH}: both are in '
                'cells, not pixels'
            )
        self.mask_unlabeled = mask_unlabeled
        self._patch = gaussian_patch(sigma, size)
        #: Pixels for each cell along x and y, (2,).
        self.scale_factor = np.divide(self.input_size, self.heatmap_size)

    def encode(
        self, keypoints: np.ndarray, keypoints_visible: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Draw the heatmaps of a person.

        Args:
            keypoints: (1, K, 2), float, in pixels of the network's input.
            keypoints_visible: (1, K), above 0 where labelled; None for all.

        Returns:
            ``heatmaps`` (K, h, w), float32, and ``keypoint_weights`` (1, K), float32,
            1 for keypoints that count in the loss.

        Raises:
            ValueError: more than one person, or arrays of another shape or type.
        """
        keypoints = real_array('keypoints', keypoints)
        shape = keypoints.shape
        if len(shape) != 3 or shape[2] != 2:
            raise ValueError(f'keypoints must have shape (1, K, 2), got {shape}')
        if len(keypoints) != 1:
            raise ValueError(
                f'HourglassHeatmap draws one person, got {len(keypoints)}: use a '
                "top-down pipeline (data_mode='topdown')"
            )
        points = np.asarray(keypoints[0], np.float64)
        drawn: np.ndarray = np.all(np.isfinite(points), axis=1)
        if keypoints_visible is not None:
            drawn &= check_visible(keypoints_visible, shape[:2])[0]
        position = (np.where(drawn[:, None], points, 0) + 0.5) / self.scale_factor
        # Far outside, where whole numbers would overflow, nothing is drawn either.
        cells = np.floor(np.clip(position, -1e6, 1e6)).astype(np.int64)
        heatmaps, shown = draw_patches(cells, drawn, self._patch, self.heatmap_size)
        weights = shown if self.mask_unlabeled else np.ones_like(shown)
        return dict(
            heatmaps=heatmaps, keypoint_weights=weights[None].astype(np.float32)
        )

    def decode(self, encoded: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Read keypoints from the heatmaps of an image.

        Args:
            encoded: (K, h, w), float.

        Returns:
            Keypoints (1, K, 2) in pixels of the network's input, and their scores, the
            heights of the peaks, (1, K); float32. A map without finite values has
            score 0.

        Raises:
            ValueError: maps of another size than ``heatmap_size``.
        """
        if not isinstance(encoded, Tensor):
            # Tensors cannot have the negative strides of mirrored arrays.
            encoded = np.ascontiguousarray(real_array('heatmaps', encoded))
        keypoints, scores = self.batch_decode(torch.as_tensor(encoded)[None])
        return keypoints[0], scores[0]

    def batch_decode(self, batch_encoded: Tensor) -> tuple[np.ndarray, np.ndarray]:
        """Read keypoints from heatmaps of B images, see :meth:`decode`.

        Args:
            batch_encoded: (B, K, h, w), float, on any device.

        Returns:
            Keypoints (B, 1, K, 2) and scores (B, 1, K), float32.

        Raises:
            ValueError: maps of another size than ``heatmap_size``.
        """
        size = tuple(batch_encoded.shape[:1:-1])
        if batch_encoded.dim() != 4 or size != self.heatmap_size:
            raise ValueError(
                f'HourglassHeatmap reads maps of (width, height) {self.heatmap_size}, '
                f'got an array of shape {tuple(batch_encoded.shape[1:])}: set '
                'heatmap_size to the output of the network'
            )
        cells, scores = locate_maxima(batch_encoded.detach())
        middle = (self.scale_factor - 1) / 2
        keypoints = cells.cpu().numpy() * self.scale_factor + middle
        return keypoints[:, None].astype(np.float32), scores.cpu().numpy()[:, None]
