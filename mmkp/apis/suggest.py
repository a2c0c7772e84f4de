# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which images to label or to correct next, and why."""

import csv
import html
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmkp.apis.batches import build_test_pipeline
from mmkp.apis.label_source import read_labels
from mmkp.apis.labeled_objects import image_sample
from mmkp.apis.media import Media
from mmkp.apis.run import Run
from mmkp.apis.run_folders import new_folder
from mmkp.apis.shipped_models import open_run
from mmkp.datasets.coco_writer import write_image
from mmkp.evaluation.functional.kernel_herding import herd
from mmkp.evaluation.functional.label_shapes import (
    align,
    directions_spread,
    mean_shape,
)
from mmkp.evaluation.score_keypoints import measure_keypoints
from mmkp.ops.turned_crop import TurnedCrop
from mmkp.visualization.canvas import enlarged, tiled, titled
from mmkp.visualization.model_pictures import keypoint_colors

# So many images of a source are looked at, evenly spread over it.
_MOST_IMAGES = 2000
_TILE = 192
_TURNS_ABOVE = 0.5
_COLUMNS = ('image', 'reason', 'stands_for', 'distance_percent', 'uncertainty_percent')


@dataclass(frozen=True)
class Suggestions:
    """Images to label next, the first one first.

    Args:
        path: of ``suggestions.csv``.
        rows: ``image``, ``reason``, ``stands_for`` (share of the images, in percent, of
            which it is the nearest), ``distance_percent`` (of keypoints to those of the
            nearest image that was chosen before) and ``uncertainty_percent`` (how far
            keypoints move when the image is warped a little), in percent of the side.
        sheet: picture of all of them.
    """

    path: Path
    rows: list[dict[str, Any]]
    sheet: Path

    def _repr_html_(self) -> str:
        cells = (
            '<tr>' + ''.join(f'<td>{html.escape(str(v))}</td>' for v in row.values())
            for row in self.rows
        )
        head = ''.join(f'<th>{name}</th>' for name in _COLUMNS)
        return f'<table><tr>{head}</tr>{"".join(cells)}</table>'


def suggest(
    run: str | Path | Run,
    source: str | Path,
    number: int = 20,
    labels: str | Path | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    device: str | None = None,
) -> Suggestions:
    """Choose images whose labels will be of most use.

    They stand for all images of the source, see
    :func:`mmkp.evaluation.functional.kernel_herding.herd`, by the shape that the
    discovered keypoints form; objects that turn in the plane are turned onto each other
    first.

    Args:
        run: of a discovery, or one whose keypoints are named.
        source: folder of images, or film.
        number: of images.
        labels: file of labels that there are already; their images are not suggested.
        out: folder of the result, see :func:`new_folder`.
        overwrite: whether to empty that folder.
        device: such as 'cpu'; by default a GPU where there is one.

    Returns:
        The suggestions; beside them lie ``suggestions.csv``, ``sheet.jpg`` and, of a
        film, the frames.

    Raises:
        FileNotFoundError: run or source do not exist.
        ValueError: ``number`` is below 1, or all images are labeled.
    """
    if number < 1:
        raise ValueError(f'number of suggestions must be at least 1, got {number}')
    run = open_run(run)
    media, pool = Media(source), _Pool()
    model = run.load_model(device)
    found = measure_keypoints(model, pool.samples(model, media))
    known = pool.labeled(labels, source)
    if len(known) == len(pool.names):
        raise ValueError(f"all {len(known)} images of '{source}' are labeled already")
    points = _comparable(found.keypoints, pool.scales)
    chosen = herd(points, number, known)
    uncertain = np.linalg.norm(found.returned - found.keypoints, axis=2).mean(1)
    rows = _rows(pool.names, points, chosen, known, 100 * uncertain)
    folder = new_folder('suggest', source, out, overwrite)
    Run.create(folder, 'suggest', source=str(source), run=str(run.path))
    _write_table(folder / 'suggestions.csv', rows)
    if media.film is not None:
        _write_frames(folder / 'frames', media, {row['image'] for row in rows})
    tiles = [pool.tile(int(i), found.keypoints[i], n) for n, i in enumerate(chosen, 1)]
    title = f'{len(rows)} of {len(pool.names)} images to label next'
    sheet = titled(tiled([tile[..., ::-1] for tile in tiles], 5), title)
    write_image(folder / 'sheet.jpg', np.ascontiguousarray(sheet[..., ::-1]))
    return Suggestions(folder / 'suggestions.csv', rows, folder / 'sheet.jpg')


class _Pool:
    """Images that may be suggested: names, crops and small pictures of them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.crops: list[TurnedCrop] = []
        self.pictures: list[tuple[np.ndarray, float]] = []

    def samples(self, model: Any, media: Media) -> Iterator[dict]:
        """What the network sees, of images evenly spread over the source."""
        pipeline = build_test_pipeline(model)
        every = max(1, -(-(media.length or 1) // _MOST_IMAGES))
        for index, (name, image) in enumerate(media):
            if index % every:
                continue
            height, width = image.shape[:2]
            sample = pipeline(image_sample(model, image, [0, 0, width, height]))
            self.names.append(name)
            self.crops.append(TurnedCrop.of_sample(sample['data_samples'].metainfo))
            small = enlarged(image, _TILE)
            picture = cv2.imencode('.jpg', small)[1]
            self.pictures.append((picture, small.shape[1] / width))
            yield sample

    @property
    def scales(self) -> np.ndarray:
        """Width and height of each input in pixels of its image, (n, 2)."""
        return np.stack([crop.scale for crop in self.crops])

    def labeled(self, labels: str | Path | None, source: str | Path) -> list[int]:
        """Which images are labeled already."""
        if labels is None:
            return []
        given = read_labels(labels, source)
        labeled = [
            given.image_names[index] for index in set(given.image_index.tolist())
        ]
        ends = {Path(name).name for name in labeled}
        stems = {Path(name).stem for name in labeled}  # frames of films
        return [
            index
            for index, name in enumerate(self.names)
            if Path(name).name in ends or name in stems
        ]

    def tile(self, index: int, shares: np.ndarray, place: int) -> np.ndarray:
        """A small picture of an image with its keypoints, BGR."""
        content, scale = self.pictures[index]
        picture = cv2.imdecode(content, cv2.IMREAD_COLOR)
        crop = self.crops[index]
        points = crop.to_image(shares - 0.5 / crop.size)
        colors = keypoint_colors(len(points))
        for point, color in zip(points, colors.tolist(), strict=True):
            center = np.round((point + 0.5) * scale - 0.5).astype(int).tolist()
            cv2.circle(picture, center, 3, color[::-1], -1, cv2.LINE_AA)
        cv2.putText(picture, str(place), (4, 18), 0, 0.6, (0, 0, 0), 3, cv2.LINE_AA)
        cv2.putText(picture, str(place), (4, 18), 0, 0.6, (255, 255, 255), 1, 16)
        return picture


def _comparable(keypoints: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Shapes (n, 2K), wherever they lie; those that turn are turned onto each other."""
    pixels = keypoints * scales[:, None]
    if keypoints.shape[1] > 2 and directions_spread(pixels) > _TURNS_ABOVE:
        return align(pixels, mean_shape(pixels)).reshape(len(pixels), -1)
    centered = keypoints - keypoints.mean(axis=1, keepdims=True)
    return centered.reshape(len(keypoints), -1)


def _rows(
    names: list[str],
    points: np.ndarray,
    chosen: np.ndarray,
    known: list[int],
    uncertain: np.ndarray,
) -> list[dict[str, Any]]:
    """Why each image was chosen, in words and numbers."""
    side = np.sqrt(points.shape[1] / 2)
    every = np.concatenate([np.array(known, np.int64), chosen])
    distances = np.linalg.norm(points[:, None] - points[every], axis=2) / side
    shares = np.bincount(distances.argmin(1), minlength=len(every)) / len(points)
    rows = []
    for place, index in enumerate(chosen, len(known)):
        before = distances[index, :place]
        nearest = float(before.min()) if place else None
        rank = float((uncertain < uncertain[index]).mean())
        rows.append(
            dict(
                image=names[index],
                reason=_reason(place, shares[place], rank),
                stands_for=round(100 * float(shares[place]), 2),
                distance_percent=None if nearest is None else round(100 * nearest, 2),
                uncertainty_percent=round(float(uncertain[index]), 2),
            )
        )
    return rows


def _reason(place: int, share: float, rank: float) -> str:
    """One sentence."""
    words = [f'stands for {100 * share:.0f} % of the images']
    words.append('the most usual shape' if place == 0 else 'unlike those before')
    if rank > 0.9:
        words.append('and the model is unsure: its keypoints move when it is warped')
    return ', '.join(words)


def _write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    with path.open('w', encoding='utf-8', newline='') as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _write_frames(folder: Path, media: Media, wanted: set[str]) -> None:
    for name, image in media:
        if name in wanted:
            write_image(folder / f'{name}.png', image)
