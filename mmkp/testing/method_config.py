# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Configs of any kind, and what the checks ask of them."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import import_modules_from_strings

from mmkp.engine.config import load_config
from mmkp.engine.config_check import check_config


def read_any_config(
    config: str | Path | Mapping | Config, options: Mapping[str, Any] | None = None
) -> Config:
    """Read a config of any kind.

    Args:
        config: file, name, dict, or what was read.
        options: dotted keys and values that override settings.

    Returns:
        A config of its own.

    Raises:
        FileNotFoundError: there is no such config.
        ConfigError: it holds a mistake.
    """
    if isinstance(config, str | Path):
        return load_config(config, options)
    cfg = copy.deepcopy(config) if isinstance(config, Config) else Config(dict(config))
    imports = cfg.get('custom_imports')
    if imports:
        import_modules_from_strings(**imports)
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    cfg.merge_from_dict(dict(options or {}))
    check_config(cfg)
    return cfg


def pipeline_of(dataset: Mapping) -> list[dict]:
    """Transforms of a data set, those of the data sets that it is made of first.

    Args:
        dataset: its config; of several joined ones the first counts.
    """
    inner = dataset.get('dataset') or (dataset.get('datasets') or [None])[0]
    steps = pipeline_of(inner) if isinstance(inner, Mapping) else []
    return [*steps, *(dataset.get('pipeline') or ())]
