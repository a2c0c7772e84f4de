"""The score of whole models: detectors that are made to follow, to stay, to jump."""

import json

import numpy as np
import pytest
import tiny
import torch
from torch import nn

from mmkp.apis import score_keypoints
from mmkp.evaluation.functional.keypoint_score import COMPONENTS

SIDE = 48


class Planted(nn.Module):
    """Finds the two bright spots, a fixed place, and one at random."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def data_preprocessor(self, data, training):
        return dict(inputs=torch.stack(data['inputs']).float())

    def detect(self, inputs):
        spots = inputs[:, :2] ** 2  # blue and green
        random = torch.rand(len(inputs), 1, SIDE, SIDE) ** 200
        still = torch.zeros_like(random)
        still[..., 36, 12] = 1
        maps = torch.cat([spots, still, random], dim=1).clamp_min(1e-9)
        maps = maps / maps.sum((2, 3), keepdim=True)
        rows = (maps.sum(3) * torch.arange(SIDE)).sum(2)
        columns = (maps.sum(2) * torch.arange(SIDE)).sum(2)
        return torch.stack([columns, rows], dim=2), maps


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    grid = np.mgrid[:SIDE, :SIDE]
    found = []
    for x, y in rng.uniform(15, 32, (40, 2)):
        image = np.zeros((3, SIDE, SIDE), np.float32)
        for channel, (right, down) in enumerate([(-5, -4), (5, 4)]):
            distance = (grid[1] - x - right) ** 2 + (grid[0] - y - down) ** 2
            image[channel] = 255 * np.exp(-distance / 8)
        found.append(dict(inputs=torch.from_numpy(image).byte(), data_samples=None))
    return found


def test_planted_detectors(samples):
    torch.manual_seed(0)
    found = score_keypoints(Planted(), samples, other=Planted(), batch_size=16)
    assert found.scores[:2].min() > 0.6 > 0.3 > found.scores[2:].max()
    assert found.verdicts[:3] == ('', '', COMPONENTS['movement'][1])
    assert found.components['equivariance'][:2].min() > 0.75
    assert found.components['equivariance'][2:].max() < 0.1
    assert found.components['agreement'][:2].min() > 0.9
    assert found.components['sharpness'].min() > 0.5
    again = score_keypoints(Planted(), samples, other=Planted(), batch_size=7)
    # Of the two in which nothing is drawn at random, under other warps.
    for name, within in (('reliability', 0.2), ('equivariance', 0.2), ('movement', 0)):
        np.testing.assert_allclose(
            again.components[name][:2], found.components[name][:2], atol=within
        )


class BesideTheSpot(Planted):
    """Finds the blue spot, and what lies ten pixels to the right of it."""

    def detect(self, inputs):
        places, maps = super().detect(inputs)
        spot = places[:, :1]
        beside = spot + torch.tensor([10.0, 0.0])
        return torch.cat([spot, beside], dim=1), maps[:, [0, 0]]


def test_what_is_tied_to_directions_of_the_picture_is_told_by_turning_it(samples):
    little, much = (
        score_keypoints(BesideTheSpot(), samples, rotation_std=turn).components
        for turn in (5.0, 60.0)
    )
    for name in ('reliability', 'equivariance'):
        on_it, beside = much[name]
        assert on_it > little[name][0] - 0.15
        assert beside < 0.6 * little[name][1] and beside < 0.7 * on_it


def test_frozen_features_are_read_at_the_keypoints(samples):
    def colors(pictures):
        assert pictures.shape[1:] == (3, SIDE, SIDE) and pictures.max() > 200
        return [pictures + 1, pictures[..., ::2, ::2] + 1]

    torch.manual_seed(0)
    found = score_keypoints(Planted(), samples, features=colors)
    # Blue below the first and green below the second.
    assert found.components['cycle'][:2].min() > 0.8


def test_wrong_use(samples):
    with pytest.raises(ValueError, match='no image to score'):
        score_keypoints(Planted(), [])
    with pytest.raises(ValueError, match='Linear discovers no keypoints'):
        score_keypoints(nn.Linear(1, 1), samples)


def test_tool(tmp_path, capsys):
    config, checkpoint = tiny.trained()
    folder = tiny.draw_figures(tmp_path / 'in', 5)
    out = tmp_path / 'new' / 'scores.json'
    tiny.call_tool(
        *('analysis_tools/keypoint_score.py', config, checkpoint, folder),
        *('--other', checkpoint, '--out', out, '--device', 'cpu'),
    )
    content = json.loads(out.read_text())
    assert len(content['keypoints']) == 4 and 0 < content['score'] < 1
    assert {'movement', 'agreement', 'sharpness'} <= set(content['keypoints'][0])
    printed = capsys.readouterr().out
    assert content['sentence'] in printed and 'keypoint  score  movement' in printed
