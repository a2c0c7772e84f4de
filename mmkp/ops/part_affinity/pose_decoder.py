# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From heatmaps and part affinity fields of a batch to poses."""

import warnings
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.arguments import real_array
from mmkp.ops.part_affinity.assembled_poses import AssembledPoses
from mmkp.ops.part_affinity.decoding import decode_image
from mmkp.ops.part_affinity.grouping_config import grouping_config
from mmkp.ops.part_affinity.limb_skeleton import LimbSkeleton, limb_tables


class PoseDecoder:
    """Finds people in heatmaps and fields without enlarging them.

    Cao et al., CVPR 2017, section 2.4, and TPAMI 2019, section 3.4: peaks of the
    confidence maps are candidates for keypoints, line integrals over the fields (eq.
    10) score limbs between them, and a greedy bipartite matching limb by limb puts
    people together. The default profile adds what the paper lacks: peaks between cells,
    fragments joined over a keypoint that is hidden, and keypoints searched along the
    fields where a peak is missing.

    It works on one thread of the CPU, in compiled loops where numba is installed. Maps
    on another device are copied from there, after enlarging.

    Args:
        skeleton: keypoints and limbs.
        stride: input pixels a cell.
        profile: 'accurate', 'openpose' or 'lightweight', see
            :class:`mmkp.ops.part_affinity.grouping_config.GroupingConfig`.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps, as in OpenPose's targets.
        **options: rules of the profile to replace.

    Attributes:
        rules: of grouping, distances in cells of the maps that are decoded.
        tables: the skeleton's.
        cell: input pixels a cell of these maps, fewer where they are enlarged.
        field_offset: see above, in these cells.

    Raises:
        ValueError: unknown profile or rule.
    """

    def __init__(
        self,
        skeleton: LimbSkeleton,
        stride: float,
        profile: str = 'accurate',
        field_offset: float = 0.0,
        **options: Any,
    ) -> None:
        self.skeleton = skeleton
        self.profile = grouping_config(profile, **options)
        self._upsample = self.profile.upsample
        # Cells of enlarged maps are smaller.
        self.cell = stride / self._upsample
        self.field_offset = float(field_offset * self._upsample)
        self.rules = self.profile.rules(self.cell)
        self.tables = limb_tables(skeleton)

    def __call__(
        self, heatmaps: np.ndarray | Tensor, fields: np.ndarray | Tensor
    ) -> list[AssembledPoses]:
        """Find the people of a batch.

        Args:
            heatmaps: (B, K + 1, h, w) or (B, K, h, w); a background is not looked at.
            fields: (B, 2 L, h, w).

        Returns:
            For each image its people, best first, with keypoints in pixels of the
            network input. Values that are not finite count as 0, with a warning.

        Raises:
            ValueError: numbers of maps that do not fit the skeleton, or maps of
                different sizes.
        """
        self._check(heatmaps, fields)
        prepared = [_prepared(m, self._upsample) for m in (heatmaps, fields)]
        cell, num_keypoints = self.cell, self.skeleton.num_keypoints
        decoded = [
            decode_image(
                image[:num_keypoints],
                field,
                self.tables,
                self.rules,
                self.field_offset,
            )
            for image, field in zip(*prepared, strict=True)
        ]
        # The middle of cell g is pixel cell * g + (cell - 1) / 2.
        return [
            poses._replace(keypoints=poses.keypoints * cell + (cell - 1) / 2)
            for poses in decoded
        ]

    def _check(
        self, heatmaps: np.ndarray | Tensor, fields: np.ndarray | Tensor
    ) -> None:
        """Refuse maps that do not fit the skeleton."""
        keypoints, limbs = self.skeleton.num_keypoints, self.skeleton.num_limbs
        found, found_fields = tuple(heatmaps.shape), tuple(fields.shape)
        if (
            len(found) != 4
            or len(found_fields) != 4
            or found[1] not in (keypoints, keypoints + 1)
            or found_fields[1] != 2 * limbs
            or found[:1] + found[2:] != found_fields[:1] + found_fields[2:]
        ):
            raise ValueError(
                f"skeleton '{self.skeleton.name}' has {keypoints} keypoints and "
                f'{limbs} limbs and reads heatmaps (B, {keypoints + 1}, h, w) and '
                f'fields (B, {2 * limbs}, h, w), got {found} and {found_fields}'
            )
        for name, maps in (('heatmaps', heatmaps), ('fields', fields)):
            if isinstance(maps, Tensor) and maps.is_complex():
                raise ValueError(f'{name} must be real numbers, got {maps.dtype}')
            if not isinstance(maps, Tensor):
                real_array(name, maps)
        if 0 in found[2:]:
            raise ValueError(f'maps of {found[2:]} have no cells')


def _prepared(maps: np.ndarray | Tensor, upsample: float) -> np.ndarray:
    """The maps on the CPU, in float32, contiguous, finite and enlarged."""
    if upsample > 1 and isinstance(maps, np.ndarray):
        maps = torch.from_numpy(np.ascontiguousarray(maps, np.float32))
    if isinstance(maps, Tensor):
        maps = maps.detach().float()
        if upsample > 1:
            maps = F.interpolate(
                maps, scale_factor=upsample, mode='bicubic', align_corners=False
            )
        maps = maps.cpu().numpy()
    maps = np.ascontiguousarray(maps, np.float32)
    # NaN and infinity survive a sum of squares, which large numbers overflow.
    flat = maps.reshape(-1)
    with np.errstate(over='ignore', invalid='ignore'):
        squares = flat @ flat
    if np.isfinite(squares) or np.isfinite(flat).all():
        return maps
    warnings.warn(
        'heatmaps or part affinity fields hold values that are not finite; they count '
        'as 0. If this happens in training, lower the learning rate',
        stacklevel=3,
    )
    return np.nan_to_num(maps, nan=0.0, posinf=0.0, neginf=0.0)
