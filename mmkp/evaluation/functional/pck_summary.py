# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which keypoints a published PCK averages over, and how, by keypoint name.

Papers report one "mean" and seldom say which. On the same predictions for MPII
the usual ones differ by 1.4 points, so each has a name here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from .pck import (
    CorrectKeypointCounts,
    group_percentages,
    keypoint_percentages,
    mean_of_groups,
    pooled_percentage,
    unweighted_percentage,
)

AVERAGES = ('pooled', 'unweighted', 'groups')
SIDES = ('left_', 'right_')


@dataclass(frozen=True)
class MeanDefinition:
    """One way of averaging PCK.

    Args:
        average: ``'pooled'``: over all instances of the keypoints together;
            ``'unweighted'``: over the keypoints' percentages; ``'groups'``:
            over the groups' percentages.
        keypoints: Names of the keypoints to average over, None for all.
            ``'groups'`` takes the groups instead.
    """

    average: str = 'pooled'
    keypoints: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if self.average not in AVERAGES:
            raise ValueError(
                f'average={self.average!r} is unknown: use one of {AVERAGES}.'
            )
        if self.average == 'groups' and self.keypoints is not None:
            raise ValueError(
                "average='groups' is the mean over all groups: leave out keypoints."
            )


#: Groups by preset. MPII's seven are the columns in which papers report it.
GROUP_PRESETS: dict[str, dict[str, tuple[str, ...]]] = {
    'mpii': {
        'head': ('upper_neck', 'head_top'),
        'shoulder': ('left_shoulder', 'right_shoulder'),
        'elbow': ('left_elbow', 'right_elbow'),
        'wrist': ('left_wrist', 'right_wrist'),
        'hip': ('left_hip', 'right_hip'),
        'knee': ('left_knee', 'right_knee'),
        'ankle': ('left_ankle', 'right_ankle'),
    }
}

_MPII_14 = tuple(name for group in GROUP_PRESETS['mpii'].values() for name in group)
_MPII_16 = (*_MPII_14, 'pelvis', 'thorax')

#: Means by preset. 14 joints are MPII's without pelvis and thorax.
MEAN_PRESETS: dict[str, dict[str, MeanDefinition]] = {
    'mpii': {
        'mean14_pooled': MeanDefinition('pooled', _MPII_14),
        'mean14_unweighted': MeanDefinition('unweighted', _MPII_14),
        'mean16_pooled': MeanDefinition('pooled', _MPII_16),
        'mean16_unweighted': MeanDefinition('unweighted', _MPII_16),
        'mean7_groups': MeanDefinition('groups'),
    }
}

#: What is reported where nothing is asked for: the first as MMPose's PCKAccuracy.
DEFAULT_MEANS = {
    'mean': MeanDefinition('unweighted'),
    'mean_pooled': MeanDefinition('pooled'),
}


def left_right_groups(names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Pair the keypoints whose names begin with ``left_`` and ``right_``.

    Args:
        names: Keypoint names.

    Returns:
        What the names share -> (left name, right name), in the order of names.
    """
    left, right = SIDES
    stems = (name.removeprefix(left).removeprefix(right) for name in names)
    pairs = {stem: (left + stem, right + stem) for stem in stems}
    return {
        stem: pair
        for stem, pair in pairs.items()
        if stem not in names and all(name in names for name in pair)
    }


class PCKSummary:
    """Turns counts into named percentages.

    Args:
        names: Names of the K keypoints, in their order.
        means: Preset (``'mpii'``), or name -> :class:`MeanDefinition` or its
            arguments as a dict; None for ``mean``, over the keypoints'
            percentages, and ``mean_pooled``, both over all keypoints.
        groups: Preset, or name -> keypoint names; None for those of the preset
            that ``means`` names, else one for each left/right pair.

    Raises:
        ValueError: If a preset or a keypoint is unknown, a group or a mean is
            empty, two figures would have the same name or groups are given
            beside a preset of means.
    """

    def __init__(
        self,
        names: Sequence[str],
        means: str | Mapping[str, MeanDefinition | Mapping] | None = None,
        groups: str | Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.names = tuple(names)
        if isinstance(means, str):
            if groups not in (None, means):
                raise ValueError(
                    f'means={means!r} averages over its own groups: leave out groups, '
                    'or write the means as a dict.'
                )
            groups, means = means, _preset(means, MEAN_PRESETS, 'means')
        elif means is None:
            means = DEFAULT_MEANS
        if groups is None:
            groups = left_right_groups(self.names)
        elif isinstance(groups, str):
            groups = _preset(groups, GROUP_PRESETS, 'groups')
        self.groups = {
            name: self._indices(keypoints, f'groups[{name!r}]')
            for name, keypoints in groups.items()
        }
        self.means = {name: _definition(name, mean) for name, mean in means.items()}
        self._mean_indices = {
            name: self._indices(
                self.names if mean.keypoints is None else mean.keypoints,
                f'means[{name!r}]',
            )
            for name, mean in self.means.items()
        }
        self._check_figure_names()

    def summarize(
        self, counts: CorrectKeypointCounts, threshold: int
    ) -> dict[str, float]:
        """Return every figure at one threshold.

        Args:
            counts: Counts of the K keypoints.
            threshold: Index of the threshold.

        Returns:
            Means, groups and keypoints, in this order: name -> percent. NaN
            where nothing counted.
        """
        correct, count = counts.correct[threshold], counts.count
        figures = {name: self._mean(name, correct, count) for name in self.means}
        by_group = group_percentages(correct, count, list(self.groups.values()))
        figures.update(zip(self.groups, by_group.tolist(), strict=True))
        by_keypoint = keypoint_percentages(correct, count)
        figures.update(zip(self.names, by_keypoint.tolist(), strict=True))
        return figures

    def _mean(self, name: str, correct: np.ndarray, count: np.ndarray) -> float:
        average = self.means[name].average
        if average == 'groups':
            return mean_of_groups(correct, count, list(self.groups.values()))
        function = pooled_percentage if average == 'pooled' else unweighted_percentage
        return function(correct, count, self._mean_indices[name])

    def _indices(self, keypoints: Sequence[str], setting: str) -> tuple[int, ...]:
        if isinstance(keypoints, str) or not keypoints:
            raise ValueError(
                f'{setting}={keypoints!r} must be a list of at least one keypoint name.'
            )
        return tuple(keypoint_index(name, self.names, setting) for name in keypoints)

    def _check_figure_names(self) -> None:
        figures = [*self.means, *self.groups, *self.names]
        repeated = sorted({name for name in figures if figures.count(name) > 1})
        if repeated:
            raise ValueError(
                f'{repeated} name more than one mean, group or keypoint: rename the '
                'mean or the group.'
            )


def keypoint_index(name: str, names: Sequence[str], setting: str) -> int:
    """Return the index of a keypoint that a setting names.

    Args:
        name: The keypoint.
        names: Names of all keypoints, in their order.
        setting: The setting, for the message.

    Returns:
        Index from 0.

    Raises:
        ValueError: If there is no such keypoint.
    """
    if name not in names:
        raise ValueError(
            f'{setting} names the keypoint {name!r}, which the data set lacks: choose '
            f'from {", ".join(map(str, names))}.'
        )
    return list(names).index(name)


def _preset(name: str, presets: Mapping[str, dict], setting: str) -> dict:
    if name not in presets:
        raise ValueError(
            f'{setting}={name!r} is no preset: use one of {sorted(presets)} or a dict.'
        )
    return presets[name]


def _definition(name: str, mean: MeanDefinition | Mapping) -> MeanDefinition:
    if isinstance(mean, MeanDefinition):
        return mean
    unknown = set(mean) - {'average', 'keypoints'}
    if unknown:
        raise ValueError(
            f'means[{name!r}] has the unknown keys {sorted(unknown)}: use average and '
            'keypoints.'
        )
    return MeanDefinition(**mean)
