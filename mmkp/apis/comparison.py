# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Runs side by side: a table that is written in several formats."""

import csv
import io
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from mmkp.apis.compared_run import ComparedRun
from mmkp.datasets.coco_writer import write_atomically
from mmkp.ops.finite import finite_or_none
from mmkp.visualization.comparison_page import comparison_page
from mmkp.visualization.comparison_plots import bar_plot, curve_plot

#: Kinds of files, by their suffix.
SUFFIXES = ('.md', '.json', '.csv', '.html')


class Column(NamedTuple):
    """A column of the table.

    Attributes:
        key: name of the figure.
        label: its head.
        form: how numbers are written.
        error: whether it is in the unit of the errors.
    """

    key: str
    label: str
    form: str = '.2f'
    error: bool = False


_ERRORS = (
    Column('forward', 'forward, linear', error=True),
    Column('ridge', 'forward, ridge', error=True),
    Column('forward_mean_pose', 'mean pose', error=True),
    Column('ridge_untrained', 'untrained, ridge', error=True),
    Column('backward', 'backward', error=True),
    Column('backward_mean_pose', 'backward, mean pose', error=True),
)
_COSTS = (
    Column('on_object', '% on object', '.1f'),
    Column('on_object_chance', 'by chance', '.1f'),
    Column('score', 'score without labels'),
    Column('cpu_minutes', 'CPU min', '.1f'),
    Column('wall_minutes', 'wall min', '.1f'),
    Column('parameters', 'parameters', ',.0f'),
    Column('weights_mb', 'weights, MiB'),
    Column('predict_ms', 'CPU ms an image', '.1f'),
)


@dataclass
class Comparison:
    """Runs under one protocol; in a notebook it shows itself.

    Args:
        rows: one a run.
        about: what they were compared on.
        shots: numbers of labeled images of the few-shot curve.
        remarks: sentences to read beside the table.
        path: what was written, a file or a folder.
    """

    rows: list[ComparedRun]
    about: str
    shots: tuple[int, ...]
    remarks: list[str] = field(default_factory=list)
    path: Path | None = None

    @property
    def columns(self) -> list[Column]:
        """Columns of which at least one run has a figure."""
        few = [
            Column(f'forward_{n}_shot_ridge_median', f'{n} labels, ridge', error=True)
            for n in self.shots
        ]
        known = {key for row in self.rows for key in row.figures}
        return [c for c in (*_ERRORS, *few, *_COSTS) if c.key in known]

    @property
    def units(self) -> list[str]:
        """Units of the errors; of one protocol there is one."""
        return list(dict.fromkeys(row.unit for row in self.rows if row.unit))

    @property
    def higher_is_better(self) -> bool:
        """Whether the errors are shares of correct points."""
        return any(row.higher_is_better for row in self.rows)

    def table(self) -> list[list[str]]:
        """Return texts: the head, then a row a run."""
        first: dict[str, str] = {}  # of each other metric; .json and .csv have all
        for name in (name for row in self.rows for name in row.own):
            first.setdefault(name.partition('/')[0], name)
        own = list(first.values())
        columns = self.columns
        rows = [['run', *(column.label for column in columns), *own]]
        for row in self.rows:
            cells = [number(row.figures.get(c.key), c.form) for c in columns]
            rows.append([row.name, *cells, *(number(row.own.get(n)) for n in own)])
        return rows

    def notes(self) -> list[str]:
        """Sentences below the table."""
        notes = list(self.remarks)
        if len(self.units) > 1:
            notes.append(
                f'errors are not comparable, their units differ: '
                f'{"; ".join(self.units)}; give one data set with --data'
            )
        elif self.units:
            notes.append(f'errors: {self.units[0]}')
        parts: dict[str, list[str]] = {}
        for row in self.rows:
            if row.counts:
                fit, score = row.counts['fit'], row.counts['score']
                said = f'{fit} labeled objects to fit on, {score} to score'
                parts.setdefault(said, []).append(row.name)
        if len(parts) == 1:
            notes += parts
        else:
            notes += [f'{", ".join(names)}: {said}' for said, names in parts.items()]
        return notes + [f'{row.name} failed: {row.error}' for row in self.failed]

    @property
    def failed(self) -> list[ComparedRun]:
        """Runs without figures."""
        return [row for row in self.rows if row.error]

    def to_markdown(self) -> str:
        """Return the table and its notes as Markdown."""
        rows = [[_escaped(cell) for cell in row] for row in self.table()]
        lines = [f'| {" | ".join(row)} |' for row in rows]
        lines.insert(1, '|---' * len(rows[0]) + '|')
        notes = [f'- {_escaped(note)}' for note in self.notes()]
        return '\n'.join(
            [f'Compared on {_escaped(self.about)}.', '', *lines, '', *notes]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain types, ready for a JSON file."""
        content = dict(
            about=self.about,
            shots=list(self.shots),
            notes=self.notes(),
            runs=[asdict(row) for row in self.rows],
        )
        return finite_or_none(content)

    def to_csv(self) -> str:
        """Return all figures, one row a run."""
        keys = dict.fromkeys(key for row in self.rows for key in row.figures)
        own = dict.fromkeys(key for row in self.rows for key in row.own)
        text = io.StringIO()
        writer = csv.writer(text, lineterminator='\n')
        writer.writerow(['run', 'path', 'error', 'unit', *keys, *own])
        for row in self.rows:
            figures = [row.figures.get(key, '') for key in keys]
            others = [row.own.get(key, '') for key in own]
            writer.writerow(
                [row.name, row.path, row.error, row.unit, *figures, *others]
            )
        return text.getvalue()

    def to_html(self) -> str:
        """Return a page that needs nothing else."""
        notes = self.notes()
        title = f'{len(self.rows)} runs side by side'
        return comparison_page(
            title, self.about, self.table(), notes, self._plots(), self._best()
        )

    def _plots(self) -> list[tuple[str, str]]:
        """Caption and SVG of each plot that there are figures for."""
        good = [row for row in self.rows if 'forward' in row.figures]
        if not good or len(self.units) > 1:
            return []
        unit = self.units[0]
        series = {
            label: [row.figures.get(key, math.nan) for row in good]
            for key, label in (
                ('ridge', 'run'),
                ('forward_mean_pose', 'mean pose'),
                ('ridge_untrained', 'untrained'),
            )
        }
        names = [row.name for row in good]
        plots = [
            (
                'Error on images to score, of a map by ridge regression from all '
                'labels, beside its controls',
                bar_plot(names, series, unit),
            )
        ]
        curves = {row.name: self._curve(row, 'ridge_median') for row in good}
        if any(curves.values()):
            controls = {'mean pose': self._curve(good[0], 'median_mean_pose')}
            caption = 'Error by number of labeled images, median of draws'
            axes = ('labeled images', unit)
            plots.append((caption, curve_plot(curves, controls, axes, True)))
        return plots

    def _curve(self, row: ComparedRun, statistic: str) -> list[tuple[float, float]]:
        """Number of labels and error, where there are."""
        keys = {n: f'forward_{n}_shot_{statistic}' for n in self.shots}
        return [(n, row.figures[k]) for n, k in keys.items() if k in row.figures]

    def _best(self) -> list[tuple[int, int]]:
        """Cells of the best run of each column of errors of runs themselves."""
        best = []
        for place, column in enumerate(self.columns, 1):
            known = [row.figures.get(column.key) for row in self.rows]
            values = [value for value in known if value is not None]
            judged = column.error and 'mean_pose' not in column.key
            if judged and 'untrained' not in column.key and len(values) > 1:
                limit = max(values) if self.higher_is_better else min(values)
                best += [(line, place) for line, v in enumerate(known) if v == limit]
        return best if len(self.units) == 1 else []

    def write(self, suffix: str, path: Path) -> None:
        """Write one file, whole or not at all.

        Args:
            suffix: one of :data:`SUFFIXES`.
            path: of the file.
        """
        if suffix == '.json':
            text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False)
        else:
            makers = {'.md': self.to_markdown, '.csv': self.to_csv}
            text = makers.get(suffix, self.to_html)()
        write_atomically(path, text.encode())

    def _repr_html_(self) -> str:
        return self.to_html()

    def __str__(self) -> str:
        return self.to_markdown()


def number(value: float | None, form: str = '.3g') -> str:
    """Write a figure, '-' where there is none.

    Args:
        value: the figure.
        form: of :func:`format`.

    Returns:
        Its text.
    """
    return '-' if value is None or not math.isfinite(value) else format(value, form)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Name runs by the ends of their paths that tell them apart.

    Args:
        paths: of the runs.

    Returns:
        A name a run; a run that is given twice has a number behind its name.
    """
    names = {path: path.name for path in paths}
    for depth in range(2, max(len(path.parts) for path in paths)):
        known = list(names.values())
        for path, name in names.items():
            if known.count(name) > 1:
                names[path] = '/'.join(path.parts[-depth:])
    told = []
    for place, path in enumerate(paths):
        again = paths[:place].count(path)
        told.append(f'{names[path]} ({again + 1})' if again else names[path])
    return told


def _escaped(text: str) -> str:
    """Text that Markdown does not take for the end of a cell or of a line."""
    return ' '.join(text.replace('|', '\\|').split())
