"""Where the network of an ONNX graph begins and ends."""

import numpy as np
import pytest

onnx = pytest.importorskip('onnx')
ir = pytest.importorskip('onnx_ir')

from tiny_onnx import random_weights  # noqa: E402

from mmkp.deployment.learned_layers import (  # noqa: E402
    inner_layers,
    learned_layers,
    network_nodes,
)

FRAME = '(float[n,3,8,8] x) => (float[n,4,m] y)'
WEIGHTS = dict(a=(6, 3, 1, 1), b=(4, 6, 1, 1))
NETWORK = 'c = Conv(x0, a) r = Relu(c) d = Conv(r, b)'
FLAT = 's = Constant <value_ints: ints = [0, 4, -1]> () f = Reshape(d, s)'


def graph_of(nodes, frame=FRAME, **weights):
    return ir.serde.deserialize_model(
        random_weights(f'{frame} {{ {nodes} }}', **{**WEIGHTS, **weights})
    ).graph


def kinds(nodes, graph):
    return [node.op_type for node in graph if node in nodes]


def test_normalization_and_decoding_are_none_of_the_network():
    graph = graph_of(f'x0 = Mul(x, x) {NETWORK} {FLAT} y = Softmax(f)')
    assert kinds(learned_layers(graph), graph) == ['Conv', 'Conv']
    assert kinds(network_nodes(graph), graph) == ['Conv', 'Relu']
    assert inner_layers(graph) == []
    more = graph_of(f'x0 = Abs(x) {NETWORK} y = Conv(d, e)', e=(4, 4, 1, 1))
    assert [node.inputs[1].name for node in inner_layers(more)] == ['b']


def test_a_regression_of_positions_is_none_of_the_network():
    """Behind a softmax over a map stands what works on positions."""
    nodes = f'x0 = Abs(x) {NETWORK} {FLAT} p = Softmax(f) y = MatMul(p, w)'
    graph = graph_of(nodes, w=(64, 5))
    assert kinds(learned_layers(graph), graph) == ['Conv', 'Conv']


def test_a_softmax_that_weighs_features_is_inside_the_network():
    """Attention: softmax(q k) v, and a layer behind it."""
    attention = 't = Transpose <perm = [0, 2, 1]> (f) q = MatMul(f, t) p = Softmax(q)'
    nodes = f'x0 = Abs(x) {NETWORK} {FLAT} {attention} z = MatMul(p, f)'
    graph = graph_of(f'{nodes} y = MatMul(z, w)', w=(64, 5))
    assert kinds(learned_layers(graph), graph) == ['Conv', 'Conv', 'MatMul']
    assert 'Softmax' in kinds(network_nodes(graph), graph)


def test_a_softmax_times_what_follows_from_sizes_makes_positions():
    """Cells of a map of any size are counted from its shape."""
    nodes = (
        f'x0 = Abs(x) {NETWORK} {FLAT} p = Softmax(f) k = Shape(p) '
        'i = Cast <to = 1> (k) l = Constant <value_ints: ints = [1, 3]> () '
        'u = Reshape(i, l) m = MatMul(u, p) y = MatMul(m, w)'
    )
    graph = graph_of(nodes, w=(64, 5))
    assert kinds(learned_layers(graph), graph) == ['Conv', 'Conv']


def test_a_blur_is_not_learned():
    """Its filter is the same for each channel."""
    nodes = (
        f'{FRAME} {{ x0 = Abs(x) {NETWORK} g = Conv <group = 4> (d, v) y = Abs(g) }}'
    )
    model = random_weights(nodes, **WEIGHTS)
    blur = np.tile(np.hanning(5)[1:-1].astype(np.float32), (4, 1, 1, 1))
    model.graph.initializer.append(onnx.numpy_helper.from_array(blur, 'v'))
    graph = ir.serde.deserialize_model(model).graph
    assert kinds(learned_layers(graph), graph) == ['Conv', 'Conv']
    learned = ir.serde.deserialize_model(
        random_weights(nodes, **WEIGHTS, v=(4, 1, 1, 3))
    ).graph
    assert kinds(learned_layers(learned), learned) == ['Conv'] * 3


def test_outputs_of_a_product_are_its_columns():
    """The centers of cells, (w, 1), are one column: nothing that was learned."""
    nodes = f'x0 = Abs(x) {NETWORK} {FLAT} y = MatMul(f, w)'
    assert len(learned_layers(graph_of(nodes, w=(64, 1)))) == 2
    assert len(learned_layers(graph_of(nodes, w=(64, 2)))) == 3
    gemm = f'x0 = Abs(x) {NETWORK} z = Flatten(d) y = Gemm <transB = 1> (z, w)'
    assert len(learned_layers(graph_of(gemm, w=(2, 256)))) == 3
    assert len(learned_layers(graph_of(gemm, w=(1, 256)))) == 2
