# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Settings that make MMEngine import or run what a config names.

MMEngine imports a type that no registry knows by its path, so that
``dict(type='os.system', command=...)`` runs a command.
"""

import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import mmengine.registry
from mmengine.registry import Registry

#: OpenMMLab's packages, whose scopes are known where they are not imported yet, and
#: which hand only texts of checkpoints to ``Config.fromstring``.
FAMILY = ('mmengine', 'mmcv', 'mmpose', 'mmdet', 'mmpretrain', 'mmaction', 'mmseg')
_IDENTIFIER = re.compile(r'[A-Za-z_]\w*')
#: Settings that MMDetection evaluates, or from which MMPose reads a config file.
_VALUES = {
    'warp_mode': re.compile(r'cv2\.MOTION_\w+'),
    'from_file': re.compile(r'configs/_base_/datasets/\w+\.py'),
}


def raise_if_unsafe(settings: Any) -> None:
    """Refuse settings that import or run more than registered types.

    Args:
        settings: of a config, plain dicts, lists and values.

    Raises:
        ValueError: a type or scope is unknown to the registries, or a value would be
            evaluated.
    """
    registered = _registered(settings)
    for _, key, value in walk(settings):
        if key == 'type' and not _is_known_type(value, registered):
            raise ValueError(
                f'type={value!r:.80} is registered nowhere: is its package installed?'
            )
        if key in ('default_scope', '_scope_') and not _is_known_scope(value):
            raise ValueError(f'{key}={value!r:.80} is no package that was imported')
        if key in _VALUES and isinstance(value, str):
            if not _VALUES[key].fullmatch(value):
                raise ValueError(f'{key}={value!r:.80}')


def walk(settings: Any, path: str = '') -> Iterator[tuple[str, Any, Any]]:
    """Go through all that lies in settings, at any depth.

    Args:
        settings: dicts, lists, tuples and sets in each other.
        path: dotted place where they lie.

    Yields:
        Place, key (or number of the item) and value.
    """
    items: Any = ()
    if isinstance(settings, Mapping):
        items = settings.items()
    elif isinstance(settings, list | tuple | set):
        items = enumerate(settings)
    for key, value in items:
        place = f'{path}.{key}' if path else str(key)
        yield place, key, value
        yield from walk(value, place)


def _is_known_scope(value: Any) -> bool:
    # MMEngine imports the module 'registry' of a scope.
    return value is None or (
        isinstance(value, str)
        and (value in FAMILY or f'{value}.registry' in sys.modules)
    )


def _is_known_type(value: Any, registered: dict[str, list[Any]]) -> bool:
    if value is None or isinstance(value, dict | list | tuple | int | float):
        return True  # of something else than an object; looked into by itself
    if not isinstance(value, str):
        return False
    owner, _, name = value.rpartition('.')
    if not owner:
        # Some types are names of functions ('nms'); what is no module is not imported.
        return name in registered or (
            bool(_IDENTIFIER.fullmatch(name)) and not importlib.util.find_spec(name)
        )
    if '.' not in owner and _is_known_scope(owner):
        return name in registered  # elsewhere in the package MMEngine would look too
    found = getattr(sys.modules.get(owner), name, None)
    return any(found is value for value in registered.get(name, ()))


def _registered(settings: Any) -> dict[str, list[Any]]:
    """Registered objects by their names; a name may stand in several registries."""
    for _, key, value in walk(settings):
        scope = str(value).partition('.')[0] if key == 'type' else None
        if scope in FAMILY:
            with suppress(ImportError):
                importlib.import_module(f'{scope}.registry')
    names: dict[str, list[Any]] = {}
    for root in vars(mmengine.registry).values():
        for registry in _tree(root) if isinstance(root, Registry) else ():
            for name, value in registry.module_dict.items():
                names.setdefault(name, []).append(value)
    return names


def _tree(registry: Registry) -> Iterator[Registry]:
    registry.import_from_location()
    yield registry
    for child in registry.children.values():
        yield from _tree(child)
