# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A weighted mean that is one over the images of all processes."""

import torch
from mmengine.dist import all_reduce, get_world_size
from torch import Tensor

from mmkp.ops.heatmaps.moments import mean_by_weight


def mean_over_processes(weighted: Tensor, weights: Tensor) -> Tensor:
    r"""Mean by weight over the images of all processes, of which each gives a part.

    Processes of a distributed training average their gradients, and the mean of means
    is another one where the sums of weights differ. With S_r and W_r the sums over the
    images of process r of n, S and W those over all, each returns

    .. math:: n (S_r - m (W_r - [W_r])) / W, \quad m = S / W,

    [.] without gradient, whose mean over the processes is S / W and whose mean gradient
    is that of S / W.

    Args:
        weighted: values times their weights, any shape.
        weights: of the values, at least 0, any shape.

    Returns:
        Scalar; of one process, or without gradients, the mean of its own. 0, with a
        gradient of 0, where all weights of all processes are 0.
    """
    processes = get_world_size()
    if processes == 1 or not torch.is_grad_enabled():
        return mean_by_weight(weighted, weights)
    own, weight = weighted.sum(), weights.sum()
    sums = torch.stack([own.detach(), weight.detach()])
    all_reduce(sums)
    total = torch.where(sums[1] > 0, sums[1], 1.0)
    rest = (weight - weight.detach()) * (sums[0] / total)
    return processes * (own - rest) / total
