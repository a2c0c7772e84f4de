# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Compare runs under one protocol."""

import sys
from collections.abc import Sequence
from pathlib import Path

from mmkp.apis.compared_run import ComparedRun, measure_run
from mmkp.apis.comparison import SUFFIXES, Comparison, names_of
from mmkp.apis.comparison_data import comparison_data
from mmkp.apis.run import Run
from mmkp.apis.run_folders import new_folder
from mmkp.apis.shipped_models import open_run
from mmkp.evaluation.score_keypoints import UPRIGHT

SHOTS = (5, 10, 20, 40)


def compare(
    runs: Sequence[str | Path | Run],
    data: str | Path | None = None,
    images: str | Path | None = None,
    labels: Sequence[int] = SHOTS,
    normalizer: Sequence[str] | None = None,
    seed: int = 0,
    device: str | None = None,
) -> Comparison:
    """Measure runs by one protocol, with their controls and what they cost.

    Annotated points are regressed from each run's keypoints, by plain least squares as
    published and by cross-validated ridge regression, on images to fit on, and scored
    on others; beside them stand the mean pose and the untrained detector. A run that
    cannot be measured is a row that says why.

    Args:
        runs: runs, their folders (also work directories of ``tools/train.py``), or
            names of models that come with the package.
        data: see :func:`comparison_data`; None: each by the evaluation of its own
            config, which for images without labels is the score alone.
        images: folder of the images of a COCO file.
        labels: numbers of labeled images of the few-shot curve.
        normalizer: names of two points, by whose distance errors are divided.
        seed: of the parts of a COCO file, of the draws of labeled images, and of the
            warps of the score.
        device: such as 'cpu'; by default a GPU where there is one.

    Returns:
        The comparison.

    Raises:
        ValueError: there is no run, or the data cannot be used.
        FileNotFoundError: the data do not exist.
    """
    if isinstance(runs, str | Path | Run):
        runs = [runs]
    if not runs:
        raise ValueError('there is no run to compare: name at least one')
    shared = None
    if data is not None:
        shared = comparison_data(data, images, normalizer, seed)
    paths = [run.path if isinstance(run, Run) else Path(run) for run in runs]
    names = names_of([path.absolute() for path in paths])
    rotation = max(_score_rotation(run) for run in runs)
    rows = []
    for run, path, name in zip(runs, paths, names, strict=True):
        row = ComparedRun(name, str(path))
        print(f'{name} ...', file=sys.stderr)
        try:
            measure_run(open_run(run), row, shared, labels, seed, device, rotation)
        except Exception as error:  # whatever it is, the others are compared
            row.error = f'{type(error).__name__}: {error}'
        rows.append(row)
    about = shared.about if shared else "each run's own evaluation"
    remarks = list(shared.remarks) if shared else []
    return Comparison(rows, about, tuple(sorted(labels)), remarks)


def _score_rotation(run: str | Path | Run) -> float:
    """By how many degrees the score of a run turns images."""
    try:
        return float(open_run(run).info.get('score_rotation', UPRIGHT))
    except (OSError, ValueError):
        return UPRIGHT  # told in its row


def write_comparison(
    comparison: Comparison, out: str | Path | None = None, overwrite: bool = False
) -> Path:
    """Write a comparison as Markdown, json, csv and a page of HTML.

    Args:
        comparison: gets the path.
        out: a folder for all four, or one file, .md, .json, .csv or .html; by default a
            folder in ``runs/compare``, numbered.
        overwrite: whether to replace what is there.

    Returns:
        The file or the folder.

    Raises:
        FileExistsError: what ``out`` names is there.
        ValueError: the file is of none of these kinds.
    """
    suffix = Path(out or '').suffix.lower()
    if out is not None and suffix and not Path(out).is_dir():
        path = Path(out)
        if suffix not in SUFFIXES:
            raise ValueError(f"'{out}' is none of {', '.join(SUFFIXES)}, nor a folder")
        if path.exists() and not overwrite:
            raise FileExistsError(f"'{out}' exists: name another, or give --overwrite")
        comparison.write(suffix, path)
    else:
        path = new_folder('compare', comparison.rows[0].name, out, overwrite)
        source = [row.path for row in comparison.rows]
        Run.create(path, 'compare', source=source, about=comparison.about)
        for kind in SUFFIXES:
            comparison.write(kind, path / f'comparison{kind}')
    comparison.path = path
    return path
