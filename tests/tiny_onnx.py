"""ONNX files for tests: a small network with its decoding, and a model that ships."""

from functools import cache
from pathlib import Path

import numpy as np
import onnx
import torch

from mmkp.apis.export_description import describe_export
from mmkp.apis.export_pictures import network_inputs
from mmkp.apis.shipped_models import open_run
from mmkp.deployment.graphs import build_graph
from mmkp.deployment.onnx_file import write_onnx
from mmkp.deployment.tracing import trace_graph

HEAD = '<ir_version: 8, opset_import: ["" : 18]> g'


def random_weights(graph: str, **shapes: tuple[int, ...]) -> onnx.ModelProto:
    """A model of onnx's text form, with weights drawn for what the text leaves open.

    Args:
        graph: ``(inputs) => (outputs) { nodes }``.
        **shapes: of the weights by name.
    """
    model = onnx.parser.parse_model(f'{HEAD} {graph}')
    draw = np.random.default_rng(0)
    for name, shape in shapes.items():
        scale = np.sqrt(2 / max(np.prod(shape[1:]), 1))
        weight = (draw.standard_normal(shape) * scale).astype(np.float32)
        model.graph.initializer.append(onnx.numpy_helper.from_array(weight, name))
    for index, node in enumerate(model.graph.node):
        node.name = node.name or f'{node.op_type}_{index}'
    return model


@cache
def exported_puppets() -> bytes:
    """The graph of ``puppets-lmdis`` for any number of images, as an ONNX file."""
    import tempfile

    run = open_run('puppets-lmdis')
    model = run.load_model('cpu')
    inputs = network_inputs(model, None, 2)
    description = describe_export(model, inputs, True, run)
    images = torch.stack([one.pixels for one in inputs])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'model.onnx'
        write_onnx(trace_graph(build_graph(model), images), path, description)
        return path.read_bytes()


def drawn_images(number: int) -> np.ndarray:
    """Drawn figures as ``puppets-lmdis`` takes them, (N, 3, 64, 64) float32."""
    model = open_run('puppets-lmdis').load_model('cpu')
    inputs = network_inputs(model, None, number)
    return np.stack([one.pixels.numpy() for one in inputs])


def outputs(path: Path, images: np.ndarray) -> dict[str, np.ndarray]:
    """What a file gives for images, by name."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(
        str(path), options, providers=['CPUExecutionProvider']
    )
    names = [one.name for one in session.get_outputs()]
    found = session.run(None, {session.get_inputs()[0].name: images})
    return dict(zip(names, found, strict=True))
