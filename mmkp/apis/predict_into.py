# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Predict, draw and write down keypoints of a source, into a folder."""

import logging
import sys
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log

from mmkp.apis.camera import Camera
from mmkp.apis.described_keypoints import described_keypoints, pairs_of_sides
from mmkp.apis.file_prediction import FilePrediction, as_instances
from mmkp.apis.media import Media, frame_range
from mmkp.apis.motion import MotionFigures, process_motion
from mmkp.apis.picture_set import PictureSet
from mmkp.apis.predict_options import PredictOptions
from mmkp.apis.prediction_tasks import PredictionTask, choose_task
from mmkp.apis.predictor_trial import PredictorTrial
from mmkp.apis.predictors import PredictorChoice
from mmkp.apis.record_file import RecordFile
from mmkp.apis.shard_part import ShardPart
from mmkp.apis.sources import Source
from mmkp.datasets.image_boxes import box_remarks, read_boxes
from mmkp.datasets.object_detection import (
    BoxDetector,
    build_detector,
    is_detector_file,
)


@dataclass
class Written:
    """What a prediction has written.

    Attributes:
        path: of the file of keypoints.
        head: what it says but of its images.
        figures: of what was done.
    """

    path: Path
    head: dict[str, Any]
    figures: dict[str, Any] = field(default_factory=dict)


class PredictionInterruptedError(KeyboardInterrupt):
    """Ctrl-C during a prediction, after what was there was written.

    Attributes:
        path: of the file of keypoints.
        number: of the images in it.
    """

    def __init__(self, path: Path, number: int) -> None:
        super().__init__(f'interrupted after {number} images, which {path} holds')
        self.path, self.number = path, number


def predict_into(
    model: Any,
    source: Source,
    folder: str | Path,
    options: PredictOptions,
    described: dict[str, Any] | None = None,
    part: ShardPart | None = None,
    choice: PredictorChoice | None = None,
) -> Written:
    """Predict, draw and write down keypoints of a source.

    Args:
        model: from :func:`mmkp.apis.load_model`.
        source: see :func:`mmkp.apis.sources.parts_of`.
        folder: gets ``keypoints.json`` and pictures; while it runs, the records stand
            in ``keypoints.jsonl``.
        options: how.
        described: what the run knows of its keypoints: ``keypoint_names``, ``links``,
            ``swaps``.
        part: of a shard, where several processes predict the source; the folder is
            that of the part.
        choice: what predicts; None for the model itself.

    Returns:
        What was written.

    Raises:
        FileNotFoundError: source or boxes do not exist.
        ValueError: the source is no image or video; no image has a box; the model has
            nothing of the kind to show.
        PredictionInterruptedError: Ctrl-C.
    """
    folder = Path(folder)
    records = RecordFile(folder, options.resume) if part is None else part
    frames = options.frames
    frames = frame_range(frames) if isinstance(frames, str) else frames
    media_of = partial(Media, leave_out=folder) if part is None else part.media
    media = media_of(source, frames=frames, without=set(records.names))
    boxes, left_out, detector = _boxes(options)
    task = _task(model, options, boxes)
    trial = None
    if choice is not None:
        task.predictor = choice.first.make()
        trial = PredictorTrial(choice, media.length)
    folder.mkdir(parents=True, exist_ok=True)
    now = not options.later and options.draw != 'none'
    with PictureSet(task, media, folder, options.draw) if now else nullcontext() as out:
        prediction = FilePrediction(task, media, records, out, detector, trial)
        try:
            prediction.run()
        except KeyboardInterrupt:
            if not len(records):
                raise
            found = _assemble(records, source, task, media, described, False)
            raise PredictionInterruptedError(found.path, len(records)) from None
    if boxes is not None and part is None:
        for remark in box_remarks(str(options.boxes), boxes, left_out, prediction.seen):
            print_log(remark, logger='current', level=logging.WARNING)
    if not len(records) and part is None:
        what = f"has a box in '{options.boxes}'" if prediction.seen else 'can be read'
        raise ValueError(f"no image of '{source_name(source)}' {what}")
    figures = _figures(prediction)
    if trial is not None:
        figures['runtime'] = trial.chosen
    if options.moves and (part is None or part.awaits_motion(media)):
        moved = process_motion(records, options, pairs_of_sides(model, described))
        figures['motion'] = {name: one.to_dict() for name, one in moved.items()}
        _tell(moved)
        if part is not None:
            part.update(motion=figures['motion'])
    if options.later and options.draw != 'none':
        again = media_of(source, frames=frames)
        _draw_again(task, again, records, folder, options.draw)
    task.write_extras(folder)
    written = _assemble(records, source, task, media, described)
    written.figures = figures
    return written


def _boxes(
    options: PredictOptions,
) -> tuple[dict[str, np.ndarray] | None, list[str], BoxDetector | None]:
    """Boxes by name, remarks on those left out, and what finds them."""
    found = options.boxes
    if found is not None and not isinstance(found, BoxDetector):
        if not is_detector_file(str(found)):
            return *read_boxes(str(found)), None
        found = build_detector(found)
    return (None if found is None else {}), [], found


def _task(
    model: Any, options: PredictOptions, boxes: dict[str, np.ndarray] | None
) -> PredictionTask:
    shown = (('heatmaps', options.show_heatmaps), ('fields', options.show_fields))
    task = choose_task(
        model,
        options.batch_size,
        options.numbers,
        options.min_score,
        boxes,
        {kind: style for kind, style in shown if style is not None},
        options.show_stacks,
    )
    if options.show_edges:
        task.show_edges()
    return task


def _draw_again(
    task: PredictionTask, media: Media, records: RecordFile, folder: Path, draw: Any
) -> None:
    """Draw what the records say, after they were changed."""
    if any(isinstance(part.film, Camera) for part in media.parts):
        remark = 'a camera shows nothing twice: its smoothed keypoints are not drawn'
        print_log(remark, logger='current', level=logging.WARNING)
        return
    shots = iter(media.shots())

    def drawn(pictures: PictureSet) -> Any:
        for record in records:
            shot = next(shots)
            while shot.name != record['image']:
                shot = next(shots)
            found = as_instances(record['instances'], task.num_keypoints)
            picture = pictures.add(shot, found, [])
            yield record if picture is None else {**record, 'picture': picture}

    with PictureSet(task, media, folder, draw) as pictures:
        records.replace(drawn(pictures))


def _assemble(
    records: RecordFile,
    source: Source,
    task: PredictionTask,
    media: Media,
    described: dict[str, Any] | None,
    done: bool = True,
) -> Written:
    content = {
        'source': source_name(source),
        **described_keypoints(task, described),
        'damaged_images': media.damaged,
    }
    after: dict[str, Any] = {}
    if media.film is not None:
        after['frames_declared'] = media.film.num_declared
    if media.is_video:
        after['frames_per_second'] = media.frames_per_second
    return Written(records.assemble(content, after, done), content)


def source_name(source: Source) -> str:
    """How a source is called.

    Args:
        source: see :func:`mmkp.apis.sources.parts_of`.
    """
    if isinstance(source, list | tuple):
        return ' '.join(source_name(one) for one in source[:3]) + ' ...' * (
            len(source) > 3
        )
    return str(source) if isinstance(source, str | Path | int) else 'images in memory'


def _figures(prediction: FilePrediction) -> dict[str, Any]:
    number, seconds = prediction.done, max(prediction.seconds, 1e-9)
    network = max(prediction.network_seconds, 1e-9)
    return dict(
        images=len(prediction.records),
        images_per_second=round(number / seconds, 2),
        images_per_second_of_network=round(number / network, 2),
    )


def _tell(moved: dict[str, MotionFigures]) -> None:
    for name, figures in moved.items():
        print(f'{name}: {figures}' if name else str(figures), file=sys.stderr)
