# Copyright (c) mmkp authors. Licensed under Apache-2.0.
import torch

from mmkp.models.layers.keypoint_regressor import KeypointRegressor


def middle_of_two():
    regressor = KeypointRegressor(2, 1)
    with torch.no_grad():
        weight = torch.tensor([[0.5, 0, 0.5, 0], [0, 0.25, 0, 0.75]])
        regressor.linear.weight.copy_(weight)
        regressor.linear.bias.copy_(torch.tensor([0.1, 0.0]))
    return regressor


def test_a_bias_is_a_share_of_the_input():
    points = torch.tensor([[[2.0, 4.0], [6.0, 8.0]]])
    # x: 4 of 50 and a tenth of 50; y: a quarter of 4 and three of 8.
    found = middle_of_two()(points, (50, 20))
    torch.testing.assert_close(found, torch.tensor([[[9.0, 7.0]]]))


def test_scores_are_averaged_by_weight():
    regressor = middle_of_two()
    scores = torch.tensor([[0.0, 1.0]])
    found = regressor.average(scores)  # weights .75 and 1.25 in all
    torch.testing.assert_close(found, torch.tensor([[1.25 / 2]]))
    with torch.no_grad():
        regressor.linear.weight.zero_()
    torch.testing.assert_close(regressor.average(scores), torch.tensor([[0.5]]))
