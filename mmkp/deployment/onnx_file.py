# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Graphs as ONNX files."""

from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from mmkp.deployment.description import METADATA_KEY, ExportDescription
from mmkp.deployment.tracing import quiet
from mmkp.labels.hdf5_file import one_line

#: Key of the metadata that holds the config's text.
CONFIG_KEY = 'config'
INPUT = 'images'
OUTPUTS = {
    'keypoints': ('keypoints', 'keypoint_scores'),
    'people': ('peaks', 'limbs', 'heatmaps', 'fields'),
}
# The newest that torch writes without converting, and older than every runtime here.
_OPSET = 18


def write_onnx(
    program: torch.export.ExportedProgram,
    path: str | Path,
    description: ExportDescription,
    config_text: str = '',
) -> Path:
    """Write an ONNX file.

    Args:
        program: of :func:`trace_graph`.
        path: of the file.
        description: what the file says of itself, and which outputs it has.
        config_text: of the config, which the file holds too.

    Returns:
        The path.

    Raises:
        ImportError: onnx or onnxscript is not installed.
        ValueError: an operation has no form in ONNX.
    """
    onnx = library('onnx', 'an ONNX file')
    library('onnxscript', 'an ONNX file')
    try:
        with quiet(), torch.no_grad():
            made = torch.onnx.export(
                program,
                (),
                dynamo=True,
                verbose=False,
                input_names=[INPUT],
                output_names=list(OUTPUTS[description.kind]),
                opset_version=_OPSET,
            )
    except Exception as error:  # torch has one for each kind of trouble
        raise ValueError(
            f'{description.model} has no form in ONNX: {one_line(error)}'
        ) from error
    assert made is not None  # for the type checker
    model = made.model_proto
    _leave_out_origins(model)
    _name_axes(model)
    texts = {METADATA_KEY: description.to_json(), CONFIG_KEY: config_text}
    onnx.helper.set_model_props(model, {k: v for k, v in texts.items() if v})
    onnx.save(model, str(path))
    return Path(path)


def _leave_out_origins(model: Any) -> None:
    """Delete where in which file of this machine each operation comes from."""
    del model.graph.value_info[:]  # runtimes infer shapes themselves
    graph = model.graph
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        item.ClearField('metadata_props')
        item.ClearField('doc_string')


def _name_axes(model: Any) -> None:
    """Call the axes of the input what they are, instead of the tracer's symbols."""
    shape = model.graph.input[0].type.tensor_type.shape
    names = {
        axis.dim_param: name
        for axis, name in zip(shape.dim, ('batch', '', 'height', 'width'), strict=True)
        if axis.dim_param
    }
    for value in (*model.graph.input, *model.graph.output):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param in names:
                axis.dim_param = names[axis.dim_param]


def library(name: str, what: str) -> Any:
    """Import a package that an export needs.

    Args:
        name: of the package.
        what: it is needed for.

    Raises:
        ImportError: it cannot be imported; says what to install.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f'{what} needs {name}, which cannot be imported ({one_line(error)}): '
            f"pip install {name}, or 'mmkp[export]'"
        ) from None
