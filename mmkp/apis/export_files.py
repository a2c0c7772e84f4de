# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The files of an export: written, and each compared with the model."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from mmkp.deployment.check import (
    TOLERANCE,
    Difference,
    NetworkInput,
    compare_keypoints,
    graph_images,
)
from mmkp.deployment.description import ExportDescription
from mmkp.deployment.graphs import build_graph
from mmkp.deployment.onnx_file import write_onnx
from mmkp.deployment.openvino_file import write_openvino
from mmkp.deployment.sessions import open_session
from mmkp.deployment.torch_file import write_torch
from mmkp.deployment.tracing import trace_graph

_NAMES = {'onnx': 'model.onnx', 'openvino': 'model.xml', 'torch': 'model.pt'}


class ExportFiles:
    """Writes the files of an export and compares each with the model.

    Args:
        folder: to write into.
        model: in PyTorch, on the CPU.
        inputs: pictures to compare on.
        description: of the export, without files.
        config_text: of the config, which each file holds.

    Attributes:
        description: with the files, after :meth:`write`.
        differences: of each file.
    """

    def __init__(
        self,
        folder: Path,
        model: Any,
        inputs: Sequence[NetworkInput],
        description: ExportDescription,
        config_text: str,
    ) -> None:
        self.folder, self.model, self.inputs = folder, model, inputs
        self.description, self.config_text = description, config_text
        self.differences: list[Difference] = []

    def write(
        self,
        formats: Sequence[str],
        pictures: Sequence[NetworkInput] | None = None,
    ) -> None:
        """Write and compare.

        Args:
            formats: of 'onnx', 'openvino', 'torch'.
            pictures: to calibrate int8 on, where that is asked for.

        Raises:
            ExportDifferenceError: a float32 file finds other keypoints.
        """
        files = {format: _NAMES[format] for format in _NAMES if format in formats}
        self.description = replace(self.description, files=files)
        inside = self.description.input['normalized_inside']
        graph = build_graph(self.model, inside)
        images = self._example()
        if 'torch' in files:
            path = self.folder / files['torch']
            write_torch(graph, images, path, self.description, self.config_text)
            self._compare('torch', path)
        if not {'onnx', 'openvino'} & set(files):
            return
        program = trace_graph(graph, images, self.description.input['dynamic'])
        source = self.folder / 'float32.onnx'
        write_onnx(program, source, self.description, self.config_text)
        if self.description.precision != 'float32':
            self._compare('onnx', source, 'float32')
        self._lower_precision(source, pictures)
        if 'onnx' in files:
            self._compare('onnx', self.folder / files['onnx'])
        if 'openvino' in files:
            path = self.folder / files['openvino']
            onnx_file = self.folder / _NAMES['onnx']
            write_openvino(onnx_file, path, self.description, self.config_text)
            self._compare('openvino', path)
        if 'onnx' not in files:
            (self.folder / _NAMES['onnx']).unlink()

    def _example(self) -> torch.Tensor:
        """Two images to trace with."""
        inside = self.description.input['normalized_inside']
        images = torch.from_numpy(graph_images(self.model, self.inputs[:1], inside))
        return images.repeat(2, 1, 1, 1)

    def _lower_precision(
        self, source: Path, pictures: Sequence[NetworkInput] | None
    ) -> None:
        """Make ``model.onnx`` of the float32 file."""
        target = self.folder / _NAMES['onnx']
        if self.description.precision == 'float32':
            source.rename(target)
            return
        if self.description.precision == 'float16':
            from mmkp.deployment.float16 import half_file

            half_file(source, target)
        else:
            from mmkp.deployment.int8 import int8_file

            assert pictures is not None
            inside = self.description.input['normalized_inside']
            batches = (graph_images(self.model, [one], inside) for one in pictures)
            int8_file(source, target, batches)
        source.unlink()

    def _compare(self, runtime: str, path: Path, precision: str = '') -> None:
        """Compare a file, and refuse it where it is float32 and differs."""
        precision = precision or self.description.precision
        session = open_session(path, runtime)
        compared = session.run, path.name, self.model, self.inputs
        settings: dict[str, Any] = dict(
            normalized_inside=self.description.input['normalized_inside'],
            tolerance=TOLERANCE if precision == 'float32' else None,
        )
        if self.description.kind == 'people':
            from mmkp.deployment.check_people import compare_people

            settings['grouping'] = self.description.grouping
            self.differences.append(compare_people(*compared, **settings))
        else:
            self.differences.append(compare_keypoints(*compared, **settings))
