# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A few objects that stand for all."""

from collections.abc import Sequence

import numpy as np


def herd(
    points: np.ndarray,
    number: int,
    known: Sequence[int] = (),
    bandwidth: float = 0.1,
) -> np.ndarray:
    """Choose objects whose distribution is that of all, one by one.

    Kernel herding (Chen, Welling, Smola, UAI 2010, equation 8): the next one is where
    ``mean_j k(x, x_j) - (1 / (t + 1)) sum_chosen k(x, x_c)`` is greatest, with a
    Gaussian kernel. It prefers what is common and unlike what was chosen before; rare
    shapes, which are often mistakes of the detector, come last.

    Args:
        points: (N, D) float.
        number: how many to choose; all others where there are fewer.
        known: indices of those that are chosen already.
        bandwidth: of the kernel's exponent, in medians of the squared distances.

    Returns:
        Indices in the order in which they were chosen, int64.
    """
    squares = np.square(points).sum(1)
    distances = (squares[:, None] + squares - 2 * points @ points.T).clip(0)
    scale = bandwidth * float(np.median(distances))
    kernel = np.exp(-distances / scale) if scale > 0 else np.ones_like(distances)
    chosen = list(dict.fromkeys(int(index) for index in known))
    wanted, covered, first = kernel.mean(1), kernel[chosen].sum(0), len(chosen)
    while len(chosen) < min(first + number, len(points)):
        gain = wanted - covered / (len(chosen) + 1)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
        covered = covered + kernel[chosen[-1]]
    return np.array(chosen[first:], np.int64)
