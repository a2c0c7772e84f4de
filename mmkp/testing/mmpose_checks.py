# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""MMPose's own functions and torch's exporter take the model."""

import contextlib
import io
import os
import tempfile
import time

import numpy as np
import torch
from mmpose.apis import Pose2DInferencer, inference_bottomup, inference_topdown

from mmkp.testing.check import CheckFailed, CheckSkipped
from mmkp.testing.comparison import relative_distance, tensors_in
from mmkp.testing.method import Method


def check_inferencer_runs(method: Method) -> None:
    """MMPose's inferencer and its function for one image find the same."""
    image, cfg = method.images[0], method.cfg.copy()
    name = f'check_{time.monotonic_ns()}'  # MMEngine's visualizers are singletons
    cfg.visualizer = dict(type='PoseLocalVisualizer', name=name)
    content = dict(state_dict=method.trained().state_dict(), meta={})
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
    ):
        path = os.path.join(folder, 'model.pth')
        torch.save(content, path)
        inferencer = Pose2DInferencer(
            cfg, path, device='cpu', scope='mmpose', det_model='whole_image'
        )
        [[instances]] = [each['predictions'] for each in inferencer(image.copy())]
    infer = inference_bottomup if method.bottom_up else inference_topdown
    [sample] = infer(inferencer.model, image.copy())
    expected = np.asarray(sample.pred_instances.keypoints)
    if len(instances) != len(expected):
        raise CheckFailed(
            f"MMPose's inferencer finds {len(instances)} instances, its function for "
            f'one image {len(expected)}, should be as many'
        )
    for instance, keypoints in zip(instances, expected, strict=True):
        distance = np.abs(np.asarray(instance['keypoints']) - keypoints).max()
        if not distance <= 1e-2:
            raise CheckFailed(
                f"keypoints of MMPose's inferencer are {distance:.3g} pixels off those "
                'of its function for one image, should be the same'
            )


def check_export(method: Method) -> None:
    """A model whose attribute ``exportable`` is true goes through ``torch.export``."""
    model = method.trained()
    if not getattr(model, 'exportable', False):
        raise CheckSkipped('claims no export: its attribute exportable is not true')
    data = model.data_preprocessor(method.test_batch(), False)
    with torch.no_grad():
        program = torch.export.export(model, (data['inputs'], None), strict=False)
        found = list(tensors_in(program.module()(data['inputs'], None)))
        expected = list(tensors_in(model(data['inputs'], None)))
    distance = relative_distance(found, expected)
    if not distance <= 1e-4:
        raise CheckFailed(
            f'outputs of the exported model are {distance:.2g} of their largest value '
            'off, should be at most 0.0001'
        )
