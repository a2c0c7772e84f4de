"""The contact sheet of a data set shows what a part affinity pipeline makes."""

import numpy as np
import tiny_people
from mmengine.config import Config

from mmkp.visualization.canvas import GAP
from mmkp.visualization.dataset_pictures import picture_dataset


def test_targets_beside_the_images():
    cfg = Config.fromfile(tiny_people.made()[0]).train_dataloader.dataset
    tile = 96
    sheet = picture_dataset(cfg, number=1, tile=tile)
    assert sheet.shape[1] == 4 * tile + 3 * 2 + 2 * GAP
    parts = [
        sheet[GAP : GAP + tile, GAP + i * (tile + 2) :][:, :tile].astype(int)
        for i in range(4)
    ]
    colorful = [(np.ptp(part, axis=-1) > 60).mean() for part in parts]
    # The image itself, heatmaps, fields, and that all of it counts.
    assert min(colorful[:3]) > 0.02 and colorful[3] == 0
    pipeline = [dict(step) for step in cfg.pipeline]
    without = [step for step in pipeline if step['type'] != 'GenerateTarget']
    sheet = picture_dataset({**cfg, 'pipeline': without}, number=1, tile=tile)
    assert sheet.shape[1] == tile + 2 * GAP


def test_people_are_drawn_where_the_pipeline_moved_them():
    cfg = Config.fromfile(tiny_people.made()[0]).test_dataloader.dataset
    sheet = picture_dataset(cfg, number=1, tile=192)
    width, height, _ = tiny_people.IMAGES[0]
    points = tiny_people.people_of(0) * 192 / width
    color = np.array([51, 153, 255])  # of a nose in COCO's metainfo
    for x, y in points[:, 0].round().astype(int) + GAP:
        assert np.abs(sheet[y, x] - color).max() < 30
