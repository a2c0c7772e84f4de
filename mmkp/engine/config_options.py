"""Which settings of a config an option of the command line can override."""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmkp.engine.config_check import ConfigError, nearest, runner_keys, schema


def is_variable(option: str) -> bool:
    """Whether an option can only mean a variable of the file: no runner reads it."""
    names = (runner_keys() - {'data_mode', 'dataset_type'}) | {'work_dir'}
    return '.' not in option and option not in names


def value_at(cfg: Config, option: str) -> Any:
    """What stands at a dotted place of a config; None where nothing does."""
    value: Any = dict(cfg.items())
    for part in option.split('.'):
        if isinstance(value, list | tuple) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, Mapping) else None
    return value


def check_options(cfg: Config, options: Mapping[str, Any], filename: str) -> None:
    """Refuse overrides that would have no effect.

    Args:
        cfg: the config that they are to override.
        options: dotted keys and their values.
        filename: of the config, for the message.

    Raises:
        ConfigError: naming the option and the nearest key.
    """
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
    top, *_, last = f'{option}.{option}'.split('.')
    if top in runner_keys() | {'work_dir'}:
        return
    places = [
        place for place in _places(cfg, last) if place.split('.')[0] in runner_keys()
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
