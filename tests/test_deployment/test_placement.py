"""How an image becomes the network input is told with every argument."""

import json

import pytest
from mmengine.registry import init_default_scope

from mmkp.deployment.placement import describe_placement

LOAD = dict(type='LoadImage')
BOX = dict(type='GetBBoxCenterScale', padding=1.0)
PACK = dict(type='PackPoseInputs')


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpose')


@pytest.mark.parametrize(
    ('steps', 'expected'),
    [
        (
            [BOX, dict(type='TopdownAffine', input_size=(192, 256), use_udp=True)],
            dict(type='affine', input_size=[192, 256], use_udp=True, box_padding=1.0),
        ),
        (
            [
                dict(type='GetBBoxCenterScale'),
                dict(type='TopdownResize', input_size=[64, 64]),
            ],
            dict(
                type='resize',
                input_size=[64, 64],
                keep_aspect_ratio=False,
                pad_val=0,
                box_padding=1.25,
            ),
        ),
        (
            [dict(type='BottomupHeightResize', height=368)],
            dict(
                type='height',
                height=368,
                size_factor=8,
                aug_scales=None,
                pad_val=128,
                max_aspect=8,
            ),
        ),
    ],
)
def test_placements_are_told(steps, expected):
    found = describe_placement([LOAD, *steps, PACK])
    assert found == expected
    assert json.loads(json.dumps(found)) == expected


def test_mmposes_resize_is_told():
    step = dict(type='BottomupResize', input_size=(512, 512), size_factor=32)
    found = describe_placement([LOAD, step, PACK])
    assert found['type'] == 'bottomup' and found['size_factor'] == 32
    assert found['resize_mode'] == 'fit' and 'use_udp' in found


@pytest.mark.parametrize(
    ('steps', 'reason'),
    [
        ([BOX, dict(type='ObjectFrameCrop', input_size=(64, 64))], 'ObjectFrameCrop'),
        ([BOX], '0 transforms that place'),
        (
            [dict(type='BottomupResize', input_size=(64, 64), use_udp=True)],
            'use_udp',
        ),
        (
            [dict(type='BottomupHeightResize', height=368, aug_scales=[0.5])],
            'several scales',
        ),
    ],
)
def test_what_a_runner_cannot_do_has_a_reason(steps, reason):
    found = describe_placement([LOAD, *steps, PACK])
    assert found['type'] == 'other'
    assert reason in found['reason']
