# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""MMPose's heads with our codec and our heads with MMPose's, with its flip test.

{HeatmapHead, CPMHead, StackedHourglassHead} x {five codecs}: what a codec draws is
located where it was drawn, alone and averaged with the mirror image, and is trained.
"""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.testing import get_packed_inputs

K, SIZE, MAP = 17, (64, 96), (16, 24)
# And what is lost between keypoint and cell, in pixels, 4 a cell. UDP decodes by
# another ratio than it encodes; a broad peak near the border is moved.
CODECS = {
    'hourglass': (dict(type='HourglassHeatmap', sigma=1.5), 2.0),
    'msra': (dict(type='MSRAHeatmap', sigma=2), 2.0),
    'dark': (dict(type='MSRAHeatmap', sigma=2, unbiased=True), 1.0),
    'udp': (dict(type='UDPHeatmap', sigma=2), 1.0),
    'megvii': (dict(type='MegviiHeatmap', kernel_size=5), 2.0),
}
# Cells of MSRA's and Megvii's maps lie one to the right in mirror images.
SHIFTED = ('msra', 'dark', 'megvii')
HEADS = {
    'HeatmapHead': dict(
        in_channels=K, out_channels=K, deconv_out_channels=None, final_layer=None
    ),
    'CPMHead': dict(
        in_channels=K,
        out_channels=K,
        num_stages=2,
        deconv_out_channels=None,
        final_layer=None,
    ),
    'StackedHourglassHead': dict(num_stacks=2, num_keypoints=K),
}
FLIP = np.array([0, *np.arange(1, K).reshape(-1, 2)[:, ::-1].ravel()])


@pytest.fixture(params=CODECS)
def codec(request):
    """Name, config and error of a codec."""
    init_default_scope('mmpose')
    config, error = CODECS[request.param]
    return request.param, dict(config, input_size=SIZE, heatmap_size=MAP), error


def scene():
    """Keypoints (1, K, 2) of a person and of its mirror image."""
    rng = np.random.default_rng(0)
    points = rng.uniform(12, np.array(SIZE) - 12, (1, K, 2))
    return points, (points * (-1, 1) + (SIZE[0] - 1, 0))[:, FLIP]


def features(name, maps):
    """What a backbone gives to a head without weights that shows these maps."""
    maps = torch.from_numpy(maps)[None].float()
    if name == 'HeatmapHead':
        return (maps,)
    if name == 'CPMHead':
        return [maps, maps]
    return [maps, maps, maps[:, :1], maps[:, :1]]


def samples():
    packed = get_packed_inputs(1, num_keypoints=K, input_size=SIZE, heatmap_size=MAP)
    sample = packed['data_samples'][0]
    sample.set_metainfo(dict(flip_indices=FLIP.tolist()))
    return [sample]


@pytest.mark.parametrize('name', HEADS)
def test_keypoints_are_where_they_were_drawn(name, codec):
    kind, config, error = codec
    head = MODELS.build(dict(HEADS[name], type=name, decoder=config))
    draw = KEYPOINT_CODECS.build(config)
    points, mirrored = scene()
    visible = np.ones((1, K), np.float32)
    plain, mirror = (
        features(name, draw.encode(p.astype(np.float32), visible)['heatmaps'])
        for p in (points, mirrored)
    )
    [found] = head.predict(plain, samples())
    assert found.keypoints.shape == (1, K, 2)
    assert np.abs(found.keypoints - points).max() <= error
    settings = dict(flip_test=True, shift_heatmap=kind in SHIFTED, output_heatmaps=True)
    [averaged], [fields] = head.predict([plain, mirror], samples(), settings)
    # The two may show a keypoint in neighbouring cells.
    assert np.abs(averaged.keypoints - points).max() <= max(error, 1) + 1
    assert fields.heatmaps.shape == (K, *MAP[::-1])


@pytest.mark.parametrize('name', HEADS)
def test_the_loss_vanishes_where_the_maps_are_the_targets(name, codec):
    _, config, _ = codec
    loss = dict(type='KeypointMSELoss', use_target_weight=True)
    head = MODELS.build(dict(HEADS[name], type=name, decoder=config, loss=loss))
    drawn = KEYPOINT_CODECS.build(config).encode(
        scene()[0].astype(np.float32), np.ones((1, K), np.float32)
    )
    targets = samples()
    targets[0].gt_fields.heatmaps = torch.from_numpy(drawn['heatmaps'])
    targets[0].gt_instance_labels.keypoint_weights = torch.from_numpy(
        drawn['keypoint_weights']
    )
    for shift, expected in ((0, 0), (0.5, 0.25)):
        feats = features(name, drawn['heatmaps'] + np.float32(shift))
        losses = head.loss(feats, targets, {})
        for key, value in losses.items():
            if key.startswith('loss'):
                assert value.sum() == pytest.approx(
                    expected * (2 if name == 'CPMHead' else 1), abs=1e-6
                )
        assert losses['acc_pose'] == 1
