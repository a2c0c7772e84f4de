# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From heatmaps and part affinity fields to people."""

import warnings
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.codecs.limb_skeleton import LimbSkeleton
from mmkp.ops.part_affinity.array_decoding import decode_arrays
from mmkp.ops.part_affinity.assembled_poses import People
from mmkp.ops.part_affinity.grouping_config import check_backend, grouping_config
from mmkp.ops.part_affinity.limb_tables import limb_tables


class PoseDecoder:
    """Finds people in heatmaps and fields without enlarging them.

    Cao et al., TPAMI 2019, section 3.3 and 3.4: peaks of the heatmaps are candidates
    for keypoints, line integrals over the fields (eq. 10) score limbs between them, and
    a greedy matching limb by limb puts people together. The default profile adds what
    the paper lacks: peaks between cells, fragments joined over a keypoint that is
    hidden, and keypoints searched along the fields where a peak is missing.

    Arrays and CPU tensors are decoded by numpy, or, where it is installed, by numba to
    the same result. Tensors on another device stay there: what leaves it are peaks and
    scores of limbs.

    Args:
        skeleton: keypoints and limbs.
        stride: input pixels a cell.
        profile: 'accurate', 'openpose' or 'lightweight', see
            :class:`mmkp.ops.part_affinity.grouping_config.GroupingConfig`.
        backend: 'auto', or one of 'numpy', 'numba' and 'torch' to insist on it.
        field_offset: cells by which a place in the fields lies right of and below the
            same place in the heatmaps, as in OpenPose's targets.
        **options: rules of the profile to replace.

    Raises:
        ValueError: unknown profile, backend or rule.
    """

    def __init__(
        self,
        skeleton: LimbSkeleton,
        stride: float,
        profile: str = 'accurate',
        backend: str = 'auto',
        field_offset: float = 0.0,
        **options: Any,
    ) -> None:
        self.skeleton, self.stride = skeleton, stride
        self.profile = grouping_config(profile, **options)
        self.backend = backend
        # Cells of enlarged maps are smaller.
        self._field_offset = field_offset * self.profile.upsample
        self._tables = limb_tables(
            skeleton.num_keypoints,
            skeleton.limbs,
            skeleton.assembly_order,
            skeleton.redundant_limbs,
            skeleton.flip_indices,
        )
        self._is_compiled = check_backend(backend, self.profile, profile)

    def __call__(
        self, heatmaps: np.ndarray | Tensor, fields: np.ndarray | Tensor
    ) -> list[People]:
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
        on_device = isinstance(heatmaps, Tensor) and (
            self.backend == 'torch' or heatmaps.device.type != 'cpu'
        )
        maps: list[Any] = [
            _prepared(m, self.profile.upsample) for m in (heatmaps, fields)
        ]
        stride = self.stride / self.profile.upsample
        if not on_device:
            maps = [m.numpy() if isinstance(m, Tensor) else m for m in maps]
        if self._is_compiled and not on_device:
            from mmkp.ops.part_affinity.compiled_decoding import decode_image

            decoded = [
                decode_image(
                    image, field, self._tables, self.profile, self._field_offset
                )
                for image, field in zip(*maps, strict=True)
            ]
        else:
            decoded = decode_arrays(
                maps[0],
                maps[1],
                self._tables,
                self.profile,
                stride,
                self._field_offset,
            )
        # The middle of cell g is pixel stride * g + (stride - 1) / 2.
        return [
            people._replace(keypoints=people.keypoints * stride + (stride - 1) / 2)
            for people in decoded
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
        for maps in (heatmaps, fields):
            if isinstance(maps, np.ndarray) and maps.dtype.kind not in 'buif':
                raise ValueError(f'maps must be real numbers, got {maps.dtype}')


def _prepared(maps: np.ndarray | Tensor, upsample: int) -> np.ndarray | Tensor:
    """The maps in float32, contiguous, finite and enlarged."""
    if upsample > 1:
        if not isinstance(maps, Tensor):
            maps = torch.from_numpy(np.ascontiguousarray(maps))
        maps = F.interpolate(
            maps.detach().float(),
            scale_factor=upsample,
            mode='bicubic',
            align_corners=False,
        )
    if isinstance(maps, Tensor):
        maps = maps.detach().float().contiguous()
        # NaN and infinity survive a sum of squares.
        finite = bool(torch.isfinite(maps.reshape(-1) @ maps.reshape(-1)))
    else:
        maps = np.ascontiguousarray(maps, np.float32)
        flat = maps.reshape(-1)
        finite = bool(np.isfinite(flat @ flat))
    if finite:
        return maps
    warnings.warn(
        'heatmaps or part affinity fields hold values that are not finite; they count '
        'as 0. If this happens in training, lower the learning rate',
        stacklevel=3,
    )
    if isinstance(maps, Tensor):
        return torch.nan_to_num(maps, 0.0, 0.0, 0.0)
    return np.nan_to_num(maps, nan=0.0, posinf=0.0, neginf=0.0)
