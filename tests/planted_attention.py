"""A frozen network whose features are known: places on an object that is planted.

An image holds, in its first two channels, where on the object a pixel lies, and in its
third whether it shows the object at all; so views of the image are views of the object.
The features are a Fourier code of that place, and another one of the place in the
image, which tells nothing about the object. A token has to learn to heed the one and
not the other, can then stand for any place on the object, and what is found can be
compared with where that place truly is.
"""

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

FREQUENCIES = 32


@MODELS.register_module(force=True)
class PlantedFeatures(nn.Module):
    """Fourier features of places on the object and in the image, (B, 4 F, H/2, W/2)."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(1)
        drawn = 4 * torch.randn(FREQUENCIES, 2, generator=generator)
        self.register_buffer('frequencies', drawn)

    def forward(self, images: Tensor) -> list[Tensor]:
        images = F.avg_pool2d(images, 2)
        shown = images[:, 2:].clamp(0, 1)
        on_object = images[:, :2] / shown.clamp_min(0.1)
        height, width = images.shape[-2:]
        x, y = torch.linspace(-1, 1, width), torch.linspace(-1, 1, height)
        in_image = torch.stack(torch.meshgrid(x, y, indexing='xy'))
        in_image = in_image.expand(len(images), -1, -1, -1)
        codes = torch.cat((self.code(on_object), self.code(in_image)), 1)
        return [codes * shown]

    def code(self, place: Tensor) -> Tensor:
        phase = torch.einsum('fc,bchw->bfhw', self.frequencies, place)
        return torch.cat((phase.cos(), phase.sin()), 1)


def planted_images(
    number: int, seed: int, side: int = 64
) -> tuple[Tensor, Tensor, Tensor]:
    """Images (B, 3, side, side) and the similarity (B, 2, 2), (B, 2) of each object.

    A place q on the object, |q| <= 1, is shown at pixel ``matrix @ q + center``.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    angle = torch.deg2rad(uniform(-30, 30, number))
    scale = side * uniform(0.2, 0.3, number)
    center = side * uniform(0.4, 0.6, number, 2)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    matrix = torch.stack((cos, -sin, sin, cos), -1).view(number, 2, 2)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing='ij')
    pixels = torch.stack((x, y), -1).float().view(1, -1, 2)
    place = places_of(pixels.expand(number, -1, -1), matrix, center)
    radius = place.norm(dim=-1, keepdim=True)
    shown = ((1 - radius) * scale[:, None, None] + 0.5).clamp(0, 1)
    images = torch.cat((place * shown, shown), -1)
    return images.transpose(1, 2).reshape(number, 3, side, side), matrix, center


def places_of(pixels: Tensor, matrix: Tensor, center: Tensor) -> Tensor:
    """Places on the objects of pixels, both (B, N, 2)."""
    moved = (pixels - center[:, None]).transpose(1, 2)
    return torch.linalg.solve(matrix, moved).transpose(1, 2)
