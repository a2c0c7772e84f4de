# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Colours and clothes of puppets."""

import colorsys
from dataclasses import dataclass

import numpy as np

#: How much the looks of figures differ.
APPEARANCES = ('same', 'outfits', 'any')

PATTERNS = ('plain', 'hoops', 'stripes', 'checks', 'dots')
HAIRSTYLES = ('short', 'long', 'bun', 'curly')

# shirt, second colour of its pattern, trousers, shoes
_OUTFITS = (
    ('e4572e', 'ffd9a0', '4f7cac', 'f6f1e4'),
    ('f2b134', 'fff3cf', '5b6c9d', 'd7263d'),
    ('2aa876', 'c9f2dc', '8a6f5a', 'f4e04d'),
    ('3fa7d6', 'e3f6ff', '8d7b68', 'f25f5c'),
    ('d65a9f', 'ffe0ef', '5f7f95', 'ffe066'),
    ('8f6fd6', 'e9dcff', '6d8270', 'f7b267'),
    ('ef8354', 'fff0e6', '6c75a0', '9fe0d0'),
    ('76b947', 'f3ffe0', '70728f', 'ff8c61'),
    ('e2474b', 'ffffff', '587b9c', 'ffd23f'),
    ('4cc9b0', '145c63', '907064', 'fff1d0'),
    ('f6d55c', 'd1495b', '4f8a8b', 'f0efeb'),
    ('f4a6b7', 'b23a55', '6a7fa8', 'e9e3b4'),
)
_SKINS = ('f9d7bd', 'f1c39e', 'e0a878', 'c68a5c', 'a56b43', '7d4c2f')
_HAIRS = ('2b2118', '53331d', '8a5a2b', 'c89b4b', '9c3d1e', '3a3a44', 'cfc9c2')


@dataclass
class Appearance:
    """Colours (BGR, float32, 0 to 255, each of shape (3,)) and style.

    The figure's own left sleeve and trouser leg are always the darker ones, so
    that its sides can be told apart whatever the outfit.
    """

    skin: np.ndarray
    hair: np.ndarray
    shirt: np.ndarray
    accent: np.ndarray
    left_sleeve: np.ndarray
    trousers: np.ndarray
    left_trouser: np.ndarray
    shoes: np.ndarray
    pattern: str
    period: float
    hairstyle: str
    short_sleeves: bool
    shorts: bool


def _bgr(color: str) -> np.ndarray:
    """Turn 'rrggbb' into float32 BGR."""
    return np.frombuffer(bytes.fromhex(color), dtype=np.uint8)[::-1].astype(np.float32)


def _darker(color: np.ndarray) -> np.ndarray:
    """The shade of the left side: half as bright and a little bluer."""
    return (color * np.float32(0.52) + np.array([26, 8, 4], dtype=np.float32)).astype(
        np.float32
    )


def _any_outfit(rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Random hues that keep the relation of bright shirt to muted trousers."""
    hue = rng.random(4)
    saturation = rng.uniform((0.5, 0.05, 0.2, 0.1), (0.85, 0.3, 0.45, 0.8))
    value = rng.uniform((0.78, 0.9, 0.5, 0.8), (0.95, 1.0, 0.65, 1.0))
    return tuple(
        np.array(colorsys.hsv_to_rgb(*c), dtype=np.float32)[::-1] * 255
        for c in zip(hue, saturation, value, strict=True)
    )


def sample_appearance(rng: np.random.Generator, variation: str) -> Appearance:
    """Dress a figure.

    Args:
        rng (np.random.Generator): Source of chance.
        variation (str): ``'same'``: all figures look alike; ``'outfits'``: one
            of twelve outfits with one of six skins, seven hair colours and
            four hairstyles; ``'any'``: any hues, patterns and cuts.

    Returns:
        Appearance: Colours and style.
    """
    if variation == 'same':
        rng = np.random.default_rng(0)
    outfit = int(rng.integers(len(_OUTFITS)))
    style = rng.integers(1 << 16, size=6)
    if variation == 'any':
        shirt, accent, trousers, shoes = _any_outfit(rng)
    else:
        shirt, accent, trousers, shoes = (_bgr(c) for c in _OUTFITS[outfit])
        # an outfit is always of the same make
        style[:4] = (outfit + 1, outfit % 3, outfit * 5 + 2, outfit * 7)
    return Appearance(
        skin=_bgr(_SKINS[style[4] % len(_SKINS)]),
        hair=_bgr(_HAIRS[style[5] % len(_HAIRS)]),
        shirt=shirt,
        accent=accent,
        left_sleeve=_darker(shirt),
        trousers=trousers,
        left_trouser=_darker(trousers),
        shoes=shoes,
        pattern=PATTERNS[style[0] % len(PATTERNS)],
        period=(0.052, 0.064, 0.078)[style[1] % 3],
        hairstyle=HAIRSTYLES[(style[4] + style[5]) // 7 % len(HAIRSTYLES)],
        short_sleeves=bool(style[2] % 3 == 0),
        shorts=bool(style[3] % 4 == 0),
    )
