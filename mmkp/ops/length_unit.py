# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Units in which losses measure lengths: every paper has its own."""

from mmkp.ops.heatmaps.soft_argmax import Grid, cell_layout

LENGTH_UNITS = (
    'pixels',
    'cells',
    'half_longer_side',
    'half_longer_edge',
    'longer_edge',
)


def check_length_unit(unit: str | float) -> None:
    """Refuse what is no unit of length.

    Args:
        unit: see :func:`length_unit`.

    Raises:
        ValueError: neither one of ``LENGTH_UNITS`` nor a positive number.
    """
    if isinstance(unit, str):
        if unit not in LENGTH_UNITS:
            raise ValueError(
                f'unit is {unit!r}, must be one of {LENGTH_UNITS} or a number of pixels'
            )
    elif not unit > 0:
        raise ValueError(f'unit is {unit}, must be a positive number of pixels')


def length_unit(
    unit: str | float,
    image_size: tuple[int, int],
    map_size: tuple[int, int] | None = None,
    grid: Grid = 'inclusive',
) -> tuple[float, float]:
    """Pixels of the network input to one unit of length.

    Args:
        unit: ``'pixels'``; ``'cells'`` of the heatmap; ``'half_longer_side'``, half of
            the longer side from the first to the last pixel centre, so that the image
            spans [-1, 1] as in AutoLink and IMM; ``'half_longer_edge'``, the same
            between the outer edges, as in LMDIS; ``'longer_edge'``, its double, so
            that the image spans [0, 1]; or a number of pixels.
        image_size: (W, H) of the network input in pixels.
        map_size: (w, h) of the heatmaps in cells, for ``'cells'``.
        grid: where the cells lie, see
            :func:`mmkp.ops.heatmaps.soft_argmax.cell_positions`.

    Returns:
        Pixels along x and y; they differ only for cells that are not square.

    Raises:
        ValueError: no such unit, or ``'cells'`` without a map.
    """
    check_length_unit(unit)
    if unit == 'cells':
        if map_size is None:
            raise ValueError(
                "unit='cells' needs heatmaps, and there are only keypoints: give the "
                'size of a cell in pixels'
            )
        sizes = zip(map_size, image_size, strict=True)
        x, y = (cell_layout(cells, pixels, grid)[1] for cells, pixels in sizes)
        return x, y
    longer = max(image_size)
    lengths = {
        'pixels': 1.0,
        'half_longer_side': max(longer - 1, 1) / 2,
        'half_longer_edge': longer / 2,
        'longer_edge': float(longer),
    }
    length = lengths[unit] if isinstance(unit, str) else float(unit)
    return length, length
