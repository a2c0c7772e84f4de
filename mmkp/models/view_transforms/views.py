# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The views of each image that a model is trained on."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.models.view_transforms.base import RandomWarp
from mmkp.ops.warps.padding import PaddedWarp
from mmkp.ops.warps.warp import ComposedWarp, Warp


@dataclass
class Views:
    """One or two views of each image, and how they lie to each other.

    Attributes:
        first: x∘g1, the image itself without a first transform, (B, 3, h, w).
        second: x∘g1∘g2, of the same shape; None without a second transform.
        warp: g2, from positions in the second view to the first, in pixels of both.
        first_warp: g1, from positions in the uncropped first view to the image; None
            where the first view is the image.
        crop_margin: pixels that were cut off every side of both views.
    """

    first: Tensor
    second: Tensor | None = None
    warp: Warp | None = None
    first_warp: Warp | None = None
    crop_margin: int = 0

    def to_image(self, points: Tensor) -> Tensor:
        """Positions in the image of positions in the first view.

        Args:
            points: (x, y) in pixels of the first view, shape (B, N, 2).

        Returns:
            (x, y) in pixels of the image, the network input, shape (B, N, 2).
        """
        points = points + self.crop_margin if self.crop_margin else points
        warp = self.first_warp
        return points if warp is None else warp.points_to_source(points)


def check_transforms(
    transform: nn.Module | None, first_transform: nn.Module | None, crop_margin: int
) -> None:
    """Refuse what no views can be made of.

    Args:
        transform: makes the second view.
        first_transform: warps the first view.
        crop_margin: pixels to cut off every side of both views.

    Raises:
        ValueError: transforms that cannot be composed, or a negative margin.
    """
    if crop_margin < 0:
        raise ValueError(f'crop_margin must not be negative, got {crop_margin}')
    if first_transform is None:
        return
    for name, part in (
        ('view_transform', transform),
        ('first_view_transform', first_transform),
    ):
        if part is not None and not isinstance(part, RandomWarp):
            raise ValueError(
                f'{name} is of {type(part).__name__}, which samples no warp that a '
                'first_view_transform could be composed with: take '
                'RandomThinPlateSpline, RandomAffineWarp or RandomLMDISWarp'
            )


def make_views(
    images: Tensor,
    data_samples: Iterable[PoseDataSample] | None,
    transform: nn.Module | None,
    first_transform: RandomWarp | None = None,
    crop_margin: int = 0,
) -> Views:
    """Make the views of each image (Thewlis et al., ICCV 2017, section 3).

    Both are sampled from the image itself, so that the second one is not blurred
    twice. Each gets the color jitter of its own transform.

    Args:
        images: network input, shape (B, 3, H, W).
        data_samples: samples of the batch, for a transform that needs them.
        transform: makes the second view, none when None.
        first_transform: warps the first view, which is the image when None.
        crop_margin: pixels to cut off every side of both views.

    Returns:
        The views, of H - 2 margin rows and W - 2 margin columns.

    Raises:
        ValueError: the margins of two views leave nothing.
    """
    second: Tensor | None = None
    warp: Any = None
    first_warp: Warp | None = None
    if isinstance(transform, RandomWarp):
        warp = transform.sample(images)
    elif transform is not None:
        needs_samples = getattr(transform, 'needs_samples', False)
        arguments = (images, data_samples) if needs_samples else (images,)
        second, warp = transform(*arguments)
    first = images
    if first_transform is not None:
        first_warp = first_transform.sample(images)
        first = _sampled(images, first_warp, first_transform)
    if isinstance(transform, RandomWarp):
        both = warp if first_warp is None else ComposedWarp(first_warp, warp)
        second = _sampled(images, both, transform)
    if crop_margin:
        inner = (..., *(slice(crop_margin, -crop_margin),) * 2)
        first = first[inner]
        if second is not None:
            warp = PaddedWarp(warp, (-crop_margin, -crop_margin))
            second = second[inner]
    return Views(first, second, warp, first_warp, crop_margin)


def _sampled(images: Tensor, warp: Warp, transform: RandomWarp) -> Tensor:
    """The images under a warp, with the padding and color jitter of a transform."""
    return transform.jitter(warp.images(images, transform.padding_mode))
