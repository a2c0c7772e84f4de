# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""From an image, a folder or a video to pictures and a file of keypoints."""

import json
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmkp.apis.batches import chunks
from mmkp.apis.drawing import draw_rate
from mmkp.apis.media import Media, PictureWriter, as_disks_compare
from mmkp.apis.prediction_tasks import Instances, PredictionTask, choose_task
from mmkp.apis.progress import Progress
from mmkp.datasets.image_boxes import box_remarks, plain_name, read_boxes
from mmkp.datasets.object_detection import BoxDetector
from mmkp.ops.finite import finite_or_none
from mmkp.visualization.model_pictures import learned_edges

# Beside pictures, which must not take their names.
_OTHER_FILES = ('keypoints.json', 'edge_weights.png')


def predict_files(
    model: Any,
    source: str | Path,
    out_dir: str | Path,
    boxes_file: str | Path | BoxDetector | None = None,
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
        out_dir: gets ``keypoints.json`` and ``pictures/``, see
            :func:`picture_folder`. Pictures keep the names of their images, with
            ``.png`` behind other suffixes than ``.jpg``, ``.jpeg`` and ``.png``. Of a
            video they are one film that browsers play (WebM, or MP4 where this OpenCV
            or the rate need it), at the times of the original, without its sound, and
            with the rate of the prediction in the corner.
        boxes_file: json file of boxes by image name, see
            :func:`mmkp.datasets.image_boxes.read_boxes`; frames of a video are called
            ``<video>_000000`` and so on. Images without boxes are skipped; how many,
            and which names fit no image, is told. A detector
            (:func:`mmkp.datasets.object_detection.build_detector`) finds them in each
            image instead. None takes whole images.
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
        Path of the file of keypoints. Coordinates are pixels of the upright image,
        with pixel centres at integers. Frames have a ``time`` in seconds, drawn images
        a ``picture`` below ``out_dir``; of a film that ends early
        ``frames_declared`` is more than the number of ``images``.

    Raises:
        FileNotFoundError: source or boxes do not exist.
        ValueError: the source is no image or video; no image has a box; the model has
            nothing of the kind to show.
    """
    out_dir = Path(out_dir)
    media = Media(source, leave_out=out_dir)
    boxes: dict[str, np.ndarray] | None = None
    left_out: list[str] = []
    detector = boxes_file if isinstance(boxes_file, BoxDetector) else None
    if detector:
        boxes = {}
    elif boxes_file:
        boxes, left_out = read_boxes(str(boxes_file))
    asked = dict(heatmaps=show_heatmaps, fields=show_fields)
    maps = {kind: style for kind, style in asked.items() if style is not None}
    task = choose_task(model, batch_size, numbers, min_score, boxes, maps, show_stacks)
    if show_edges:
        task.show_edges()
    names: list[str] = []
    chosen = _chosen(task, media, names, detector)
    records = _predict_all(task, media, chosen, out_dir, batch_size, draw)
    if boxes is not None:
        for remark in box_remarks(str(boxes_file), boxes, left_out, names):
            print_log(remark, logger='current', level=logging.WARNING)
    if not records:
        what = f"has a box in '{boxes_file}'" if names else 'can be read'
        raise ValueError(f"no image of '{source}' {what}")
    task.write_extras(out_dir)
    content = {
        'source': str(source),
        'num_keypoints': task.num_keypoints,
        'edges': _edge_list(*learned_edges(model)),
        'flip_indices': _flip_indices(model),
        'damaged_images': media.damaged,
        'images': records,
    }
    if media.film is not None:
        content['frames_declared'] = media.film.num_declared
    path = out_dir / 'keypoints.json'
    path.write_text(json.dumps(finite_or_none(content)))
    return path


def picture_folder(out_dir: str | Path, kind: str = 'pictures') -> Path:
    """Where pictures go: into a folder of that name, which may be the given one.

    Args:
        out_dir: what the user gave; ``pictures`` itself holds pictures.
        kind: 'pictures', 'heatmaps', 'fields' or 'stacks'.
    """
    out_dir = Path(out_dir)
    return out_dir if out_dir.absolute().name == kind == 'pictures' else out_dir / kind


def _predict_all(
    task: PredictionTask,
    media: Media,
    chosen: Iterator[tuple[str, np.ndarray, float]],
    out_dir: Path,
    batch_size: int,
    draw: bool,
) -> list[dict]:
    """Predict and draw all images, a batch at a time; what the json file says of them.

    The rate is that of the prediction: reading, drawing and writing are left out.
    """
    records = []
    progress = Progress(media.length, 'frames' if media.is_video else 'images')
    writers: dict[str, PictureWriter] = {}
    used = {as_disks_compare(out_dir / name) for name in _OTHER_FILES}
    out_dir.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for chunk in chunks(chosen, batch_size):
            names, images, times = zip(*chunk, strict=True)
            start = time.perf_counter()
            found = task.predict(names, images)
            rate = len(images) / max(time.perf_counter() - start, 1e-9)
            for name, image, moment, instances in zip(
                names, images, times, found, strict=True
            ):
                record = _record(name, image, instances)
                records.append(record)
                if media.is_video:
                    record['time'] = round(moment, 6)
                for kind, picture in (
                    task.draw(image, instances).items() if draw else ()
                ):
                    if kind not in writers:
                        folder = picture_folder(out_dir, kind)
                        writer = PictureWriter(folder, media, used)
                        writers[kind] = stack.enter_context(writer)
                    if media.is_video:
                        picture = draw_rate(picture, rate)
                    path = writers[kind].write(name, picture, moment)
                    if kind == 'pictures':
                        record['picture'] = path.relative_to(out_dir).as_posix()
            progress.add(len(chunk))
        progress.finish()
    return records


def _chosen(
    task: PredictionTask,
    media: Media,
    seen: list[str],
    detector: BoxDetector | None,
) -> Iterator[tuple[str, np.ndarray, float]]:
    """Names, images and times of what is to be predicted; all names are noted."""
    for name, image in media:
        seen.append(name)
        if detector and len(found := detector(image)) and task.boxes is not None:
            task.boxes[plain_name(name)] = found
        if task.takes(name):
            yield name, image, media.time


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


def _flip_indices(model: Any) -> list[int]:
    """Each keypoint's partner on the other side, or its own index."""
    found = getattr(model, 'dataset_meta', {}).get('flip_indices', ())
    return [int(index) for index in found]


def _edge_list(edges: np.ndarray | None, weights: np.ndarray | None) -> list[dict]:
    if edges is None or weights is None:
        return []
    return [
        {'keypoints': pair, 'weight': round(weight, 6)}
        for pair, weight in zip(edges.tolist(), weights.tolist(), strict=True)
    ]
