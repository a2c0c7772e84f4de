# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the stages of a part affinity field network predict."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


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


def run_branches(
    features: Tensor, field_branches: nn.ModuleList, heatmap_branches: nn.ModuleList
) -> StageOutputs:
    """Predict fields and heatmaps in every stage, from what the last one found.

    Args:
        features: F, shape (B, C, h, w).
        field_branches: one a stage; those behind the first take the last fields,
            heatmaps and F, concatenated.
        heatmap_branches: likewise.

    Returns:
        One entry a stage in each list.
    """
    outputs = StageOutputs([], [])
    inputs = features
    for fields, heatmaps in zip(field_branches, heatmap_branches, strict=True):
        if outputs.fields:
            last = (outputs.fields[-1], outputs.heatmaps[-1], features)
            inputs = torch.cat(last, dim=1)
        outputs.fields.append(fields(inputs))
        outputs.heatmaps.append(heatmaps(inputs))
    return outputs
