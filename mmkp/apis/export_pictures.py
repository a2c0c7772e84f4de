# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pictures as network inputs, for the check of an export and for calibration."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.apis.batches import build_test_pipeline
from mmkp.apis.media import Media
from mmkp.apis.predict_people import finds_people
from mmkp.apis.run import Run
from mmkp.apis.sources import Source
from mmkp.datasets.puppet_dataset import PuppetDataset
from mmkp.deployment.check import NetworkInput

_DRAWN_SIDE = 256


def network_inputs(
    model: Any, source: Source | None, number: int
) -> list[NetworkInput]:
    """What the test pipeline makes of the first whole pictures of a source.

    Args:
        model: of :func:`mmkp.apis.load_model`.
        source: as :func:`mmkp.predict` takes it; None for drawn figures.
        number: of pictures, at most.

    Returns:
        At least one.

    Raises:
        FileNotFoundError: the source does not exist, or holds no picture.
        ValueError: it is none, or none of its pictures can be read.
    """
    pipeline = build_test_pipeline(model)
    found = []
    pictures = [*islice(_pictures(source, number), number)]
    if finds_people(model):  # in images of any size, so here is another one
        left = [(f'left of {n}', i[:, : i.shape[1] * 3 // 4]) for n, i in pictures[:1]]
        pictures += left
    for name, image in pictures:
        height, width = image.shape[:2]
        sample = dict(
            img=image,
            img_path=name,
            bbox=np.array([[0, 0, width, height]], np.float32),
            bbox_score=np.ones(1, np.float32),
        )
        found.append(NetworkInput(name, pipeline({**model.dataset_meta, **sample})))
    if not found:
        raise ValueError(f"no picture of '{source}' can be read")
    return found


def known_source(run: Run | None, data: Source | None) -> Source | None:
    """Where pictures are taken from: what is asked for, else what the run is of.

    Args:
        run: or None.
        data: what the user names, or None.

    Returns:
        A source, or None for drawn figures.
    """
    if data is not None or run is None or not run.source:
        return data
    return run.source if Path(run.source).exists() else None


def _pictures(source: Source | None, number: int) -> Iterator[tuple[str, np.ndarray]]:
    """Names and pictures (H, W, 3), BGR."""
    if source is not None:
        for shot in Media(source, frames=range(number)).shots():
            yield shot.name, shot.image
        return
    drawn = PuppetDataset(num_images=number, image_size=_DRAWN_SIDE, test_mode=True)
    for index in range(number):
        yield f'drawn figure {index}', drawn.get_data_info(index)['img']
