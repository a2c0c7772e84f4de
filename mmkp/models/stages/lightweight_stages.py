# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The stages of Lightweight OpenPose: one trunk a stage, shared by both branches."""

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.initialization import STAGES_INIT, OutputConv2d
from mmkp.models.stages.stage_outputs import StageOutputs
from mmkp.ops.batch_norm import BatchNorm2d


def convolution_relu(inputs: int, outputs: int, kernel_size: int) -> nn.Sequential:
    """Convolution that keeps the size, and a ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel_size, padding=kernel_size // 2),
        nn.ReLU(True),
    )


class FeatureAdapter(nn.Module):
    """Narrow the backbone's features, with three separable layers on a side branch.

    1x1 convolution with ReLU to x; x + three times (depthwise 3x3, ELU, 1x1, ELU, all
    without biases)(x); 3x3 convolution with ReLU. It stands for the two 3x3
    convolutions with which OpenPose narrows VGG's features.

    Args:
        in_channels: channels of the backbone.
        channels: channels of the stages.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.align = convolution_relu(in_channels, channels, 1)
        self.trunk = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(
                        channels, channels, 3, padding=1, groups=channels, bias=False
                    ),
                    nn.ELU(),
                    nn.Conv2d(channels, channels, 1, bias=False),
                    nn.ELU(),
                )
                for _ in range(3)
            )
        )
        self.output = convolution_relu(channels, channels, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, channels, h, w)."""
        aligned = self.align(inputs)
        return self.output(aligned + self.trunk(aligned))


class ResidualBlock(nn.Module):
    """1x1 convolution with ReLU to x; x + two 3x3 layers of x, the second dilated by 2.

    Args:
        in_channels: channels of the input.
        channels: channels of the output.
    """

    def __init__(self, in_channels: int, channels: int) -> None:
        super().__init__()
        self.initial = convolution_relu(in_channels, channels, 1)
        self.trunk = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(
                        channels, channels, 3, padding=dilation, dilation=dilation
                    ),
                    BatchNorm2d(channels),
                    nn.ReLU(True),
                )
                for dilation in (1, 2)
            )
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map (B, in_channels, h, w) to (B, channels, h, w)."""
        initial = self.initial(inputs)
        return initial + self.trunk(initial)


class SharedTrunkStage(nn.Module):
    """A trunk, and a 1x1 ReLU and a linear 1x1 layer for each branch.

    Args:
        trunk: gives ``channels`` channels.
        channels: see ``trunk``.
        hidden_channels: width of each branch.
        num_keypoints: K + 1.
        num_fields: 2L.
    """

    def __init__(
        self,
        trunk: nn.Module,
        channels: int,
        hidden_channels: int,
        num_keypoints: int,
        num_fields: int,
    ) -> None:
        super().__init__()

        def branch(outputs: int) -> nn.Sequential:
            return nn.Sequential(
                convolution_relu(channels, hidden_channels, 1),
                OutputConv2d(hidden_channels, outputs, 1),
            )

        self.trunk = trunk
        self.heatmaps = branch(num_keypoints)
        self.fields = branch(num_fields)

    def forward(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Predict heatmaps (B, K + 1, h, w) and fields (B, 2L, h, w)."""
        shared = self.trunk(inputs)
        return self.heatmaps(shared), self.fields(shared)


@MODELS.register_module()
class LightweightStages(BaseModule):
    """Stages of "Real-time 2D Multi-Person Pose Estimation on CPU" (Osokin, 2018).

    An adapter narrows the backbone's features to F; the initial stage, 3x3 (three
    times), sees F; a refinement stage, five residual blocks, sees F, the heatmaps and
    the fields before, in this order of channels (section 3).

    Args:
        in_channels: channels of the backbone.
        num_keypoints: K + 1, the background included.
        num_fields: 2L.
        num_refinements: stages behind the initial one; 1 in the paper's fast network,
            3 in the published checkpoints.
        channels: width of F and of the trunks.
        hidden_channels: width of the initial stage's branches.
        init_cfg: as in MMEngine. By default hidden layers keep the variance of what
            passes through them.

    Raises:
        ValueError: a negative number of refinements.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        num_fields: int,
        num_refinements: int = 1,
        channels: int = 128,
        hidden_channels: int = 512,
        init_cfg: dict | list[dict] | None = STAGES_INIT,
    ) -> None:
        super().__init__(init_cfg)
        if num_refinements < 0:
            raise ValueError(
                f'LightweightStages needs num_refinements >= 0, got {num_refinements}'
            )
        maps = (num_keypoints, num_fields)
        self.adapter = FeatureAdapter(in_channels, channels)
        trunk = nn.Sequential(
            *(convolution_relu(channels, channels, 3) for _ in range(3))
        )
        self.initial = SharedTrunkStage(trunk, channels, hidden_channels, *maps)

        def refinement() -> SharedTrunkStage:
            widths = (channels + sum(maps), *[channels] * 4)
            trunk = nn.Sequential(*(ResidualBlock(w, channels) for w in widths))
            return SharedTrunkStage(trunk, channels, channels, *maps)

        self.refinements = nn.ModuleList(refinement() for _ in range(num_refinements))

    def forward(self, features: Tensor) -> StageOutputs:
        """Predict heatmaps and fields in every stage.

        Args:
            features: of the backbone, shape (B, in_channels, h, w).

        Returns:
            ``1 + num_refinements`` entries in each list, (B, num_keypoints, h, w) and
            (B, num_fields, h, w).
        """
        narrow = self.adapter(features)
        heatmaps, fields = self.initial(narrow)
        outputs = StageOutputs([heatmaps], [fields])
        for stage in self.refinements:
            heatmaps, fields = stage(torch.cat((narrow, heatmaps, fields), dim=1))
            outputs.heatmaps.append(heatmaps)
            outputs.fields.append(fields)
        return outputs
