# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From an image, a folder or a video to pictures and a file of keypoints."""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.drawing import draw_rate
from mmkp.apis.media import Media, PictureWriter
from mmkp.apis.prediction_tasks import Instances, PredictionTask, choose_task
from mmkp.apis.progress import Progress
from mmkp.datasets.image_boxes import read_boxes
from mmkp.ops.finite import finite_or_none
from mmkp.visualization.model_pictures import learned_edges


def predict_files(
    model: Any,
    source: str | Path,
    out_dir: str | Path,
    boxes_file: str | Path | None = None,
    show_edges: bool = False,
    numbers: bool = False,
    min_score: float | None = None,
    batch_size: int = 16,
    draw: bool = True,
    show_heatmaps: str | None = None,
    show_fields: str | None = None,
    show_stacks: bool = False,
) -> Path:
    """Predict, draw, and write down keypoints.

    A bottom-up model finds all people of whole images, any other one the keypoints of
    whole images or of boxes.

    Args:
        model: from :func:`mmkp.apis.load_model`.
        source: image, folder of images (with its sub-folders), or video.
        out_dir: gets ``pictures/`` (for a video one mp4 file, with the rate of the
            prediction in its corner) and ``keypoints.json``.
        boxes_file: json file of boxes by image name, see
            :func:`mmkp.datasets.image_boxes.read_boxes`; frames of a video are called
            ``<video>_000000`` and so on. Images without boxes are skipped. None
            takes whole images.
        show_edges: draw the learned edges, the brighter the larger their weight, and
            ``edge_weights.png``, the matrix of the weights.
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn; by default those below
            0.2, but all that a model has discovered.
        batch_size: number of images that the network sees at once.
        draw: whether to write pictures at all.
        show_heatmaps: also write ``heatmaps/``: 'overlay' for one picture, 'all' for
            a tile for each keypoint.
        show_fields: of a part affinity model, also write ``fields/``: 'wheel' to show
            directions as colours, 'arrows', or 'all' for a tile for each limb.
        show_stacks: of a top-down model with several stacks, also write ``stacks/``:
            the skeletons and heatmaps of each stack, side by side.

    Returns:
        Path of the file of keypoints. Coordinates are pixels of the image, with
        pixel centres at integers.

    Raises:
        FileNotFoundError: source or boxes do not exist.
        ValueError: the source is no image or video; no image has a box; the model has
            nothing of the kind to show.
    """
    media = Media(source)
    boxes = read_boxes(str(boxes_file))[0] if boxes_file else None
    asked = dict(heatmaps=show_heatmaps, fields=show_fields)
    maps = {kind: style for kind, style in asked.items() if style is not None}
    task = choose_task(model, batch_size, numbers, min_score, boxes, maps, show_stacks)
    if show_edges:
        task.show_edges()
    out_dir = Path(out_dir)
    records = _predict_all(task, media, out_dir, batch_size, draw)
    if not records:
        raise ValueError(f"no image of '{source}' has a box in '{boxes_file}'")
    task.write_extras(out_dir)
    content = {
        'source': str(source),
        'num_keypoints': task.num_keypoints,
        'edges': _edge_list(*learned_edges(model)),
        'damaged_images': media.damaged,
        'images': records,
    }
    path = out_dir / 'keypoints.json'
    path.write_text(json.dumps(finite_or_none(content)))
    return path


def _predict_all(
    task: PredictionTask, media: Media, out_dir: Path, batch_size: int, draw: bool
) -> list[dict]:
    """Predict and draw all images, a batch at a time; what the json file says of them.

    The rate is that of the prediction: reading, drawing and writing are left out.
    """
    records = []
    progress = Progress(media.length, 'frames' if media.is_video else 'images')
    writers: dict[str, PictureWriter] = {}
    out_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for chunk in _chunks((i for i in media if task.takes(i[0])), batch_size):
            names, images = zip(*chunk, strict=True)
            start = time.perf_counter()
            found = task.predict(names, images)
            rate = len(images) / max(time.perf_counter() - start, 1e-9)
            for name, image, instances in zip(names, images, found, strict=True):
                records.append(_record(name, image, instances))
                for kind, picture in (
                    task.draw(image, instances).items() if draw else ()
                ):
                    if kind not in writers:
                        writer = PictureWriter(out_dir / kind, media)
                        writers[kind] = stack.enter_context(writer)
                    if media.is_video:
                        picture = draw_rate(picture, rate)
                    writers[kind].write(name, picture)
            progress.add(len(chunk))
        progress.finish()
    return records


def _record(name: str, image: np.ndarray, instances: Instances) -> dict:
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
