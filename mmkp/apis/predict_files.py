# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From an image, a folder or a video to pictures and a file of keypoints."""

import json
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mmkp.apis.discover import discover
from mmkp.apis.media import Media, PictureWriter
from mmkp.datasets.image_boxes import read_boxes
from mmkp.visualization.canvas import enlarged, rescaled, size_of
from mmkp.visualization.discovery_grid import edge_weight_matrix
from mmkp.visualization.keypoints import draw_edges, draw_keypoints
from mmkp.visualization.model_pictures import keypoint_colours, learned_edges

SMALLEST_PICTURE = 384


def predict_files(
    model: Any,
    source: str | Path,
    out_dir: str | Path,
    boxes_file: str | Path | None = None,
    show_edges: bool = False,
    numbers: bool = False,
    min_score: float = 0.0,
    batch_size: int = 16,
    draw: bool = True,
) -> Path:
    """Predict, draw, and write down keypoints.

    Args:
        model: from :func:`mmkp.apis.load_model`.
        source: image, folder of images (with its sub-folders), or video.
        out_dir: gets ``pictures/`` (for a video one mp4 file) and ``keypoints.json``.
        boxes_file: json file of boxes by image name, see
            :func:`mmkp.datasets.image_boxes.read_boxes`; frames of a video are called
            ``<video>_000000`` and so on. Images without boxes are skipped. None
            takes whole images.
        show_edges: draw the learned edges, the brighter the larger their weight, and
            ``edge_weights.png``, the matrix of the weights.
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn.
        batch_size: number of images that the network sees at once.
        draw: whether to write pictures at all.

    Returns:
        Path of the file of keypoints. Coordinates are pixels of the image, with
        pixel centres at integers.

    Raises:
        FileNotFoundError: source or boxes do not exist.
        ValueError: the source is no image or video; no image has a box.
    """
    media = Media(source)
    boxes = read_boxes(str(boxes_file))[0] if boxes_file else None
    colours = keypoint_colours(
        len(model.dataset_meta['keypoint_colors']), model.dataset_meta
    )
    edges, weights = learned_edges(model) if show_edges else (None, None)
    if show_edges and edges is None:
        raise ValueError(f'{type(model).__name__} learns no edges to show')
    out_dir = Path(out_dir)
    records = []
    with PictureWriter(out_dir / 'pictures', media) as writer:
        items: Iterable[tuple[str, np.ndarray]] = media
        if boxes is not None:
            items = (item for item in media if len(boxes.get(item[0], ())) > 0)
        progress = _Progress(media)
        for chunk in _chunks(items, batch_size):
            names, images = zip(*chunk, strict=True)
            places = None if boxes is None else [boxes[name] for name in names]
            found = discover(model, images, places, batch_size)
            for name, image, instances in zip(names, images, found, strict=True):
                records.append(_record(name, image, instances))
                if draw:
                    picture = draw_predictions(
                        image,
                        instances,
                        colours,
                        edges,
                        weights,
                        numbers,
                        min_score,
                        boxes is not None,
                    )
                    writer.write(name, picture)
            progress.add(len(chunk))
        progress.finish()
    if not records:
        raise ValueError(f"no image of '{source}' has a box in '{boxes_file}'")
    content = {
        'source': str(source),
        'num_keypoints': len(colours),
        'edges': _edge_list(*learned_edges(model)),
        'damaged_images': media.damaged,
        'images': records,
    }
    if edges is not None and weights is not None:
        matrix = edge_weight_matrix(edges, weights, colours, 'learned edge weights')
        cv2.imwrite(str(out_dir / 'edge_weights.png'), matrix[..., ::-1])
    path = out_dir / 'keypoints.json'
    path.write_text(json.dumps(content))
    return path


def draw_predictions(
    image: np.ndarray,
    instances: dict[str, np.ndarray],
    colours: np.ndarray,
    edges: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    numbers: bool = False,
    min_score: float = 0.0,
    show_boxes: bool = False,
) -> np.ndarray:
    """Draw all instances of an image; small images are enlarged first.

    Args:
        image: (H, W, 3), uint8, BGR.
        instances: one item of what :func:`discover` returns.
        colours: RGB of each keypoint, 0 to 255, shape (K, 3).
        edges: pairs of keypoints to draw, shape (E, 2), int.
        weights: of the edges, shape (E,).
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn.
        show_boxes: draw the boxes too.

    Returns:
        Picture (h, w, 3), uint8, BGR.
    """
    height, width = image.shape[:2]
    picture = image[..., ::-1]
    if max(height, width) < SMALLEST_PICTURE:
        picture = enlarged(np.ascontiguousarray(picture), SMALLEST_PICTURE)
    size = size_of(picture)
    for index, keypoints in enumerate(instances['keypoints']):
        points = rescaled(keypoints, (width, height), size)
        scores = instances['keypoint_scores'][index]
        if show_boxes:
            corners = rescaled(
                instances['bboxes'][index].reshape(2, 2), (width, height), size
            )
            first, last = (tuple(int(v) for v in corner) for corner in corners.round())
            picture = cv2.rectangle(
                np.ascontiguousarray(picture), first, last, (255, 255, 255), 1
            )
        if edges is not None:
            seen = np.where(scores[:, None] >= min_score, points, np.nan)
            picture = draw_edges(picture, seen, edges, weights)
        picture = draw_keypoints(
            picture, points, colours, None, scores, min_score, numbers
        )
    return np.ascontiguousarray(picture[..., ::-1])


def _record(name: str, image: np.ndarray, instances: dict[str, np.ndarray]) -> dict:
    height, width = image.shape[:2]
    return {
        'image': name,
        'width': width,
        'height': height,
        'instances': [
            {
                'keypoints': np.round(points, 3).tolist(),
                'keypoint_scores': np.round(scores, 4).tolist(),
                'bbox': np.round(box, 3).tolist(),
                'bbox_score': round(float(score), 4),
            }
            for points, scores, box, score in zip(
                instances['keypoints'].astype(float),
                instances['keypoint_scores'].astype(float),
                instances['bboxes'].astype(float),
                instances['bbox_scores'],
                strict=True,
            )
        ],
    }


def _edge_list(edges: np.ndarray | None, weights: np.ndarray | None) -> list[dict]:
    if edges is None or weights is None:
        return []
    return [
        {'keypoints': pair, 'weight': round(weight, 6)}
        for pair, weight in zip(edges.tolist(), weights.tolist(), strict=True)
    ]


def _chunks(items: Iterable, size: int) -> Iterator[list]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


class _Progress:
    """Tells on the standard error stream how far it is, and how fast."""

    def __init__(self, media: Media) -> None:
        self.unit = 'frames' if media.is_video else 'images'
        self.total = f'/{media.length}' if media.length else ''
        self.is_terminal = sys.stderr.isatty()
        self.start, self.told, self.number = time.monotonic(), 0.0, 0

    def add(self, number: int) -> None:
        """So many more are done."""
        self.number += number
        elapsed = time.monotonic() - self.start
        if elapsed - self.told > (0.2 if self.is_terminal else 10.0):
            self.told = elapsed
            rate = f'{self.number / elapsed:.1f} a second'
            line = f'{self.number}{self.total} {self.unit}, {rate}  '
            print(line, end='\r' if self.is_terminal else '\n', file=sys.stderr)

    def finish(self) -> None:
        """All are done."""
        elapsed = max(time.monotonic() - self.start, 1e-9)
        rate = f'{self.number / elapsed:.1f} a second'
        print(f'{self.number} {self.unit} in {elapsed:.1f} s, {rate}', file=sys.stderr)
