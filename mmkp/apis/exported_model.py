# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pose estimators whose network is an export, run by ONNX Runtime or OpenVINO."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.apis.inference import dataset_meta_from_config
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.models.pose_estimators import BottomupPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.deployment.description import ExportDescription, read_description
from mmkp.deployment.sessions import Session, open_session
from mmkp.engine.config import load_config
from mmkp.models.unsupervised.base import UnsupervisedPoseEstimator
from mmkp.models.unsupervised.turned_inputs import TurnedInputs

_MAPS = ('heatmaps', 'fields')
# What a graph takes that normalizes inside: pixels as they are, in one array.
_PIXELS = dict(type='PoseDataPreprocessor')


class ExportedKeypoints(TurnedInputs):
    """Keypoints of boxes or whole images, from an export of kind 'keypoints'.

    Args:
        session: that gives ``keypoints`` and ``keypoint_scores``.
        description: of the export.
        cfg: its config.
    """

    def __init__(
        self, session: Session, description: ExportDescription, cfg: Config
    ) -> None:
        _begin(self, session, description, cfg)
        self.half_turn = None  # which is inside the graph
        self.discovers = _discovers(description.model)
        self.head = nn.Module()

    def predict(
        self, inputs: Tensor, data_samples: list[PoseDataSample]
    ) -> list[PoseDataSample]:
        """Predict keypoints in image pixels.

        Args:
            inputs: (B, 3, H, W), BGR pixels or network input, as the export takes it.
            data_samples: B of them.

        Returns:
            The samples with ``pred_instances``.

        Raises:
            ValueError: heatmaps are asked for.
        """
        if self.test_cfg.get('output_heatmaps'):
            raise ValueError(
                'an export gives keypoints alone, no heatmaps to show: predict by the '
                'run itself, with --runtime torch'
            )
        found = self.session.run({'images': _as_array(inputs)})
        instances = [
            InstanceData(keypoints=points[None], keypoint_scores=scores[None])
            for points, scores in zip(
                found['keypoints'], found['keypoint_scores'], strict=True
            )
        ]
        return self.add_pred_to_datasample(instances, None, data_samples)


class ExportedPeople(BottomupPoseEstimator):
    """People of whole images, from the maps of an export of kind 'people'.

    The head of the config puts them together.

    Args:
        session: that gives ``heatmaps`` and ``fields``.
        description: of the export.
        cfg: its config.
    """

    def __init__(
        self, session: Session, description: ExportDescription, cfg: Config
    ) -> None:
        _begin(self, session, description, cfg)
        self.head = MODELS.build(cfg.model.head)
        self.head.forward = tuple  # features are the maps already

    def extract_feat(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute the maps.

        Args:
            inputs: (B, 3, H, W), BGR pixels or network input, as the export takes it.

        Returns:
            Heatmaps (B, K + 1, h, w) and fields (B, 2L, h, w).
        """
        found = self.session.run({'images': _as_array(inputs)})
        return tuple(torch.from_numpy(found[name]) for name in _MAPS)


def load_exported(
    export: str | Path,
    runtime: str,
    bfloat16: bool = False,
    threads: int | None = None,
    cfg_options: dict | None = None,
) -> nn.Module:
    """Load an export as a model that predicts as the original does.

    Args:
        export: its folder.
        runtime: 'onnx', 'openvino' or 'torch'.
        bfloat16: see :func:`mmkp.deployment.sessions.open_session`.
        threads: see there.
        cfg_options: dotted keys and values to override settings of the test pipeline.

    Returns:
        A pose estimator with ``cfg`` and ``dataset_meta``.

    Raises:
        FileNotFoundError: there is no such export, or no file for the runtime in it.
        ImportError: the runtime is not installed.
        ValueError: the export is damaged.
    """
    description = read_description(export)
    cfg = load_config(Path(export) / description.config, cfg_options, check=False)
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    people = description.kind == 'people'
    outputs = _MAPS if people else None
    session = open_session(export, runtime, threads, bfloat16, outputs)
    kind = ExportedPeople if people else ExportedKeypoints
    return kind(session, description, cfg).eval()


def _begin(
    model: Any, session: Session, description: ExportDescription, cfg: Config
) -> None:
    """What both kinds have in common; nothing of the original network is built."""
    inside = description.input['normalized_inside']
    preprocessor = _PIXELS if inside else cfg.model.data_preprocessor
    BaseModel.__init__(model, data_preprocessor=dict(preprocessor))
    model.metainfo, model.train_cfg = None, {}
    # Mirrored images and the choice of keypoints are inside the graph.
    model.test_cfg = {}
    model.session, model.description, model.cfg = session, description, cfg
    model.dataset_meta = _metainfo(description, cfg)


def _metainfo(description: ExportDescription, cfg: Config) -> dict[str, Any]:
    """That of the config's data set, with what the export says of its keypoints."""
    names = description.keypoint_names
    meta = {} if _discovers(description.model) else dataset_meta_from_config(cfg)
    if not meta or len(meta.get('keypoint_colors', ())) != len(names):
        meta = parse_pose_metainfo(discovered_metainfo(len(names)))
    flips = list(range(len(names)))
    for left, right in description.swaps:
        flips[left], flips[right] = right, left
    return dict(
        meta,
        keypoint_id2name=dict(enumerate(names)),
        keypoint_name2id={name: index for index, name in enumerate(names)},
        keypoint_colors=np.array(description.keypoint_colors),
        skeleton_links=[(int(a), int(b)) for a, b in description.links],
        flip_indices=flips,
    )


def _discovers(name: str) -> bool:
    """Whether a type of model discovers keypoints."""
    kind = MODELS.get(name)
    return isinstance(kind, type) and issubclass(kind, UnsupervisedPoseEstimator)


def _as_array(inputs: Tensor) -> np.ndarray:
    return np.ascontiguousarray(inputs.float().cpu().numpy())
