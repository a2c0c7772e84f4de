# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How far a handful of annotated images gets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class FewShotSummary:
    """Figures of repeated draws of the same number of images.

    Args:
        per_draw: One figure per draw.
    """

    per_draw: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Mean over draws."""
        return float(np.mean(self.per_draw))

    @property
    def sd(self) -> float:
        """Population standard deviation over draws."""
        return float(np.std(self.per_draw))

    @property
    def median(self) -> float:
        """Median over draws, the figure to report.

        Near ``shots = 2K`` the fit has as many equations as unknowns and
        single draws explode, which ruins a mean.
        """
        return float(np.median(self.per_draw))


def draw_few_shot(
    num_images: int, shots: int, num_draws: int = 10, seed: int = 0
) -> np.ndarray:
    """Draw images without replacement, the same ones for the same seed.

    Args:
        num_images: Number of annotated images to draw from.
        shots: Images per draw.
        num_draws: Number of draws.
        seed: Seed; each (seed, shots) has a stream of its own.

    Returns:
        (num_draws, shots) int64 indices.

    Raises:
        ValueError: If ``shots`` is not in 1..num_images.
    """
    if not 1 <= shots <= num_images:
        raise ValueError(f'cannot draw {shots} of {num_images} annotated images.')
    generator = np.random.default_rng([seed, shots])
    draws = [
        generator.choice(num_images, shots, replace=False) for _ in range(num_draws)
    ]
    return np.stack(draws).astype(np.int64)


def near_interpolation_peak(shots: int, num_unknowns: int) -> bool:
    """Tell whether a fit has about as many equations as unknowns.

    Args:
        shots: Number of annotated images.
        num_unknowns: Coefficients per target: 2K, plus 1 with a bias.

    Returns:
        True within half to one and a half times ``num_unknowns``.
    """
    return 0.5 * num_unknowns < shots < 1.5 * num_unknowns


def usable_shots(shots: Sequence[int], num_images: int) -> tuple[int, ...]:
    """Return the numbers of images that can be drawn from ``num_images``."""
    return tuple(sorted({int(n) for n in shots if 1 <= n < num_images}))
