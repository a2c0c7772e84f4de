"""Values of --cfg-options, and settings of a config that they change."""

from pathlib import Path

from fuzzing.mutations import Random, chance, choose, damaged_bytes, number
from fuzzing.target import Target
from mmkp.engine.option_values import OptionText, meant_value

_TEXTS = (
    *('1', '1e-3', 'True', 'None', '[1,2]', '(1,2)', "{'a': 1}", 'a,b', '"a b"', ''),
    *('[[1,2],[3]]', "dict(type='A')", 'path/to/a b', '[', '((', '[1,(2', ',,', '\x00'),
)
_CURRENT = (None, 'text', 1, 1.5, True, [1, 2], (1, 2), {'a': 1})


def _make(rng: Random) -> tuple[str, object]:
    text = choose(rng, _TEXTS)
    if chance(rng, 0.3):
        text = str(number(rng))
    if chance(rng, 0.7):
        text = damaged_bytes(rng, text.encode() or b'x', b'[(,"1])').decode('latin-1')
    if chance(rng, 0.02):
        text = choose(rng, ('[', '(', '-', '{', '1,', 'a.')) * 10 ** int(
            rng.integers(1, 5)
        )
    return text, choose(rng, _CURRENT)


def _use(case: tuple[str, object], folder: Path) -> None:
    text, current = case
    meant_value(OptionText(text), current)


TARGETS = {'option': Target(_make, _use, 3.0)}
