import pytest
import torch
from mmpose.registry import MODELS

from mmkp.models.losses import FlipConsistencyLoss
from mmkp.ops.geometry import MapGeometry
from mmkp.ops.mirrored_keypoints import mirror_keypoints

GEOMETRY = MapGeometry.cell_centers((65, 65), (13, 13))  # half a side is 32 pixels


def places(number=4):
    """A pair at 16 and 48 and a point on the axis."""
    points = torch.tensor([[16.0, 20.0], [48.0, 20.0], [32.0, 40.0]])
    return points.expand(number, -1, -1).clone()


def test_value_is_the_mean_squared_distance_to_the_partner():
    loss = FlipConsistencyLoss(3, pairs=[(0, 1)], loss_weight=2.0)
    keypoints = places()
    mirrored = keypoints[:, [1, 0, 2]] + torch.tensor([3.2, 0.0])
    # Two of three keypoints, each a tenth of half a side off.
    value = loss(keypoints, mirrored, GEOMETRY)
    torch.testing.assert_close(value, torch.tensor(2 * 2 * 0.1**2 / 3))
    everybody = FlipConsistencyLoss(3, pairs=[(0, 1)], unpaired=True)
    torch.testing.assert_close(
        everybody(keypoints, mirrored, GEOMETRY), torch.tensor(0.1**2)
    )


def test_pairs_of_the_moment_are_found_and_kept_in_the_checkpoint():
    loss = FlipConsistencyLoss(3, momentum=0.2)
    keypoints, back = places(), places()[:, [1, 0, 2]]
    assert loss(keypoints, back, GEOMETRY) == 0  # none yet
    assert loss.partners.tolist() == [0, 1, 2]
    for _ in range(20):
        loss(keypoints, back, GEOMETRY)
    assert loss.partners.tolist() == [1, 0, 2]
    again = FlipConsistencyLoss(3)
    again.load_state_dict(loss.state_dict())
    assert again.partners.tolist() == [1, 0, 2]
    again.eval()
    before = again.cost.clone()
    again(keypoints, keypoints, GEOMETRY)
    assert torch.equal(again.cost, before)


def test_descent_brings_a_pair_to_mirrored_places():
    loss = FlipConsistencyLoss(2, pairs=[(0, 1)])
    image = torch.tensor([[[10.0, 20.0], [60.0, 30.0]]], requires_grad=True)
    optimizer = torch.optim.SGD([image], lr=200.0)
    for _ in range(50):
        optimizer.zero_grad()
        loss(image, mirror_keypoints(image, 65), GEOMETRY).backward()
        optimizer.step()
    found = image.detach()[0]
    torch.testing.assert_close(
        found[0], mirror_keypoints(found[1], 65), atol=0.1, rtol=0
    )


@pytest.mark.parametrize('pairs', [[(0, 0)], [(0, 3)], [(0, 1), (1, 2)]])
def test_wrong_pairs_are_refused(pairs):
    with pytest.raises(ValueError, match='must join two different keypoints of 0 to 2'):
        MODELS.build(dict(type='FlipConsistencyLoss', num_keypoints=3, pairs=pairs))
