# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a file format of labels is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..label_set import LabelSet
from .source import Source


@dataclass(frozen=True)
class Format:
    """A format of label files.

    Attributes:
        name: As ``-f`` takes it.
        title: What people call it.
        suffixes: Of its files; none of a folder.
        recognize: Whether a file is of it, by its content.
        read: Reads a file, None where it is only written.
        write: Writes labels to a path where nothing is, None where it is only read.
        keeps: Which of ``mmkp.labels.losses.ASPECTS`` it holds.
        is_folder: Whether it is a folder.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    recognize: Callable[[Source], bool]
    read: Callable[[Source], LabelSet] | None
    write: Callable[[LabelSet, Path], None] | None
    keeps: frozenset[str] = frozenset()
    is_folder: bool = False


def keeping(words: str) -> frozenset[str]:
    """Return the aspects that a format keeps.

    Args:
        words: Their names, with blanks between them.
    """
    return frozenset(words.split())
