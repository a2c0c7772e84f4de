# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every figure of a protocol beside its two baselines, as numbers and as a table."""

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from .collapse import CollapseStatistics
from .few_shot import FewShotSummary
from .protocols import RegressionProtocol

DETECTOR, MEAN_POSE, UNTRAINED = 'detector', 'mean_pose', 'untrained'
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
        ridge: The same of cross-validated ridge regression, the map for few images.
        collapse: Column to statistics of the discovered keypoints.
        on_object: Column to the share of the discovered keypoints that lie on the
            object, in percent; empty where its pixels are not known.
        details: What else a results file should hold, as plain types.
        remarks: Sentences to read beside the table.
        peak_shots: Numbers of images close to the interpolation peak.
    """

    protocol: RegressionProtocol
    counts: dict[str, int]
    errors: dict[str, dict[str, float]] = field(default_factory=dict)
    few_shot: dict[int, dict[str, FewShotSummary]] = field(default_factory=dict)
    ridge: dict[int, dict[str, FewShotSummary]] = field(default_factory=dict)
    collapse: dict[str, CollapseStatistics] = field(default_factory=dict)
    on_object: dict[str, float] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    peak_shots: set[int] = field(default_factory=set)

    def figures(self) -> dict[str, float]:
        """Return all finite figures under flat names.

        Returns:
            For example ``forward``, ``forward_mean_pose``, ``backward``,
            ``forward_untrained``, ``forward_5_shot_median``,
            ``forward_5_shot_ridge_median``, ``spread``.
        """
        flat = {
            name + _suffix(column): value
            for name, columns in (*self.errors.items(), ('on_object', self.on_object))
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
        if self.on_object:
            cells = [_number(self.on_object.get(c)) for c in columns]
            rows.append(['% on the object', *cells])
        rows += self._collapse_rows(columns)
        lines = [self._headline(), *_aligned(rows)]
        if self.few_shot:
            lines.append('n annotated: median of the draws (mean +- sd)')
        if self.peak_shots:
            lines.append(
                '* about as many equations as unknowns: single draws explode there'
            )
        return '\n'.join(lines + [f'note: {remark}' for remark in self.remarks])

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
