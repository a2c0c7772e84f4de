# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Options of ``test_cfg`` that MMPose's users set: they work, or are refused."""

import numpy as np
import pytest
import torch
from checked_methods import METHODS

from mmkp.testing import Method

DISCOVERY = [
    'autolink',
    'factorized_spatial_embedding',
    'imm',
    'lmdis',
    'stable_keypoints',
]
EVERY = [*DISCOVERY, 'openpose', 'stacked_hourglass']
# Without a flip test, how maps would be mirrored is never asked.
HARMLESS = [
    {'flip_test': False},
    {'flip_mode': 'heatmap'},
    {'shift_coords': True},
    {'shift_heatmap': False},
]
REFUSED = {
    **dict.fromkeys(DISCOVERY, [{'flip_test': True}, {'multiscale_test': True}]),
    'openpose': [
        {'flip_test': True, 'shift_heatmap': True},
        {'align_corners': True},
        {'restore_heatmap_size': True},
        {'output_keypoint_indices': [0, 1]},
        {'flip_mode': 'udp_combined'},
    ],
    'stacked_hourglass': [{'multiscale_test': True}, {'flip_mode': 'offset'}],
}


@pytest.fixture(scope='module')
def predict():
    """Predict with other options, from the same weights."""
    methods = {}

    def run(name, **settings):
        if name not in methods:
            methods[name] = Method(METHODS[name]())
        method = methods[name]
        model = method.build().eval()
        model.test_cfg = settings
        with torch.no_grad():
            return model.test_step(method.test_batch(method.images[:1]))[0]

    return run


@pytest.mark.parametrize('name', EVERY)
def test_the_same_with_options_that_say_nothing(predict, name):
    plain = predict(name).pred_instances
    for settings in HARMLESS:
        found = predict(name, **settings).pred_instances
        np.testing.assert_array_equal(found.keypoints, plain.keypoints)


@pytest.mark.parametrize('name', EVERY)
def test_heatmaps_are_added(predict, name):
    assert 'pred_fields' not in predict(name)
    heatmaps = predict(name, output_heatmaps=True).pred_fields.heatmaps
    assert heatmaps.ndim == 3 and torch.isfinite(heatmaps).all()


@pytest.mark.parametrize('name', [*DISCOVERY, 'stacked_hourglass'])
def test_some_of_the_keypoints(predict, name):
    every = predict(name).pred_instances
    some = predict(name, output_keypoint_indices=[2, 0]).pred_instances
    np.testing.assert_array_equal(some.keypoints, every.keypoints[:, [2, 0]])


@pytest.mark.parametrize('name', ['openpose', 'stacked_hourglass'])
def test_mirrored_images_are_averaged(predict, name):
    plain = predict(name, output_heatmaps=True).pred_fields.heatmaps
    both = predict(name, output_heatmaps=True, flip_test=True).pred_fields.heatmaps
    assert both.shape == plain.shape and not torch.allclose(both, plain)


@pytest.mark.parametrize(
    ('name', 'settings'),
    [(name, settings) for name, each in REFUSED.items() for settings in each],
    ids=str,
)
def test_what_has_no_place_is_refused_in_a_sentence(predict, name, settings):
    option = list(settings)[-1]
    with pytest.raises(ValueError, match=rf'^test_cfg\.{option}=.* has no place in'):
        predict(name, **settings)


@pytest.mark.parametrize('name', DISCOVERY)
def test_the_config_is_refused_when_the_model_is_built(name):
    config = METHODS[name]()
    config['model']['test_cfg'] = {'flip_test': True}
    with pytest.raises(ValueError, match='flip_test=True has no place in .*: discov'):
        Method(config).build()
