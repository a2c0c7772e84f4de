# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""An ONNX file whose network is in float16, and whose positions are in float32."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .learned_layers import constant, network_nodes
from .onnx_file import library

if TYPE_CHECKING:
    import onnx_ir as ir

#: What half precision serves: layers, and what moves, joins or bends their features.
#: Sums over many values (means, norms, softmax), quotients and roots are not among it.
HALF_OPERATIONS = frozenset(
    'Conv ConvTranspose Gemm MatMul BatchNormalization '
    'Relu LeakyRelu PRelu Elu Selu Celu Clip Sigmoid HardSigmoid HardSwish Mish Gelu '
    'Tanh Erf Add Sub Mul Sum Neg Concat Split Slice Pad Reshape Flatten Transpose '
    'Squeeze Unsqueeze Expand Identity Resize DepthToSpace SpaceToDepth '
    'MaxPool AveragePool GlobalAveragePool GlobalMaxPool'.split()
)
_LARGEST = float(np.finfo(np.float16).max)


def half_file(source: str | Path, target: str | Path) -> Path:
    """Write an ONNX model with its network in float16.

    Weights and operations from the first learned layer to the last, which is left out
    (:func:`network_nodes`), are float16 where they are :data:`HALF_OPERATIONS`. The
    normalization of the input, the last layer and the decoding stay float32, and so do
    inputs and outputs; a cast stands wherever one meets the other, nowhere else.

    Args:
        source: an ONNX file, any opset from 13 on.
        target: of the file to write; its metadata are those of the source.

    Returns:
        Path of the target.

    Raises:
        ImportError: onnx or onnxscript is not installed.
        ValueError: no learned layer follows another one, or a weight is beyond 65504.
    """
    for name in ('onnx', 'onnx_ir'):
        library(name, 'float16')
    import onnx_ir as ir
    from onnx_ir.passes.common import RemoveUnusedNodesPass, ShapeInferencePass

    model = ir.load(source)
    ShapeInferencePass()(model)
    network = network_nodes(model.graph)
    half = {n: None for n in model.graph if n in network and _can_be_half(n)}
    if not half:
        raise ValueError(f'{source} has no learned layer that could be in float16')
    _take_halves(model.graph, half, str(source))
    _give_floats(model.graph, half)
    RemoveUnusedNodesPass()(model)
    ir.save(model, target)
    return Path(target)


def _can_be_half(node: 'ir.Node') -> bool:
    import onnx_ir as ir

    listed = not node.domain and node.op_type in HALF_OPERATIONS
    return listed and node.outputs[0].dtype == ir.DataType.FLOAT


def _take_halves(graph: 'ir.Graph', half: dict['ir.Node', None], source: str) -> None:
    """Give half nodes float16 inputs: constants made anew, the others cast."""
    made: dict[ir.Value, ir.Value] = {}
    for node in half:
        for index, value in _inputs_of_its_type(node):
            if value.producer() in half:
                continue
            if value not in made:
                number = constant(value)
                made[value] = (
                    _cast(graph, value, 'FLOAT16')
                    if number is None
                    else _half_constant(graph, value, number, source)
                )
            node.replace_input_with(index, made[value])


def _inputs_of_its_type(node: 'ir.Node') -> list[tuple[int, 'ir.Value']]:
    """Inputs that have the type of the node's output, by their number."""
    import onnx_ir as ir

    # Resize takes its scales in float32, whatever it resizes.
    taken = node.inputs[:1] if node.op_type == 'Resize' else node.inputs
    return [
        (index, value)
        for index, value in enumerate(taken)
        if value is not None and value.dtype == ir.DataType.FLOAT
    ]


def _half_constant(
    graph: 'ir.Graph', value: 'ir.Value', number: np.ndarray, source: str
) -> 'ir.Value':
    """A constant in float16 beside the one in float32."""
    import onnx_ir as ir

    if not (np.abs(number) <= _LARGEST).all():
        raise ValueError(
            f'{source}: {value.name} holds {np.abs(number).max():g}, which float16 '
            'cannot hold (65504 at most): export this model in float32'
        )
    name = f'{value.name}_half'
    tensor = ir.tensor(number.astype(np.float16), name=name)
    made = ir.Value(
        name=name,
        const_value=tensor,
        type=ir.TensorType(ir.DataType.FLOAT16),
        shape=ir.Shape(number.shape),
    )
    graph.register_initializer(made)
    return made


def _give_floats(graph: 'ir.Graph', half: dict['ir.Node', None]) -> None:
    """Make outputs of half nodes float16, and cast them for all that is not half."""
    import onnx_ir as ir

    for value in [o for n in half for o in n.outputs if o.dtype == ir.DataType.FLOAT]:
        value.dtype = ir.DataType.FLOAT16
        # A size is the same in both.
        outside = [u for u in value.uses() if u.node not in half]
        outside = [u for u in outside if u.node.op_type != 'Shape']
        if not outside and not value.is_graph_output():
            continue
        single = _cast(graph, value, 'FLOAT')
        for node, index in outside:
            node.replace_input_with(index, single)
        if value.is_graph_output():
            single.name, value.name = value.name, f'{value.name}_half'
            outputs = [single if one is value else one for one in graph.outputs]
            graph.outputs[:] = outputs


def _cast(graph: 'ir.Graph', value: 'ir.Value', kind: str) -> 'ir.Value':
    """A cast of a value, right behind what makes it."""
    import onnx_ir as ir

    dtype = ir.DataType[kind]
    name = f'{value.name}_{kind.lower()}'
    node = ir.node('Cast', [value], {'to': dtype.value}, name=f'cast_{name}')
    made = node.outputs[0]
    made.name, made.shape = name, value.shape
    made.dtype = dtype
    maker = value.producer()
    if maker is None:
        graph.insert_before(graph[0], node)
    else:
        graph.insert_after(maker, node)
    return made
