"""Networks in float16, positions in float32."""

import numpy as np
import pytest

onnx = pytest.importorskip('onnx')
pytest.importorskip('onnxruntime')

from tiny_onnx import drawn_images, exported_puppets, outputs, random_weights  # noqa: E402

from mmkp.deployment.float16 import half_file  # noqa: E402

FRAME = '(float[n,3,h,w] x) => (float[n,4,h,w] y)'


@pytest.fixture(scope='module')
def puppets(tmp_path_factory):
    """puppets-lmdis as a float32 and a float16 file."""
    folder = tmp_path_factory.mktemp('half')
    source = folder / 'model.onnx'
    source.write_bytes(exported_puppets())
    return source, half_file(source, folder / 'half.onnx')


def types_of(model):
    """Element type of each value, as onnx infers it, by name."""
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    values = (*inferred.value_info, *inferred.input, *inferred.output)
    found = {one.name: one.type.tensor_type.elem_type for one in values}
    return found | {one.name: one.data_type for one in inferred.initializer}


def test_the_network_is_float16_and_what_makes_positions_float32(puppets):
    model = onnx.load(puppets[1])
    onnx.checker.check_model(model, full_check=True)
    types = types_of(model)
    by_kind = {}
    for node in model.graph.node:
        by_kind.setdefault(node.op_type, []).append(types[node.output[0]])
    half, single = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT
    *inner, last = by_kind['Conv']
    assert set(inner) == {half} and last == single
    assert set(by_kind['LeakyRelu']) == set(by_kind['MaxPool']) == {half}
    for kind in ('Softmax', 'LogSoftmax', 'MatMul', 'ReduceSum', 'Div', 'Sub'):
        assert set(by_kind[kind]) == {single}, kind
    assert by_kind['Cast'].count(half) == 1  # the normalized images, once
    graph = model.graph
    assert {types[one.name] for one in (*graph.input, *graph.output)} == {single}


def test_keypoints_move_by_hundredths_of_a_pixel_at_half_the_weights(puppets):
    images = drawn_images(8)
    expected, found = (outputs(path, images) for path in puppets)
    assert list(found) == list(expected)
    difference = np.abs(found['keypoints'] - expected['keypoints'])
    assert 0 < difference.max() < 0.1
    assert found['keypoints'].dtype == np.float32

    def bytes_of(path):
        return sum(len(one.raw_data) for one in onnx.load(path).graph.initializer)

    assert 0.5 < bytes_of(puppets[1]) / bytes_of(puppets[0]) < 0.6


def test_metadata_and_a_batch_of_any_size_are_kept(puppets):
    before, after = (onnx.load(path) for path in puppets)
    assert before.metadata_props == after.metadata_props and after.metadata_props
    assert before.graph.input == after.graph.input
    assert outputs(puppets[1], drawn_images(3))['keypoints'].shape == (3, 16, 2)


def written(tmp_path, nodes, **weights):
    path = tmp_path / 'model.onnx'
    onnx.save(random_weights(f'{FRAME} {{ {nodes} }}', **weights), path)
    return path, half_file(path, tmp_path / 'half.onnx')


def test_scales_of_a_resize_and_sizes_stay_as_they_are(tmp_path):
    nodes = (
        'c = Conv(x, a) s = Shape(c) r = Resize(c, , z) m = MaxPool <kernel_shape = '
        '[2, 2], strides = [2, 2]> (r) q = Reshape(m, s) y = Conv(q, b)'
    )
    path, half = written(tmp_path, nodes, a=(6, 3, 1, 1), b=(4, 6, 1, 1), z=(4,))
    model = onnx.load(path)
    model.graph.initializer[-1].CopyFrom(
        onnx.numpy_helper.from_array(np.float32([1, 1, 2, 2]), 'z')
    )
    onnx.save(model, path)
    half_file(path, half)
    onnx.checker.check_model(onnx.load(half), full_check=True)
    images = np.random.default_rng(0).random((2, 3, 6, 8), np.float32)
    expected, found = outputs(path, images)['y'], outputs(half, images)['y']
    assert 0 < np.abs(expected - found).max() < 5e-3


def test_a_value_of_the_network_that_is_an_output_too_is_float32(tmp_path):
    model = random_weights(
        '(float[n,3,4,4] x) => (float[n,4,4,4] y, float[n,6,4,4] c)'
        '{ c = Conv(x, a) y = Conv(c, b) }',
        a=(6, 3, 1, 1),
        b=(4, 6, 1, 1),
    )
    path = tmp_path / 'model.onnx'
    onnx.save(model, path)
    half = half_file(path, tmp_path / 'half.onnx')
    images = np.random.default_rng(0).random((2, 3, 4, 4), np.float32)
    found = outputs(half, images)
    assert list(found) == ['y', 'c'] and found['c'].dtype == np.float32
    np.testing.assert_allclose(found['c'], outputs(path, images)['c'], atol=5e-3)


def test_a_weight_that_float16_cannot_hold_is_refused(tmp_path):
    path = tmp_path / 'model.onnx'
    model = random_weights(
        f'{FRAME} {{ c = Conv(x, a) y = Conv(c, b) }}', a=(6, 3, 1, 1), b=(4, 6, 1, 1)
    )
    weight = onnx.numpy_helper.to_array(model.graph.initializer[0]) * 1e6
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weight, 'a'))
    onnx.save(model, path)
    with pytest.raises(ValueError, match='a holds .* float16 cannot hold'):
        half_file(path, tmp_path / 'half.onnx')
    assert not (tmp_path / 'half.onnx').exists()


def test_a_graph_without_layers_is_refused(tmp_path):
    with pytest.raises(ValueError, match='no learned layer'):
        written(tmp_path, 'y = Abs(x)')
