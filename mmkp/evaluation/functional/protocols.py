# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The named regression protocols and what sets them apart."""

from dataclasses import dataclass
from typing import Any

from .keypoint_errors import REDUCTIONS
from .left_right import human36m_permutation
from .linear_regression import STANDARDIZE, check_center
from .normalizers import Normalizer

VARIANTS = ('autolink', 'stable_keypoints', 'lmdis', 'scops')


@dataclass(frozen=True)
class RegressionProtocol:
    """How discovered keypoints are mapped to annotated ones and scored.

    Coordinates are fractions of the crop, errors are taken in pixels of the
    annotated frame, divided by ``normalizer`` and multiplied by ``scale``.

    Args:
        name: Prefix of the figures.
        center: Constant subtracted before the fit, or ``'standardize'``.
        bias: Whether the fit has a constant term.
        normalizer: See :func:`normalizer_lengths`.
        scale: Factor on the normalised errors, for example 100 for percent.
        unit: What the figures mean, in words.
        frame: Where lengths are measured: ``'image'``, in pixels of the image, or
            ``'crop'``, in the crop squashed to a square, which differs for
            crops that are not square.
        num_annotated: Number of annotated points that the protocol is defined
            on; None accepts any.
        distance: ``'l2'``: of points, which count if both coordinates are known;
            ``'l1'``: of coordinates, each of which counts by itself.
        reduction: See :func:`reduce_errors`.
        threshold: For ``reduction='pck'``, an error after normaliser and scale;
            the figure is then the percentage of points below it.
        permutation: Index table that exchanges left and right; None for a fit
            that trusts the annotated sides.
        max_swaps: See :func:`fit_side_agnostic`; never more than one image in
            twenty, so that small sets settle their sides too.
        reject_sigma: See :func:`fit_side_agnostic`.
        swap_predictions: Whether scoring exchanges sides of the predictions
            instead of the annotations (the same for a true exchange).
        regression: ``'least_squares'``, which published protocols use, or
            ``'ridge'``, see :func:`~.ridge_regression.fit_ridge`: for few images.

    Raises:
        ValueError: If a field has no known meaning.
    """

    name: str = 'generic'
    center: float | str = 0.0
    bias: bool = True
    normalizer: Normalizer = 'crop'
    scale: float = 100.0
    unit: str = '% of crop size'
    frame: str = 'image'
    num_annotated: int | None = None
    distance: str = 'l2'
    reduction: str = 'pooled'
    threshold: float | None = None
    permutation: tuple[int, ...] | None = None
    max_swaps: int = 10
    reject_sigma: float | None = None
    swap_predictions: bool = False
    regression: str = 'least_squares'

    def __post_init__(self) -> None:
        """Check the fields that have a closed set of values."""
        check_center(self.center)
        for name, choices in (
            ('frame', ('image', 'crop')),
            ('distance', ('l2', 'l1')),
            ('reduction', REDUCTIONS),
            ('regression', ('least_squares', 'ridge')),
        ):
            if getattr(self, name) not in choices:
                raise ValueError(
                    f'{name}={getattr(self, name)!r} is unknown: use one of {choices}.'
                )
        if self.reduction == 'pck' and not (self.threshold and self.threshold > 0):
            raise ValueError("reduction='pck' needs a positive threshold.")
        if isinstance(self.normalizer, list):
            object.__setattr__(self, 'normalizer', tuple(self.normalizer))

    @property
    def higher_is_better(self) -> bool:
        """True for shares of correct points, False for errors."""
        return self.reduction == 'pck'


# Section "evaluation" of each paper's code: AutoLink fits uncentred fractions,
# StableKeypoints and LMDIS subtract .5, SCOPS standardises; none has a bias.
_CENTERS: dict[str, float | str] = {
    'autolink': 0.0,
    'stable_keypoints': 0.5,
    'lmdis': 0.5,
    'scops': STANDARDIZE,
}


def get_protocol(
    name: str = 'generic', variant: str = 'autolink', **overrides: Any
) -> RegressionProtocol:
    """Return a named protocol in the form of one paper's code.

    Args:
        name: One of :data:`PROTOCOLS`.
        variant: ``'autolink'``, ``'stable_keypoints'``, ``'lmdis'`` or
            ``'scops'``; ``'generic'`` ignores it.
        **overrides: Fields of :class:`RegressionProtocol` to change, and
            ``legacy_pairs`` for ``'human36m'``.

    Returns:
        The protocol.

    Raises:
        ValueError: If a name or a field does not exist.
    """
    if name not in PROTOCOLS:
        raise ValueError(
            f'protocol {name!r} is unknown: use one of {", ".join(PROTOCOLS)}.'
        )
    if variant not in VARIANTS:
        raise ValueError(
            f'variant {variant!r} is unknown: use one of {", ".join(VARIANTS)}.'
        )
    permutation = {}
    if name == 'human36m' and 'legacy_pairs' in overrides:
        table = human36m_permutation(overrides.pop('legacy_pairs'))
        permutation = dict(permutation=table)
    unknown = set(overrides) - set(RegressionProtocol.__dataclass_fields__)
    if unknown:
        fields = ', '.join(RegressionProtocol.__dataclass_fields__)
        raise ValueError(
            f'{sorted(unknown)} are no fields of a protocol; it has: {fields}.'
        )
    settings, stable = PROTOCOLS[name]
    if variant == 'stable_keypoints':
        settings = settings | stable
    plain = dict(name=name, center=_CENTERS[variant], bias=False)
    return RegressionProtocol(**(plain | settings | permutation | overrides))


def _face(points: int, eyes: tuple[int, int], unit: str, **frame: str) -> dict:
    return dict(
        num_annotated=points, normalizer=eyes, unit=f'% of {unit} distance', **frame
    )


#: Settings of all variants, and what StableKeypoints does otherwise.
PROTOCOLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    'generic': (dict(center=0.0, bias=True), {}),
    'mafl': (_face(5, (0, 1), 'inter-ocular'), {}),
    # In the wild, AutoLink and StableKeypoints squash whole photographs to a square
    # and measure there.
    'celeba': (_face(5, (0, 1), 'inter-ocular', frame='crop'), {}),
    '300w': (_face(68, (36, 45), 'outer eye corner'), {}),
    'aflw': (_face(5, (0, 1), 'inter-ocular'), {}),
    'cub': (dict(num_annotated=15), dict(reduction='per_image')),
    'human36m': (
        dict(num_annotated=32, permutation=human36m_permutation(), reject_sigma=3.0),
        dict(
            scale=128.0,
            unit='px of a 128 px crop',
            reject_sigma=None,
            swap_predictions=True,
        ),
    ),
    'taichi': (
        dict(
            num_annotated=18,
            bias=True,
            scale=255.0,
            unit='px of a 255 px crop, L1 summed over coordinates',
            distance='l1',
            reduction='sum_of_point_means',
        ),
        dict(
            bias=False,
            scale=256.0,
            unit='px of a 256 px crop, L2 summed over joints',
            distance='l2',
            reduction='mean_of_image_sums',
        ),
    ),
    'deepfashion': (
        dict(
            num_annotated=8,
            scale=255.0,
            unit='% of points within 6 px of a 255 px crop',
            reduction='pck',
            threshold=6.0,
        ),
        dict(scale=256.0, unit='% of points within 6 px of a 256 px crop'),
    ),
}
