# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the output of YOLOX to boxes: the formula."""

import numpy as np

STRIDES = (8, 16, 32)


def decode_yolox(
    outputs: np.ndarray, size: tuple[int, int], strides: tuple[int, ...] = STRIDES
) -> tuple[np.ndarray, np.ndarray]:
    r"""Decode the anchor-free grids of YOLOX.

    Each cell :math:`(i, j)` of a map of stride s predicts one box,

    .. math:: c = ((i, j) + d) s, \quad (w, h) = e^{q} s,
        \quad p_k = p_{obj} p(k \mid obj)

    from (d, q, p_obj, p) (Ge et al., YOLOX, arXiv:2107.08430, section 2.1,
    "anchor-free": two offsets in terms of the left-top corner of the cell, and the
    height and width of the box).

    Args:
        outputs: (N, 5 + C) float32: ``dx, dy, log w, log h``, objectness and C classes,
            both after the sigmoid; cells row by row, maps by ascending stride.
        size: width and height of the network's input in pixels.
        strides: of the maps.

    Returns:
        Boxes (N, 4) float32 ``x1, y1, x2, y2`` in pixels of the network's input, and
        scores (N, C) float32.

    Raises:
        ValueError: The number of cells is another one than maps of these strides have,
            or there is no class.
    """
    cells, scales = [], []
    for stride in strides:
        rows, columns = np.mgrid[: size[1] // stride, : size[0] // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        scales.append(np.full((rows.size, 1), stride))
    cell, scale = np.concatenate(cells), np.concatenate(scales).astype(np.float32)
    if outputs.ndim != 2 or len(outputs) != len(cell) or outputs.shape[1] < 6:
        raise ValueError(
            f'outputs of YOLOX for {size[0]}x{size[1]} pixels must have shape '
            f'({len(cell)}, 5 + classes), got {outputs.shape}'
        )
    centers = (outputs[:, :2] + cell) * scale
    halves = np.exp(outputs[:, 2:4]) * scale / 2
    boxes = np.concatenate([centers - halves, centers + halves], axis=1)
    return boxes.astype(np.float32), outputs[:, 4:5] * outputs[:, 5:]
