"""Reading a config with what the command line adds to it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import init_default_scope

from mmkp.engine.config_check import (
    ConfigError,
    check_config,
    nearest,
    runner_keys,
    schema,
)


def load_config(
    filename: str | Path,
    options: Mapping[str, Any] | None = None,
    work_dir: str | None = None,
    launcher: str = 'none',
) -> Config:
    """Read a config, apply overrides, and refuse both if they hold a mistake.

    Args:
        filename: of the config.
        options: dotted keys and their values, as ``--cfg-options`` gives them.
        work_dir: where results go; else the config's own ``work_dir``, else
            ``work_dirs/<name of the config>``.
        launcher: of distributed processes.

    Returns:
        The config.

    Raises:
        FileNotFoundError: there is no such file.
        ConfigError: unknown types, arguments or keys, see :func:`check_config`.
    """
    path = Path(filename)
    if not path.is_file():
        raise FileNotFoundError(_where_is(path))
    cfg = Config.fromfile(path)
    init_default_scope(cfg.get('default_scope') or 'mmpose')
    if options:
        _check_options(cfg, options, str(path))
        cfg.merge_from_dict(dict(options))
    check_config(cfg, str(path))
    cfg.launcher = launcher
    if launcher == 'pytorch' and not torch.cuda.is_available():
        _start_without_gpu(cfg)
    if work_dir is not None:
        cfg.work_dir = work_dir
    elif cfg.get('work_dir') is None:
        cfg.work_dir = os.path.join('work_dirs', path.stem)
    return cfg


def _start_without_gpu(cfg: Config) -> None:
    """Let the processes of a distributed job run on CPUs.

    MMEngine 0.10 takes each process' number for that of its GPU when it joins the
    group and when it wraps the model.
    """
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')
    wrapper = dict(type='MMDistributedDataParallel', broadcast_buffers=False)
    wrapper.update(cfg.get('model_wrapper_cfg') or {}, device_ids=None)
    cfg.model_wrapper_cfg = wrapper


def _where_is(path: Path) -> str:
    """What to say about a config that is not there."""
    folder = path.parent if path.parent.is_dir() else Path('configs')
    names = {str(found): found.stem for found in folder.rglob('*.py')}
    hint = nearest(path.stem, names.values()) if names else 'the folder has no configs'
    for found, stem in names.items():
        if f"'{stem}'" in hint:
            hint = f"did you mean '{found}'?"
            break
    return f"config '{path}' does not exist, {hint}"


def _check_options(cfg: Config, options: Mapping[str, Any], filename: str) -> None:
    """Refuse overrides that would have no effect."""
    content = dict(cfg.items())
    for option in options:
        value: Any = content
        parents: list[str] = []
        for part in option.split('.'):
            if isinstance(value, list | tuple):
                if not part.isdigit() or int(part) >= len(value):
                    raise ConfigError(
                        f"{filename}: --cfg-options '{option}': "
                        f"'{'.'.join(parents)}' is a list of {len(value)} items, "
                        f"'{part}' is none of them"
                    )
                value = value[int(part)]
            elif isinstance(value, Mapping) and part in value:
                value = value[part]
            else:
                _check_new_key(content, option, parents, part, value, filename)
                break
            parents.append(part)
        else:
            _check_variable(content, option, filename)


def _check_new_key(
    cfg: dict, option: str, parents: list[str], part: str, value: Any, filename: str
) -> None:
    """Refuse an override that adds a key where none can be added."""
    place = f"'{'.'.join(parents)}'" if parents else 'the config'
    if parents and not isinstance(value, Mapping):
        raise ConfigError(
            f"{filename}: --cfg-options '{option}': {place} is {value!r}, which has no "
            f"key '{part}'"
        )
    if parents:
        # Arguments of a type are checked with the whole config, afterwards.
        if schema('.'.join(parents), value) is None:
            hint = nearest(part, map(str, value)) if value else 'it was empty'
            print_log(
                f"--cfg-options adds a new key '{part}' to {place}; {hint}",
                logger='current',
                level=30,
            )
        return
    if part not in runner_keys():
        raise ConfigError(
            f"{filename}: --cfg-options '{option}': {place} has no key '{part}', "
            f'{nearest(part, set(cfg) | runner_keys())}'
        )


def _check_variable(cfg: dict, option: str, filename: str) -> None:
    """Refuse to set a variable of the file, which has been used already."""
    if '.' in option or option in runner_keys() | {'work_dir'}:
        return
    places = [
        place for place in _places(cfg, option) if place.split('.')[0] in runner_keys()
    ]
    hint = f': set {", ".join(places)} instead' if places else ''
    raise ConfigError(
        f"{filename}: --cfg-options '{option}': it is a variable of the file, read "
        f'before it can be overridden, so setting it would change nothing{hint}'
    )


def _places(value: Any, key: str, path: str = '') -> Iterator[str]:
    """Dotted paths of all keys of a name below the top level."""
    items: Any = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    for name, item in items:
        place = f'{path}.{name}' if path else str(name)
        if path and name == key:
            yield place
        yield from _places(item, key, place)
