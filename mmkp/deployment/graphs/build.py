# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The graph of a model, whatever kind it is."""

from mmpose.models.pose_estimators import BottomupPoseEstimator
from torch import nn

from mmkp.deployment.graphs.keypoint_graph import KeypointGraph
from mmkp.models.heads import PartAffinityHead


def build_graph(
    model: nn.Module,
    normalized_inside: bool = True,
    flip_test: bool | None = None,
    flip_indices: list[int] | None = None,
) -> nn.Module:
    """Make the graph that an export holds.

    Args:
        model: with its weights.
        normalized_inside: whether images are BGR pixels of 0 to 255.
        flip_test: see :class:`KeypointGraph`.
        flip_indices: see :class:`KeypointGraph`.

    Returns:
        A :class:`KeypointGraph`, or a ``PeopleGraph`` for part affinity fields.

    Raises:
        TypeError: a model that cannot become a graph.
        ValueError: see :class:`KeypointGraph`.
    """
    if isinstance(model, BottomupPoseEstimator):
        if not isinstance(model.head, PartAffinityHead):
            raise TypeError(
                f'the bottom-up head {type(model.head).__name__} cannot become a '
                'graph: PartAffinityHead can'
            )
        from mmkp.deployment.graphs.people_graph import PeopleGraph

        return PeopleGraph(model, normalized_inside=normalized_inside)
    return KeypointGraph(model, normalized_inside, flip_test, flip_indices)
