# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""One number for keypoints that nobody has annotated, and a verdict on each."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

# Name of a component, from which value on it is enough, and what is wrong where it is
# not; of several that are equally low, the first tells. Chosen on 45 trained models,
# that of frozen features, which hardly follow a turn, on 40 others.
COMPONENTS: dict[str, tuple[float, str]] = {
    'movement': (1.0, 'hardly move: background?'),
    'distinctness': (1.0, 'lie on another keypoint'),
    'inside': (0.5, 'lie at the border'),
    'equivariance': (0.3, 'do not follow the picture when it is warped'),
    'reliability': (0.5, 'are found with an error as large as they move'),
    'on_object': (0.1, 'lie beside the object'),
    'cycle': (0.1, 'lie on what looks different in each picture'),
    'agreement': (0.3, 'are found by this training alone'),
    'sharpness': (0.3, 'have diffuse maps'),
}
#: From which score on a training is that; measured, see :meth:`KeypointScores.level`.
LEVELS = ((0.5, 'good'), (0.3, 'usable'), (0.0, 'doubtful'))
# Of what is enough: a keypoint with less of something has a verdict.
WEAK = 0.5
# The least factor, so that bad keypoints have an order too.
_FLOOR = 0.05


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
        """Of the training: the formula of a keypoint, of the means over keypoints.

        It foretells the share of the mean pose's error that a linear map from the
        keypoints to annotated points spares: on 30 trained models of six data sets
        within .13 on average, with a rank correlation of .63, of which only the turns
        of the warps were chosen on some. It is too low for clusters of frozen features.
        """
        means = {name: values.mean() for name, values in self.components.items()}
        spared = spared_share(self.components['reliability']).mean()
        return float(spared * _least_enough(means))

    @property
    def level(self) -> str:
        """The score in a word, one of :data:`LEVELS`.

        Of those 30 models the ones from .5 on spared 45 to 80 % of the mean pose's
        error, those from .3 on 19 to 84 %, and those below 5 to 68 %.
        """
        return next(name for least, name in LEVELS if self.score >= least)

    def sentence(self) -> str:
        """What a person should know: the score, and which keypoints fail in what."""
        wrong: dict[str, list[str]] = defaultdict(list)
        for index, verdict in enumerate(self.verdicts):
            if verdict:
                wrong[verdict].append(str(index))
        good = self.verdicts.count('')
        parts = [f'{", ".join(which)} {verdict}' for verdict, which in wrong.items()]
        text = (
            f'score {self.score:.2f}, {self.level}: {good} of {len(self.verdicts)} '
            'keypoints hold'
        )
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
            level=self.level,
            keypoints=[
                dict(
                    score=float(self.scores[index]),
                    verdict=self.verdicts[index],
                    **{name: float(v[index]) for name, v in self.components.items()},
                )
                for index in range(len(self.scores))
            ],
        )


def spared_share(reliability: np.ndarray) -> np.ndarray:
    r"""Share of the mean pose's error that a keypoint of this reliability spares.

    .. math:: 1 - \sqrt{1 - r_k} = 1 - e_k / \sqrt{s_k^2 + e_k^2}

    for a place that varies by :math:`s_k` and is found with an error :math:`e_k`.

    Args:
        reliability: (K,) in [0, 1].

    Returns:
        (K,) float64 in [0, 1].
    """
    return 1 - np.sqrt(1 - np.clip(reliability, 0, 1))


def score_components(components: Mapping[str, np.ndarray]) -> KeypointScores:
    r"""Put components together.

    .. math:: q_k = (1 - \sqrt{1 - r_k}) \; \min_c \min(1, \max(.05, q_{ck} / t_c))

    what a keypoint is expected to spare of the mean pose's error, by its reliability r,
    lowered by the worst of the other components that is not enough (t, see
    :data:`COMPONENTS`).

    Args:
        components: name -> (K,) in [0, 1], some of :data:`COMPONENTS`, ``reliability``
            among them. NaN counts as 0.

    Returns:
        The scores; a keypoint one of whose components is below half of what is enough
        has a verdict, of the lowest.

    Raises:
        ValueError: There is an unknown one, no reliability, or they differ in K.
    """
    unknown = set(components) - set(COMPONENTS)
    if unknown or 'reliability' not in components:
        raise ValueError(
            f'components must be some of {list(COMPONENTS)}, reliability among them, '
            f'got {sorted(components)}'
        )
    ordered = {
        name: np.nan_to_num(np.asarray(components[name], np.float64), nan=0.0)
        for name in COMPONENTS
        if name in components
    }
    shapes = {values.shape for values in ordered.values()}
    if len(shapes) != 1 or len(next(iter(shapes))) != 1:
        raise ValueError(f'components must have one shape (K,), got {sorted(shapes)}')
    scores = spared_share(ordered['reliability']) * _least_enough(ordered)
    names = list(ordered)
    shares = np.stack(
        [values / COMPONENTS[name][0] for name, values in ordered.items()]
    )
    shares = shares.clip(_FLOOR)  # of several as low, the first
    verdicts = tuple(
        COMPONENTS[names[worst]][1] if shares[worst, index] < WEAK else ''
        for index, worst in enumerate(shares.argmin(axis=0))
    )
    return KeypointScores(ordered, scores, verdicts)


def _least_enough(components: Mapping[str, Any]) -> Any:
    """The least of what the components but reliability are of what is enough."""
    shares = [
        np.clip(values / COMPONENTS[name][0], _FLOOR, 1)
        for name, values in components.items()
        if name != 'reliability'
    ]
    return np.minimum.reduce([*shares, np.ones_like(components['reliability'])])
