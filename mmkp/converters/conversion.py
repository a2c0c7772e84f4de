# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What the tools share that convert other projects' weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch


def write_checkpoint(content: Mapping[str, Any], target: str | Path) -> None:
    """Write a converted checkpoint, and make the folder that it goes to.

    Args:
        content: the checkpoint.
        target: the ``.pth`` file.
    """
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    torch.save(content, target)


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
