"""How sound input is damaged: bits, pieces and numbers, values of json, arrays."""

import copy
import json
import re
from typing import Any

import numpy as np

#: Whole numbers at which counts, sizes and offsets go wrong.
WHOLE = (
    *(0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 1023, 65535, 65536),
    *(2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1),
)
#: Numbers at which arithmetic goes wrong.
REAL = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-45, 1e-38, 1e7, 1e15, 3e38, 1e38, -1e38, 1e154),
    *(1e200, 1.8e308, -1.8e308, float('inf'), float('-inf'), float('nan')),
)
#: What may stand in json where something else is expected.
STRANGE = (
    *(None, True, False, '', ' ', 'a', '7', 'NaN', '1e400', 'x' * 300, '\x00', 'ä/é'),
    *([], {}, [[]], [None], {'a': 1}, [1, 2], [[1, 2], [3]], '../../a', '/dev/null'),
    *(10**400, -(10**400), 2**63, -(2**63), 1.5, -1),
)

Random = np.random.Generator


def chance(rng: Random, share: float) -> bool:
    """Whether something happens that happens in a share of all cases."""
    return bool(rng.random() < share)


def choose(rng: Random, choices: Any) -> Any:
    """One of the choices, unchanged."""
    return choices[int(rng.integers(len(choices)))]


def number(rng: Random) -> float | int:
    """A number that is common, at an edge, or negative."""
    kind = int(rng.integers(4))
    if kind == 0:
        return choose(rng, WHOLE) * choose(rng, (1, -1))
    if kind == 1:
        return choose(rng, REAL)
    if kind == 2:
        return int(rng.integers(-5, 70))
    return float(rng.normal(0, 10.0 ** float(rng.integers(-3, 9))))


def damaged_bytes(rng: Random, content: bytes, other: bytes = b'') -> bytes:
    """Flip bits, replace, insert, remove, repeat and splice up to four pieces."""
    found = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        _damage(rng, found, other or content)
    return bytes(found)


def _damage(rng: Random, found: bytearray, other: bytes) -> None:
    if not found:
        found += other[:64]
        return
    at = int(rng.integers(len(found)))
    size = min(int(2 ** rng.uniform(0, 7)), len(found) - at)
    kind = int(rng.integers(8))
    if kind == 0:
        found[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        found[at : at + size] = rng.bytes(size)
    elif kind == 2:
        del found[at : at + size]
    elif kind == 3:
        found[at:at] = found[at : at + size] * int(rng.integers(1, 4))
    elif kind == 4:
        start = int(rng.integers(len(other)))
        found[at:at] = other[start : start + size]
    elif kind == 5:
        width = choose(rng, (1, 2, 4, 8))
        value = choose(rng, WHOLE) % (1 << 8 * width)
        found[at : at + width] = value.to_bytes(width, choose(rng, ('little', 'big')))
    elif kind == 6:
        del found[at:]
    else:
        _edge_of_text(rng, found)


_DIGITS = re.compile(rb'-?\d+(?:\.\d+)?')


def _edge_of_text(rng: Random, found: bytearray) -> None:
    """Put another number in the place of one that is written in digits."""
    places = list(_DIGITS.finditer(found))
    if places:
        place = choose(rng, places)
        found[place.start() : place.end()] = str(number(rng)).encode()


def damaged_json(rng: Random, content: Any) -> bytes:
    """Change one to three values or keys of json; rarely damage its text as well."""
    content = json.loads(json.dumps(content))
    for _ in range(int(rng.integers(1, 4))):
        content = _changed(rng, content)
    text = json.dumps(content, ensure_ascii=chance(rng, 0.5)).encode('utf-8')
    return damaged_bytes(rng, text) if chance(rng, 0.2) else text


def _changed(rng: Random, value: Any) -> Any:
    """Walk down to some value, and put something else there."""
    if isinstance(value, dict) and value and chance(rng, 0.85):
        key = choose(rng, list(value))
        if chance(rng, 0.15):
            del value[key]
        else:
            value[key] = _changed(rng, value[key])
        return value
    if isinstance(value, list) and value and chance(rng, 0.85):
        at = int(rng.integers(len(value)))
        if chance(rng, 0.1):
            del value[at]
        elif chance(rng, 0.1):
            value.insert(at, json.loads(json.dumps(value[at])))
        else:
            value[at] = _changed(rng, value[at])
        return value
    return number(rng) if chance(rng, 0.5) else copy.deepcopy(choose(rng, STRANGE))


def array(rng: Random, shape: tuple[int, ...], scale: float = 20.0) -> np.ndarray:
    """Numbers of a shape, some at edges; rarely of another type or shape."""
    found = rng.normal(scale, scale, shape)
    if found.size and chance(rng, 0.6):
        for _ in range(int(rng.integers(1, 4))):
            found.flat[int(rng.integers(found.size))] = choose(rng, REAL)
    if chance(rng, 0.05):
        found[...] = choose(rng, REAL)
    if chance(rng, 0.05):
        found = np.expand_dims(found, int(rng.integers(found.ndim + 1)))
    if chance(rng, 0.05) and found.size and found.ndim:
        found = found.take(range(int(rng.integers(3))), axis=-1, mode='clip')
    kinds = ('f4', 'f8', 'f2', 'i4', 'u1', '?', 'c8', 'O', 'S4')
    kind = choose(rng, kinds) if chance(rng, 0.1) else choose(rng, ('f4', 'f8'))
    with np.errstate(all='ignore'):
        return found.astype(kind)
