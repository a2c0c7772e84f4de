"""The types that this package registers."""

from collections.abc import Iterator

import mmengine.registry
import mmpose.registry
from mmengine.registry import Registry

import mmkp  # noqa: F401


def registered_types() -> Iterator[tuple[str, type]]:
    """Registry and class of each type of this package."""
    for module in (mmengine.registry, mmpose.registry):
        for registry in vars(module).values():
            if isinstance(registry, Registry):
                for found in registry.module_dict.values():
                    if found.__module__.startswith('mmkp.'):
                        yield registry.name, found
