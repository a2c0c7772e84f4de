# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The Stacked Hourglass network written down plainly, to compare others with.

Every layer is a module of torch.nn, in the order of the paper's section 3, without any
measure against time or memory. Parameters are named as in
:class:`mmkp.models.StackedHourglass`, whose weights can thus be loaded.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class PlainResidual(nn.Module):
    """Bottleneck of which each convolution follows batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.norm1 = nn.BatchNorm2d(inputs)
        self.convolution1 = nn.Conv2d(inputs, half, 1)
        self.norm2 = nn.BatchNorm2d(half)
        self.convolution2 = nn.Conv2d(half, half, 3, padding=1)
        self.norm3 = nn.BatchNorm2d(half)
        self.convolution3 = nn.Conv2d(half, outputs, 1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, h, w) to (B, outputs, h, w)."""
        out = self.convolution1(F.relu(self.norm1(x)))
        out = self.convolution2(F.relu(self.norm2(out)))
        out = self.convolution3(F.relu(self.norm3(out)))
        return out + (x if self.skip is None else self.skip(x))


def residuals(width: int) -> nn.Sequential:
    """One residual, under the names of several behind each other."""
    return nn.Sequential(PlainResidual(width, width))


class PlainLevel(nn.Module):
    """Level of an hourglass with all levels below it."""

    def __init__(self, order: int, width: int) -> None:
        super().__init__()
        self.up = residuals(width)
        self.pool = nn.MaxPool2d(2)
        self.down = residuals(width)
        self.inner: nn.Module = residuals(width)
        if order > 1:
            self.inner = PlainLevel(order - 1, width)
        self.out = residuals(width)
        self.upsample = nn.Upsample(scale_factor=2, mode='nearest')

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, width, h, w) to the same shape; h and w are multiples of 2^order."""
        low = self.out(self.inner(self.down(self.pool(x))))
        return self.up(x) + self.upsample(low)


class PlainConvolution(nn.Module):
    """Convolution, batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        padding = kernel // 2
        self.convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return F.relu(self.norm(self.convolution(x)))


class PlainStem(PlainConvolution):
    """What comes before the first hourglass."""

    def __init__(self, width: int) -> None:
        super().__init__(3, 64, 7, 2)
        self.residual1 = PlainResidual(64, 128)
        self.pool = nn.MaxPool2d(2)
        self.residual2 = PlainResidual(128, 128)
        self.residual3 = PlainResidual(128, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to (B, width, H / 4, W / 4)."""
        x = self.pool(self.residual1(super().forward(x)))
        return self.residual3(self.residual2(x))


class PlainStack(nn.Module):
    """Hourglass, heatmaps, and what of both goes on to the next one."""

    def __init__(self, order: int, width: int, heatmaps: int, last: bool) -> None:
        super().__init__()
        self.hourglass = PlainLevel(order, width)
        self.residuals = residuals(width)
        self.linear = PlainConvolution(width, width, 1, 1)
        self.heatmap_convolution = nn.Conv2d(width, heatmaps, 1)
        if not last:
            self.feature_feedback = nn.Conv2d(width, width, 1)
            self.heatmap_feedback = nn.Conv2d(heatmaps, width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Map (B, width, h, w) to features of the same shape and heatmaps."""
        features = self.linear(self.residuals(self.hourglass(x)))
        return features, self.heatmap_convolution(features)


class PlainHourglass(nn.Module):
    """Stacked Hourglass network.

    Args:
        num_stacks (int): hourglasses N.
        num_keypoints (int): heatmaps K.
        order (int): halvings in an hourglass.
        channels (int): width of the hourglasses.
    """

    def __init__(
        self,
        num_stacks: int = 8,
        num_keypoints: int = 16,
        order: int = 4,
        channels: int = 256,
    ) -> None:
        super().__init__()
        self.stem = PlainStem(channels)
        self.stacks = nn.ModuleList(
            PlainStack(order, channels, num_keypoints, last=i == num_stacks - 1)
            for i in range(num_stacks)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Predict heatmaps.

        Args:
            images (Tensor): (B, 3, H, W) float; H and W multiples of 4 * 2^order.

        Returns:
            list[Tensor]: N of (B, K, H / 4, W / 4) float.
        """
        x = self.stem(images)
        found = []
        for i, stack in enumerate(self.stacks):
            features, heatmaps = stack(x)
            found.append(heatmaps)
            if i < len(self.stacks) - 1:
                x = x + stack.feature_feedback(features)
                x = x + stack.heatmap_feedback(heatmaps)
        return found
