"""Layers in int8, calibrated on pictures."""

import numpy as np
import pytest

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from tiny_onnx import drawn_images, exported_puppets, outputs, random_weights  # noqa: E402

from mmkp.deployment.int8 import MIN_IMAGES, int8_file  # noqa: E402


@pytest.fixture(scope='module')
def puppets(tmp_path_factory):
    """puppets-lmdis as a float32 and an int8 file, calibrated on 16 of 24 pictures."""
    folder = tmp_path_factory.mktemp('int8')
    source = folder / 'model.onnx'
    source.write_bytes(exported_puppets())
    images = drawn_images(24)
    batches = (images[i : i + 4] for i in range(0, 16, 4))
    return source, int8_file(source, folder / 'int8.onnx', batches), images[16:]


def test_inner_layers_are_int8_an_output_channel_at_a_time(puppets):
    model = onnx.load(puppets[1])
    made = {value: node for node in model.graph.node for value in node.output}
    weights = {one.name: one for one in model.graph.initializer}
    first, *inner, last = [n for n in model.graph.node if n.op_type == 'Conv']
    assert first.input[1] in weights and last.input[1] in weights
    assert len(inner) == 7
    for node in inner:
        whole, scales, _ = made[node.input[1]].input
        assert weights[whole].data_type == onnx.TensorProto.INT8
        assert weights[scales].dims == weights[whole].dims[:1]


def test_decoding_computes_in_float32(puppets):
    model = onnx.load(puppets[1])
    made = {value: node for node in model.graph.node for value in node.output}
    kinds = {'Softmax', 'LogSoftmax', 'MatMul', 'ReduceSum', 'Div', 'Sub'}
    nodes = [node for node in model.graph.node if node.op_type in kinds]
    assert kinds <= {node.op_type for node in nodes}
    for node in nodes:
        read = [made[value].op_type for value in node.input if value in made]
        assert 'DequantizeLinear' not in read, node.op_type


def test_keypoints_stay_within_a_pixel_of_pictures_that_were_not_calibrated_on(puppets):
    source, target, images = puppets
    expected, found = (outputs(path, images)['keypoints'] for path in (source, target))
    distance = np.linalg.norm(expected - found, axis=-1)
    assert 1e-3 < distance.mean() < 0.15 and distance.max() < 1.5


def test_weights_take_a_third_and_metadata_are_kept(puppets):
    before, after = (onnx.load(path) for path in puppets[:2])
    # Of nine layers, the first (3 channels) and the last (17 filters) stay as they are.
    sizes = [
        sum(len(one.raw_data) or 4 * len(one.float_data) for one in graph.initializer)
        for graph in (before.graph, after.graph)
    ]
    assert 0.25 < sizes[1] / sizes[0] < 0.4
    kept = {one.key: one.value for one in after.metadata_props}
    assert kept == {one.key: one.value for one in before.metadata_props} and kept


@pytest.mark.parametrize('number', [0, 1, MIN_IMAGES - 1])
def test_too_few_pictures_are_refused(puppets, tmp_path, number):
    target = tmp_path / 'int8.onnx'
    with pytest.raises(ValueError, match=f'{number} pictures: give {MIN_IMAGES}'):
        int8_file(puppets[0], target, puppets[2][:number, None])
    assert not target.exists()


def test_a_graph_of_two_layers_is_refused(tmp_path):
    path = tmp_path / 'model.onnx'
    frame = '(float[n,3,4,4] x) => (float[n,4,4,4] y)'
    nodes = f'{frame} {{ c = Conv(x, a) y = Conv(c, b) }}'
    onnx.save(random_weights(nodes, a=(4, 3, 1, 1), b=(4, 4, 1, 1)), path)
    with pytest.raises(ValueError, match='no learned layer that could be in int8'):
        int8_file(path, tmp_path / 'int8.onnx', [np.zeros((8, 3, 4, 4), np.float32)])
