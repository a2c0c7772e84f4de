# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What an export says of a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpose.models.data_preprocessors import PoseDataPreprocessor

from mmkp.apis.described_keypoints import described_keypoints, pairs_of_sides
from mmkp.apis.prediction_tasks import DiscoveryTask, choose_task
from mmkp.apis.run import Run
from mmkp.deployment.check import NetworkInput
from mmkp.deployment.description import ExportDescription
from mmkp.deployment.graphs import InputNormalization
from mmkp.deployment.placement import describe_placement


def describe_export(
    model: Any,
    inputs: Sequence[NetworkInput],
    normalized_inside: bool,
    run: Run | None = None,
) -> ExportDescription:
    """Describe a model whose files are still to be written.

    Args:
        model: of :func:`mmkp.apis.load_model`.
        inputs: what the test pipeline makes of pictures.
        normalized_inside: whether the graph normalizes itself.
        run: that the model is of.

    Returns:
        All but ``files`` and ``precision``.
    """
    known: dict[str, Any] = run.info if run else {}
    task: Any = choose_task(model)
    head = described_keypoints(task, known)
    colors = task.colors if isinstance(task, DiscoveryTask) else task.style.colors
    people = model.cfg.get('data_mode') == 'bottomup'
    height, width = inputs[0].pixels.shape[-2:]
    normalization = dict(mean=[0.0] * 3, std=[1.0] * 3, to_rgb=False)
    if isinstance(model.data_preprocessor, PoseDataPreprocessor):
        normalization = InputNormalization(model.data_preprocessor).described()
    described = ExportDescription(
        kind='people' if people else 'keypoints',
        model=type(model).__name__,
        files={},
        precision='float32',
        config='config.py',
        keypoint_names=head['keypoint_names'],
        links=head['links'],
        swaps=[list(pair) for pair in pairs_of_sides(model, known)],
        keypoint_colors=np.asarray(colors).astype(int).tolist(),
        input=dict(
            size=[width, height],
            dynamic=people,
            normalized_inside=normalized_inside,
            **normalization,
        ),
        placement=describe_placement(model.cfg.test_dataloader.dataset.pipeline),
        head=head,
    )
    if people:
        from mmkp.deployment.graphs.people_graph import grouping_rules

        described.grouping = grouping_rules(model.head.decoder)
    return described
