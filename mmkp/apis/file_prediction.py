# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The loop from images and frames to records and pictures."""

import time
from collections.abc import Generator
from contextlib import closing
from typing import Any

import numpy as np

from mmkp.apis.batches import chunks
from mmkp.apis.beside import InOrder, read_ahead
from mmkp.apis.media import Media, Shot
from mmkp.apis.picture_set import PictureSet
from mmkp.apis.prediction_tasks import Instances, PredictionTask
from mmkp.apis.predictor_trial import PredictorTrial
from mmkp.apis.progress import Progress
from mmkp.apis.record_file import RecordFile
from mmkp.datasets.image_boxes import plain_name
from mmkp.datasets.object_detection import BoxDetector


class FilePrediction:
    """Predicts images and frames, a batch at a time, and writes records as they come.

    Args:
        task: that predicts.
        media: what is predicted.
        records: where it is written down.
        pictures: where it is drawn, None for not at all.
        detector: that finds the boxes.
        trial: of other predictors, None for none.
    """

    def __init__(
        self,
        task: PredictionTask,
        media: Media,
        records: RecordFile,
        pictures: PictureSet | None = None,
        detector: BoxDetector | None = None,
        trial: PredictorTrial | None = None,
    ) -> None:
        self.task, self.media, self.records = task, media, records
        self.pictures, self.detector, self.trial = pictures, detector, trial
        self.seen: list[str] = []
        self.network_seconds, self.seconds, self.done = 0.0, 0.0, 0

    def run(self) -> None:
        """Predict all.

        Raises:
            KeyboardInterrupt: Ctrl-C; what was predicted before is written down. A
                camera is stopped by it without an error.
        """
        media = self.media
        progress = Progress(media.length, 'frames' if media.is_video else 'images')
        progress.add(len(self.records))
        start = time.perf_counter()
        try:
            with InOrder() as writer, closing(self._chosen()) as chosen:
                for shots in chunks(chosen, self.task.batch_size):
                    names, images = [s.name for s in shots], [s.image for s in shots]
                    begun = time.perf_counter()
                    found = self.task.predict(names, images)
                    took = max(time.perf_counter() - begun, 1e-9)
                    self.network_seconds += took
                    self.done += len(shots)
                    self.seconds = time.perf_counter() - start
                    rates = [self.done / self.seconds, len(shots) / took]
                    writer.do(self._write_down, shots, found, rates)
                    progress.add(len(shots))
                    if self.trial and self.trial.is_due(self.done, self.seconds):
                        self.trial.run(self.task, names, images, took / len(shots))
        except KeyboardInterrupt:
            if not media.is_endless:
                raise
        finally:
            self.seconds = time.perf_counter() - start
        rate = self.done / max(self.network_seconds, 1e-9)
        progress.finish(f' (network alone: {rate:.1f})')

    def _write_down(
        self, shots: list[Shot], found: list[Instances], rates: list[float]
    ) -> None:
        batch = []
        for shot, instances in zip(shots, found, strict=True):
            record = _record(shot, instances)
            if shot.film is not None and self.media.is_several:
                record['film'] = shot.film.name
            if self.pictures is not None:
                picture = self.pictures.add(shot, instances, rates)
                if picture is not None:
                    record['picture'] = picture
            if self.media.owns is not None:
                record['rank'] = shot.rank  # what is merged is put in order by it
            batch.append(record)
        self.records.append(batch)

    def _chosen(self) -> Generator[Shot, None, None]:
        """Names, images and times of what is to be predicted; all names are noted."""
        boxes = self.task.boxes
        shots = self.media.shots()
        # Of a camera the newest frame is wanted, not one that was read before.
        ahead = shots if self.media.is_endless else read_ahead(shots)
        for shot in ahead:
            self.seen.append(shot.name)
            detector = self.detector
            if detector and len(found := detector(shot.image)) and boxes is not None:
                boxes[plain_name(shot.name)] = found
            if self.task.takes(shot.name):
                yield shot


def _record(shot: Shot, instances: Instances) -> dict[str, Any]:
    height, width = shot.image.shape[:2]
    record: dict[str, Any] = {
        'image': shot.name,
        'width': width,
        'height': height,
        'instances': as_records(instances),
    }
    if shot.film is not None:
        record['time'] = round(shot.time, 6)
    return record


def as_records(instances: Instances) -> list[dict[str, Any]]:
    """The objects of an image as they stand in the file of keypoints.

    Args:
        instances: one item of what :func:`mmkp.apis.predict_topdown` returns.
    """
    return [
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
    ]


def as_instances(records: list[dict[str, Any]], num_keypoints: int) -> Instances:
    """Their arrays again; what is missing is NaN.

    Args:
        records: N objects of an image, as :func:`as_records` makes them.
        num_keypoints: K.

    Returns:
        ``keypoints`` (N, K, 2), ``keypoint_scores`` (N, K), ``bboxes`` (N, 4) and
        ``bbox_scores`` (N,), float64.
    """
    shapes = dict(
        keypoints=(num_keypoints, 2), keypoint_scores=(num_keypoints,), bbox=(4,)
    )
    arrays = {
        name: np.array([one[name] for one in records], float).reshape(-1, *shape)
        for name, shape in shapes.items()
    }
    arrays['bboxes'] = arrays.pop('bbox')
    arrays['bbox_scores'] = np.array([one['bbox_score'] for one in records], float)
    return arrays
