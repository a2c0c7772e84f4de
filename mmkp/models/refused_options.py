# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Options of ``test_cfg`` that mean something elsewhere in MMPose."""

from collections.abc import Mapping
from typing import Any


def refuse_options(
    test_cfg: Mapping[str, Any] | None,
    owner: str,
    refused: Mapping[str, str],
    **only: Any,
) -> None:
    """Refuse options that would be without effect, or wrong, in a model.

    Args:
        test_cfg: of the model, or None.
        owner: name of the type that reads it, for the message.
        refused: option -> why it cannot be switched on, and what to do instead.
        **only: options that can be given one value only.

    Raises:
        ValueError: an option is on, or has another value than the only one.
    """
    settings = test_cfg or {}
    for name, reason in refused.items():
        if settings.get(name):
            raise ValueError(
                f'test_cfg.{name}={settings[name]!r} has no place in {owner}: {reason}'
            )
    for name, value in only.items():
        if settings.get(name, value) != value:
            raise ValueError(
                f'test_cfg.{name}={settings[name]!r} has no place in {owner}, which '
                f'has {value!r} only: leave it out'
            )
