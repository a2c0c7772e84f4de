# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Networks in files, run by ONNX Runtime, OpenVINO or torch under one interface."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from mmkp.deployment.description import is_export, read_description
from mmkp.engine.config_check import nearest
from mmkp.labels.hdf5_file import one_line

Runtime = Literal['onnx', 'openvino', 'torch']
RUNTIMES: tuple[Runtime, ...] = ('onnx', 'openvino', 'torch')
_SUFFIXES = {'onnx': ('.onnx',), 'openvino': ('.xml', '.onnx'), 'torch': ('.pt',)}
_PACKAGES = {'onnx': 'onnxruntime', 'openvino': 'openvino'}
# What a graph gives that has no names for it, by their number.
_OUTPUTS = {
    2: ('keypoints', 'keypoint_scores'),
    4: ('peaks', 'limbs', 'heatmaps', 'fields'),
}


class Session:
    """A network in a file, ready to run.

    Args:
        path: of the file.
        threads: number of them that it computes in.
        bfloat16: whether convolutions and products may be rounded to bfloat16.
        outputs: names of those to compute, None for all.

    Attributes:
        runtime: 'onnx', 'openvino' or 'torch'.
        precision: 'float32' or 'bfloat16', of what is computed.
    """

    runtime: Runtime

    def __init__(
        self,
        path: Path,
        threads: int,
        bfloat16: bool,
        outputs: Sequence[str] | None = None,
    ) -> None:
        self.path, self.threads = path, threads
        self.outputs = None if outputs is None else list(outputs)
        self.precision = 'bfloat16' if bfloat16 else 'float32'
        try:
            self._open(bfloat16)
        except (OSError, ImportError):
            raise
        except Exception as error:  # each runtime has its own
            raise ValueError(
                f"{self.runtime} cannot read '{path}': {one_line(error)}; export the "
                'model again'
            ) from error

    def _open(self, bfloat16: bool) -> None:
        raise NotImplementedError

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Compute the outputs.

        Args:
            inputs: by name, such as ``images`` (B, 3, H, W), float32.

        Returns:
            Outputs by name.

        Raises:
            ValueError: the network takes no inputs of these shapes.
        """
        try:
            return self._run(inputs)
        except Exception as error:  # each runtime has its own
            shapes = ', '.join(
                f'{name} {array.shape}' for name, array in inputs.items()
            )
            raise ValueError(
                f"'{self.path}' cannot be run on {shapes}: {one_line(error)}"
            ) from error

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        raise NotImplementedError


class OnnxSession(Session):
    """ONNX Runtime on the CPU."""

    runtime: Runtime = 'onnx'

    def _open(self, bfloat16: bool) -> None:
        library = _library('onnx')
        options = library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        self._session = library.InferenceSession(
            str(self.path), options, providers=['CPUExecutionProvider']
        )
        self._names = self.outputs or [one.name for one in self._session.get_outputs()]
        self._run_options = library.RunOptions()
        self._run_options.only_execute_path_to_fetches = True

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self._session.run(self._names, dict(inputs), self._run_options)
        return dict(zip(self._names, found, strict=True))


class OpenvinoSession(Session):
    """OpenVINO on the CPU, of its own files and those of ONNX."""

    runtime: Runtime = 'openvino'

    def _open(self, bfloat16: bool) -> None:
        library, core = _library('openvino'), _openvino_core()
        model = core.read_model(str(self.path))
        if self.outputs is not None:
            kept = [model.output(name) for name in self.outputs]
            model = library.Model(kept, model.get_parameters())
        settings = {
            'INFERENCE_PRECISION_HINT': 'bf16' if bfloat16 else 'f32',
            'INFERENCE_NUM_THREADS': self.threads,
            'PERFORMANCE_HINT': 'LATENCY',
        }
        self._compiled: Any = core.compile_model(model, 'CPU', settings)

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        found = self._compiled(dict(inputs))
        # Copied: the next run writes into the same memory.
        return {key.get_any_name(): np.array(value) for key, value in found.items()}


class TorchSession(Session):
    """A TorchScript program; no Python is run to load it, see torch_file.py."""

    runtime: Runtime = 'torch'

    def _open(self, bfloat16: bool) -> None:
        self._module = torch.jit.load(str(self.path), map_location='cpu')
        self._bfloat16 = bfloat16

    def _run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        before = torch.get_num_threads()
        torch.set_num_threads(self.threads)
        tensors = [torch.from_numpy(array) for array in inputs.values()]
        try:
            with (
                torch.inference_mode(),
                torch.autocast('cpu', torch.bfloat16, enabled=self._bfloat16),
            ):
                found = self._module(*tensors)
        finally:
            torch.set_num_threads(before)
        if not isinstance(found, Mapping):
            found = dict(zip(_OUTPUTS[len(found)], found, strict=True))
        return {name: _as_array(found[name]) for name in self.outputs or found}


def _as_array(tensor: torch.Tensor) -> np.ndarray:
    halved = tensor.dtype == torch.bfloat16  # which NumPy has not
    return (tensor.float() if halved else tensor).numpy()


_SESSIONS: dict[str, type[Session]] = {
    kind.runtime: kind for kind in (OnnxSession, OpenvinoSession, TorchSession)
}


def open_session(
    export: str | Path,
    runtime: str,
    threads: int | None = None,
    bfloat16: bool = False,
    outputs: Sequence[str] | None = None,
) -> Session:
    """Open a network that was exported.

    Args:
        export: folder of an export, or a file in it.
        runtime: 'onnx', 'openvino' or 'torch'. OpenVINO reads ONNX files too.
        threads: number to compute in; by default that of torch, which
            ``OMP_NUM_THREADS`` sets.
        bfloat16: whether convolutions and products may be rounded to bfloat16, which
            ONNX Runtime has not for CPUs.
        outputs: names of those to compute; what only others need is left out.

    Returns:
        The session.

    Raises:
        FileNotFoundError: there is no such export or no file of the kind in it.
        ImportError: the runtime is not installed.
        ValueError: the runtime is unknown, has no bfloat16, or cannot read the file.
    """
    if runtime not in _SESSIONS:
        raise ValueError(
            f"runtime '{runtime}' is unknown, {nearest(str(runtime), RUNTIMES)}"
        )
    if bfloat16 and runtime == 'onnx':
        raise ValueError('ONNX Runtime has no bfloat16 for CPUs: take openvino')
    path = _file(Path(export), runtime)
    threads = threads or torch.get_num_threads()
    return _SESSIONS[runtime](path, threads, bfloat16, outputs)


def is_installed(runtime: str) -> bool:
    """Whether a runtime can be imported here.

    Args:
        runtime: of :data:`RUNTIMES`.
    """
    try:
        _library(runtime)
    except ImportError:
        return False
    return True


@cache
def _openvino_core() -> Any:
    """One for the process: its plugins outlive what they have compiled."""
    return _library('openvino').Core()


def _library(runtime: str) -> Any:
    package = _PACKAGES.get(runtime, 'torch')
    try:
        return import_module(package)
    except ImportError as error:
        raise ImportError(
            f'runtime {runtime} needs {package}, which cannot be imported '
            f"({one_line(error)}): pip install {package}, or 'mmkp[export]'"
        ) from None


def _file(path: Path, runtime: str) -> Path:
    """The file of an export that a runtime reads."""
    suffixes = _SUFFIXES[runtime]
    if is_export(path):
        files = read_description(path).files
        names = [files[key] for key in (runtime, 'onnx') if key in files]
        fitting = [name for name in names if Path(name).suffix in suffixes]
        if not fitting:
            raise FileNotFoundError(
                f"export '{path}' has no file for {runtime}, only for "
                f'{", ".join(files)}: export the model again with -f {runtime}'
            )
        path = path / fitting[0]
    if not path.is_file():
        raise FileNotFoundError(f"there is no file '{path}' of an export")
    if path.suffix not in suffixes:
        raise ValueError(f"{runtime} reads {' and '.join(suffixes)}, not '{path}'")
    return path
