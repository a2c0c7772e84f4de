# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What is said of a model's keypoints, in files of keypoints and in exports."""

from typing import Any

import numpy as np

from mmkp.apis.prediction_tasks import PredictionTask
from mmkp.datasets.sides import pairs_of_partners
from mmkp.visualization.model_pictures import learned_edges


def described_keypoints(
    task: PredictionTask, described: dict[str, Any] | None = None
) -> dict[str, Any]:
    """What ``keypoints.json`` says of a model's keypoints, beside its images.

    Args:
        task: of the model.
        described: what a run says of them, which counts more: ``keypoint_names`` and
            ``links``.

    Returns:
        ``num_keypoints``, ``keypoint_names``, ``links``, ``edges`` that were learned,
        and ``flip_indices``.
    """
    model, known = task.model, described or {}
    return {
        'num_keypoints': task.num_keypoints,
        'keypoint_names': known.get('keypoint_names') or _names(task),
        'links': known.get('links') or _links(model, task.num_keypoints),
        'edges': _edge_list(*learned_edges(model)),
        'flip_indices': _flip_indices(model),
    }


def pairs_of_sides(
    model: Any, described: dict[str, Any] | None = None
) -> list[tuple[int, int]]:
    """Pairs of keypoints, left and right.

    Args:
        model: with ``dataset_meta``.
        described: what a run says of them, which counts more.
    """
    if described and described.get('swaps'):
        both = described['swaps']  # perhaps each pair twice, from either side
        return sorted({(min(int(a), int(b)), max(int(a), int(b))) for a, b in both})
    return [(i, j) for i, j in pairs_of_partners(_flip_indices(model))]


def _names(task: PredictionTask) -> list[str]:
    """Names of the keypoints; those that were discovered have numbers."""
    skeleton = getattr(getattr(task.model, 'head', None), 'decoder', None)
    skeleton = getattr(skeleton, 'skeleton', None)
    names = [*(task.model.dataset_meta.get('keypoint_id2name') or {}).values()]
    if len(names) != task.num_keypoints and skeleton is not None:
        names = list(skeleton.keypoints)
    numbers = [str(index) for index in range(task.num_keypoints)]
    is_numbered = names == [f'keypoint_{number}' for number in numbers]
    return numbers if is_numbered or len(names) != len(numbers) else names


def _links(model: Any, num_keypoints: int) -> list[list[int]]:
    found = model.dataset_meta.get('skeleton_links') or ()
    links = [[int(a), int(b)] for a, b in found]
    return links if max(sum(links, [-1])) < num_keypoints else []


def _flip_indices(model: Any) -> list[int]:
    """Each keypoint's partner on the other side, or its own index."""
    found = getattr(model, 'dataset_meta', {}).get('flip_indices', ())
    return [int(index) for index in found]


def _edge_list(edges: np.ndarray | None, weights: np.ndarray | None) -> list[dict]:
    if edges is None or weights is None:
        return []
    return [
        {'keypoints': pair, 'weight': round(weight, 6)}
        for pair, weight in zip(edges.tolist(), weights.tolist(), strict=True)
    ]
