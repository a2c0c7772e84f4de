# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Tables of DeepLabCut and of Lightning Pose, csv."""

import csv
import dataclasses
import io
import math
from pathlib import Path

from ..deeplabcut import is_deeplabcut, read_animals
from ..label_set import LabelSet
from ..losses import best_of_image
from ..selection import select_objects
from ..table_numbers import NumberReader
from .animal_tables import labels_of, table_header, table_numbers, table_of
from .source import Source


def recognize(source: Source) -> bool:
    """Tell whether a text file has DeepLabCut's header rows.

    Args:
        source: What lies at a path.
    """
    firsts = [line[:12].lower() for line in source.head.split(b'\n')[:4]]
    known = (b'scorer', b'individuals', b'bodyparts')
    if not any(f.lstrip(b'"').startswith(known) for f in firsts):
        return False
    return is_deeplabcut(source.table)


def read(source: Source) -> LabelSet:
    """Read a table of one or several animals, of images or of a film's frames.

    Args:
        source: The file.

    Returns:
        The labels.

    Raises:
        ValueError: If it is no such table; the message names line and value.
    """
    table = source.table
    if not is_deeplabcut(table):
        raise ValueError(
            f'{source.path} is no table of DeepLabCut: its first rows are not scorer, '
            'individuals (of several animals), bodyparts, coords'
        )
    numbers = NumberReader(table)
    found = read_animals(table, numbers)
    numbers.tell()
    return labels_of(found, source.path)


def write(labels: LabelSet, path: Path) -> None:
    """Write a table, numbers with all their digits.

    Args:
        labels: To be written.
        path: File.
    """
    found = table_of(labels, path)
    text = io.StringIO()
    rows = csv.writer(text, lineterminator='\n')
    for level, cells in table_header(found):
        rows.writerow([level, *cells])
    for name, numbers in zip(found.names, table_numbers(found).tolist(), strict=True):
        rows.writerow([name, *('' if math.isnan(n) else repr(n) for n in numbers)])
    path.write_text(text.getvalue(), encoding='utf-8')


def write_lightning_pose(labels: LabelSet, path: Path) -> None:
    """Write a table as Lightning Pose reads it: three header rows, one animal.

    Args:
        labels: To be written; of images with several objects the best is.
        path: File.
    """
    one = select_objects(labels, best_of_image(labels))
    write(dataclasses.replace(one, individuals=[''] * len(one)), path)
