# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The one strict check of converted weights, and how sizes are read off them."""

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmpose.registry import MODELS
from torch import Tensor

StateDict = Mapping[str, Tensor]


def check_shapes(
    found: StateDict, expected: StateDict, network: str, remedy: str
) -> None:
    """Refuse weights that are not all those of a network, and no others.

    Args:
        found: converted weights.
        expected: state dict of the network; only shapes are read.
        network: what it is, for the message.
        remedy: what to do, for the message.

    Raises:
        ValueError: entries are missing, too many or of another shape; the first are
            named.
    """
    wrong = [
        f'{name} is {tuple(found[name].shape)} in the file and {tuple(value.shape)} '
        'in the network'
        for name, value in expected.items()
        if name in found and found[name].shape != value.shape
    ]
    wrong += [f'{name} is missing' for name in expected if name not in found]
    wrong += [f'{name} is too many' for name in found if name not in expected]
    if wrong:
        raise ValueError(
            f'{len(wrong)} entries do not fit {network}: {"; ".join(wrong[:3])}: '
            f'{remedy}'
        )


def match_state(
    state: StateDict, configs: Mapping[str, Mapping[str, Any]]
) -> dict[str, Tensor]:
    """Hold weights against the networks whose sizes were read off them.

    Args:
        state: converted weights.
        configs: where a network's parameters lie, as ``'head.stages'`` -> its config.

    Returns:
        The weights, with the counters of batches that old programs do not keep at 0.

    Raises:
        ValueError: there is no such network, or the weights are not those of all.
    """
    expected: dict[str, Tensor] = {}
    try:
        with torch.device('meta'):
            for prefix, config in configs.items():
                network = MODELS.build(dict(config))
                expected |= network.state_dict(prefix=f'{prefix}.')
    except ValueError as error:
        raise ValueError(f'no network has the sizes in the file: {error}') from error
    counters = {
        name: torch.zeros((), dtype=torch.long)
        for name in expected
        if name.endswith('.num_batches_tracked') and name not in state
    }
    complete = {**state, **counters}
    kinds = ' and '.join(config['type'] for config in configs.values())
    check_shapes(
        complete,
        expected,
        f'{kinds} of the sizes in the file',
        'give the whole file of one network, as it was published',
    )
    return complete


def shape_of(state: StateDict, name: str) -> tuple[int, ...]:
    """Read a shape.

    Args:
        state: converted weights.
        name: of an entry.

    Returns:
        Its shape.

    Raises:
        ValueError: there is no such entry.
    """
    if name not in state:
        raise ValueError(f'{name} is missing: the file is of a part of the network')
    return tuple(state[name].shape)


def count_children(state: StateDict, prefix: str) -> int:
    """Count the numbered children of a module, ``<prefix>.0``, ``<prefix>.1``, ..."""
    pattern = re.compile(rf'{re.escape(prefix)}\.(\d+)\.')
    return len({found[1] for name in state if (found := pattern.match(name))})


def without_defaults(
    config: Mapping[str, Any], keep: Sequence[str] = ()
) -> dict[str, Any]:
    """Leave out what a registered type takes by itself.

    Args:
        config: ``type`` and arguments.
        keep: arguments to say all the same.

    Returns:
        ``type`` and the arguments that differ from its defaults.
    """
    parameters = inspect.signature(MODELS.get(config['type'])).parameters
    return {
        name: value
        for name, value in config.items()
        if name in ('type', *keep) or value != parameters[name].default
    }
