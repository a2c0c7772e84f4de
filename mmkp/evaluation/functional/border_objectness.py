# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Where the object is, without masks: what the border shows is background."""

import warnings

import numpy as np
from scipy.cluster.vq import kmeans2

from .keypoint_components import as_keypoints

# Of each side; what lies further in is not the border.
_BORDER = 0.1
_CELLS = 20000


def border_objectness(
    maps: np.ndarray, num_clusters: int = 16, seed: int = 0
) -> np.ndarray:
    r"""How likely a cell shows the object, by where cells that look alike lie.

    Cells of all images are clustered by k-means; a cluster c that is as frequent at
    the border of the pictures as elsewhere is background,

    .. math:: o_c = \max\left(0,\; 1 - \frac{P(border | c)}{P(border)}\right)

    Args:
        maps: (n, h, w, C), colors or features of n pictures.
        num_clusters: number of clusters.
        seed: of their first centers.

    Returns:
        (n, h, w) float64 in [0, 1].

    Raises:
        ValueError: The shape is another one.
    """
    maps = np.asarray(maps, np.float64)
    if maps.ndim != 4 or 0 in maps.shape:
        raise ValueError(f'maps must have shape (n, h, w, C), got {maps.shape}')
    cells: np.ndarray = maps.reshape(-1, maps.shape[-1])
    cells = cells / max(float(cells.std()), 1e-12)
    rng = np.random.default_rng(seed)
    drawn = rng.permutation(len(cells))[:_CELLS]
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of an empty cluster
        centers, _ = kmeans2(
            cells[drawn],
            min(num_clusters, len(drawn)),
            minit='++',
            seed=np.random.default_rng(seed),
        )
    distances = (centers**2).sum(1) - 2 * cells @ centers.T
    labels = distances.argmin(axis=1)
    at_border = np.broadcast_to(_border(*maps.shape[1:3]), maps.shape[:3]).ravel()
    counts = np.bincount(labels, minlength=len(centers))
    inside = np.bincount(labels, weights=at_border, minlength=len(centers))
    ratio = inside / np.maximum(counts, 1) / at_border.mean()
    return np.clip(1 - ratio, 0, 1)[labels].reshape(maps.shape[:3])


def objectness_share(objectness: np.ndarray, keypoints: np.ndarray) -> np.ndarray:
    """Mean objectness of the cells in which keypoints lie.

    Args:
        objectness: (n, h, w) in [0, 1].
        keypoints: (n, K, 2), fractions of the pictures; 0 beyond them.

    Returns:
        (K,) float64 in [0, 1].
    """
    keypoints = as_keypoints('keypoints', keypoints)
    height, width = objectness.shape[1:]
    inside = ((keypoints >= 0) & (keypoints < 1)).all(axis=2)
    cells = np.nan_to_num(keypoints.clip(0, 1 - 1e-9) * [width, height]).astype(int)
    images = np.arange(len(keypoints))[:, None]
    found = objectness[images, cells[..., 1], cells[..., 0]]
    return np.where(inside, found, 0.0).mean(axis=0)


def _border(height: int, width: int) -> np.ndarray:
    """Cells at the border of a picture, at least one on each side."""
    border = np.zeros((height, width), bool)
    rows, columns = (max(1, round(_BORDER * side)) for side in (height, width))
    border[:rows] = border[-rows:] = True
    border[:, :columns] = border[:, -columns:] = True
    return border
