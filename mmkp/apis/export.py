# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Models as files that other programs run."""

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from torch import nn

from mmkp.apis.batches import temporary_test_cfg
from mmkp.apis.export_description import describe_export
from mmkp.apis.export_files import ExportFiles
from mmkp.apis.export_pictures import known_source, network_inputs
from mmkp.apis.run import Run
from mmkp.apis.run_folders import new_folder
from mmkp.apis.shipped_models import open_run
from mmkp.apis.sources import Source
from mmkp.deployment import mmkp_runner
from mmkp.deployment.check import Difference
from mmkp.deployment.description import ExportDescription
from mmkp.deployment.web_page import check_runtime, write_page
from mmkp.engine.config_check import nearest
from mmkp.engine.portable_config import write_portable_config

FORMATS = ('onnx', 'openvino', 'torch')
#: Pictures that each file is checked on, and that int8 is calibrated on, at most.
CHECKED, CALIBRATED = 8, 128


@dataclass
class ExportOptions:
    """How to export.

    Attributes:
        half: whether the network's weights and features become float16.
        int8: source of pictures to calibrate int8 on, or None for float32.
        normalized_inside: whether the graph takes BGR pixels of 0 to 255, else what the
            model's data preprocessor makes of them.
        flip_test: whether the graph looks at mirrored images too; as ``test_cfg`` says
            when None.
        data: source of pictures to check the files on; by default the run's own, or
            drawn figures.
        web_runtime: the ``dist`` folder of the npm package onnxruntime-web, which the
            page of the export then has beside it; see
            :func:`mmkp.deployment.web_page.write_page`.
    """

    half: bool = False
    int8: Source | None = None
    normalized_inside: bool = True
    flip_test: bool | None = None
    data: Source | None = None
    web_runtime: str | Path | None = None

    @property
    def test_cfg(self) -> dict[str, Any]:
        """What these options change of the model's settings."""
        return {} if self.flip_test is None else {'flip_test': self.flip_test}

    @property
    def precision(self) -> str:
        """Of the files."""
        if self.half and self.int8 is not None:
            raise ValueError('half and int8 exclude each other: ask for one of them')
        return 'float16' if self.half else 'float32' if self.int8 is None else 'int8'


class Export:
    """A folder with a model as files that other programs run.

    Attributes:
        path: of the folder.
        description: what ``export.json`` says.
        differences: of each file from the model in PyTorch.
    """

    def __init__(
        self,
        path: Path,
        description: ExportDescription,
        differences: list[Difference],
    ) -> None:
        self.path, self.description = path, description
        self.differences = differences

    def __repr__(self) -> str:
        return f'Export({str(self.path)!r})'

    def _repr_html_(self) -> str:
        """For a notebook: the folder and how far each file differs."""
        rows = ''.join(f'<li>{escape(str(one))}</li>' for one in self.differences)
        return f'<p><b>{escape(str(self.path))}</b></p><ul>{rows}</ul>'


def export(
    run_or_model: Run | str | Path | nn.Module,
    formats: Sequence[str] = ('onnx',),
    out: str | Path | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Export:
    """Write a model as files with the decoding inside, and check them.

    Each file is run on pictures before it is kept: one whose keypoints differ from
    PyTorch's by more than .001 px of the network input is refused, and nothing is
    written. Of float16 and int8 the difference is told.

    Args:
        run_or_model: a run, its folder, the name of a model that comes with the
            package, or a model of :func:`mmkp.apis.load_model`.
        formats: of 'onnx', 'openvino' and 'torch'.
        out: folder to write; by default ``runs/export/<name>``, numbered.
        overwrite: whether to empty the folder that ``out`` names.
        **options: see :class:`ExportOptions`.

    Returns:
        The export.

    Raises:
        FileNotFoundError: the run or the pictures do not exist.
        FileExistsError: the folder holds something.
        ImportError: a package that a format needs is not installed.
        TypeError: a model, head or codec that cannot become a graph.
        ValueError: a format or option is none, or the model cannot be written so.
        ExportDifferenceError: a file finds other keypoints than the model.
    """
    chosen = ExportOptions(**options)
    _check_formats(formats, chosen)
    if chosen.web_runtime is not None:
        check_runtime(chosen.web_runtime)
    run = None
    if isinstance(run_or_model, nn.Module):
        model: Any = run_or_model
    else:
        run = open_run(run_or_model)
        model = run.load_model('cpu')
    device = next(model.parameters()).device
    source = known_source(run, chosen.data)
    inputs = network_inputs(model, source, CHECKED)
    name = Path(run.path if run else model.cfg.filename or 'model').name
    folder = new_folder('export', name, out, overwrite)
    try:
        with (
            TemporaryDirectory(prefix='.export-', dir=folder.parent) as draft,
            temporary_test_cfg(model, **chosen.test_cfg),
        ):
            model.cpu().eval()
            made = _write(Path(draft), model, inputs, formats, chosen, run)
            for file in Path(draft).iterdir():
                shutil.move(file, folder / file.name)
    except BaseException:
        shutil.rmtree(folder)  # it was empty before
        raise
    finally:
        model.to(device)
    _add_runners(folder, made.description, chosen.web_runtime)
    known = dict(source=str(source or 'drawn figures'), command=shlex.join(sys.argv))
    differences = [one.to_dict() for one in made.differences]
    Run.create(
        folder,
        'export',
        **known,
        config=made.description.config,
        keypoint_names=made.description.keypoint_names,
        figures=dict(precision=chosen.precision, differences=differences),
    )
    return Export(folder, made.description, made.differences)


def _check_formats(formats: Sequence[str], options: ExportOptions) -> None:
    if isinstance(formats, str) or not formats:
        raise ValueError(f'formats are a list of {", ".join(FORMATS)}, got {formats!r}')
    for format in formats:
        if format not in FORMATS:
            raise ValueError(
                f"'{format}' is no format of exports, {nearest(str(format), FORMATS)}"
            )
    if options.precision != 'float32' and 'torch' in formats:
        raise ValueError(
            f'a torch file is float32, not {options.precision}: leave torch out of the '
            'formats'
        )


def _write(
    folder: Path,
    model: Any,
    inputs: Sequence[Any],
    formats: Sequence[str],
    options: ExportOptions,
    run: Run | None,
) -> ExportFiles:
    """Write config, description and checked files."""
    cfg = model.cfg.copy()
    cfg.model.test_cfg = {**(cfg.model.get('test_cfg') or {}), **options.test_cfg}
    write_portable_config(cfg, folder / 'config.py')
    description = replace(
        describe_export(model, inputs, options.normalized_inside, run),
        precision=options.precision,
    )
    config_text = (folder / 'config.py').read_text(encoding='utf-8')
    made = ExportFiles(folder, model, inputs, description, config_text)
    pictures = None
    if options.int8 is not None:
        pictures = network_inputs(model, options.int8, CALIBRATED)
    made.write(formats, pictures)
    made.description.write(folder)
    return made


def _add_runners(
    folder: Path, description: ExportDescription, web_runtime: str | Path | None
) -> None:
    """Copy what runs the files without mmkp."""
    shutil.copyfile(mmkp_runner.__file__, folder / 'mmkp_runner.py')
    if 'onnx' in description.files:
        write_page(folder, web_runtime)
