# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Labels from whichever file holds them, ready to be fitted."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmkp import labels as label_files
from mmkp.datasets.image_size import image_size
from mmkp.datasets.sides import flip_partners
from mmkp.labels import LabelSet, find_image


def read_labels(path: str | Path, source: str | Path | None = None) -> LabelSet:
    """Read labels of any format that is known, and find their images.

    Args:
        path: of the file.
        source: folder in which the images may be.

    Returns:
        The labels; left and right are found by names where the file does not tell.

    Raises:
        FileNotFoundError: the file does not exist, or its images are in none of the
            folders that were looked into.
        ValueError: it has no labels.
    """
    labels = label_files.read_labels(path)
    if not len(labels):
        raise ValueError(f"'{path}' holds no labeled object")
    swaps = labels.swaps or pairs_by_name(labels.keypoint_names)
    if labels.film is not None:
        return replace(labels, swaps=swaps)
    first = labels.image_names[int(labels.image_index[0])]
    folders = [Path(source)] if source else []
    for root in (labels.root, labels.root.parent):
        folders += [root, root / 'images']
    for folder in folders:
        if (folder / first).is_file():
            return replace(labels, swaps=swaps, root=folder)
        if find_image(folder, first):
            names = [find_image(folder, name) or name for name in labels.image_names]
            return replace(labels, swaps=swaps, root=folder, image_names=names)
    looked = ', '.join(str(folder) for folder in folders)
    raise FileNotFoundError(
        f"image {first!r} of '{path}' is in none of {looked}: put the file beside them"
    )


def pairs_by_name(names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of left and right that names tell.

    Args:
        names: of the keypoints.
    """
    partners = flip_partners(names)
    pairs = (
        (i, names.index(partners[n])) for i, n in enumerate(names) if n in partners
    )
    return [(i, j) for i, j in pairs if i < j]


def chosen_labels(
    labels: LabelSet,
    names: Sequence[str] | None = None,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> LabelSet:
    """Take some keypoints, in an order, and say which are left and right.

    Args:
        labels: with all.
        names: of those to take; None for all.
        pairs: names of left and right; None for those that are known.

    Returns:
        The labels.

    Raises:
        ValueError: there is no keypoint of a name, or a pair joins one to itself.
    """
    wanted = [*(names or ()), *(name for pair in pairs or () for name in pair)]
    for name in wanted:
        if name not in labels.keypoint_names:
            raise ValueError(
                f'there is no keypoint {name!r} in the labels, which have '
                f'{", ".join(labels.keypoint_names)}'
            )
    if names is not None:
        indices = [labels.keypoint_names.index(name) for name in names]
        if len(set(indices)) < len(indices):
            raise ValueError(f'names repeat: {", ".join(names)}')
        places = {index: place for place, index in enumerate(indices)}

        def kept(links: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
            inside = (pair for pair in links if {*pair} <= set(places))
            return [(places[a], places[b]) for a, b in inside]

        scores = None if labels.scores is None else labels.scores[:, indices]
        labels = replace(
            labels,
            keypoint_names=list(names),
            keypoints=labels.keypoints[:, indices],
            visibility=labels.visibility[:, indices],
            scores=scores,
            links=kept(labels.links),
            swaps=kept(labels.swaps),
        )
    if pairs is not None:
        find = labels.keypoint_names.index
        labels = replace(labels, swaps=[(find(a), find(b)) for a, b in pairs])
        used = [index for pair in labels.swaps for index in pair]
        if len(set(used)) < len(used):
            raise ValueError(f'a keypoint is twice in the pairs {list(pairs)}')
    return labels


def write_coco(labels: LabelSet, boxes: np.ndarray, path: Path) -> Path:
    """Write labels as the COCO file by which the model is tested.

    Args:
        labels: with the images' sizes, or files that tell them.
        boxes: (N, 4) float, ``x1, y1, x2, y2``; NaN for the whole image.
        path: of the file.

    Returns:
        The path.
    """
    sizes = labels.image_sizes.copy()
    for index, name in enumerate(labels.image_names):
        if not sizes[index].all():
            sizes[index] = image_size(str(labels.root / name))
    whole = np.concatenate([np.zeros_like(sizes), sizes], axis=1)[labels.image_index]
    filled = np.where(np.isfinite(boxes), boxes, whole)
    labels = replace(labels, image_sizes=sizes, boxes=filled, scores=None)
    label_files.write_labels(labels, path, 'coco', overwrite=True)
    return path
