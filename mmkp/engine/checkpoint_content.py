# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a loaded file must be to serve as a checkpoint, whichever program wrote it."""

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmkp.engine.checkpoint import CheckpointError

_EXPECTED = (
    "expected is a dict with the weights (names to tensors) in 'state_dict', as "
    'MMEngine writes, or the weights alone, torch.save(model.state_dict(), file)'
)
#: Where other programs put the weights, the likeliest first.
_PREFERRED = ('state_dict', 'model_state_dict', 'model', 'net', 'network', 'weights')
#: What training programs put beside them.
_OTHERS = re.compile('optim|sched|scaler|random|rng|meta|message_hub|hyper|callback')
#: DataParallel and torch.compile put these before each name.
_WRAPPERS = re.compile(r'((?:module|_orig_mod)\.)+')


def as_checkpoint(content: Any, source: str) -> dict:
    """Bring what was loaded into MMEngine's form.

    Weights below another key are found, and told; names lose the prefixes of wrappers
    (``module.``, ``_orig_mod.``); arrays of NumPy become tensors; ``meta`` that is no
    dict is left out, and told.

    Args:
        content: what a file held.
        source: its name, for messages.

    Returns:
        The same dict where it is in MMEngine's form or a bare state dict.

    Raises:
        CheckpointError: no weights are in it, or those of several networks.
    """
    if not isinstance(content, Mapping):
        raise CheckpointError(f'{source} holds {_describe(content)}; {_EXPECTED}')
    if 'state_dict' not in content and _has_weights(content):
        return _clean(content)
    checkpoint = dict(content)
    place = _find_weights(checkpoint, source)
    if place != ('state_dict',):
        print_log(f"{source}: took the weights below '{'.'.join(place)}'", 'current')
    weights: Any = content
    for key in place:
        weights = weights[key]
    checkpoint['state_dict'] = _clean(weights)
    _check_meta(checkpoint, source)
    return checkpoint


def _check_meta(checkpoint: dict, source: str) -> None:
    meta = checkpoint.get('meta', {})
    if not isinstance(meta, Mapping):
        print_log(f'{source}: left out meta, {_describe(meta)}', 'current')
        del checkpoint['meta']
    elif not isinstance(meta.get('dataset_meta', {}), Mapping | None):
        found = _describe(meta['dataset_meta'])
        print_log(f'{source}: left out dataset_meta, {found}', 'current')
        checkpoint['meta'] = {k: v for k, v in meta.items() if k != 'dataset_meta'}


def _find_weights(content: Mapping, source: str) -> tuple[str, ...]:
    """Keys that lead to the weights."""
    found = list(_places(content))
    if not found:
        raise CheckpointError(
            f'{source} holds {_describe(content)} without weights; {_EXPECTED}'
        )
    for name in _PREFERRED:
        for place in found:
            if name in (place[0], place[-1]):
                return place
    if len(found) > 1:
        names = ', '.join(repr('.'.join(place)) for place in found[:6])
        raise CheckpointError(
            f'{source} holds the weights of {len(found)} networks, below {names}: save '
            'those of one'
        )
    return found[0]


def _places(content: Mapping, depth: int = 3) -> Iterator[tuple[str, ...]]:
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Mapping):
            continue
        if _OTHERS.search(key.lower()):
            continue
        if _has_weights(value):
            yield (key,)
        elif depth > 1:
            yield from ((key, *rest) for rest in _places(value, depth - 1))


def _has_weights(content: Mapping) -> bool:
    return all(isinstance(key, str) for key in content) and any(
        isinstance(value, Tensor | np.ndarray) for value in content.values()
    )


def _clean(weights: Mapping) -> Any:
    """Names without wrappers, arrays as tensors; the same dict where all is well."""
    wrapped = all(_WRAPPERS.match(name) for name in weights)
    if not wrapped and all(isinstance(value, Tensor) for value in weights.values()):
        return weights
    clean: OrderedDict = OrderedDict()
    for name, value in weights.items():
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in 'biufc':
            value = torch.from_numpy(np.array(value))
        clean[_WRAPPERS.sub('', name, count=1) if wrapped else name] = value
    if hasattr(weights, '_metadata'):
        clean._metadata = weights._metadata  # type: ignore[attr-defined]
    return clean


def _describe(value: Any) -> str:
    if value is None:
        return 'nothing (None)'
    if isinstance(value, Tensor | np.ndarray):
        return f'a {type(value).__name__} of shape {tuple(value.shape)}'
    if isinstance(value, str):
        return f'the text {value[:40]!r}'
    if isinstance(value, Mapping):
        keys = ', '.join(repr(key)[:40] for key in list(value)[:8])
        return f'a dict of {len(value)} keys ({keys})' if value else 'an empty dict'
    if isinstance(value, list | tuple | set | frozenset):
        kinds = sorted({type(item).__name__ for item in value})
        return f'a {type(value).__name__} of {len(value)} ({", ".join(kinds[:4])})'
    return f'a {type(value).__name__}'
