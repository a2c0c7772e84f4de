# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Give each object a column of its own, for tables of a row an image."""

from .label_set import LabelSet


def individual_columns(labels: LabelSet) -> tuple[list[str], list[int]]:
    """Choose the columns of objects.

    Args:
        labels: Of N objects.

    Returns:
        Names of A columns, one that is ``''`` where no image has two objects and
        none has a name; and of each object its column. Objects without a name, or of
        one that their image has already, get ``individual1`` and so on.
    """
    indices = labels.image_index.tolist()
    if len(set(indices)) == len(indices) and not any(labels.individuals):
        return [''], [0] * len(indices)
    taken: dict[int, set[str]] = {}
    names = []
    for index, name in zip(indices, labels.individuals, strict=True):
        names.append(name if name not in taken.setdefault(index, set()) else '')
        taken[index].add(names[-1])
    for place, (index, name) in enumerate(zip(indices, names, strict=True)):
        number = 0
        while not name:
            number += 1
            free = f'individual{number}'
            if free not in taken[index]:
                name = names[place] = free
                taken[index].add(free)
    columns = list(dict.fromkeys(names))
    return columns, [columns.index(name) for name in names]
