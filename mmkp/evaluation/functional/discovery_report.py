# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every figure of a protocol beside its two baselines, as numbers and as a table."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from mmkp.ops.finite import finite_or_none

from .collapse import CollapseStatistics
from .few_shot import FewShotSummary
from .forward_error import ProtocolScore
from .protocols import RegressionProtocol
from .ranked_values import ranked_values

DETECTOR, MEAN_POSE, UNTRAINED = 'detector', 'mean_pose', 'untrained'
#: A share that a point put anywhere in the crop has.
CHANCE = 'chance'
COLUMNS = (DETECTOR, MEAN_POSE, UNTRAINED)


@dataclass
class DiscoveryReport:
    """The figures of one protocol; every inner dict is keyed by a column.

    The columns are ``'detector'``, ``'mean_pose'`` and, where there is one,
    ``'untrained'``.

    Args:
        protocol: The protocol that was run.
        counts: Numbers of images and keypoints.
        errors: ``'forward'`` and ``'backward'`` to column to figure, in the
            protocol's unit.
        few_shot: Number of annotated images to column to figures of the draws, of
            plain least squares, the map of published protocols.
        ridge: The same of cross-validated ridge regression, the map for few images,
            without the mean pose, which is the same by any regression.
        collapse: Column to statistics of the discovered keypoints.
        shares: Name, such as ``'on_object'``, to column to the share of discovered
            keypoints of which that is true, in percent. The mean pose is that of the
            discovered keypoints themselves; ``'chance'`` is a column here.
        points: Column to the error of each annotated point (G,), in the protocol's
            unit.
        point_names: Names of the annotated points.
        keypoints: Name to a figure of each discovered keypoint (K,): ``'backward'``,
            how far its place relative to the body wanders, also of the baselines;
            ``'relative_spread'``, the same relative to the other keypoints, and
            ``'spread'``, in crop units; shares in percent.
        details: What else a results file should hold, as plain types.
        remarks: Sentences to read beside the table.
        peak_shots: Numbers of images close to the interpolation peak.
        outcomes: Column to what the protocol predicted, and of which images.
    """

    protocol: RegressionProtocol
    counts: dict[str, int]
    errors: dict[str, dict[str, float]] = field(default_factory=dict)
    few_shot: dict[int, dict[str, FewShotSummary]] = field(default_factory=dict)
    ridge: dict[int, dict[str, FewShotSummary]] = field(default_factory=dict)
    collapse: dict[str, CollapseStatistics] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    points: dict[str, np.ndarray] = field(default_factory=dict)
    point_names: tuple[str, ...] = ()
    keypoints: dict[str, np.ndarray] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    peak_shots: set[int] = field(default_factory=set)
    outcomes: dict[str, ProtocolScore] = field(default_factory=dict)

    def figures(self) -> dict[str, float]:
        """Return all finite figures under flat names.

        Returns:
            For example ``forward``, ``forward_mean_pose``, ``backward``,
            ``forward_untrained``, ``forward_5_shot_median``,
            ``forward_5_shot_ridge_median``, ``spread``.
        """
        flat = {
            name + _suffix(column): value
            for name, columns in (*self.errors.items(), *self.shares.items())
            for column, value in columns.items()
        }
        for kind, rows in (('', self.few_shot), ('ridge_', self.ridge)):
            for shots, summaries in rows.items():
                for column, summary in summaries.items():
                    for statistic in ('mean', 'sd', 'median'):
                        name = f'forward_{shots}_shot_{kind}{statistic}'
                        flat[name + _suffix(column)] = getattr(summary, statistic)
        for column, statistics in self.collapse.items():
            for name, value in asdict(statistics).items():
                flat[name + _suffix(column)] = value
        return {name: value for name, value in flat.items() if math.isfinite(value)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain types, ready for a JSON file."""
        return dict(
            protocol=asdict(self.protocol),
            counts=self.counts,
            figures=self.figures(),
            few_shot_per_draw=_per_draw(self.few_shot),
            ridge_per_draw=_per_draw(self.ridge),
            remarks=self.remarks,
            points=_rows('name', self._names(), _by_column('forward', self.points)),
            keypoints=_rows('index', self._indices(), self.keypoints),
            **self.details,
        )

    def table(self) -> str:
        """Return the figures as text, one row each, baselines in columns."""
        columns = [c for c in COLUMNS if any(c in row for row in self.errors.values())]
        rows = [['', *(column.replace('_', ' ') for column in columns)]]
        for name, values in self.errors.items():
            label = name.replace('_', ', ')
            rows.append([label, *(_number(values.get(c)) for c in columns)])
        for shots, summaries in self.few_shot.items():
            mark = ' *' if shots in self.peak_shots else ''
            label = f'forward, {shots} annotated{mark}'
            rows.append([label, *(_summary(summaries.get(c)) for c in columns)])
            ridge = self.ridge.get(shots, {})
            if ridge:
                cells = [_summary(ridge.get(c)) for c in columns]
                rows.append(['  by cross-validated ridge', *cells])
        for name, shares in self.shares.items():
            label = f'% {name.replace("_", " ")}'
            if CHANCE in shares:
                label += f', by chance {_number(shares[CHANCE])}'
            rows.append([label, *(_number(shares.get(c)) for c in columns)])
        rows += self._collapse_rows(columns)
        lines = [self._headline(), *_aligned(rows)]
        if self.few_shot:
            lines.append('n annotated: median of the draws (mean +- sd)')
        if self.peak_shots:
            lines.append(
                '* about as many equations as unknowns: single draws explode there'
            )
        lines += self._ranked()
        return '\n'.join(lines + [f'note: {remark}' for remark in self.remarks])

    def _names(self) -> list[str]:
        """Names of the annotated points, or their numbers."""
        number = self.counts['annotated']
        return list(self.point_names) or [f'point {i}' for i in range(number)]

    def _indices(self) -> list[int]:
        return list(range(self.counts['discovered']))

    def _ranked(self) -> list[str]:
        """Lines with what each point and each keypoint has, the worst first."""
        numbers = [str(index) for index in self._indices()]
        lines = []
        for label, names, values in (
            ('forward of each point', self._names(), self.points.get(DETECTOR)),
            ('backward of each keypoint', numbers, self.keypoints.get('backward')),
        ):
            text = '' if values is None else ranked_values(names, values)
            lines += [f'{label}: {text}'] if text else []
        return lines

    def _headline(self) -> str:
        better = 'higher' if self.protocol.higher_is_better else 'lower'
        counts = self.counts
        return (
            f'{self.protocol.name}: {self.protocol.unit}, {better} is better; '
            f'{counts["discovered"]} discovered -> {counts["annotated"]} annotated '
            f'points, {counts["fit"]} images fitted, {counts["score"]} scored'
        )

    def _collapse_rows(self, columns: list[str]) -> list[list[str]]:
        labels = {
            'spread': 'spread over images / crop',
            'spread_min': '  of the stillest keypoint',
            'min_distance': 'nearest neighbour / crop',
            'border_share': 'share near the border',
            'entropy': 'entropy of the maps / uniform',
            'score': 'score of the keypoints',
        }
        known_only = ('entropy', 'score')
        rows = []
        for name, label in labels.items():
            cells = [
                _number(getattr(self.collapse[c], name) if c in self.collapse else None)
                for c in columns
            ]
            if name not in known_only or set(cells) != {'-'}:
                rows.append([label, *cells])
        return rows


def _per_draw(rows: dict[int, dict[str, FewShotSummary]]) -> dict[str, Any]:
    return {
        str(shots): {column: list(s.per_draw) for column, s in summaries.items()}
        for shots, summaries in rows.items()
    }


def _by_column(name: str, values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name + _suffix(column): array for column, array in values.items()}


def _rows(
    key: str, names: Sequence[Any], arrays: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """One dict a point; None where a figure is not finite."""
    return [
        {
            key: name,
            **{k: finite_or_none(float(array[i])) for k, array in arrays.items()},
        }
        for i, name in enumerate(names)
    ]


def _suffix(column: str) -> str:
    return '' if column == DETECTOR else f'_{column}'


def _number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return '-'
    return f'{value:.2f}' if abs(value) >= 10 else f'{value:.3f}'


def _summary(summary: FewShotSummary | None) -> str:
    if summary is None:
        return '-'
    return (
        f'{_number(summary.median)} ({_number(summary.mean)} +- {_number(summary.sd)})'
    )


def _aligned(rows: list[list[str]]) -> list[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        first, *others = row
        cells = [first.ljust(widths[0])]
        cells += [
            cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)
        ]
        lines.append('  '.join(cells).rstrip())
    lines.insert(1, '-' * (sum(widths) + 2 * (len(widths) - 1)))
    return lines
