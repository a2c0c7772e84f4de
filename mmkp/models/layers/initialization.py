# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How the part affinity networks start."""

from torch import nn

#: Keeps the variance through layers with ReLU, depthwise ones included.
FAN_IN_INIT = dict(type='Kaiming', layer='Conv2d', mode='fan_in')


class OutputConv2d(nn.Conv2d):
    """The linear layer that predicts maps; a type by which ``init_cfg`` can name it."""


#: Also lets every stage begin by predicting almost nothing, which most of a map is.
STAGES_INIT: list[dict] = [
    FAN_IN_INIT,
    dict(type='Normal', layer='OutputConv2d', std=0.01),
]
