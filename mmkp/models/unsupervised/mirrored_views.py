# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a detector finds in mirror images, for losses that ask for it."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from mmkp.ops.mirrored_keypoints import mirror_keypoints


class MirroredViews:
    """Adds ``mirrored_keypoints`` to the outputs of a discovery model."""

    detect: Any
    losses: Any

    def keypoints_of_view(self, images: Tensor) -> Tensor:
        """Keypoints (B, K, 2) in pixels of what the losses call ``images``."""
        return self.detect(images)[0]

    def with_mirrored(self, outputs: Mapping[str, Any]) -> dict[str, Any]:
        """Outputs with the keypoints of mirror images, where a loss asks for them.

        Args:
            outputs: named outputs with ``images`` (B, 3, H, W).

        Returns:
            The same and, if asked for, ``mirrored_keypoints`` (B, K, 2) in pixels of
            the images: those of the mirror images, mirrored back.
        """
        if 'mirrored_keypoints' not in self.losses.inputs:
            return dict(outputs)
        images = outputs['images']
        found = self.keypoints_of_view(images.flip(-1))
        return dict(
            outputs, mirrored_keypoints=mirror_keypoints(found, images.shape[-1])
        )
