# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the results of an exported file are worth: the figure of the model's test."""

import io
from collections.abc import Callable
from contextlib import contextmanager, redirect_stdout
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, METRICS

from mmkp.deployment import mmkp_runner

#: Names of the figures of metrics, in per cent.
_FIGURES = {'forward': 1.0, 'coco/AP': 100.0}


def figure_of(made: Any, run: Callable | None, grouping: dict[str, Any]) -> float:
    """Test a model by its config's data set and metric, its results from a file.

    Args:
        made: the model.
        run: the file, from ``images`` to outputs by name; None for PyTorch itself.
        grouping: of the description of the export, for people.

    Returns:
        Forward error in % of the crop, or AP in %.
    """
    init_default_scope('mmpose')
    data = DATASETS.build(made.cfg.test_dataloader.dataset)
    metric = METRICS.build(made.cfg.test_evaluator)
    metric.dataset_meta = data.metainfo
    for index in range(len(data)):
        batch = made.data_preprocessor(pseudo_collate([data[index]]), False)
        with torch.no_grad():
            if run is None:
                found = made.predict(**batch)
            else:
                outputs = run({'images': data[index]['inputs'][None].float().numpy()})
                with _giving(made, _instances(outputs, grouping)):
                    found = made.predict(**batch)
        metric.process(None, [one.to_dict() for one in found])
    with redirect_stdout(io.StringIO()):
        figures = metric.evaluate(len(data))
    name = next(name for name in figures if name.endswith(tuple(_FIGURES)))
    scale = next(scale for end, scale in _FIGURES.items() if name.endswith(end))
    return float(figures[name]) * scale


def _instances(
    outputs: dict[str, np.ndarray], grouping: dict[str, Any]
) -> InstanceData:
    """What the head would give of one image."""
    if 'keypoints' in outputs:
        found = outputs['keypoints'], outputs['keypoint_scores']
        scores = np.ones(1, np.float32)
    else:
        names = ('peaks', 'limbs', 'heatmaps', 'fields')
        *found, scores = mmkp_runner.people([outputs[one] for one in names], grouping)
    return InstanceData(
        keypoints=found[0],
        keypoint_scores=found[1],
        bbox_scores=scores,
    )


@contextmanager
def _giving(made: Any, instances: InstanceData) -> Any:
    """The model's own path back to the image, with other results of its head."""
    made.extract_feat = lambda inputs: ()
    made.head.predict = lambda *args, **kwargs: [instances]
    try:
        yield
    finally:
        del made.extract_feat, made.head.predict
