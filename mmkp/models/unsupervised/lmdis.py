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
from mmkp.ops.warps.padding import PaddedWarp, pad_with_border_mean, paste_into_frame


@MODELS.register_module()
class LMDIS(UnsupervisedPoseEstimator):
    """Unsupervised discovery of landmarks as structural representations.

    LMDIS (Zhang et al., CVPR 2018). A detector shares each cell out between K
    keypoints and the background (:class:`ChannelSoftmaxHead`); a generator makes the
    image again from the keypoints and a descriptor of each
    (:class:`LMDISGenerator`); concentration, separation and equivariance make the
    keypoints places of the object.

    The detector sees the image in a frame of its mean border colour
    (``head.frame_margin``), and losses work in that frame: ``images``, the
    ``reconstruction`` (outside the image equal to the frame), ``keypoints`` in pixels
    of the frame, ``heatmaps``, ``background`` (its share of each cell, (B, h, w)), all
    ``warped_*`` and ``warp``. Lengths relative to the image proper are a matter of the
    losses' ``frame_ratio``. What the model predicts is in pixels of the network input.

    Args:
        backbone: config of any backbone, e.g. :class:`LMDISHourglass`.
        head: config of a :class:`ChannelSoftmaxHead`.
        generator: config of a :class:`LMDISGenerator`, or of :class:`EdgeDrawing`,
            which learns edges only; optional, without it there is nothing to
            reconstruct.
        warp_frames: make the second view of the image in its frame, as released. Off,
            the image is warped first and framed then, as a view whose warp is known
            for the image only, such as optical flow, requires.
        image_jitter: ``brightness`` and ``contrast`` of a :class:`ColorJitter` that
            changes the image in training, and so both views and the target. Where the
            reconstruction lies in [0, 1], so does the result.
        **kwargs: see :class:`UnsupervisedPoseEstimator`.

    Raises:
        ValueError: a head without channel maps, or ``crop_margin`` with
            ``warp_frames``.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        generator: dict | None = None,
        warp_frames: bool = True,
        image_jitter: dict[str, float] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(backbone, head, generator=generator, **kwargs)
        self.warp_frames = warp_frames
        self.image_jitter = ColorJitter(**(image_jitter or {}))
        if self.warp_frames and self.crop_margin:
            raise ValueError(
                f'crop_margin={self.crop_margin} would cut the frames of LMDIS off '
                'again: set warp_frames=False, by which images are cropped first'
            )
        if not isinstance(self.head, ChannelSoftmaxHead):
            raise ValueError(
                'LMDIS describes keypoints and background by channel maps, which '
                f'{type(self.head).__name__} does not have: set '
                "head=dict(type='ChannelSoftmaxHead', ...)"
            )

    def jitter(self, images: Tensor) -> Tensor:
        """Change the colours of images at random, see ``image_jitter``."""
        changed = self.image_jitter(images)
        clips = getattr(self.generator, 'output_kind', None) == 'sigmoid'
        return changed.clamp(0, 1) if clips and changed is not images else changed

    def frame(self, images: Tensor) -> Tensor:
        """Surround images as the detector needs it.

        Args:
            images: network input, shape (B, 3, H, W).

        Returns:
            Frames, shape (B, 3, H + 2 y, W + 2 x) for the head's margin (x, y).
        """
        return pad_with_border_mean(images, self.head.frame_margin)

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Run backbone and neck on images in their frames.

        Args:
            inputs: network input, shape (B, 3, H, W).

        Returns:
            Feature maps of the frames, each (B, C, h, w).
        """
        return super().extract_feat(self.frame(inputs))

    def _logits(self, frames: Tensor) -> Tensor:
        """Scores of keypoints and background on frames, (B, K + 1, h, w)."""
        return self.head(super().extract_feat(frames))

    def _locate(self, logits: Tensor, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Keypoints in pixels of frames, (B, K, 2), and all K + 1 distributions."""
        distributions = self.head.distributions(logits)
        heatmaps = distributions[:, : self.num_keypoints]
        frame_size = (frames.shape[-1], frames.shape[-2])
        return self.head.positions(heatmaps, frame_size), distributions

    def _generate(
        self, frames: Tensor, in_frame: Tensor, distributions: Tensor
    ) -> dict[str, Tensor]:
        """What the generator draws, {} without one."""
        if self.generator is None:
            return {}
        x, y = self.head.frame_margin
        keypoints = in_frame - in_frame.new_tensor((x, y))
        image_size = (frames.shape[-1] - 2 * x, frames.shape[-2] - 2 * y)
        return self.generator(frames, keypoints, distributions, image_size)

    def reconstruct(
        self, inputs: Tensor, drawn_from: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Keypoints and, where there is a generator, all that it draws.

        Args:
            inputs: network input, shape (B, 3, H, W).
            drawn_from: images that the generator sees, those of the inputs when None.

        Returns:
            ``images``, ``keypoints`` in their pixels, ``heatmaps`` that cover them (a
            part of the mass may lie in the frame, outside), and the generator's
            outputs.
        """
        frames = self.frame(inputs)
        seen = frames if drawn_from is None else self.frame(drawn_from)
        in_frame, distributions = self._locate(self._logits(frames), frames)
        image_size = (inputs.shape[-1], inputs.shape[-2])
        heatmaps = distributions[:, : self.num_keypoints]
        return {
            'images': inputs,
            'keypoints': in_frame - in_frame.new_tensor(self.head.frame_margin),
            'heatmaps': self.head.over_image(heatmaps, image_size),
            **self._generate(seen, in_frame, distributions),
        }

    def outputs_for_losses(
        self, inputs: Tensor, data_samples: Iterable[PoseDataSample] | None = None
    ) -> dict[str, object]:
        """All named outputs that the losses may ask for, in frames, see the class."""
        margin, samples = self.head.frame_margin, list(data_samples or ())
        shift = inputs.new_tensor(margin)
        jittered = self.jitter(inputs)
        before, after = (shift, 0) if self.warp_frames else (0, shift)
        views = self.views(
            self.frame(jittered) if self.warp_frames else jittered, samples
        )
        frames = views.first if self.warp_frames else self.frame(views.first)
        logits = self._logits(frames)
        keypoints, distributions = self._locate(logits, frames)
        outputs: dict[str, object] = {
            'images': frames,
            'keypoints': keypoints,
            'source_keypoints': views.to_image(keypoints - after) - before,
            'heatmaps': distributions[:, : self.num_keypoints],
            'background': self.head.channel_maps(logits)[:, -1],
        }
        drawn = self._generate(frames, keypoints, distributions)
        outputs.update(drawn, **keypoint_targets(samples, inputs))
        if 'reconstruction' in drawn:
            outputs['reconstruction'] = paste_into_frame(
                drawn['reconstruction'], frames, margin
            )
        if views.second is not None and views.warp is not None:
            warped, warp = views.second, views.warp
            if not self.warp_frames:
                warped, warp = self.frame(warped), PaddedWarp(warp, margin)
            keypoints, distributions = self._locate(self._logits(warped), warped)
            outputs.update(
                warped_images=warped,
                warped_keypoints=keypoints,
                warped_heatmaps=distributions[:, : self.num_keypoints],
                warp=warp,
            )
        return outputs
