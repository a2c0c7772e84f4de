# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which part of an ONNX graph is the network: between its first and last learned layer.

What lies before normalizes the input, what lies after makes positions of maps. Nothing
in a file says so; it is told by the graph alone, so that any exporter's file serves.
"""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import onnx_ir as ir

#: Layers whose weights are learned, with the axis of their outputs.
_OUTPUT_AXIS = {'Conv': 0, 'ConvTranspose': 1, 'Gemm': -1, 'MatMul': -1}
#: What turns maps into positions, wherever it stands.
_DECODING = {'ArgMax', 'ArgMin', 'TopK', 'NonZero', 'NonMaxSuppression'}
_SOFTMAX = {'Softmax', 'LogSoftmax'}
#: What tells of a tensor's size only.
_SIZES = {'Shape', 'Size'}


def learned_layers(graph: 'ir.Graph') -> list['ir.Node']:
    """Convolutions and matrix products by learned weights, those of the network only.

    A filter that is the same for each output, as a blur or the centers of cells are,
    is not learned. A layer behind a decoding step works on positions and is none of
    the network: an argmax, or a softmax over a map. A softmax that weighs features
    (attention) is no decoding step.

    Args:
        graph: of an ONNX model, sorted.

    Returns:
        The nodes, in order.
    """
    weighted = [node for node in graph if _has_learned_weight(node)]
    features = _followers(graph, weighted)
    positions = _followers(graph, [n for n in graph if _decodes(n, features)])
    return [node for node in weighted if node not in positions]


def inner_layers(graph: 'ir.Graph') -> list['ir.Node']:
    """Learned layers that stand between two others.

    The first ones see pixels, and are few. The last ones give scores of cells, or
    positions: what is rounded there is rounded in the result.

    Args:
        graph: of an ONNX model, sorted.

    Returns:
        The nodes, in order.
    """
    layers = learned_layers(graph)
    before = [one for layer in layers for one in layer.successors()]
    behind_one = _followers(graph, before)
    network = network_nodes(graph)
    return [node for node in layers if node in network and node in behind_one]


def network_nodes(graph: 'ir.Graph') -> set['ir.Node']:
    """Nodes on the ways from a first to a last learned layer, the last left out.

    Args:
        graph: of an ONNX model, sorted.

    Returns:
        The nodes; none where no learned layer follows another one.
    """
    layers = learned_layers(graph)
    needed, known = set(layers), set()
    for node in reversed(graph):
        if any(follower in needed for follower in node.successors()):
            needed.add(node)
            known.add(node)
    return known & _followers(graph, layers)


def _has_learned_weight(node: 'ir.Node') -> bool:
    """Whether a constant weight differs from output to output."""
    if node.op_type not in _OUTPUT_AXIS or node.domain or node.inputs[1] is None:
        return False
    weight = constant(node.inputs[1])
    if weight is None or weight.ndim < 2:
        return False
    axis = _OUTPUT_AXIS[node.op_type]
    if node.op_type == 'Gemm' and node.attributes.get_int('transB'):
        axis = 0
    first = np.take(weight, [0], axis)
    return bool((weight != first).any())


def _followers(graph: 'ir.Graph', starts: list['ir.Node']) -> set['ir.Node']:
    """The nodes and all that is computed from their values, not from their sizes."""
    found = set(starts)
    for node in graph:
        if node.op_type not in _SIZES and any(p in found for p in node.predecessors()):
            found.add(node)
    return found


def _decodes(node: 'ir.Node', features: set['ir.Node']) -> bool:
    """Whether a node makes positions of ``features``."""
    if node not in features:
        return False
    if node.op_type in _SOFTMAX:
        return not any(_weighs(one, features) for one in node.successors())
    return node.op_type in _DECODING


def _weighs(node: 'ir.Node', features: set['ir.Node']) -> bool:
    """Whether a node is the product of two tensors of features."""
    makers = [value.producer() for value in node.inputs if value is not None]
    return node.op_type == 'MatMul' and all(one in features for one in makers)


def constant(value: 'ir.Value') -> np.ndarray | None:
    """Content of a value that is the same for all inputs of the graph, else None.

    Args:
        value: of an ONNX graph.
    """
    import onnx_ir as ir

    tensor = ir.convenience.get_const_tensor(value)
    return None if tensor is None else tensor.numpy()
