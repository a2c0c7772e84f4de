"""Keypoints by a softmax over channels."""

import pytest
import torch
from mmpose.registry import MODELS

K = 4


def head_of(**changes):
    config = dict(type='ChannelSoftmaxHead', in_channels=5, num_keypoints=K)
    return MODELS.build({**config, **changes})


def test_a_keypoint_lies_where_its_channel_wins():
    # Cells of two pixels of an image of 32 pixels that is padded to 40.
    head = head_of(padding=4)
    logits = torch.zeros(1, K + 1, 20, 20)
    logits[:, -1] = 100
    for channel, (row, column) in enumerate([(0, 0), (2, 2), (9, 3), (17, 19)]):
        logits[0, channel, row, column] = 1000
    keypoints, heatmaps = head.locate(logits, (32, 32))
    expected = [[-3.5, -3.5], [0.5, 0.5], [2.5, 14.5], [34.5, 30.5]]
    torch.testing.assert_close(keypoints[0], torch.tensor(expected))
    inside = head.geometry((32, 32), (20, 20)).unpadded.cover_image(heatmaps)
    assert inside.shape == (1, K, 16, 16)
    torch.testing.assert_close(inside[0].sum((1, 2)), torch.tensor([0.0, 1, 1, 0]))
    scores = head.scores(heatmaps, keypoints, (32, 32))
    torch.testing.assert_close(scores, torch.ones(1, K))


def test_a_channel_that_wins_nowhere_still_has_a_place_and_a_gradient():
    logits = torch.zeros(1, K + 1, 8, 8)
    logits[:, 0] = -500
    logits[0, 0, 2, 5] = -490
    logits.requires_grad_()
    keypoints, heatmaps = head_of().locate(logits, (8, 8))
    torch.testing.assert_close(
        keypoints[0, 0], torch.tensor([5.0, 2.0]), atol=0.02, rtol=0
    )
    heatmaps.square().sum().backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize('num_keypoints', [1, 7])
@pytest.mark.parametrize('final_norm', [True, False])
def test_any_number_of_keypoints(num_keypoints, final_norm):
    head = head_of(
        num_keypoints=num_keypoints, final_norm=final_norm, upsample_channels=(6,)
    )
    logits = head((torch.rand(2, 5, 6, 9),))
    assert logits.shape == (2, num_keypoints + 1, 12, 18)
    torch.testing.assert_close(head.channel_maps(logits).sum(1), torch.ones(2, 12, 18))
    keypoints, heatmaps = head.locate(logits.half(), (36, 24))
    assert keypoints.shape == (2, num_keypoints, 2)
    assert keypoints.dtype == heatmaps.dtype == torch.float32
    torch.testing.assert_close(heatmaps.sum((2, 3)), torch.ones(2, num_keypoints))


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(padding=-1), 'padding must be'),
        (dict(padding=(1, 2, 3)), 'padding must be'),
        (dict(mass_epsilon=-1.0), 'mass_epsilon'),
        (dict(num_keypoints=0), 'num_keypoints=0'),
    ],
)
def test_refuses_what_has_no_meaning(changes, message):
    with pytest.raises(ValueError, match=message):
        head_of(**changes)
