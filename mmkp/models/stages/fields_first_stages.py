# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The stages of OpenPose's second network: fields first, then heatmaps."""

from itertools import pairwise

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.initialization import STAGES_INIT, OutputConv2d
from mmkp.models.stages.stage_outputs import StageOutputs


def convolution_prelu(inputs: int, outputs: int, kernel_size: int) -> nn.Sequential:
    """Convolution that keeps the size, and a PReLU with a slope for each channel."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2),
        nn.PReLU(outputs),
    )


class DenseTripleBlock(nn.Module):
    """Three 3x3 convolutions in a row whose outputs are all kept.

    It sees as far as one 7x7 convolution (Cao et al., TPAMI 2019, section 3.1).

    Args:
        in_channels: channels of the input.
        channels: channels of each convolution.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        widths = (in_channels, channels, channels, channels)
        self.convolutions = nn.ModuleList(
            convolution_prelu(*pair, 3) for pair in pairwise(widths)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, 3 * channels, h, w)."""
        kept = []
        for convolution in self.convolutions:
            inputs = convolution(inputs)
            kept.append(inputs)
        return torch.cat(kept, dim=1)


class DenseStage(nn.Module):
    """Dense triple blocks, a 1x1 convolution with PReLU, and a linear 1x1 one.

    Args:
        in_channels: channels of the input.
        out_channels: maps to predict.
        num_blocks: dense triple blocks.
        channels: width of their convolutions.
        hidden_channels: width of the first 1x1 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_blocks: int,
        channels: int,
        hidden_channels: int,
    ) -> None:
        super().__init__()
        widths = [in_channels, *[3 * channels] * num_blocks]
        self.blocks = nn.Sequential(
            *(DenseTripleBlock(inputs, channels) for inputs in widths[:-1])
        )
        self.hidden = convolution_prelu(widths[-1], hidden_channels, 1)
        self.output = OutputConv2d(hidden_channels, out_channels, 1)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, out_channels, h, w)."""
        return self.output(self.hidden(self.blocks(inputs)))


@MODELS.register_module()
class FieldsFirstStages(BaseModule):
    """Stages of "OpenPose: Realtime Multi-Person 2D Pose Estimation" (TPAMI 2019).

    Fields are refined by themselves first; the heatmap stages then see the last fields
    (Cao et al., section 3.1, equations 1 to 3). Inputs, in the order of channels, with
    F the image features: F; F and the fields before; F and the last fields; F, the
    heatmaps before and the last fields.

    Args:
        in_channels: channels of F.
        num_keypoints: K + 1, the background included.
        num_fields: 2L.
        num_field_stages: stages that predict fields.
        num_heatmap_stages: stages that predict heatmaps.
        num_blocks: dense triple blocks of a stage.
        channels: width of the 3x3 convolutions in the first stage of each kind and in
            its later stages.
        hidden_channels: width of the 1x1 convolution, likewise.
        init_cfg: as in MMEngine. By default hidden layers keep the variance of what
            passes through them; slopes start at 0.25. From the N(0, 0.01) of OpenPose's
            first networks, ``dict(type='Normal', layer='Conv2d', std=0.01)``, the
            gradients of these deeper ones start below Adam's epsilon.

    Raises:
        ValueError: no stages of one kind, or no blocks.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        num_fields: int,
        num_field_stages: int = 4,
        num_heatmap_stages: int = 2,
        num_blocks: int = 5,
        channels: tuple[int, int] = (96, 128),
        hidden_channels: tuple[int, int] = (256, 512),
        init_cfg: dict | list[dict] | None = STAGES_INIT,
    ) -> None:
        super().__init__(init_cfg)
        sizes = (num_field_stages, num_heatmap_stages, num_blocks)
        if min(sizes) < 1:
            raise ValueError(
                'FieldsFirstStages needs num_field_stages, num_heatmap_stages and '
                f'num_blocks >= 1, got {", ".join(map(str, sizes))}'
            )

        def stages(number: int, first_inputs: int, outputs: int) -> nn.ModuleList:
            return nn.ModuleList(
                DenseStage(
                    first_inputs + (outputs if stage else 0),
                    outputs,
                    num_blocks,
                    channels[min(stage, 1)],
                    hidden_channels[min(stage, 1)],
                )
                for stage in range(number)
            )

        self.field_stages = stages(num_field_stages, in_channels, num_fields)
        self.heatmap_stages = stages(
            num_heatmap_stages, in_channels + num_fields, num_keypoints
        )

    def forward(self, features: Tensor) -> StageOutputs:
        """Predict fields in the first stages and heatmaps in the others.

        Args:
            features: F, shape (B, in_channels, h, w).

        Returns:
            ``num_heatmap_stages`` maps (B, num_keypoints, h, w) and
            ``num_field_stages`` maps (B, num_fields, h, w).
        """
        outputs = StageOutputs([], [])
        for stage in self.field_stages:
            inputs = (features, *outputs.fields[-1:])
            outputs.fields.append(stage(torch.cat(inputs, dim=1)))
        last_fields = outputs.fields[-1]
        for stage in self.heatmap_stages:
            inputs = (features, *outputs.heatmaps[-1:], last_fields)
            outputs.heatmaps.append(stage(torch.cat(inputs, dim=1)))
        return outputs
