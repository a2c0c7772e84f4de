"""Keypoints and sizes that protocols of evaluation are given."""

from pathlib import Path
from typing import Any

from fuzzing.mutations import Random, array, chance, choose, number
from fuzzing.target import Target
from mmkp.evaluation.functional import (
    KeypointSamples,
    collapse_statistics,
    evaluate_discovery,
    fit_affine,
    get_protocol,
)


def _make_fit(rng: Random) -> tuple[Any, ...]:
    rows = int(rng.integers(9))
    center = choose(rng, (0.0, 0.5, 'standardize', number(rng)))
    scale = 10.0 ** float(rng.integers(-3, 4))
    return (
        array(rng, (rows, int(rng.integers(1, 5))), scale),
        array(rng, (rows, 2), scale),
        center,
        chance(rng, 0.5),
    )


def _use_fit(case: tuple[Any, ...], folder: Path) -> None:
    fit_affine(*case)


def _make_samples(rng: Random) -> tuple[Any, ...]:
    count = int(rng.integers(1, 9))
    sizes = array(rng, (count, 2), 50.0) if chance(rng, 0.3) else None
    visible = array(rng, (count, 3), 0.5) if chance(rng, 0.3) else None
    untrained = array(rng, (count, 2, 2), 0.5) if chance(rng, 0.3) else None
    return (
        array(rng, (count, 2, 2), 0.5),
        array(rng, (count, 3, 2), 0.5),
        visible,
        sizes,
        untrained,
        choose(rng, (None, 'scops')),
    )


def _use_samples(case: tuple[Any, ...], folder: Path) -> None:
    discovered, annotated, visible, sizes, untrained, variant = case
    samples = KeypointSamples.from_arrays(discovered, annotated, visible, sizes)
    collapse_statistics(samples.discovered)
    protocol = get_protocol('generic', variant) if variant else get_protocol()
    beside = None if untrained is None else (untrained, untrained)
    evaluate_discovery(protocol, samples, samples, beside, shots=(2,), num_draws=2)


TARGETS = {
    'regression': Target(_make_fit, _use_fit, 2.0),
    'evaluation': Target(_make_samples, _use_samples),
}
