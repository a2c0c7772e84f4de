# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The stages of OpenPose's first network: fields and heatmaps side by side."""

from itertools import pairwise

from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from mmkp.models.layers.initialization import STAGES_INIT, OutputConv2d
from mmkp.models.stages.stage_outputs import StageOutputs, run_branches


def convolution_chain(channels: list[int], kernel_sizes: list[int]) -> nn.Sequential:
    """Convolutions that keep the size, with a ReLU between each two.

    Args:
        channels: of the input and behind each convolution.
        kernel_sizes: side of each kernel, odd.

    Returns:
        Convolution i is child ``2 * i``; the last one has no activation.
    """
    *hidden, last = zip(pairwise(channels), kernel_sizes, strict=True)
    layers: list[nn.Module] = []
    for (inputs, outputs), size in hidden:
        layers += [nn.Conv2d(inputs, outputs, size, padding=size // 2), nn.ReLU(True)]
    (inputs, outputs), size = last
    return nn.Sequential(
        *layers, OutputConv2d(inputs, outputs, size, padding=size // 2)
    )


@MODELS.register_module()
class TwoBranchStages(BaseModule):
    """Stages of "Realtime Multi-Person 2D Pose Estimation" (Cao et al., CVPR 2017).

    Each stage has one branch for fields and one for heatmaps (section 2.1, equations
    1 and 2). Both branches of the first stage see the image features F; those of every
    later stage see the fields, the heatmaps and F, in this order of channels. The
    first stage's branch is 3x3 (three times), 1x1 to ``hidden_channels``, 1x1 to the
    output; a later stage's is 7x7 (five times), 1x1, 1x1 to the output.

    Args:
        in_channels: channels of F.
        num_keypoints: K + 1, the background included.
        num_fields: 2L.
        num_stages: stages; 6 in the paper, 4 in OpenPose's faster MPI network.
        channels: width of every layer but the first stage's hidden one.
        hidden_channels: width of the first stage's last hidden layer.
        kernel_size: of the later stages' first five layers, odd.
        init_cfg: as in MMEngine. By default hidden layers keep the variance of what
            passes through them. The official networks started from
            ``dict(type='Normal', layer='Conv2d', std=0.01)``, which learns more slowly
            and leaves almost nothing of the input in narrow networks.

    Raises:
        ValueError: no stages, or an even kernel size.
    """

    def __init__(
        self,
        in_channels: int,
        num_keypoints: int,
        num_fields: int,
        num_stages: int = 6,
        channels: int = 128,
        hidden_channels: int = 512,
        kernel_size: int = 7,
        init_cfg: dict | list[dict] | None = STAGES_INIT,
    ) -> None:
        super().__init__(init_cfg)
        if num_stages < 1:
            raise ValueError(f'TwoBranchStages needs num_stages >= 1, got {num_stages}')
        if kernel_size % 2 == 0:
            raise ValueError(
                f'TwoBranchStages needs an odd kernel_size, got {kernel_size}: an even '
                'one changes the size of the maps'
            )
        fed_back = num_fields + num_keypoints + in_channels

        def branch(stage: int, outputs: int) -> nn.Sequential:
            if stage == 0:
                widths = [in_channels, *[channels] * 3, hidden_channels, outputs]
                return convolution_chain(widths, [3, 3, 3, 1, 1])
            widths = [fed_back, *[channels] * 6, outputs]
            return convolution_chain(widths, [kernel_size] * 5 + [1, 1])

        self.field_branches = nn.ModuleList(
            branch(stage, num_fields) for stage in range(num_stages)
        )
        self.heatmap_branches = nn.ModuleList(
            branch(stage, num_keypoints) for stage in range(num_stages)
        )

    def forward(self, features: Tensor) -> StageOutputs:
        """Predict heatmaps and fields in every stage (CVPR'17, eq. 1 and 2).

        ``S^t = rho^t(F, S^{t-1}, L^{t-1})`` and ``L^t = phi^t(F, S^{t-1}, L^{t-1})``.

        Args:
            features: F, shape (B, in_channels, h, w).

        Returns:
            ``num_stages`` entries in each list, (B, num_keypoints, h, w) and
            (B, num_fields, h, w).
        """
        return run_branches(features, self.field_branches, self.heatmap_branches)
