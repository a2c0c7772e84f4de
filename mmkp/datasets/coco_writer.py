# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Write COCO-style annotation files and images, whole or not at all."""

import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that an interruption leaves the old one or none.

    Args:
        path: File to write; its folder is made.
        content: What to write.

    Raises:
        IsADirectoryError: If there is a folder of that name.
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(f'{path} is a folder: give the name of a file')
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix='.partial_')
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(content)
        # mkstemp makes files that only their owner may read.
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    except BaseException:
        os.unlink(partial)
        raise


def write_image(path: str | Path, image: np.ndarray, quality: int = 95) -> None:
    """Encode and write an image, whole or not at all.

    Args:
        path: File to write; its suffix sets the format.
        image: BGR or grey image (H, W[, 3]), uint8.
        quality: Quality of a JPEG, 0 to 100.

    Raises:
        ValueError: If the image cannot be encoded.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    try:
        done, content = cv2.imencode(Path(path).suffix, image, options)
    except cv2.error:  # it knows no such suffix
        done = False
    if not done:
        raise ValueError(f'cannot encode {path}: its name has to end in .png or .jpg')
    write_atomically(path, content.tobytes())


def copy_file(source: str | Path, target: str | Path) -> None:
    """Copy a file, whole or not at all; nothing happens if both are the same file.

    Args:
        source: File to read.
        target: File to write; its folder is made.

    Raises:
        FileNotFoundError: If the source does not exist.
    """
    source, target = Path(source), Path(target)
    if not source.is_file():
        raise FileNotFoundError(f'{source} does not exist')
    if not target.exists() or not target.samefile(source):
        write_atomically(target, source.read_bytes())


def points_box(points: np.ndarray, padding: float) -> list[float]:
    """Return the box of some points, enlarged; it may reach beyond the image.

    Args:
        points: Points (M, 2), float, pixels; those that are NaN do not count.
        padding: Factor of both sides of the box.

    Returns:
        ``x, y, w, h`` in pixels.
    """
    low, high = np.nanmin(points, 0), np.nanmax(points, 0)
    # One point alone would have a box without a side.
    sides = np.maximum(high - low, 1) * padding
    return [*((low + high - sides) / 2).tolist(), *sides.tolist()]


class CocoWriter:
    """Collect landmarks of images and write them as a COCO-style file.

    Args:
        dataset_name: Name of the data set, kept in ``info``.
        landmarks: Names of the K landmarks.
        skeleton: Index pairs (E, 2), counted from 0, of the links to draw.
        category: Name of what the landmarks are on.
    """

    def __init__(
        self,
        dataset_name: str,
        landmarks: Sequence[str],
        skeleton: Sequence[Sequence[int]] = (),
        category: str = 'object',
    ) -> None:
        self.content: dict = dict(
            info=dict(dataset_name=dataset_name),
            images=[],
            annotations=[],
            categories=[
                dict(
                    id=1,
                    name=category,
                    keypoints=list(landmarks),
                    skeleton=[[a + 1, b + 1] for a, b in skeleton],
                )
            ],
        )
        self._images: dict[str, dict] = {}

    def __len__(self) -> int:
        return len(self.content['annotations'])

    def add(
        self,
        file_name: str,
        image_size: tuple[int, int],
        points: np.ndarray,
        visible: np.ndarray | None = None,
        bbox: Sequence[float] | None = None,
        **fields: object,
    ) -> None:
        """Add one annotated object, and its image unless that is there already.

        Args:
            file_name: Name of the image below the image folder.
            image_size: Width and height in pixels.
            points: Landmarks (K, 2), float, image pixels.
            visible: Which landmarks are annotated (K,), bool; ``None``: all.
            bbox: ``x, y, w, h`` in image pixels; ``None``: the whole image.
            **fields: Further entries of the annotation.

        Raises:
            ValueError: If the number of points is not that of the landmarks, the box
                is none, or the image was of another size before.
        """
        expected = len(self.content['categories'][0]['keypoints'])
        points = np.asarray(points, np.float64)
        if points.shape != (expected, 2):
            raise ValueError(
                f'{file_name}: expected {expected} points (x, y), got {points.shape}'
            )
        shown = (
            np.ones(expected, bool) if visible is None else np.asarray(visible, bool)
        )
        shown = shown & np.isfinite(points).all(axis=1)
        triplets = np.zeros((expected, 3))
        triplets[shown, :2] = points[shown].round(3)
        triplets[shown, 2] = 2
        width, height = (int(n) for n in image_size)
        box = [0, 0, width, height] if bbox is None else [float(n) for n in bbox]
        if not np.isfinite(box).all() or min(box[2:]) <= 0:
            raise ValueError(f'{file_name}: {box} is no box x, y, w, h')
        self.content['annotations'].append(
            dict(
                id=len(self) + 1,
                image_id=self._image_id(file_name, width, height),
                category_id=1,
                bbox=box,
                area=box[2] * box[3],
                iscrowd=0,
                num_keypoints=int(shown.sum()),
                keypoints=triplets.flatten().tolist(),
                **fields,
            )
        )

    def _image_id(self, file_name: str, width: int, height: int) -> int:
        """Return the id of an image, which is added if it is new."""
        image = dict(
            id=len(self._images) + 1, file_name=file_name, width=width, height=height
        )
        known = self._images.setdefault(file_name, image)
        if known is image:
            self.content['images'].append(image)
        elif (known['width'], known['height']) != (width, height):
            raise ValueError(
                f'{file_name} is {width} x {height} pixels, but was '
                f'{known["width"]} x {known["height"]} before'
            )
        return known['id']

    def write(self, path: str | Path) -> None:
        """Write the file.

        Args:
            path: File to write; its folder is made.

        Raises:
            ValueError: If nothing has been added.
        """
        if not len(self):
            raise ValueError(f'no image to write into {path}')
        write_atomically(path, json.dumps(self.content).encode())
