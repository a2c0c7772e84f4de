"""What the logs of a training tell."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from mmkp.engine.config_check import ConfigError, nearest


def read_scalars(path: str | Path) -> dict[str, np.ndarray]:
    """Read the scalars that a training has logged.

    Lines that a kill left unfinished are passed over. Of a resumed training, give the
    work directory: its runs are joined in the order of their start, and where two of
    them logged the same step, the later run counts.

    Args:
        path: ``scalars.json`` (one JSON object a line), or a work directory.

    Returns:
        name -> array (N, 2) of step and value, ordered by step. Steps are iterations.

    Raises:
        FileNotFoundError: there is no log.
        ValueError: nothing was logged, or the file is no log.
    """
    path = Path(path)
    files = sorted(path.glob('*/vis_data/scalars.json')) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise FileNotFoundError(f"no log (scalars.json) in '{path}'")
    series: dict[str, dict[float, float]] = defaultdict(dict)
    for file in files:
        for line in file.read_text(errors='replace').splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if not isinstance(entry, dict):
                continue
            step = entry.pop('step', entry.get('iter'))
            if 'iter' not in entry:  # of a validation, whose batches are others
                entry = {k: v for k, v in entry.items() if not k.endswith('time')}
            for name, value in entry.items():
                if step is not None and isinstance(value, int | float):
                    series[name][step] = value
    if not series:
        raise ValueError(f"no number was logged in '{path}'; is it scalars.json?")
    return {
        name: np.array(sorted(values.items()), dtype=float)
        for name, values in series.items()
    }


def series_of(scalars: dict[str, np.ndarray], name: str, path: str) -> np.ndarray:
    """One of the series that :func:`read_scalars` returned.

    Raises:
        ConfigError: there is none of that name; the nearest is named.
    """
    if name not in scalars:
        raise ConfigError(f"{path} has no '{name}', {nearest(name, scalars)}")
    return scalars[name]


def time_summary(scalars: dict[str, np.ndarray]) -> str:
    """Say how long an iteration took, in the mean, at best and at worst."""
    times = scalars.get('time', np.empty((0, 2)))[:, 1]
    if len(times) == 0:
        return 'no times logged'
    waiting = scalars.get('data_time', np.zeros((1, 2)))[:, 1].mean()
    return (
        f'{times.mean():.4f} s an iteration (fastest window {times.min():.4f}, slowest '
        f'{times.max():.4f}, standard deviation {times.std():.4f}), of which '
        f'{waiting:.4f} s waiting for data'
    )


def plot_scalars(
    curves: dict[str, np.ndarray], out: str | Path, title: str | None = None
) -> None:
    """Plot curves into one picture.

    Args:
        curves: legend -> array (N, 2) of step and value.
        out: file to write.
        title: of the picture.
    """
    from matplotlib.figure import Figure  # half a second that only plots need

    figure = Figure(figsize=(9, 5), layout='constrained')
    axes = figure.subplots()
    for name, curve in curves.items():
        marker = 'o' if len(curve) < 20 else None
        axes.plot(curve[:, 0], curve[:, 1], label=name, linewidth=1.2, marker=marker)
    axes.set_xlabel('iteration')
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    if title:
        axes.set_title(title)
    Path(out).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(out, dpi=110)
