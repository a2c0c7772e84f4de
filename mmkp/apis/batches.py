# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images through a model's test pipeline and its network, in batches of equal sizes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.structures import PoseDataSample

from mmkp.datasets.image_decoding import decode_image

Image = str | Path | np.ndarray


def check_images(images: Sequence[Image], function: str) -> None:
    """Refuse one image where a list of them is taken.

    Args:
        images: what was given.
        function: name of the function, for the message.

    Raises:
        ValueError: it is one image.
    """
    if isinstance(images, str | Path) or getattr(images, 'ndim', None) == 3:
        raise ValueError(
            f'{function} takes a list of images: write {function}(model, [x])'
        )


def read_image(image: Image) -> np.ndarray:
    """Decode an image unless it is an array already.

    Args:
        image: file, or array (H, W, 3) uint8 in OpenCV's order, BGR.

    Returns:
        Array (H, W, 3), uint8, BGR.

    Raises:
        CorruptImageError: the file cannot be decoded.
    """
    if isinstance(image, np.ndarray):
        return image
    return decode_image(Path(image).read_bytes(), str(image))


def build_test_pipeline(model: Any) -> Compose:
    """Build the test pipeline of a model's config."""
    init_default_scope(model.cfg.get('default_scope') or 'mmpose')
    return Compose(model.cfg.test_dataloader.dataset.pipeline)


@contextmanager
def temporary_test_cfg(model: Any, **settings: Any) -> Iterator[None]:
    """Change a model's ``test_cfg``, and leave it as it was.

    Args:
        model: pose estimator.
        **settings: added to the ``test_cfg`` meanwhile.
    """
    before = model.test_cfg
    model.test_cfg = {**(before or {}), **settings}
    try:
        yield
    finally:
        model.test_cfg = before


@torch.no_grad()
def predict_samples(
    model: Any, samples: Sequence[dict], batch_size: int
) -> list[PoseDataSample]:
    """Predict samples; a batch holds inputs of one size only, so nothing is padded.

    Args:
        model: from :func:`mmkp.apis.load_model` or MMPose's ``init_model``.
        samples: what the test pipeline made, with ``inputs`` and ``data_samples``.
        batch_size: number of samples that the network sees at once, at most.

    Returns:
        The predictions, in the order of the samples.
    """
    by_size: dict[tuple, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        inputs = sample['inputs']
        sizes = inputs if isinstance(inputs, list) else [inputs]
        by_size[tuple(tuple(size.shape) for size in sizes)].append(index)
    predictions: dict[int, PoseDataSample] = {}
    for indices in by_size.values():
        for start in range(0, len(indices), batch_size):
            chosen = indices[start : start + batch_size]
            batch = pseudo_collate([samples[index] for index in chosen])
            predictions.update(zip(chosen, model.test_step(batch), strict=True))
    return [predictions[index] for index in range(len(samples))]
