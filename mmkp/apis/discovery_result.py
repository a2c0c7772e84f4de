# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a discovery leaves: weights, score, keypoints of all images, a contact sheet."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from torch import nn

from mmkp.apis.discovery_advice import advice
from mmkp.apis.find_sides import find_sides, metainfo_with_sides
from mmkp.apis.model import load_model
from mmkp.apis.predict_files import predict_files
from mmkp.apis.report_sources import source_images
from mmkp.apis.run import Run
from mmkp.apis.spread_images import spread_images
from mmkp.apis.view import view
from mmkp.datasets.coco_writer import write_atomically, write_image
from mmkp.datasets.object_detection import BoxDetector
from mmkp.engine import find_resumable_checkpoint, load_checkpoint_file
from mmkp.engine.publish import write_weights
from mmkp.evaluation.score_keypoints import UPRIGHT, score_keypoints
from mmkp.visualization.contact_sheet import contact_sheet

#: Images that a score is of, and that a contact sheet shows.
SCORED, SHOWN = 128, 36
MODEL, TRAINING = 'model.pth', 'training'


def finish_discovery(run: Run, boxes: str | Path | BoxDetector | None = None) -> None:
    """Score what was trained, and find the keypoints of every image of the source.

    Args:
        run: whose training has ended.
        boxes: see :func:`predict_files`.
    """
    trained = find_resumable_checkpoint(run.path / TRAINING)
    if trained is None:
        raise FileNotFoundError(f"'{run.path / TRAINING}' holds no checkpoint")
    model = load_model(run.config_file, trained, check=False)
    config = run.config
    config.test_dataloader = config.val_dataloader
    config.test_dataloader.dataset.indices = None
    images = list(spread_images(config, max_images=SCORED))
    turned = run.info.get('score_rotation', UPRIGHT)
    scores = score_keypoints(model, images, rotation_std=turned)
    sides = find_sides(model, images)
    _write_model(run, trained, model, sides.partners.tolist())
    score = scores.to_dict()
    score['advice'] = advice(scores, run.info)
    text = json.dumps(score, indent=1, ensure_ascii=False)
    write_atomically(run.path / 'score.json', text.encode())
    source = str(run.source)
    predict_files(model, source, run.path, boxes, draw=False)
    write_sheet(run)
    view(run, overwrite=True)
    run.update(
        checkpoint=MODEL,
        score=scores.score,
        swaps=[list(pair) for pair in sides.pairs],
        finished=True,
    )


def _write_model(
    run: Run, trained: Path, model: nn.Module, partners: list[int]
) -> None:
    """Write the weights alone, with what the keypoints are."""
    checkpoint: dict[str, Any] = load_checkpoint_file(trained, 'cpu')
    metainfo: dict = metainfo_with_sides(dict(model.dataset_meta), partners)  # type: ignore[arg-type]
    meta = dict(checkpoint.get('meta') or {}, dataset_meta=metainfo)
    write_weights(run.path / MODEL, meta, checkpoint['state_dict'])


def _around(image: np.ndarray, box: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """A square around a small object, or the whole image; and where it begins."""
    height, width = image.shape[:2]
    x1, y1, x2, y2 = box
    side = 1.5 * max(x2 - x1, y2 - y1)
    if not 4 < side < 0.75 * max(height, width):
        return image, np.zeros(2)
    left = int(np.clip((x1 + x2 - side) / 2, 0, max(width - side, 0)))
    top = int(np.clip((y1 + y2 - side) / 2, 0, max(height - side, 0)))
    part = image[top : top + round(side), left : left + round(side)]
    return part, np.array([left, top])


def write_sheet(run: Run) -> Path:
    """Write a contact sheet of some of a run's images.

    Args:
        run: with keypoints.

    Returns:
        The picture.
    """
    found = run.keypoints
    records = found['images']
    places = np.linspace(0, len(records) - 1, min(SHOWN, len(records)))
    chosen = [records[int(place)] for place in np.unique(places.round())]
    names = [record['image'] for record in chosen]
    images = dict(source_images(run, run.source, names))
    pictures, points = [], []
    for record in chosen:
        if (image := images[record['image']]) is None:
            continue
        picture = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
        for instance in record['instances']:
            part, corner = _around(picture, instance['bbox'])
            pictures.append(part)
            points.append([np.array(instance['keypoints'], float) - corner])
    score = run.score or {}
    title = score.get('sentence', '')
    sheet = contact_sheet(pictures, points, found['num_keypoints'], title)
    path = run.path / 'sheet.jpg'
    write_image(path, cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), quality=88)
    return path
