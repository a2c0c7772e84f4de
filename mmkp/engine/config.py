"""Reading a config with what the command line adds to it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmkp.engine.config_check import ConfigError, check_config
from mmkp.engine.config_names import find_config
from mmkp.engine.config_options import check_options, is_variable, value_at
from mmkp.engine.config_variables import read_config
from mmkp.engine.distributed import join_without_gpu
from mmkp.engine.option_values import meant_value


def load_config(
    filename: str | Path,
    options: Mapping[str, Any] | None = None,
    work_dir: str | None = None,
    launcher: str = 'none',
    check: bool = True,
) -> Config:
    """Read a config, apply overrides, and refuse both if they hold a mistake.

    Args:
        filename: of the config; or the name of one of this package's, see
            :func:`mmkp.engine.config_names.find_config`.
        options: dotted keys and their values, as ``--cfg-options`` gives them. The name
            of a variable to which the config, or one that it inherits from, assigns a
            literal sets all that the config makes of it.
        work_dir: where results go; else the config's own ``work_dir``, else
            ``work_dirs/<name of the config>``.
        launcher: of distributed processes.
        check: whether to look for mistakes; False is the way past a false alarm.

    Returns:
        The config.

    Raises:
        FileNotFoundError: there is no such file.
        ConfigError: unknown types, arguments or keys, see :func:`check_config`; or the
            file cannot be read as a config.
    """
    path = find_config(filename)
    options = dict(options or {})
    cfg, taken = _read(path, {k: v for k, v in options.items() if is_variable(k)})
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    remaining = {key: options[key] for key in options if key not in taken}
    if check:
        check_options(cfg, remaining, str(path))
    cfg.merge_from_dict(
        {key: meant_value(v, value_at(cfg, key)) for key, v in remaining.items()}
    )
    if check:
        check_config(cfg, str(path))
    cfg.launcher = launcher
    if launcher != 'none' and not torch.cuda.is_available():
        join_without_gpu(cfg)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', path.stem)
    return cfg


def _read(path: Path, variables: Mapping[str, Any]) -> tuple[Config, set[str]]:
    """Read a config; tell in one sentence what its writer can mend."""
    try:
        cfg, taken = read_config(path, variables)
    except SyntaxError as error:
        raise ConfigError(
            f'{path} cannot be read: {error.msg} in line {error.lineno}'
            + (f': {error.text.strip()}' if error.text else '')
        ) from error
    except (NameError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ConfigError(f'{path} cannot be read as a config: {error}') from error
    except TypeError as error:
        if 'in child config cannot inherit from base' not in str(error):
            raise
        key = str(error).partition('=')[0]
        raise ConfigError(
            f"{path}: '{key}' is a dict here and something else in the config that it "
            f'inherits from. To take the place of that, begin with _delete_: '
            f'{key}=dict(_delete_=True, ...)'
        ) from error
    if not cfg:
        raise ConfigError(f'{path} is an empty config')
    return cfg, taken
