# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What all sources share: from a file to a checkpoint that MMEngine loads."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.engine.file_backend import whole_file


def convert_file(
    source: str | Path,
    target: str | Path,
    read: Callable[[str | Path], Any],
    convert: Callable[[Any], dict[str, Any]],
) -> dict[str, Any]:
    """Convert one file.

    Args:
        source: the published file.
        target: the ``.pth`` file to write; its folder is made.
        read: reads the file.
        convert: makes a checkpoint of what was read.

    Returns:
        The converted checkpoint.

    Raises:
        FileNotFoundError, CheckpointError, UntrustedCheckpointError: of ``read``.
        ValueError: the target is a folder, or the file holds nothing that can be
            converted.
    """
    check_target(target)
    official = read(source)
    try:
        converted = convert(official)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from error
    write_checkpoint(converted, target)
    return converted


def check_target(target: str | Path) -> None:
    """Raise ValueError where the file to write is a folder, before any work."""
    if Path(target).is_dir():
        raise ValueError(f'{target} is a folder: give the name of the file to write')


def write_checkpoint(content: Mapping[str, Any], target: str | Path) -> None:
    """Write a converted checkpoint, and make the folder that it goes to.

    Args:
        content: the checkpoint.
        target: the ``.pth`` file.
    """
    written = io.BytesIO()  # torch itself tells no reason where the disk is full
    torch.save(content, written)
    with whole_file(target) as file:
        file.write(written.getbuffer())


def discovered_meta(num_keypoints: int, **more: Any) -> dict[str, Any]:
    """``meta`` of a checkpoint whose keypoints were discovered.

    Args:
        num_keypoints: number K of keypoints.
        **more: further entries.

    Returns:
        ``dataset_meta``, parsed as MMEngine's runner stores it and MMPose's
        ``init_model`` reads it, and the further entries.
    """
    metainfo = parse_pose_metainfo(discovered_metainfo(num_keypoints))
    return dict(dataset_meta=metainfo, **more)


def config_source(config: Mapping[str, Any]) -> str:
    """Write a config as configs are written.

    Args:
        config: names to values, some of which may be configs.

    Returns:
        Such as ``dict(type='ResNet', depth=18)``.
    """
    values = (
        f'{name}={config_source(value) if isinstance(value, Mapping) else repr(value)}'
        for name, value in config.items()
    )
    return f'dict({", ".join(values)})'
