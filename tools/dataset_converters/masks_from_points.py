# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Draw masks of objects around their annotated points, to measure shares on the object.

    python tools/dataset_converters/masks_from_points.py data/bees/bees_test.json \
        data/bees/images work_dirs/datasets/bees/masks

By GrabCut (Rother, Kolmogorov and Blake, SIGGRAPH 2004): links between points are of
the object, what lies far from all points is not, and colors decide in between. They
are a reference, no truth; look at them.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from mmkp.datasets.coco_check import (
    check_coco,
    landmark_category,
    landmark_edges,
    landmark_names,
)
from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_decoding import read_image
from mmkp.engine.cli import run_tool
from mmkp.labels import read_json

#: Room around the points, and width of links, as shares of the points' extent.
ROOM, LINK = 0.2, 0.02
ROUNDS = 5


def object_around(
    image: np.ndarray, points: np.ndarray, links: list[tuple[int, int]]
) -> np.ndarray:
    """Find the pixels of an object around its points.

    Args:
        image: (H, W, 3) uint8.
        points: (x, y) in pixels, (K, 2), NaN where unknown.
        links: Pairs of points that the object connects.

    Returns:
        True on the object, (H, W) bool.
    """
    known = points[np.isfinite(points).all(axis=1)]
    extent = float(np.ptp(known, axis=0).max())
    low, high = known.min(axis=0) - ROOM * extent, known.max(axis=0) + ROOM * extent
    size = np.array(image.shape[1::-1])
    (left, top), (right, bottom) = (
        edge.clip(0, size).round().astype(int) for edge in (low, high)
    )
    labels = np.full(image.shape[:2], cv2.GC_BGD, np.uint8)
    labels[top:bottom, left:right] = cv2.GC_PR_BGD
    hull = cv2.convexHull(known.round().astype(np.int32))
    cv2.fillConvexPoly(labels, hull, cv2.GC_PR_FGD)
    width = max(1, round(LINK * extent))
    for start, end in links:
        if np.isfinite(points[[start, end]]).all():
            line = points[[start, end]].round().astype(int).tolist()
            cv2.line(labels, *line, cv2.GC_FGD, width)
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(image, labels, None, *models, ROUNDS, cv2.GC_INIT_WITH_MASK)
    return np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))


def write_masks(annotations: Path, images: Path, folder: Path) -> int:
    """Write a mask for each annotated picture.

    Args:
        annotations: File in COCO's format.
        images: Folder that its file names are relative to.
        folder: Folder for the masks, ``<name of the image>.png``, 255 on the object.

    Returns:
        Number of masks.

    Raises:
        ValueError: If the file is not in COCO's format or names no keypoints.
    """
    content = check_coco(read_json(str(annotations)), str(annotations), str(images))
    category = landmark_category(content, str(annotations))
    names = landmark_names(category, str(annotations))
    links = landmark_edges(category, names, str(annotations))
    files = {image['id']: image['file_name'] for image in content['images']}
    number = 0
    for annotation in content['annotations']:
        points = np.array(annotation['keypoints'], float).reshape(-1, 3)
        places = np.where(points[:, 2:] > 0, points[:, :2], np.nan)
        if not np.isfinite(places).any():
            continue
        name = files[annotation['image_id']]
        mask = object_around(read_image(images / name), places, links)
        picture = np.repeat(mask[..., None], 3, axis=2).astype(np.uint8) * 255
        write_image(folder / f'{Path(name).stem}.png', picture)
        number += 1
    return number


def main(arguments: list[str] | None = None) -> None:
    """Run the command line tool."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('annotations', type=Path)
    parser.add_argument('images', type=Path)
    parser.add_argument('folder', type=Path)
    args = parser.parse_args(arguments)
    number = write_masks(args.annotations, args.images, args.folder)
    print(f'{number} masks -> {args.folder}')


if __name__ == '__main__':
    run_tool(main)
