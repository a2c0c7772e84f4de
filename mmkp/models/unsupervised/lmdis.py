# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""LMDIS: landmarks as a representation from which the image is made again."""

from collections.abc import Iterable
from typing import Any

from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor

from mmkp.models.heads.channel_softmax_head import ChannelSoftmaxHead
from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator
from mmkp.models.unsupervised.targets import keypoint_targets
from mmkp.models.view_transforms.color_jitter import ColorJitter
from mmkp.ops.geometry import MapGeometry, size_of
from mmkp.ops.precision import per_axis
from mmkp.ops.warps.padding import (
    PaddedWarp,
    pad_with_border_mean,
    paste_into_padding,
)


@MODELS.register_module()
class LMDIS(UnsupervisedPoseEstimator):
    """Unsupervised discovery of landmarks as structural representations.

    LMDIS (Zhang et al., CVPR 2018). A detector shares each cell out between K
    keypoints and the background (:class:`ChannelSoftmaxHead`); a generator makes the
    image again from the keypoints and a descriptor of each
    (:class:`LMDISGenerator`); concentration, separation and equivariance make the
    keypoints places of the object.

    The detector sees the image padded with its mean border color (``head.padding``),
    and losses see that too: ``images``, the ``reconstruction`` (equal to the padding
    there), ``keypoints`` in pixels of the padded image, ``heatmaps``, ``background``
    (its share of each cell, (B, h, w)), all ``warped_*`` and ``warp``. The ``geometry``
    knows where the image proper lies. What the model predicts is in pixels of the
    network input.

    Args:
        backbone: config of any backbone, e.g. :class:`LMDISHourglass`.
        head: config of a :class:`ChannelSoftmaxHead`.
        generator: config of a :class:`LMDISGenerator`, or of :class:`EdgeDrawing`,
            which learns edges only; optional, without it there is nothing to
            reconstruct.
        warp_padded: make the second view of the padded image, as released. Off, the
            image is warped first and padded then, as a view whose warp is known for
            the image only, such as optical flow, requires.
        image_jitter: ``brightness`` and ``contrast`` of a :class:`ColorJitter` that
            changes the image in training, and so both views and the target. Where the
            reconstruction lies in [0, 1], so does the result.
        *args: further arguments of :class:`UnsupervisedPoseEstimator`.
        **kwargs: the same by name.

    Raises:
        ValueError: a head without channel maps, or ``crop_margin`` with
            ``warp_padded``.
    """

    def __init__(
        self,
        *args: Any,
        warp_padded: bool = True,
        image_jitter: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.warp_padded = warp_padded
        self.image_jitter = ColorJitter(**(image_jitter or {}))
        if self.warp_padded and self.crop_margin:
            raise ValueError(
                f'crop_margin={self.crop_margin} would cut the padding of LMDIS off '
                'again: set warp_padded=False, by which images are cropped first'
            )
        if not isinstance(self.head, ChannelSoftmaxHead):
            raise ValueError(
                'LMDIS describes keypoints and background by channel maps, which '
                f'{type(self.head).__name__} does not have: set '
                "head=dict(type='ChannelSoftmaxHead', ...)"
            )

    def jitter(self, images: Tensor) -> Tensor:
        """Change the colors of images at random, see ``image_jitter``."""
        changed = self.image_jitter(images)
        clips = getattr(self.generator, 'output_kind', None) == 'sigmoid'
        return changed.clamp(0, 1) if clips and changed is not images else changed

    def pad(self, images: Tensor) -> Tensor:
        """Surround images as the detector needs it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            Padded images, (B, 3, H + 2 y, W + 2 x) for the head's padding (x, y).
        """
        return pad_with_border_mean(images, self.head.padding)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run backbone and neck on padded images.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            Feature maps of the padded images, each (B, C, h, w).
        """
        return super().extract_feat(self.pad(inputs))

    def _logits(self, padded: Tensor) -> Tensor:
        """Scores of keypoints and background on padded images, (B, K + 1, h, w)."""
        return self.head(super().extract_feat(padded))

    def _locate(
        self, logits: Tensor, padded: Tensor
    ) -> tuple[Tensor, Tensor, MapGeometry]:
        """Keypoints in padded images, all K + 1 distributions, and their geometry."""
        (width, height), (x, y) = size_of(padded), self.head.padding
        geometry = self.head.geometry((width - 2 * x, height - 2 * y), size_of(logits))
        distributions = self.head.distributions(logits)
        heatmaps = distributions[:, : self.num_keypoints]
        return self.head.positions(heatmaps, geometry), distributions, geometry

    def keypoints_of_view(self, images: Tensor) -> Tensor:
        """Keypoints (B, K, 2) in pixels of padded images."""
        return self._locate(self._logits(images), images)[0]

    def _generate(self, *arguments: Any) -> dict[str, Tensor]:
        """What the generator draws, {} without one."""
        return {} if self.generator is None else self.generator(*arguments)

    def reconstruct(
        self, inputs: Tensor, drawn_from: Tensor | None = None
    ) -> dict[str, Any]:
        """Keypoints and, where there is a generator, all that it draws.

        Args:
            inputs: network input, shape (B, 3, H, W).
            drawn_from: images that the generator sees, those of the inputs when None.

        Returns:
            ``images``, ``keypoints`` in their pixels, ``heatmaps``, of which a part of
            the mass may lie outside, their ``geometry`` in pixels of the images, and
            the generator's outputs.
        """
        padded = self.pad(inputs)
        seen = padded if drawn_from is None else self.pad(drawn_from)
        found = self._locate(self._logits(padded), padded)
        keypoints, distributions, geometry = found
        return {
            'images': inputs,
            'keypoints': keypoints - per_axis(geometry.padding, keypoints),
            'heatmaps': distributions[:, : self.num_keypoints],
            'geometry': geometry.unpadded,
            **self._generate(seen, *found),
        }

    def outputs_for_losses(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, object]:
        """All named outputs that the losses may ask for, padded, see the class."""
        padding, samples = self.head.padding, list(data_samples or ())
        shift = per_axis(padding, inputs)
        jittered = self.jitter(inputs)
        before, after = (shift, 0) if self.warp_padded else (0, shift)
        views = self.views(
            self.pad(jittered) if self.warp_padded else jittered, samples
        )
        padded = views.first if self.warp_padded else self.pad(views.first)
        logits = self._logits(padded)
        found = self._locate(logits, padded)
        keypoints, distributions, geometry = found
        outputs: dict[str, object] = {
            'images': padded,
            'keypoints': keypoints,
            'source_keypoints': views.to_image(keypoints - after) - before,
            'heatmaps': distributions[:, : self.num_keypoints],
            'geometry': geometry,
            'background': self.head.channel_maps(logits)[:, -1],
        }
        drawn = self._generate(padded, *found)
        outputs.update(drawn, **keypoint_targets(samples, inputs))
        if 'reconstruction' in drawn:
            outputs['reconstruction'] = paste_into_padding(
                drawn['reconstruction'], padded, padding
            )
        if views.second is not None and views.warp is not None:
            warped, warp = views.second, views.warp
            if not self.warp_padded:
                warped, warp = self.pad(warped), PaddedWarp(warp, padding)
            keypoints, distributions, _ = self._locate(self._logits(warped), warped)
            outputs.update(
                warped_images=warped,
                warped_keypoints=keypoints,
                warped_heatmaps=distributions[:, : self.num_keypoints],
                warp=warp,
            )
        return outputs
