# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pairs of frames, and the flow between them."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.compute_optical_flow import consistent_flow, dense_flow
from mmkp.datasets.transforms.load_clip_frame import LoadClipFrame
from mmkp.ops.warps.optical_flow import FlowWarp

SIDE = 64


def texture(seed, side=2 * SIDE):
    noise = np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype('f4')
    smooth = cv2.GaussianBlur(noise, None, 3)
    low, high = smooth.min(), smooth.max()
    return ((smooth - low) / (high - low) * 255).astype(np.uint8)


def window(picture, x, y):
    return np.ascontiguousarray(picture[y : y + SIDE, x : x + SIDE])


@pytest.fixture
def clip(tmp_path):
    """Five frames: the camera moves by (3, -2) pixels a frame."""
    folder = tmp_path / 'clip'
    folder.mkdir()
    picture = texture(0)
    for index in range(5):
        frame = window(picture, 20 + 3 * index, 20 - 2 * index)
        cv2.imwrite(str(folder / f'{index:04d}.png'), frame)
    return folder


def run(path, *transforms):
    steps = [
        dict(type='LoadVerifiedImage'),
        *transforms,
        dict(type='GetBBoxCenterScale', padding=1.0),
        dict(type='TopdownResize', input_size=(SIDE, SIDE)),
    ]
    tail = [dict(type='ComputeOpticalFlow'), dict(type='PackPoseInputs')]
    return Compose([TRANSFORMS.build(step) for step in steps + tail])(
        dict(img_path=str(path), flip_indices=[0])
    )


def next_frame(**options):
    return dict(type='LoadClipFrame', gap=1, both_directions=False, **options)


def test_flow_leads_from_the_second_frame_to_the_first(clip):
    packed = run(clip / '0001.png', next_frame())
    assert packed['inputs'].shape == (2, 3, SIDE, SIDE)
    fields = packed['data_samples'].gt_fields
    assert fields.flow.shape == (2, SIDE, SIDE)
    assert fields.flow.dtype == torch.float32
    # What the second frame shows at p lies in the first frame at p + (3, -2).
    inner = slice(8, -8)
    flow = fields.flow[:, inner, inner].flatten(1)
    torch.testing.assert_close(
        flow.median(1).values, torch.tensor([3.0, -2.0]), atol=0.1, rtol=0
    )
    assert fields.flow_valid[0, inner, inner].mean() > 0.98
    # Positions that come from beyond the first frame are not trusted.
    assert fields.flow_valid[0, :, -2:].sum() == 0
    warp = FlowWarp(fields.flow[None], (SIDE, SIDE), fields.flow_valid[None])
    first, second = packed['inputs'].float()
    error = (warp.images(first[None]) - second).abs().mean(1)[0][inner, inner]
    assert error.mean() < 2
    assert (first - second).abs().mean() > 15


def test_flipped_frames_have_flipped_flow(clip):
    packed = run(clip / '0001.png', next_frame(), dict(type='RandomFlip', prob=1.0))
    flow = packed['data_samples'].gt_fields.flow[:, 8:-8, 8:-8].flatten(1)
    torch.testing.assert_close(
        flow.median(1).values, torch.tensor([-3.0, -2.0]), atol=0.1, rtol=0
    )
    assert packed['data_samples'].metainfo['flip']


def test_flow_of_a_shift():
    picture = texture(1)
    source, target = (
        cv2.cvtColor(window(picture, x, 30), cv2.COLOR_BGR2GRAY) for x in (30, 32)
    )
    flow = dense_flow(source, target)[8:-8, 8:-8]
    assert np.abs(np.median(flow, (0, 1)) - [-2, 0]).max() < 0.1


def test_what_an_object_uncovers_is_not_trusted():
    background, thing = texture(2), texture(3)
    frames = []
    for x in (16, 22):
        frame = window(background, 0, 0)
        frame[20:44, x : x + 24] = thing[:24, :24]
        frames.append(frame)
    step = TRANSFORMS.build(dict(type='ComputeOpticalFlow'))
    valid = step(dict(img=frames))['flow_valid'][0]
    uncovered = valid[22:42, 17:21]
    assert uncovered.mean() < 0.2
    assert valid[22:42, 26:42].mean() > 0.9
    assert valid[:, 50:].mean() > 0.95


def test_consistency_follows_its_equation():
    flow = np.zeros((4, 5, 2), np.float32)
    flow[..., 0] = 1
    back = np.zeros_like(flow)
    back[..., 0] = -1
    back[2, 3, 0] = -1.8
    valid = consistent_flow(flow, back, relative=0.01, absolute=0.5)
    expected = np.ones((4, 5), bool)
    expected[:, 4] = False  # leaves the frame
    # 0.8^2 > 0.01 (1 + 1.8^2) + 0.5
    expected[2, 2] = False
    assert np.array_equal(valid, expected)
    lenient = consistent_flow(flow, back, relative=0.04, absolute=0.5)
    assert lenient[2, 2]


def partners(path, count=60, **options):
    step = LoadClipFrame(**options)
    image = cv2.imread(str(path))
    return {
        step(dict(img=image, img_path=str(path)))['second_img_path'][-8:-4]
        for _ in range(count)
    }


def test_gaps_are_drawn_within_the_clip(clip):
    middle, end = clip / '0002.png', clip / '0004.png'
    assert partners(middle, gap=(1, 2)) == {'0000', '0001', '0003', '0004'}
    assert partners(middle, gap=2, both_directions=False) == {'0004'}
    assert partners(middle, gap=(1, 9), both_directions=False) == {'0003', '0004'}
    # No later frame is left at the end.
    assert partners(end, gap=(2, 3), both_directions=False) == {'0001', '0002'}


def test_errors_name_the_clip_and_the_setting(clip, tmp_path):
    image = cv2.imread(str(clip / '0000.png'))
    with pytest.raises(ValueError, match='has 5 frames'):
        LoadClipFrame(gap=7)(dict(img=image, img_path=str(clip / '0000.png')))
    with pytest.raises(ValueError, match='smallest, largest'):
        LoadClipFrame(gap=(3, 1))
    with pytest.raises(ValueError, match='must be of one size'):
        LoadClipFrame(gap=1)(dict(img=image[:9], img_path=str(clip / '0000.png')))
    with pytest.raises(ValueError, match='LoadClipFrame'):
        TRANSFORMS.build(dict(type='ComputeOpticalFlow'))(dict(img=image))


def test_flow_explains_how_real_people_move(data_dir, tmp_path):
    path = sorted((data_dir / 'actions/train').glob('*.jpg'))[0]
    strip = cv2.imread(str(path))
    still, moved = [], []
    for index in range(0, 12, 3):
        frames = [
            strip[:, i * SIDE : (i + 1) * SIDE].copy() for i in (index, index + 1)
        ]
        step = TRANSFORMS.build(dict(type='ComputeOpticalFlow'))
        result = step(dict(img=frames))
        first, second = (
            torch.from_numpy(f).permute(2, 0, 1)[None].float() for f in frames
        )
        flow, valid = (
            torch.from_numpy(result[name])[None] for name in ('flow', 'flow_valid')
        )
        changed = ((first - second).abs().mean(1) > 25) & (valid[:, 0] > 0)
        warped = FlowWarp(flow, (SIDE, SIDE)).images(first)
        still.append((first - second).abs().mean(1)[changed])
        moved.append((warped - second).abs().mean(1)[changed])
    assert len(torch.cat(still)) > 50
    assert torch.cat(moved).mean() < 0.4 * torch.cat(still).mean()
