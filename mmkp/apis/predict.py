# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of images, folders and films, in one call."""

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from mmkp.apis.model import load_model
from mmkp.apis.predict_into import predict_into, source_name
from mmkp.apis.predict_options import PredictOptions
from mmkp.apis.predictions import FORMAT_FILES, Predictions
from mmkp.apis.predictors import choose_predictors, of_export
from mmkp.apis.run import Run
from mmkp.apis.run_folders import MARK, new_folder
from mmkp.apis.shipped_models import open_run
from mmkp.apis.sources import Source
from mmkp.datasets.sides import pairs_of_partners
from mmkp.deployment.description import is_export, read_description
from mmkp.ops.finite import finite_or_none


def predict(
    run_or_model: Run | str | Path | nn.Module,
    source: Source,
    out: str | Path | None = None,
    formats: Sequence[str] = ('json',),
    overwrite: bool = False,
    device: str | None = None,
    **options: Any,
) -> Predictions:
    """Predict the keypoints of images, folders and films.

    Args:
        run_or_model: a run, its folder, that of an export, the name of a model that
            comes with the package, or a model of :func:`mmkp.apis.load_model`.
        source: file, folder, pattern, text list of files, film, index of a camera, or
            what a notebook holds: arrays (H, W, 3) in RGB, PIL images, tensors, and
            lists of these.
        out: folder to write; by default ``runs/predict/<name>``, numbered.
        formats: files to write beside ``keypoints.json``, see
            :data:`mmkp.apis.predictions.FORMAT_FILES`.
        overwrite: whether to empty the folder that ``out`` names.
        device: such as 'cpu'; by default a GPU where there is one.
        **options: see :class:`mmkp.apis.predict_options.PredictOptions`.

    Returns:
        The predictions.

    Raises:
        FileNotFoundError: the run or the source do not exist.
        FileExistsError: the folder holds something.
        ValueError: the source or an option is none.
        KeyboardInterrupt: Ctrl-C; what was predicted is written down, and
            ``resume=True`` with the same ``out`` goes on.
    """
    chosen = PredictOptions(**options)
    check_formats(formats)
    run = None
    if isinstance(run_or_model, nn.Module):
        model: nn.Module = run_or_model
    else:
        run = open_run(run_or_model)
        model = load_run(run, chosen, device)
    if chosen.resume:
        folder = _folder_to_resume(out)
    else:
        name = source if isinstance(source, str | Path) else ''
        folder = new_folder('predict', name, out, overwrite)
    return write_predictions(model, source, folder, chosen, formats, run)


def write_predictions(
    model: nn.Module,
    source: Source,
    folder: str | Path,
    options: PredictOptions,
    formats: Sequence[str] = ('json',),
    run: Run | None = None,
    described: bool = True,
) -> Predictions:
    """Predict into a folder that may hold something.

    Args:
        model: of :func:`mmkp.apis.load_model`.
        source: as :func:`predict` takes it.
        folder: to write into.
        options: how.
        formats: files to write beside ``keypoints.json``.
        run: that the model is of.
        described: whether to write ``run.json``, so that the folder is a run.

    Returns:
        The predictions.

    Raises:
        ValueError: as :func:`predict`.
    """
    folder = Path(folder)
    how = options.runtime, options.precision
    choice = choose_predictors(model, *how, run, source)
    known = known_keypoints(run) if run else {}
    result = _begin(folder, source, known, run) if described else None
    written = predict_into(model, source, folder, options, known, choice=choice)
    figures = finite_or_none(written.figures)
    if result is not None:
        result.update(
            figures=figures,
            keypoint_names=written.head['keypoint_names'],
            links=written.head['links'],
            swaps=pairs_of_partners(written.head['flip_indices']),
        )
    predictions = Predictions(folder, figures)
    for format in formats:
        if format != 'json':
            path = folder / FORMAT_FILES[format]
            if path.is_file():  # of an earlier prediction into the same folder
                path.unlink()
            predictions.write(path, format)
    return predictions


def _begin(folder: Path, source: Source, known: dict, run: Run | None) -> Run:
    """Write down what is predicted of what, before it is."""
    folder.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = dict(known, source=source_name(source))
    if run is not None:
        told.update(model_files(run, folder))
    if not (folder / MARK).is_file():
        return Run.create(folder, 'predict', command=shlex.join(sys.argv), **told)
    result = Run(folder)
    before = result.source
    if before is not None and before != told['source']:
        raise ValueError(
            f"'{folder}' holds keypoints of '{before}', not of '{told['source']}': "
            '--resume goes on with the same source'
        )
    result.update(**told)
    return result


def load_run(
    run: Run,
    options: PredictOptions,
    device: str | None = None,
    settings: dict | None = None,
) -> nn.Module:
    """The model of a run, or of an export.

    Args:
        run: or the folder of an export, as one.
        options: which runtime and precision.
        device: such as 'cpu'; by default a GPU where there is one.
        settings: dotted keys and values that override the config.

    Raises:
        ValueError: an export is asked for on a device that is no CPU.
    """
    if not is_export(run.path):
        files = run.config_file, run.checkpoint
        return load_model(*files, device, settings, check=False)
    if device not in (None, 'cpu'):
        raise ValueError(f'exports compute on the CPU: leave out --device {device}')
    found = of_export(run.path, options.runtime, options.precision, settings)
    return found[0].make()  # type: ignore[no-any-return]


def model_files(run: Run, folder: str | Path) -> dict[str, str]:
    """What ``run.json`` of a prediction says of the files of its model.

    Args:
        run: or an export, as one.
        folder: of the prediction, to which the paths are relative.

    Returns:
        ``config``, and ``checkpoint`` or ``export``.
    """
    told = {'config': os.path.relpath(run.config_file, folder)}
    if is_export(run.path):
        return {**told, 'export': os.path.relpath(run.path, folder)}
    return {**told, 'checkpoint': os.path.relpath(run.checkpoint, folder)}


def known_keypoints(run: Run) -> dict[str, Any]:
    """What a run, or an export, says of its keypoints.

    Args:
        run: or an export, as one.

    Returns:
        ``keypoint_names``, ``links`` and ``swaps``; None where it says nothing.
    """
    if is_export(run.path):
        description = read_description(run.path)
        return {name: getattr(description, name) for name in _KNOWN}
    return {name: run.info.get(name) for name in _KNOWN}


def check_formats(formats: Sequence[str]) -> None:
    """Raise unless all of these can be written.

    Args:
        formats: names of ``FORMAT_FILES``.

    Raises:
        ValueError: one is unknown.
    """
    for format in formats:
        if format not in FORMAT_FILES:
            known = ', '.join(FORMAT_FILES)
            raise ValueError(f"'{format}' is no format of files; there are {known}")


_KNOWN = ('keypoint_names', 'links', 'swaps')


def _folder_to_resume(out: str | Path | None) -> Path:
    if out is None:
        raise ValueError('--resume goes on in a folder: name it with -o')
    return Path(out)
