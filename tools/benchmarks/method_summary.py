# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tables in Markdown of what :mod:`method_table` measured."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

#: Of :class:`method_runs.CrossFittedMetric`: the protocol's own, by ridge regression,
#: and that on halves of the images to fit on.
ERRORS = ('forward', 'ridge', 'fit_ridge')
Lines = Sequence[dict[str, Any]]


def relative_error(line: dict[str, Any], error: str = 'forward') -> float:
    """A run's error over that of the mean pose; NaN where there is none."""
    figures = line.get('figures', {})
    return figures.get(error, np.nan) / figures.get(f'{error}_mean_pose', np.nan)


def summary(lines: Lines, error: str = 'forward') -> str:
    """Errors of methods on data sets, and how scores rank them.

    Args:
        lines: of json, a run each.
        error: one of :data:`ERRORS`.

    Returns:
        Markdown.
    """
    done = [line for line in lines if 'figures' in line]
    failed = [line for line in lines if 'error' in line]
    parts = []
    for title, settings in _settings(done).items():
        parts.append(f'### {title}')
        parts.append(_errors(settings, error))
        shares = [x for x in settings if 'on_object' in x['figures']]
        if shares:
            parts.append('On the object, % of keypoints:')
            parts.append(_table(shares, lambda x: x['figures']['on_object'], '.1f'))
        parts.append('Score without labels:')
        parts.append(_table(settings, lambda x: x['score']['score'], '.2f'))
    parts.append(_correlations(done, error))
    parts += [
        f'- {_name(line["method"])} on {line["data"]}: {line["error"]}'
        for line in failed
    ]
    return '\n\n'.join(parts)


def _settings(lines: Lines) -> dict[str, Lines]:
    """Runs by what is equal in a table: minutes and options, but for weights."""
    groups: dict[str, list] = {}
    for line in lines:
        options = {
            k.split('.')[-1]: v
            for k, v in line['options'].items()
            if not k.endswith('.checkpoint')
        }
        changed = ''.join(f', {name}={value}' for name, value in options.items())
        groups.setdefault(f'{line["minutes"]:g} CPU minutes{changed}', []).append(line)
    return groups


def _errors(lines: Lines, error: str) -> str:
    """Mean error over seeds, in brackets over that of the best method."""
    known = [line for line in lines if error in line['figures']]
    cells = _means(known, lambda line: line['figures'][error])
    controls = {
        name: _means(known, lambda line, key=key: line['figures'].get(key, np.nan))
        for name, key in (
            ('mean pose', f'{error}_mean_pose'),
            ('untrained', 'forward_untrained'),
        )
    }
    methods = list(dict.fromkeys(line['method'] for line in known))
    rows = [['data', *map(_name, methods), *controls]]
    for data in dict.fromkeys(line['data'] for line in known):
        found = {m: cells[m, data] for m in methods if (m, data) in cells}
        best = min(found.values())
        row = [Path(data).stem]
        row += [
            f'{found[m]:.2f} ({found[m] / best:.2f})' if m in found else '-'
            for m in methods
        ]
        for values in controls.values():
            row.append(f'{min(values[m, data] for m in found):.2f}')
        rows.append(row)
    return markdown(rows)


def _table(lines: Lines, value: Callable[[dict], float], form: str) -> str:
    cells = _means(lines, value)
    methods = list(dict.fromkeys(line['method'] for line in lines))
    rows = [['data', *map(_name, methods)]]
    for data in dict.fromkeys(line['data'] for line in lines):
        found = (cells.get((m, data)) for m in methods)
        row = ['-' if v is None else format(v, form) for v in found]
        rows.append([Path(data).stem, *row])
    return markdown(rows)


def _means(lines: Lines, value: Callable[[dict], float]) -> dict[tuple, float]:
    """(method, data) -> mean over seeds."""
    groups: dict[tuple, list[float]] = {}
    for line in lines:
        groups.setdefault((line['method'], line['data']), []).append(value(line))
    return {key: float(np.mean(values)) for key, values in groups.items()}


def _correlations(lines: Lines, error: str) -> str:
    """Rank correlation of scores, and of each part, with errors, signs turned."""
    known = [line for line in lines if np.isfinite(relative_error(line, error))]
    sets: dict[str, list] = {}
    for line in known:
        sets.setdefault(line['data'], []).append(line)
    sets['all'] = known
    names = [n for n in known[0]['score']['keypoints'][0] if n not in _TEXTS]
    rows = [['data', 'runs', 'score of the run', *names[1:]]] if known else []
    for data, group in sets.items() if known else ():
        errors = [relative_error(line, error) for line in group]
        row = [Path(data).stem, str(len(group))]
        row.append(_rank([line['score']['score'] for line in group], errors))
        row += [
            _rank([_mean(line, name) for line in group], errors) for name in names[1:]
        ]
        rows.append(row)
    title = 'Rank correlation of scores with the error over that of the mean pose, '
    return title + 'of one sign where they agree:\n\n' + markdown(rows)


_TEXTS = ('verdict',)


def _mean(line: dict[str, Any], name: str) -> float:
    return float(np.mean([k.get(name, np.nan) for k in line['score']['keypoints']]))


def _rank(scores: Sequence[float], errors: Sequence[float]) -> str:
    if len(scores) < 3 or np.ptp(scores) == 0:
        return '-'
    return f'{-spearmanr(scores, errors).statistic:.2f}'


def _name(method: str) -> str:
    return Path(method).stem.split('_folder')[0]


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table, its first row the head."""
    if not rows:
        return ''
    lines = [f'| {" | ".join(row)} |' for row in rows]
    lines.insert(1, '|' + '---|' * len(rows[0]))
    return '\n'.join(lines)
