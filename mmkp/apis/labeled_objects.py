# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Labels beside the keypoints that a model discovers in the same crops."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmpose.structures import PoseDataSample

from mmkp.apis.batches import build_test_pipeline, predict_stream
from mmkp.apis.media import Media
from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_decoding import read_image
from mmkp.evaluation.functional.label_shapes import exchange
from mmkp.labels import LabelSet
from mmkp.ops.turned_crop import TurnedCrop


@dataclass(frozen=True)
class LabeledObjects:
    """Labels and discovered keypoints of n objects, as shares of the network's input.

    Args:
        discovered: (n, c, K, 2), in the image and, where left and right are known, its
            mirror image.
        labels: (n, c, L, 2), likewise, NaN where missing.
        crops: where each network input lies in its image.
    """

    discovered: np.ndarray
    labels: np.ndarray
    crops: list[TurnedCrop]

    @property
    def scales(self) -> np.ndarray:
        """Width and height of each network input in pixels of its image, (n, 2)."""
        return np.stack([crop.scale for crop in self.crops])

    def in_pixels(self, shares: np.ndarray) -> np.ndarray:
        """Image pixels of places (n, L, 2) in shares of each input."""
        pairs = zip(self.crops, shares, strict=True)
        return np.stack([crop.to_image(places) for crop, places in pairs])


def labeled_objects(
    model: Any, labels: LabelSet, boxes: np.ndarray, batch_size: int = 16
) -> LabeledObjects:
    """Look at each labeled object as it is and, where sides are known, mirrored.

    Args:
        model: of :class:`mmkp.models.unsupervised.UnsupervisedPoseEstimator`, from
            :func:`mmkp.apis.load_model`, without a regressor.
        labels: N objects; their images are files, see :func:`with_image_files`.
        boxes: (N, 4) float, ``x1, y1, x2, y2``, what the model sees of each; NaN for
            the whole image.
        batch_size: number of crops that the network sees at once.

    Returns:
        The N objects.

    Raises:
        FileNotFoundError: an image does not exist.
        CorruptImageError: an image cannot be decoded.
    """
    pipeline = build_test_pipeline(model)
    copies = 2 if labels.swaps else 1
    truths = []

    def samples() -> Iterator[dict]:
        for index, image in _images(labels):
            for number in labels.of_image(index):
                views = _views(image, labels, number, boxes[number])
                for shown, points, box in views[:copies]:
                    truths.append(points)
                    yield pipeline(image_sample(model, shown, box))

    order = np.concatenate([labels.of_image(i) for i in range(len(labels.image_names))])
    found = list(predict_stream(model, samples(), batch_size))
    back = np.argsort(order.astype(int))
    points, named, crops = _in_input(found, truths)
    rows = copies * back[:, None] + np.arange(copies)
    first = [crops[row] for row in rows[:, 0]]
    return LabeledObjects(np.array(points)[rows], np.array(named)[rows], first)


def image_sample(
    model: Any, image: np.ndarray, box: Sequence[float] | np.ndarray
) -> dict:
    """What a test pipeline begins with.

    Args:
        model: with ``dataset_meta``.
        image: (H, W, 3) uint8, BGR.
        box: ``x1, y1, x2, y2`` in its pixels.
    """
    return dict(
        model.dataset_meta,
        img=image,
        img_path='',
        bbox=np.asarray(box, np.float32)[None],
        bbox_score=np.ones(1, np.float32),
    )


def _views(
    image: np.ndarray, labels: LabelSet, number: int, box: np.ndarray
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """An image and its mirror image, each with the labels and the box of an object."""
    height, width = image.shape[:2]
    points = labels.keypoints[number]
    box = np.where(np.isfinite(box), box, [0, 0, width, height])
    mirrored = exchange(np.array([width - 1, 0]) + points * [-1, 1], labels.swaps)
    opposite = np.array([width - box[2], box[1], width - box[0], box[3]])
    return [(image, points, box), (cv2.flip(image, 1), mirrored, opposite)]


def _in_input(
    found: Sequence[PoseDataSample], truths: Sequence[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray], list[TurnedCrop]]:
    """Predictions and labels as shares of the network's input."""
    crops = [TurnedCrop.of_sample(sample.metainfo) for sample in found]
    discovered = [
        crop.from_image(sample.pred_instances.keypoints[0])
        for crop, sample in zip(crops, found, strict=True)
    ]
    pairs = zip(crops, truths, strict=True)
    return discovered, [crop.from_image(points) for crop, points in pairs], crops


def _images(labels: LabelSet) -> Iterator[tuple[int, np.ndarray]]:
    """Images that have an object, by their number."""
    for index, name in enumerate(labels.image_names):
        if len(labels.of_image(index)):
            yield index, read_image(labels.root / name)


def with_image_files(labels: LabelSet, folder: Path) -> LabelSet:
    """Labels of a film's frames as labels of images, which are written.

    Args:
        labels: of images or of a film.
        folder: gets ``frames/``, where there is a film.

    Returns:
        Labels whose images are files; those of images are returned as they are.

    Raises:
        ValueError: the film has no frame of a name.
    """
    if labels.film is None:
        return labels
    frames, wanted = folder / 'frames', set(labels.image_names)
    for name, image in Media(labels.film):
        if name in wanted:
            write_image(frames / f'{name}.png', image)
            wanted.remove(name)
            if not wanted:
                break
    if wanted:
        raise ValueError(f"film '{labels.film}' has no frame {min(wanted)!r}")
    names = [f'{name}.png' for name in labels.image_names]
    return replace(labels, image_names=names, root=frames, film=None)
