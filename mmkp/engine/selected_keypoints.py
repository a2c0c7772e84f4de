# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A trained model that predicts only some of its keypoints."""

from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.publish import write_weights

SELECTED = 'selected.pth'


def write_selected(
    cfg: Config, checkpoint: str | Path, indices: Sequence[int], folder: str | Path
) -> Path:
    """Write config and checkpoint of a model that predicts only some keypoints.

    The weights stay as they are: MMPose's ``test_cfg.output_keypoint_indices`` takes
    the keypoints out of what is predicted. Keypoints can be taken out again of those.

    Args:
        cfg: of the training.
        checkpoint: of it.
        indices: K of the M keypoints that it predicts, in their new order.
        folder: gets ``<name of the config>`` and ``selected.pth``.

    Returns:
        The written checkpoint.

    Raises:
        ValueError: an index is none of a keypoint, or stands there twice.
        CheckpointError: the checkpoint cannot be read.
    """
    test_cfg = dict(cfg.model.get('test_cfg') or {})
    predicted = test_cfg.get('output_keypoint_indices')
    predicted = predicted or list(range(cfg.model.head.num_keypoints))
    number, kept = len(predicted), [int(index) for index in indices]
    if len(set(kept)) < len(kept) or not set(kept) <= set(range(number)) or not kept:
        raise ValueError(
            f'indices must be different ones of 0 to {number - 1}, got {kept}'
        )
    trained = load_checkpoint_file(checkpoint, 'cpu')
    weights = trained.get('state_dict', trained)
    meta = dict(trained.get('meta') or {})
    meta['dataset_meta'] = parse_pose_metainfo(discovered_metainfo(len(kept)))
    selected = cfg.copy()
    indices = [predicted[index] for index in kept]
    selected.model.test_cfg = dict(test_cfg, output_keypoint_indices=indices)
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    name = Path(cfg.filename or 'config.py').name
    selected.dump(str(folder / name))
    path = folder / SELECTED
    write_weights(path, meta, weights)
    return path
