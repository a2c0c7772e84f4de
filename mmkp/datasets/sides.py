# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Left and right in the names of keypoints, as people and tools write them."""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from mmengine.logging import print_log

# Words of a name that are a side. Single letters come last: the plainest reading wins.
_WORDS = (
    ('left', 'right'),
    ('sinister', 'dexter'),
    ('sinistra', 'dextra'),
    ('links', 'rechts'),
    ('gauche', 'droite'),
    ('gauche', 'droit'),
    ('izquierda', 'derecha'),
    ('izquierdo', 'derecho'),
    ('esquerda', 'direita'),
    ('sinistro', 'destro'),
    ('izq', 'der'),
    ('lft', 'rgt'),
    ('lft', 'rt'),
    ('lt', 'rt'),
    ('lhs', 'rhs'),
    ('lh', 'rh'),
    ('l', 'r'),
)
_OTHER: dict[str, tuple[str, ...]] = {}
for _left, _right in _WORDS:
    _OTHER[_left] = (*_OTHER.get(_left, ()), _right)
    _OTHER[_right] = (*_OTHER.get(_right, ()), _left)
# Beginnings and ends of words that are a side.
_PARTS = (('left', 'right'), ('лев', 'прав'), ('左', '右'))
# A name with one of these is sided, whatever else it holds.
_PLAIN = frozenset(word for pair in _WORDS[:10] for word in pair)
_WORD = re.compile(r'[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+')


def flip_partners(names: Sequence[str]) -> dict[str, str]:
    """Find the pairs of keypoints that a mirrored image exchanges.

    Two names are a pair if they are the same but for the side: ``left_eye``,
    ``eye_left``, ``Left eye``, ``L-eye``, ``EyeL``, ``leftEye``, ``lefteye``,
    ``leg_l1``, ``lwrist``, ``FL`` and their like, in any mixture of cases and of the
    characters between words. Each name has one partner at most.

    Args:
        names: Of the keypoints.

    Returns:
        Name -> name of the other side, both ways; names in the middle are absent.
    """
    partners: dict[str, str] = {}
    for reading, order in (
        (_swapped_words, tuple),
        (_swapped_parts, tuple),
        (_swapped_letters, tuple),
        (_swapped_words, sorted),  # eye_left and right_eye
    ):
        rest = [name for name in names if name not in partners]
        by_words: dict[tuple[str, ...], list[str]] = {}
        for name in rest:
            by_words.setdefault(tuple(order(_words(name))), []).append(name)
        options = {
            name: list(
                dict.fromkeys(
                    other
                    for words in reading(_words(name))
                    for other in by_words.get(tuple(order(words)), ())
                    if other != name
                )
            )
            for name in rest
        }
        for name, others in options.items():
            # Where a name could be read twice, the first reading that is mutual.
            mutual = [o for o in others if name in options[o] and o not in partners]
            if mutual and name not in partners:
                partners[name], partners[mutual[0]] = mutual[0], name
    return partners


def unpaired_sides(names: Sequence[str], partners: Mapping[str, str]) -> list[str]:
    """Find names that look like a side of something, but have no partner.

    Args:
        names: Of the keypoints.
        partners: Name -> partner, as :func:`flip_partners` returns it.

    Returns:
        The names.
    """
    return [
        name for name in names if not partners.get(name) and _looks_sided(_words(name))
    ]


def _looks_sided(words: tuple[str, ...]) -> bool:
    parts = tuple(part for pair in _PARTS for part in pair)
    if any(word in _PLAIN or word.startswith(parts) for word in words):
        return True
    # L1 alone may be a vertebra.
    return {'l', 'r'} & set(words) != set() and sum(map(str.isalpha, words)) > 1


def warn_of_unpaired_sides(
    names: Sequence[str], partners: Mapping[str, str], where: str
) -> None:
    """Warn of names that look sided but stay in place when an image is mirrored.

    Args:
        names: Of the keypoints.
        partners: Name -> partner.
        where: Name of the data set, or the file.
    """
    alone = unpaired_sides(names, partners)
    if alone:
        print_log(
            f'{where}: the keypoints {", ".join(alone[:6])}'
            f'{" and others" if len(alone) > 6 else ""} look like sides but have no '
            'partner: mirrored images (RandomFlip, flip_test) do not swap them; name '
            "pairs alike, or give each keypoint its 'swap' in the metainfo",
            logger='current',
            level=logging.WARNING,
        )


def complete_swaps(keypoint_info: Mapping) -> dict:
    """Give keypoints of a metainfo that do not say their ``swap`` the one of the name.

    Args:
        keypoint_info: As in MMPose's metainfo; an explicit ``swap``, also an empty
            one, stays.

    Returns:
        A copy with ``swap`` in each entry.
    """
    info = {key: dict(value) for key, value in keypoint_info.items()}
    names = [str(entry.get('name')) for entry in info.values()]
    partners = flip_partners(names)
    silent = {str(e.get('name')) for e in info.values() if e.get('swap') is None}
    for entry in info.values():
        name = str(entry.get('name'))
        if name in silent:
            other = partners.get(name, '')
            entry['swap'] = other if other in silent else ''
    # A partner that is named on one side only is meant on both.
    by_name = {str(entry.get('name')): entry for entry in info.values()}
    for entry in info.values():
        partner = by_name.get(entry['swap'])
        if partner and str(partner['name']) in silent and not partner['swap']:
            partner['swap'] = entry['name']
    return info


def complete_metainfo(metainfo: dict) -> dict:
    """Complete the sides of a metainfo, and warn of those that have no partner.

    Args:
        metainfo: In MMPose's format; one that names a file is returned as it is.

    Returns:
        A copy in which each keypoint has its ``swap``.
    """
    info = metainfo.get('keypoint_info')
    if not isinstance(info, Mapping):
        return metainfo
    completed = complete_swaps(info)
    swaps = {str(e.get('name')): str(e['swap']) for e in completed.values()}
    if any(entry.get('swap') is None for entry in info.values()) or not any(
        swaps.values()
    ):
        name = metainfo.get('dataset_name', 'the metainfo')
        warn_of_unpaired_sides(list(swaps), swaps, str(name))
    return dict(metainfo, keypoint_info=completed)


def _words(name: str) -> tuple[str, ...]:
    """Words and numbers of a name, in small letters."""
    return tuple(word.lower() for word in _WORD.findall(name))


def _swapped_words(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Readings with all words that are sides exchanged, then with one of them."""
    places = [i for i, word in enumerate(words) if word in _OTHER]
    if not places:
        return
    for others in product(*(_OTHER[words[i]] for i in places)):
        yield _with(words, zip(places, others, strict=True))
    for place in places:
        for other in _OTHER[words[place]]:
            yield _with(words, [(place, other)])


def _swapped_parts(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Readings with a word that begins or ends with left or right."""
    for place, word in enumerate(words):
        for side, other in (*_PARTS, *(pair[::-1] for pair in _PARTS)):
            if word.startswith(side):
                yield _with(words, [(place, other + word.removeprefix(side))])
            if word.endswith(side):
                yield _with(words, [(place, word.removesuffix(side) + other)])


def _swapped_letters(words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Readings with a word whose first or last letter is l or r."""
    if any(word.startswith(('left', 'right')) for word in words):
        return
    for place, word in enumerate(words):
        for old, new in (('l', 'r'), ('r', 'l')):
            if word.startswith(old) and len(word) > 1:
                yield _with(words, [(place, new + word[1:])])
            if word.endswith(old) and len(word) > 1:
                yield _with(words, [(place, word[:-1] + new)])


def _with(
    words: tuple[str, ...], changes: Iterable[tuple[int, str]]
) -> tuple[str, ...]:
    changed = list(words)
    for place, word in changes:
        changed[place] = word
    return tuple(changed)


def pairs_of_partners(partners: Sequence[int]) -> list[list[int]]:
    """Each pair of keypoints that a mirrored image exchanges, once.

    Args:
        partners: Of each keypoint the one on the other side, or itself
            (``flip_indices``).
    """
    return [[i, int(j)] for i, j in enumerate(partners) if i < j]
