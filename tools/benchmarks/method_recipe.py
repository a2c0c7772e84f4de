# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What `mmkp discover` would see in a data set of the table."""

from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from mmkp.apis.media import Media
from mmkp.apis.survey import LOOKED_AT, Survey, survey
from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_boxes import box_window


def survey_of(train_dataset: Config, padding: float, folder: Path) -> Survey:
    """Look at some images of a data set, in their boxes, as `mmkp discover` does.

    Args:
        train_dataset: config of the images to train on.
        padding: factor by which their boxes are enlarged.
        folder: for the images that are looked at.

    Returns:
        What they are like.
    """
    init_default_scope('mmpose')
    load = [dict(type='LoadVerifiedImage')]
    dataset = DATASETS.build(dict(train_dataset, num_keypoints=1, pipeline=load))
    places = np.linspace(0, len(dataset) - 1, min(LOOKED_AT, len(dataset))).round()
    folder.mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(places.astype(int)):
        sample = dataset[place]
        window = box_window(sample['bbox'][0], sample['img'].shape, padding)
        write_image(folder / f'{number:02d}.png', sample['img'][window])
    return survey(Media(folder), still=False)
