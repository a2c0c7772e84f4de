# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A loss of one view, and its mean over two."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor, nn

from mmkp.ops.precision import full_precision


class ViewLoss(nn.Module, ABC):
    """Loss of what a model finds in an image, or its mean over the image and its warp.

    The last of ``inputs`` is what is found in a view.

    Args:
        loss_weight: factor on the loss.
        both_views: take the mean over the image and its warp.
    """

    inputs: tuple[str, ...]

    def __init__(self, loss_weight: float, both_views: bool) -> None:
        super().__init__()
        self.loss_weight = loss_weight
        if both_views:
            self.inputs = (*self.inputs, f'warped_{self.inputs[-1]}')

    def mean_over_views(
        self, first: Tensor, second: Tensor | None, *about: Any
    ) -> Tensor:
        """Compute the loss in at least float32, under autocast too.

        Args:
            first: what was found in the image.
            second: what was found in its warp, if anything.
            about: what else :meth:`of_view` takes.

        Returns:
            Weighted mean over the views, scalar.
        """
        views = [first] if second is None else [first, second]
        with torch.autocast(first.device.type, enabled=False):
            values = [self.of_view(full_precision(view), *about) for view in views]
            return self.loss_weight * torch.stack(values).mean()

    @abstractmethod
    def of_view(self, found: Tensor, *about: Any) -> Tensor:
        """Compute the loss of one view, without the weight."""
