# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where the cells of a map lie in the image."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from mmkp.ops.precision import in_full_precision, per_axis

ALIGNMENTS = ('inclusive', 'cell_centers')
Alignment = str | Mapping[str, float]


@dataclass(frozen=True)
class MapGeometry:
    """Where the cells of a map lie in the network input, in pixels.

    Pixels are counted from the center of the first pixel of the input, its padding
    included. Pairs are (x, y).

    Attributes:
        image_size: (W, H) of the network input in pixels.
        map_size: (w, h) of the map in cells.
        first: pixel of the center of the first cell.
        spacing: pixels from cell to cell.
        padding: pixels around the image proper, (x) on the left and on the right and
            (y) above and below.
    """

    image_size: tuple[int, int]
    map_size: tuple[int, int]
    first: tuple[float, float]
    spacing: tuple[float, float]
    padding: tuple[int, int] = (0, 0)

    @classmethod
    def inclusive(
        cls, image_size: tuple[int, int], map_size: tuple[int, int]
    ) -> 'MapGeometry':
        """First and last cell on the centers of the first and last pixel.

        As AutoLink and IMM place them, torch's ``align_corners=True``. A single cell
        lies in the middle.

        Args:
            image_size: (W, H) of the network input in pixels.
            map_size: (w, h) of the map in cells.
        """
        first, spacing = [], []
        for pixels, cells in zip(image_size, map_size, strict=True):
            one = cells == 1
            first.append((pixels - 1) / 2 if one else 0)
            spacing.append(max(pixels - 1, 1) if one else (pixels - 1) / (cells - 1))
        return cls(image_size, map_size, _pair(first), _pair(spacing))

    @classmethod
    def cell_centers(
        cls,
        image_size: tuple[int, int],
        map_size: tuple[int, int],
        padding: tuple[int, int] = (0, 0),
    ) -> 'MapGeometry':
        """Each cell in the middle of the pixels that it covers.

        As LMDIS places them, torch's ``align_corners=False``.

        Args:
            image_size: (W, H) of the network input in pixels, its padding included.
            map_size: (w, h) of the map in cells.
            padding: see the class.
        """
        spacing = _pair(a / b for a, b in zip(image_size, map_size, strict=True))
        first = _pair(0.5 * step - 0.5 for step in spacing)
        return cls(image_size, map_size, first, spacing, padding)

    @classmethod
    def strided(
        cls,
        image_size: tuple[int, int],
        map_size: tuple[int, int],
        first: float,
        spacing: float,
    ) -> 'MapGeometry':
        """Cells of a network of valid convolutions, in the inner part of the image.

        Args:
            image_size: (W, H) of the network input in pixels.
            map_size: (w, h) of the map in cells.
            first: pixel that the first cell looks at, along both axes.
            spacing: pixels from cell to cell, along both axes.
        """
        both = (float(first),) * 2, (float(spacing),) * 2
        return cls(image_size, map_size, *both)

    @classmethod
    def aligned(
        cls,
        alignment: Alignment,
        image_size: tuple[int, int],
        map_size: tuple[int, int],
    ) -> 'MapGeometry':
        """Cells as a config says.

        Args:
            alignment: ``'inclusive'``, ``'cell_centers'``, or ``dict(first=...,
                spacing=...)`` for :meth:`strided`.
            image_size: (W, H) of the network input in pixels.
            map_size: (w, h) of the map in cells.

        Raises:
            ValueError: another ``alignment``.
        """
        check_alignment(alignment)
        if isinstance(alignment, Mapping):
            return cls.strided(image_size, map_size, **alignment)
        make = cls.inclusive if alignment == 'inclusive' else cls.cell_centers
        return make(image_size, map_size)

    @property
    def inner_size(self) -> tuple[int, int]:
        """(W, H) of the image proper in pixels."""
        (width, height), (x, y) = self.image_size, self.padding
        return width - 2 * x, height - 2 * y

    @property
    def half_side(self) -> float:
        """Half of the longer side of the input, from first to last pixel center.

        The input spans [-1, 1] in this unit, that of AutoLink and IMM.
        """
        return max(max(self.image_size) - 1, 1) / 2

    @property
    def edge(self) -> float:
        """Longer edge of the image proper, which spans [0, 1] in this unit (LMDIS)."""
        return float(max(self.inner_size))

    @property
    def padded_edge(self) -> float:
        """Longer edge of the network input, its padding included."""
        return float(max(self.image_size))

    @property
    def unpadded(self) -> 'MapGeometry':
        """The same cells in pixels of the image proper."""
        if not any(self.padding):
            return self
        first = _pair(a - b for a, b in zip(self.first, self.padding, strict=True))
        return replace(self, image_size=self.inner_size, first=first, padding=(0, 0))

    def columns(self, like: Tensor) -> Tensor:
        """Pixel x of each column of cells, (w,), like a tensor, at least float32."""
        return self._line(0, like)

    def rows(self, like: Tensor) -> Tensor:
        """Pixel y of each row of cells, (h,), like a tensor, at least float32."""
        return self._line(1, like)

    def _line(self, axis: int, like: Tensor) -> Tensor:
        """Positions along an axis; half precision has too few digits for them."""
        number, spacing = self.map_size[axis], self.spacing[axis]
        dtype = torch.promote_types(like.dtype, torch.float32)
        index = torch.arange(number, dtype=dtype, device=like.device)
        return index * spacing + self.first[axis]

    def centers(self, like: Tensor) -> Tensor:
        """Pixels (x, y) of all cells, row by row, (h w, 2), as :meth:`columns`."""
        lines = self.columns(like), self.rows(like)
        return torch.stack(torch.meshgrid(*lines, indexing='xy'), -1).view(-1, 2)

    @in_full_precision
    def to_pixels(self, cells: Tensor) -> Tensor:
        """Pixels of positions in cells.

        Args:
            cells: (x, y) with the centers of cells at integers, shape (..., 2).
        """
        return cells * per_axis(self.spacing, cells) + per_axis(self.first, cells)

    @in_full_precision
    def to_cells(self, pixels: Tensor) -> Tensor:
        """Positions in cells, their centers at integers, of pixels (x, y), (..., 2)."""
        moved = pixels - per_axis(self.first, pixels)
        return moved / per_axis(self.spacing, pixels)

    def covering(self) -> 'MapGeometry':
        """The geometry of what :meth:`cover_image` makes of a map."""
        margins = self._margins()
        before, after = margins[::2], margins[1::2]
        sizes = zip(self.map_size, before, after, strict=True)
        width, height = (cells + sum(added) for cells, *added in sizes)
        places = zip(self.first, self.spacing, before, strict=True)
        first = _pair(pixel - step * added for pixel, step, added in places)
        return replace(self, map_size=(width, height), first=first)

    def cover_image(self, maps: Tensor) -> Tensor:
        """Pad or cut maps so that they cover the input, to be stretched over it.

        Whole cells only, so that it fits as nearly as these allow. For the image
        proper take that of :attr:`unpadded`.

        Args:
            maps: shape (..., h, w).

        Returns:
            Maps with zeros around or with cells cut off, (..., h', w').
        """
        margins = self._margins()
        return F.pad(maps, margins) if any(margins) else maps

    def _margins(self) -> list[int]:
        """Whole cells missing on the left, on the right, above and below."""
        margins: list[int] = []
        for axis in (0, 1):
            pixels, cells = self.image_size[axis], self.map_size[axis]
            first, spacing = self.first[axis], self.spacing[axis]
            last = first + (cells - 1) * spacing
            least = -((cells - 1) // 2)  # one cell is left
            margins += [
                max(least, round((gap + 0.5) / spacing - 0.5))
                for gap in (first, pixels - 1 - last)
            ]
        return margins


def size_of(maps: Tensor) -> tuple[int, int]:
    """(w, h) of maps or images (..., h, w)."""
    return maps.shape[-1], maps.shape[-2]


def check_alignment(alignment: Alignment) -> None:
    """Refuse what says nothing about where the cells of a map lie.

    Args:
        alignment: see :meth:`MapGeometry.aligned`.

    Raises:
        ValueError: neither one of ``ALIGNMENTS`` nor a first position and a spacing.
    """
    if isinstance(alignment, str):
        known = alignment in ALIGNMENTS
    else:
        known = (
            isinstance(alignment, Mapping)
            and set(alignment) == {'first', 'spacing'}
            and alignment['spacing'] > 0
        )
    if not known:
        raise ValueError(
            f'alignment must be one of {ALIGNMENTS} or dict(first=..., spacing=...) '
            f'with a positive spacing, both in pixels, got {alignment!r}'
        )


def _pair(values: Iterable[float]) -> tuple[float, float]:
    """Two numbers as a tuple of known length."""
    x, y = values
    return float(x), float(y)
