# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Left and right of discovered keypoints, found by looking at mirror images."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmkp.apis.batches import chunks
from mmkp.evaluation.functional.swap_rate import pairs_of, swap_rate
from mmkp.models.unsupervised.predicted_keypoints import detect_predicted
from mmkp.ops.geometry import size_of
from mmkp.ops.mirrored_keypoints import mirror_cost, mirror_keypoints, mirror_partners


@dataclass(frozen=True)
class KeypointSides:
    """Which discovered keypoints change places in mirror images.

    Attributes:
        partners: (K,) int64, each keypoint's partner or its own index, as MMPose's
            ``flip_indices``.
        cost: (K, K) float64, see :func:`mmkp.ops.mirrored_keypoints.mirror_cost`, over
            the longer side of the input.
        swapped: percent of the images in which a pair does not change sides when it
            should, in the order of ``pairs``.
    """

    partners: np.ndarray
    cost: np.ndarray
    swapped: np.ndarray

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Index pairs, each once, the smaller index first."""
        return pairs_of(self.partners.tolist())

    def table(self) -> str:
        """A line for each pair and for each keypoint without a partner."""
        lines = ['keypoints  off mirror image  off itself  exchanged']
        together = zip(self.pairs, self.swapped, strict=True)
        rows = [(i, j, f'{share:.1f} %') for (i, j), share in together]
        alone = [i for i, j in enumerate(self.partners) if i == j]
        for i, j, swapped in rows + [(i, i, '') for i in alone]:
            itself = min(self.cost[i, i], self.cost[j, j])
            name = f'{i} and {j}' if i != j else str(i)
            cells = (f'{100 * self.cost[i, j]:.1f} %', f'{100 * itself:.1f} %', swapped)
            lines.append(f'{name:9s}  {cells[0]:>16s}  {cells[1]:>10s}  {cells[2]:>9s}')
        return '\n'.join(line.rstrip() for line in lines)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain types, for a JSON file."""
        return dict(
            flip_indices=self.partners.tolist(),
            pairs=[
                dict(keypoints=list(pair), swapped=float(swapped))
                for pair, swapped in zip(self.pairs, self.swapped, strict=True)
            ],
            cost=self.cost.tolist(),
        )


@torch.no_grad()
def find_sides(
    model: Any, samples: Iterable[dict], batch_size: int = 16, margin: float = 0.5
) -> KeypointSides:
    """Pair keypoints of a model by its predictions on images and their mirror images.

    Args:
        model: of :class:`mmkp.models.unsupervised.UnsupervisedPoseEstimator`.
        samples: what a test pipeline makes, ``inputs`` (3, H, W) and
            ``data_samples``, all of one size.
        batch_size: number of images at once.
        margin: two keypoints are a pair if they come this much closer to each other's
            mirror images than to their own.

    Returns:
        The pairs.

    Raises:
        ValueError: There is no image, or the model discovers no keypoints.
    """
    if not hasattr(model, 'detect'):
        raise ValueError(f'{type(model).__name__} discovers no keypoints to pair')
    found: list[tuple[Tensor, Tensor]] = []
    for batch in chunks(samples, batch_size):
        inputs = model.data_preprocessor(pseudo_collate(batch), False)['inputs']
        if hasattr(model, 'settle'):
            inputs = model.settle(inputs)
        keypoints, mirrored = (
            detect_predicted(model, x)[0] for x in (inputs, inputs.flip(-1))
        )
        back = mirror_keypoints(mirrored, inputs.shape[-1])
        longer = max(size_of(inputs))
        found.append((keypoints.cpu() / longer, back.cpu() / longer))
    if not found:
        raise ValueError('there is no image to pair keypoints on')
    keypoints, mirrored = (
        torch.cat(parts).double() for parts in zip(*found, strict=True)
    )
    cost = mirror_cost(keypoints, mirrored)
    partners = mirror_partners(cost, margin)
    expected = mirrored[:, partners].numpy()
    pairs = pairs_of(partners.tolist())
    swapped = swap_rate(keypoints.numpy(), expected, pairs)
    return KeypointSides(partners.numpy(), cost.numpy(), swapped)


def metainfo_with_sides(metainfo: Mapping[str, Any], partners: Sequence[int]) -> dict:
    """Write pairs into parsed metainfo, as checkpoints hold it.

    Args:
        metainfo: as MMPose's ``parse_pose_metainfo`` returns it, of K keypoints.
        partners: K indices, see :class:`KeypointSides`.

    Returns:
        A copy with ``flip_indices`` and ``flip_pairs``.

    Raises:
        ValueError: The numbers of keypoints differ.
    """
    number = metainfo.get('num_keypoints')
    if number != len(partners):
        raise ValueError(
            f'the metainfo describes {number} keypoints, the pairs {len(partners)}'
        )
    return dict(
        metainfo,
        flip_indices=[int(index) for index in partners],
        flip_pairs=[list(pair) for pair in pairs_of([int(i) for i in partners])],
    )
