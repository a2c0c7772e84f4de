# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Plots of runs side by side, as SVG that a page holds."""

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = Sequence[tuple[float, float]]
_SETTINGS: Any = {
    'svg.fonttype': 'none',  # text stays text: any script, and it can be searched
    'svg.hashsalt': 'mmkp',  # equal figures make equal files
    'font.family': 'sans-serif',
    'text.parse_math': False,  # names of runs may hold a dollar sign
}


def curve_plot(
    curves: Mapping[str, Points],
    controls: Mapping[str, Points],
    labels: tuple[str, str],
    logarithmic: bool = False,
) -> str:
    """Draw one curve a run.

    Args:
        curves: name -> points (x, y); those that are not finite are left out.
        controls: the same of what curves are held against, drawn dashed in grey.
        labels: of both axes.
        logarithmic: whether the first axis is, with a tick at each x.

    Returns:
        SVG.
    """
    figure, axes = _axes()
    for name, points in controls.items():
        axes.plot(*_finite(points), color='0.6', linestyle='--', lw=1, label=name)
    for name, points in curves.items():
        axes.plot(*_finite(points), marker='o', lw=1.6, label=name)
    if logarithmic:
        axes.set_xscale('log')
        ticks = sorted({x for points in curves.values() for x, _ in points})
        axes.set_xticks(ticks, [f'{x:g}' for x in ticks])
        axes.minorticks_off()
    axes.set_ylim(bottom=0)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    return _svg(figure, axes)


def bar_plot(
    rows: Sequence[str], series: Mapping[str, Sequence[float]], label: str
) -> str:
    """Draw groups of lying bars, a group a run.

    Args:
        rows: names of the runs.
        series: name -> a value a run; those that are not finite are left out.
        label: of the values' axis.

    Returns:
        SVG.
    """
    figure, axes = _axes(0.6 + 0.28 * len(rows) * len(series))
    height = 0.8 / len(series)
    for number, (name, values) in enumerate(series.items()):
        places = [row + (number + 0.5) * height - 0.4 for row in range(len(rows))]
        shown = [value if math.isfinite(value) else 0.0 for value in values]
        # The runs themselves first, in color, their controls in greys.
        color = 'C0' if number == 0 else str(min(0.85, 0.45 + 0.15 * number))
        bars = axes.barh(places, shown, height, label=name, color=color)
        texts = [f'{value:.3g}' if math.isfinite(value) else '' for value in values]
        axes.bar_label(bars, texts, padding=3, fontsize=8)
    axes.set_yticks(range(len(rows)), rows)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(label)
    return _svg(figure, axes)


def _axes(height: float = 3.6) -> 'tuple[Figure, Axes]':
    from matplotlib import rc_context
    from matplotlib.figure import Figure  # half a second that only plots need

    with rc_context(_SETTINGS):
        figure = Figure(figsize=(7.2, max(height, 1.8)), layout='constrained')
        axes = figure.subplots()
    axes.grid(alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    return figure, axes


def _svg(figure: 'Figure', axes: 'Axes') -> str:
    from matplotlib import rc_context

    handles, names = axes.get_legend_handles_labels()
    with rc_context(_SETTINGS):
        if handles:
            axes.legend(handles, names, frameon=False, fontsize=8)
        written = io.StringIO()
        figure.savefig(written, format='svg', metadata=dict(Date=None))
    # What stands before the element is for files of their own.
    return re.sub(r'^.*?(?=<svg)', '', written.getvalue(), flags=re.S)


def _finite(points: Points) -> tuple[list[float], list[float]]:
    known = [(x, y) for x, y in points if math.isfinite(x) and math.isfinite(y)]
    return [x for x, _ in known], [y for _, y in known]
