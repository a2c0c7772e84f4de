# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What can predict in place of a model: prepared copies, and exports of it."""

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from mmkp.apis.exported_model import load_exported
from mmkp.apis.fitted_copy import fitted_copy
from mmkp.apis.run import Run
from mmkp.apis.shard_part import locked
from mmkp.apis.sources import Source
from mmkp.datasets.coco_writer import write_atomically
from mmkp.deployment.description import is_export, read_description
from mmkp.deployment.sessions import is_installed
from mmkp.labels import read_json
from mmkp.models.inference_copy import bfloat16_copy, inference_copy

#: Runtimes that are tried by themselves, the faster ones first.
_EXPORTED = ('openvino', 'onnx')
_FOLDER, _MADE_FROM = 'exports', 'made_from.json'


class Predictor(NamedTuple):
    """A model that predicts.

    Attributes:
        runtime: 'torch', 'onnx' or 'openvino'; 'torch, prepared' of a copy with folded
            normalizations.
        precision: 'float32' or 'bfloat16'.
        make: returns the model, which predicts as MMPose's do.
    """

    runtime: str
    precision: str
    make: Callable[[], Any]

    @property
    def name(self) -> str:
        """For messages and figures."""
        return f'{self.runtime} {self.precision}'


Candidates = Callable[[Tensor | None], Iterable[Predictor]]


class PredictorChoice(NamedTuple):
    """What predicts.

    Attributes:
        first: that begins.
        others: from a network input (1, 3, H, W), where there is one, to what may
            go on if it is faster; None where the first one was asked for.
    """

    first: Predictor
    others: Candidates | None = None


class RunExports:
    """The exports of a run, each made once and as long as the run stays the same.

    Args:
        run: its folder gets ``exports/openvino`` and so on; None, or a folder that
            cannot be written, for exports that last as long as this object.
        model: of the run, with its settings.
        source: that is predicted; weights are fitted to bfloat16 on its first pictures
            where the run's own are not there.
    """

    def __init__(
        self, run: Run | None, model: Any, source: Source | None = None
    ) -> None:
        self.model, self._run, self._source = model, run, source
        self._folder = None if run is None else run.path / _FOLDER
        self._temporary: tempfile.TemporaryDirectory | None = None

    def found(self, name: str) -> Path | None:
        """The export for a runtime that is there, if it is of this run as it is now.

        Args:
            name: 'onnx', 'openvino' or 'openvino-bfloat16'.
        """
        if self._folder is None:
            return None
        folder = self._folder / name
        mark = folder / _MADE_FROM
        if not (is_export(folder) and mark.is_file()):
            return None
        return folder if read_json(str(mark), dict) == self._fingerprint() else None

    def get(self, runtime: str, bfloat16: bool = False) -> Path:
        """The export for a runtime, made if it is not there.

        Args:
            runtime: 'onnx' or 'openvino'.
            bfloat16: whether weights are fitted to it.

        Raises:
            ImportError: a package is missing.
            TypeError: the model cannot be exported.
        """
        name = f'{runtime}-bfloat16' if bfloat16 else runtime
        found = self.found(name)
        if found is not None:
            return found
        from mmkp.apis.export import export

        folder = self._writable() / name
        with locked(folder.with_name(f'{name}.lock')):  # of other shards
            if self.found(name) is None:
                model = self.fitted() if bfloat16 else self.model
                if bfloat16 and model is self.model:
                    return self.get(runtime)
                export(model, (runtime,), folder, overwrite=folder.exists())
                mark = json.dumps(self._fingerprint()).encode()
                write_atomically(folder / _MADE_FROM, mark)
        return folder

    def fitted(self) -> Any:
        """A copy of the model for bfloat16, see :func:`fitted_copy`."""
        return fitted_copy(self.model, self._run, self._source)

    def _writable(self) -> Path:
        """A folder for exports; a temporary one beside runs that are read only."""
        if self._folder is not None:
            try:
                self._folder.mkdir(exist_ok=True)
                with tempfile.TemporaryFile(dir=self._folder):
                    return self._folder
            except OSError:
                pass
        self._temporary = tempfile.TemporaryDirectory(prefix='mmkp-exports-')
        self._folder = Path(self._temporary.name)
        return self._folder

    def _fingerprint(self) -> dict[str, str]:
        """What changes when the weights or the settings do."""
        known = dict(config=_digest(repr(self.model.cfg.to_dict()).encode()))
        if self._run is not None:
            known['checkpoint'] = _digest(self._run.checkpoint.read_bytes())
        return known


def choose_predictors(
    model: Any,
    runtime: str,
    precision: str,
    run: Run | None = None,
    source: Source | None = None,
) -> PredictorChoice:
    """What predicts in place of a model, or beside it.

    Args:
        model: of :func:`mmkp.apis.load_model`, or of an export.
        runtime: see :class:`PredictOptions`.
        precision: 'float32' or 'bfloat16'.
        run: of which the model is.
        source: that is predicted, see :class:`RunExports`.

    Raises:
        ValueError: an export is asked for on a device that is no CPU.
    """
    if run is not None and is_export(run.path):
        first, *rest = of_export(run.path, runtime, precision)
        here = first._replace(make=lambda: model)
        return PredictorChoice(here, (lambda _: rest) if rest else None)
    exports = RunExports(run, model, source)
    device = model.data_preprocessor.device.type
    if runtime in _EXPORTED and device != 'cpu':
        raise ValueError(
            f'runtime {runtime} computes on the CPU: leave out --device {device}'
        )
    named = 'torch' if runtime == 'auto' else runtime
    first = asked_for(named, precision, exports)
    if runtime == 'auto' and precision == 'float32' and device == 'cpu':
        return PredictorChoice(first, partial(others, exports))
    return PredictorChoice(first)


def asked_for(runtime: str, precision: str, exports: RunExports) -> Predictor:
    """The predictor that a user has named.

    Args:
        runtime: 'torch', 'onnx' or 'openvino'.
        precision: 'float32' or 'bfloat16'.
        exports: of the model.
    """
    bfloat16 = precision == 'bfloat16'

    def make() -> Any:
        if runtime != 'torch':
            folder = exports.get(runtime, bfloat16 and runtime == 'openvino')
            return load_exported(folder, runtime, bfloat16)
        if not bfloat16:
            return exports.model
        on_cpu = exports.model.data_preprocessor.device.type == 'cpu'
        return bfloat16_copy(exports.fitted() if on_cpu else exports.model)

    return Predictor(runtime, precision, make)


def of_export(
    folder: str | Path, runtime: str, precision: str, settings: dict | None = None
) -> list[Predictor]:
    """What can predict by an export.

    Args:
        folder: of the export.
        runtime: see :class:`PredictOptions`.
        precision: 'float32' or 'bfloat16'.
        settings: dotted keys and values that override the config.

    Returns:
        The named one, or for 'auto' all that are installed and have the precision.

    Raises:
        FileNotFoundError: it has no file for the runtime.
        ImportError: no runtime is installed for its files.
    """
    files = read_description(folder).files
    names = [runtime]
    if runtime == 'auto':
        # OpenVINO reads files of ONNX.
        readers = dict(openvino={'openvino', 'onnx'}, onnx={'onnx'}, torch={'torch'})
        fitting = [name for name, read in readers.items() if read & set(files)]
        names = [name for name in fitting if is_installed(name)] or fitting
    if runtime == 'auto' and precision == 'bfloat16' and len(names) > 1:
        names = [name for name in names if name != 'onnx']  # which has none
    return [_of_file(folder, name, precision, settings) for name in names]


def others(exports: RunExports, inputs: Tensor | None) -> Iterator[Predictor]:
    """What may predict faster than a model on a CPU, in float32.

    Args:
        exports: of the model; only those that are there are taken.
        inputs: network input to prepare for, (B, 3, H, W), None where the model shows
            none.
    """
    model = exports.model
    if inputs is not None:
        make = partial(inference_copy, model, inputs)
        yield Predictor('torch, prepared', 'float32', make)
    for name in _EXPORTED:
        folder = exports.found(name) if is_installed(name) else None
        if folder is not None:
            yield _of_file(folder, name, 'float32')


def _of_file(
    folder: str | Path, runtime: str, precision: str, settings: dict | None = None
) -> Predictor:
    bfloat16 = precision == 'bfloat16'
    return Predictor(
        runtime,
        precision,
        lambda: load_exported(folder, runtime, bfloat16, cfg_options=settings),
    )


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
