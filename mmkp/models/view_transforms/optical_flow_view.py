# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Another frame of the clip as the second view, optical flow as the warp."""

from collections.abc import Iterable

import torch
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.models.view_transforms.color_jitter import ColorJitter
from mmkp.ops.geometry import size_of
from mmkp.ops.warps.optical_flow import FlowWarp


@MODELS.register_module()
class OpticalFlowView(nn.Module):
    """Take the second view and its flow from the batch (LMDIS on video, section 3.3).

    ``LoadClipFrame`` and ``ComputeOpticalFlow`` in the training pipeline and
    ``FramePairDataPreprocessor`` in the model bring them there. Where the flow fails
    its check, ``warp.validity`` is 0, and the losses leave out such points.

    Args:
        brightness: largest change of the second frame's brightness, in units of the
            input.
        contrast: largest relative change of contrast of each channel, in [0, 1).
    """

    # The model calls it with the samples of the batch as well.
    needs_samples = True

    def __init__(self, brightness: float = 0.0, contrast: float = 0.0) -> None:
        super().__init__()
        self.jitter = ColorJitter(brightness, contrast)

    def forward(
        self, images: Tensor, data_samples: Iterable[PoseDataSample] | None
    ) -> tuple[Tensor, FlowWarp]:
        """Collect the second frames and their flow.

        Args:
            images: first frames, network input, shape (B, 3, H, W).
            data_samples: their samples, with ``gt_fields.second_frame`` (3, H, W),
                ``gt_fields.flow`` (2, H, W) and ``gt_fields.flow_valid`` (1, H, W).

        Returns:
            Second frames of the same shape, and the warp, which maps positions in
            them to the first frames.

        Raises:
            ValueError: a sample has no second frame or no flow, or one of another
                size.
        """
        samples = list(data_samples or ())
        names = ('second_frame', 'flow', 'flow_valid')
        missing = [
            name
            for name in names
            if not samples or any(name not in s.get('gt_fields', ()) for s in samples)
        ]
        if missing:
            raise ValueError(
                f'OpticalFlowView finds no {missing} in the batch: the training '
                'pipeline needs LoadClipFrame and ComputeOpticalFlow, and the model '
                "data_preprocessor=dict(type='FramePairDataPreprocessor', ...)"
            )
        second, flow, valid = (
            torch.stack([getattr(s.gt_fields, name) for s in samples]).to(images.device)
            for name in names
        )
        if second.shape != images.shape:
            raise ValueError(
                f'OpticalFlowView has second frames of shape {tuple(second.shape)} for '
                f'images of shape {tuple(images.shape)}: compute the flow at the size '
                'of the network input; in LMDIS set `warp_padded=False`'
            )
        size = size_of(images)
        warp = FlowWarp(flow.to(torch.float32), size, valid)
        return self.jitter(second.to(images.dtype)), warp
