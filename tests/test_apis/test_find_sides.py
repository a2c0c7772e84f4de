"""Left and right of planted detectors, and what the tool writes."""

import json

import cv2
import numpy as np
import pytest
import tiny
import torch
from torch import nn

from mmkp.apis import find_sides, load_model, predict_files
from mmkp.apis.find_sides import metainfo_with_sides
from mmkp.datasets import discovered_metainfo

SIDE = 40


class Planted(nn.Module):
    """Knows the spots of a symmetric figure by places, and another by its color.

    In one image of ``every``, and not in its mirror image, it exchanges the places.
    """

    def __init__(self, every=100):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.every, self.calls = every, 0

    def data_preprocessor(self, data, training):
        return dict(inputs=torch.stack(data['inputs']).float())

    def detect(self, inputs):
        line = torch.arange(float(SIDE))

        def middle(maps):
            mass = maps.sum((1, 2))
            x, y = (maps.sum(1) * line).sum(1), (maps.sum(2) * line).sum(1)
            return torch.stack([x, y], -1) / mass[:, None]

        spots = inputs[:, 1] ** 2
        whole = middle(spots)
        on_left = line[None, None] < whole[:, None, None, 0]
        sides = [middle(spots * on_left), middle(spots * ~on_left)]
        self.calls += 1
        odd = (torch.arange(len(inputs)) % self.every == 1)[:, None]
        if self.calls % 2 and len(inputs) == 20:
            sides = [torch.where(odd, *sides[::-1]), torch.where(odd, *sides)]
        red = middle(inputs[:, 2] ** 2)
        return torch.stack([sides[0], whole, red, sides[1]], 1), None


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    found = []
    for x, y in rng.uniform(16, 24, (20, 2)):
        image = np.zeros((SIDE, SIDE, 3), np.float32)
        for right in (-8, 8):
            spot = (round(16 * (x + right)), round(16 * y))
            cv2.circle(image, spot, 32, (0, 255, 0), -1, cv2.LINE_AA, 4)
        cv2.circle(image, (round(x) + 5, round(y) + 6), 2, (0, 0, 255), -1)
        tensor = torch.from_numpy(image).permute(2, 0, 1).byte()
        found.append(dict(inputs=tensor, data_samples=None))
    return found


def test_places_are_a_pair_and_colors_are_not(samples):
    sides = find_sides(Planted(), samples, batch_size=8)
    assert sides.partners.tolist() == [3, 1, 2, 0] and sides.pairs == [(0, 3)]
    assert sides.swapped.tolist() == [0.0]
    assert sides.cost[0, 3] < 0.01 < 0.3 < sides.cost[0, 0]
    assert sides.cost[1, 1] < 0.01 and sides.cost[2, 2] < 0.01
    assert '0 and 3' in sides.table() and len(sides.table().splitlines()) == 4
    assert sides.to_dict()['flip_indices'] == [3, 1, 2, 0]


@pytest.mark.parametrize(('every', 'pairs'), [(4, [(0, 3)]), (2, [])])
def test_images_in_which_sides_are_exchanged_are_counted(samples, every, pairs):
    sides = find_sides(Planted(every), samples, batch_size=20)
    assert sides.pairs == pairs
    assert sides.swapped.tolist() == [100 / every] * len(pairs)


def test_wrong_use(samples):
    with pytest.raises(ValueError, match='no image to pair'):
        find_sides(Planted(), [])
    with pytest.raises(ValueError, match='Linear discovers no keypoints'):
        find_sides(nn.Linear(1, 1), samples)
    with pytest.raises(ValueError, match='describes 2 keypoints, the pairs 3'):
        metainfo_with_sides(dict(num_keypoints=2), [0, 1, 2])


def test_pairs_of_metainfo_swap_names():
    info = discovered_metainfo(4, pairs=[(0, 3)])['keypoint_info']
    assert [info[i]['swap'] for i in range(4)] == ['keypoint_3', '', '', 'keypoint_0']
    with pytest.raises(ValueError, match='neither of which is in another pair'):
        discovered_metainfo(4, pairs=[(0, 3), (3, 1)])


def test_tool_writes_pairs_that_predictions_carry(tmp_path, capsys, monkeypatch):
    config, checkpoint = tiny.trained()
    folder = tiny.draw_figures(tmp_path / 'in', 5)
    out, pairs = tmp_path / 'new' / 'paired.pth', tmp_path / 'pairs.json'
    tiny.call_tool(
        *('analysis_tools/find_sides.py', config, checkpoint, folder),
        *('--out', out, '--json', pairs, '--device', 'cpu'),
    )
    printed = capsys.readouterr().out
    content = json.loads(pairs.read_text())
    assert f'{len(content["pairs"])} pairs' in printed
    model = load_model(config, out, 'cpu')
    assert model.dataset_meta['flip_indices'] == content['flip_indices']
    before = load_model(config, checkpoint, 'cpu')
    for name, weights in before.state_dict().items():
        assert torch.equal(model.state_dict()[name], weights)
    model.dataset_meta = metainfo_with_sides(model.dataset_meta, [1, 0, 2, 3])
    path = predict_files(model, folder, tmp_path / 'results', draw=False)
    assert json.loads(path.read_text())['flip_indices'] == [1, 0, 2, 3]
