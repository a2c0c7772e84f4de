# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the stages of a part affinity field network predict."""

from typing import NamedTuple

from torch import Tensor


class StageOutputs(NamedTuple):
    """Maps of every stage, for supervision after each of them.

    A stage adds an entry to those lists whose branch it predicts: the two lists may
    differ in length. Entries are linear outputs (no activation), and the last entry of
    a list is the network's prediction.

    Attributes:
        heatmaps: keypoint heatmaps, the background's last; each (B, K + 1, h, w).
        fields: part affinity fields, x and y of each limb in turn; each (B, 2L, h, w).
    """

    heatmaps: list[Tensor]
    fields: list[Tensor]
