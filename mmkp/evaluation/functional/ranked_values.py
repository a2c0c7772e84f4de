# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Values of many points in one line, the worst first."""

from collections.abc import Sequence

import numpy as np

#: Up to so many are all printed; of more, the first and the last ones.
MOST, ENDS = 20, 4


def ranked_values(names: Sequence[str], values: np.ndarray) -> str:
    """Say the values of named points, the largest first.

    Args:
        names: Names of the n points.
        values: (n,) float; those that are not finite are left out.

    Returns:
        For example ``left_wrist 4.02, nose 0.71``; of more than 20 points the first
        and the last four; empty where nothing is finite.
    """
    values = np.asarray(values, np.float64)
    order = [i for i in np.argsort(-values, kind='stable') if np.isfinite(values[i])]
    texts = [f'{names[i]} {values[i]:.3g}' for i in order]
    if len(texts) > MOST:
        texts = [*texts[:ENDS], '...', *texts[-ENDS:]]
    return ', '.join(texts)
