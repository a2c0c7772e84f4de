# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images to judge a model by."""

from collections.abc import Iterator

from mmengine.config import Config
from mmengine.registry import DATASETS


def spread_images(
    cfg: Config, folder: str | None = None, max_images: int = 200
) -> Iterator[dict]:
    """Images of a folder or of a config's test, evenly spaced.

    Args:
        cfg: of a model that discovers keypoints; its test pipeline prepares the images.
        folder: of images, read whole; None for those of the config's test.
        max_images: so many at most.

    Returns:
        What the pipeline makes of each.
    """
    dataset = cfg.test_dataloader.dataset
    if folder:
        dataset = dict(
            type='UnlabeledImageDataset',
            data_root=folder,
            num_keypoints=cfg.model.head.num_keypoints,
            pipeline=dataset.pipeline,
            test_mode=True,
        )
    images = DATASETS.build(dataset)
    step = -(-len(images) // max_images)
    return (images[index] for index in range(0, len(images), step))
