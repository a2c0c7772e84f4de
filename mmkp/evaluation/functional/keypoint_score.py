# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One number for keypoints that nobody has annotated, and a verdict on each."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Name of a component, its weight and what is wrong where it is low; of several that are
# equally low, the first tells. The weights are not calibrated against errors yet.
COMPONENTS: dict[str, tuple[float, str]] = {
    'movement': (1.0, 'hardly move: background?'),
    'distinctness': (1.0, 'lie on another keypoint'),
    'inside': (1.0, 'lie at the border'),
    'equivariance': (1.0, 'do not follow the picture when it is warped'),
    'reliability': (1.0, 'are found with an error as large as they move'),
    'on_object': (1.0, 'lie beside the object'),
    'cycle': (1.0, 'lie on what looks different in each picture'),
    'agreement': (1.0, 'are found by this training alone'),
    'sharpness': (0.5, 'have diffuse maps'),
}
WEAK = 0.3
_LEAST = 0.01


@dataclass(frozen=True)
class KeypointScores:
    """Scores of K keypoints, what they are made of, and a verdict on each.

    Args:
        components: name -> (K,) float64 in [0, 1], some of :data:`COMPONENTS`.
        scores: (K,) float64 in [0, 1].
        verdicts: What is wrong with each keypoint, '' where nothing is.
    """

    components: dict[str, np.ndarray]
    scores: np.ndarray
    verdicts: tuple[str, ...]

    @property
    def score(self) -> float:
        """Of the training, the mean of the keypoints'."""
        return float(self.scores.mean())

    def sentence(self) -> str:
        """What a person should know: the score, and which keypoints fail in what."""
        wrong: dict[str, list[str]] = defaultdict(list)
        for index, verdict in enumerate(self.verdicts):
            if verdict:
                wrong[verdict].append(str(index))
        good = self.verdicts.count('')
        parts = [f'{", ".join(which)} {verdict}' for verdict, which in wrong.items()]
        text = f'score {self.score:.2f}: {good} of {len(self.verdicts)} keypoints hold'
        return '; '.join([text, *parts])

    def table(self) -> str:
        """A row for each keypoint, the score and its components in percent."""
        columns = dict(score=self.scores, **self.components)
        lines = ['  '.join(['keypoint', *columns, 'verdict'])]
        for index, verdict in enumerate(self.verdicts):
            cells = [f'{100 * v[index]:{len(n)}.0f}' for n, v in columns.items()]
            lines.append('  '.join([f'{index:8}', *cells, verdict]).rstrip())
        return '\n'.join(lines)

    def to_dict(self) -> dict[str, Any]:
        """All of it, for a json file."""
        return dict(
            score=self.score,
            sentence=self.sentence(),
            calibrated=False,
            keypoints=[
                dict(
                    score=float(self.scores[index]),
                    verdict=self.verdicts[index],
                    **{name: float(v[index]) for name, v in self.components.items()},
                )
                for index in range(len(self.scores))
            ],
        )


def score_components(components: Mapping[str, np.ndarray]) -> KeypointScores:
    r"""Put components together.

    .. math:: q_k = \frac{\sum_c w_c}{\sum_c w_c / \max(q_{ck}, .01)}

    the weighted harmonic mean: a keypoint is hardly better than what is worst of it.
    The weights are those of :data:`COMPONENTS`, not calibrated yet: compare scores of
    one data set and of the same components only.

    Args:
        components: name -> (K,) in [0, 1], any of :data:`COMPONENTS`. NaN counts as 0.

    Returns:
        The scores; a keypoint one of whose components is below .3 has a verdict, of the
        lowest.

    Raises:
        ValueError: There is none, an unknown one, or they differ in K.
    """
    unknown = set(components) - set(COMPONENTS)
    if unknown or not components:
        raise ValueError(
            f'components must be some of {list(COMPONENTS)}, got {sorted(components)}'
        )
    ordered = {
        name: np.nan_to_num(np.asarray(components[name], np.float64), nan=0.0)
        for name in COMPONENTS
        if name in components
    }
    shapes = {values.shape for values in ordered.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f'components must have one shape (K,), got {sorted(shapes)}')
    names, values = list(ordered), np.stack(list(ordered.values()))
    weights = np.array([COMPONENTS[name][0] for name in names])[:, None]
    scores = weights.sum() / (weights / values.clip(_LEAST, 1)).sum(axis=0)
    verdicts = tuple(
        COMPONENTS[names[worst]][1] if values[worst, index] < WEAK else ''
        for index, worst in enumerate(values.clip(_LEAST).argmin(axis=0))
    )
    return KeypointScores(ordered, scores, verdicts)
