# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From the names of another project's parameters to mmkp's, by a table of rules."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from torch import Tensor

#: Pattern of a whole name there -> our name: a template of ``re``, or a function.
Rule = tuple[str, str | Callable[[re.Match], str]]


def look_up(name: str, rules: Iterable[Rule]) -> str | None:
    """Translate a name by the first rule that fits.

    Args:
        name: there.
        rules: pairs of pattern and our name.

    Returns:
        Our name, None where no rule fits.
    """
    for pattern, ours in rules:
        if found := re.fullmatch(pattern, name):
            return found.expand(ours) if isinstance(ours, str) else ours(found)
    return None


def rename(
    state: Mapping[str, Tensor],
    module: Sequence[Rule] | Callable[[str], str | None],
    origin: str,
) -> dict[str, Tensor]:
    """Give a state dict mmkp's names.

    Args:
        state: names there -> tensors, ``<module>.<weight, bias, ...>``.
        module: rules for the names of modules, or a function that translates one and
            returns None where it is unknown.
        origin: what the names are of, for messages.

    Returns:
        Our names to the same tensors.

    Raises:
        ValueError: names are unknown, or two mean the same parameter.
    """
    former: dict[str, str] = {}
    unknown = []
    for name in state:
        place, _, kind = name.rpartition('.')
        ours = module(place) if callable(module) else look_up(place, module)
        if ours is None:
            unknown.append(name)
        elif (ours := f'{ours}.{kind}') in former:
            raise ValueError(f'{name} and {former[ours]} are the same parameter')
        else:
            former[ours] = name
    if unknown:
        raise ValueError(
            f'{len(unknown)} entries are not of {origin}, e.g. '
            f'{", ".join(unknown[:3])}: other networks cannot be converted'
        )
    return {ours: state[name] for ours, name in former.items()}


def plain_weights(official: Mapping[str, Any], prefix: str) -> dict[str, Tensor]:
    """Take the tensors out of a checkpoint, without what wrappers add to their names.

    Args:
        official: names to tensors, or a checkpoint with them in ``state_dict``.
        prefix: pattern of what is cut off the beginning of names.

    Returns:
        Plain names to tensors.

    Raises:
        ValueError: a name is there twice.
    """
    named: dict[str, Tensor] = {}
    for name, value in official.get('state_dict', official).items():
        if isinstance(value, Tensor):
            plain = re.sub(f'^(?:{prefix})', '', name)
            if plain in named:
                raise ValueError(f'{plain} is there twice, with and without a prefix')
            named[plain] = value
    return named
