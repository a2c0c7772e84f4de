"""Which settings of a config an option of the command line can override."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from mmkp.engine.config_check import ConfigError, nearest, runner_keys, schema
from mmkp.engine.config_types import walk


def is_variable(option: str) -> bool:
    """Whether an option can only mean a variable of the file: no runner reads it."""
    names = (runner_keys() - {'data_mode', 'dataset_type'}) | {'work_dir'}
    return '.' not in option and option not in names


def _descend(settings: Any, parts: Sequence[str]) -> tuple[Any, int]:
    """Follow keys and numbers of items as far as they lead; says how far."""
    for depth, part in enumerate(parts):
        items = dict(_items(settings))
        if part not in items:
            return settings, depth
        settings = items[part]
    return settings, len(parts)


def _items(settings: Any) -> Iterator[tuple[str, Any]]:
    """What lies in a dict or list, by its key or number."""
    if isinstance(settings, Mapping):
        yield from ((str(key), value) for key, value in settings.items())
    elif isinstance(settings, list | tuple):
        yield from ((str(number), value) for number, value in enumerate(settings))


def value_at(cfg: Config, option: str) -> Any:
    """What stands at a dotted place of a config; None where nothing does."""
    parts = option.split('.')
    value, depth = _descend(dict(cfg.items()), parts)
    return value if depth == len(parts) else None


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
        parts = option.split('.')
        value, depth = _descend(content, parts)
        if depth == len(parts):
            _check_variable(content, option, filename)
        else:
            place = '.'.join(parts[:depth])
            mistake = _new_key_mistake(content, place, parts[depth], value)
            if mistake:
                raise ConfigError(f"{filename}: --cfg-options '{option}': {mistake}")


def _new_key_mistake(cfg: dict, place: str, part: str, value: Any) -> str | None:
    """Why a key cannot be added at a place, where ``value`` stands."""
    if not place:
        known = runner_keys()
        hint = nearest(part, set(cfg) | known)
        return None if part in known else f"the config has no key '{part}', {hint}"
    if isinstance(value, list | tuple):
        return f"'{place}' is a list of {len(value)} items, '{part}' is none of them"
    if not isinstance(value, Mapping):
        return f"'{place}' is {value!r}, which has no key '{part}'"
    # Arguments of a type are checked with the whole config, afterwards.
    if schema(place, value) is None:
        hint = nearest(part, map(str, value)) if value else 'it was empty'
        print_log(
            f"--cfg-options adds a new key '{part}' to '{place}'; {hint}",
            logger='current',
            level=30,
        )
    return None


def _check_variable(cfg: dict, option: str, filename: str) -> None:
    """Refuse to set a variable of the file, which has been used already."""
    top, *_, last = f'{option}.{option}'.split('.')
    if top in runner_keys() | {'work_dir'}:
        return
    places = [
        place
        for place, key, _ in walk(cfg)
        if key == last and '.' in place and place.split('.')[0] in runner_keys()
    ]
    hint = f': set {", ".join(places)} instead' if places else ''
    raise ConfigError(
        f"{filename}: --cfg-options '{option}': it is a variable of the file, read "
        f'before it can be overridden, so setting it would change nothing{hint}'
    )
