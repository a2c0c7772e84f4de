# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images through a model's test pipeline and its network, in batches of equal sizes."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.structures import PoseDataSample

from mmkp.datasets.image_decoding import as_image

# A path, an array in BGR, a tensor in RGB, or a PIL image: see ``as_image``.
Image = Any
# So many batches are held at once, to find inputs of one size among them.
_BATCHES_AHEAD = 4
# Of the inputs that a CPU sees at once: maps of more than 32 MiB, 64 bytes a pixel, are
# given back to the system and asked for again by each layer, which takes longer than
# the layer (people at height 368: 294 ms an image 16 at a time, 204 ms one by one).
_PIXELS_AT_ONCE = 2**19


def read_images(images: Iterable[Image], function: str) -> Iterator[np.ndarray]:
    """Read images one by one, as they are needed.

    Args:
        images: list or generator of what :func:`mmkp.datasets.image_decoding.as_image`
            takes: paths, arrays in BGR, tensors in RGB, PIL images.
        function: name of the function that they were given to, for messages.

    Returns:
        Iterator over arrays (H, W, 3), uint8, BGR.

    Raises:
        ValueError: it is one image or a folder instead of a list, or one of them is
            no image.
        CorruptImageError: a file cannot be decoded.
    """
    if isinstance(images, str | os.PathLike) and os.path.isdir(images):
        raise ValueError(
            f'{function} takes a list of images, {images} is a folder: write '
            f'{function}(model, sorted(pathlib.Path({str(images)!r}).glob("*.jpg"))), '
            'or call predict_files'
        )
    if (
        isinstance(images, str | bytes | os.PathLike)
        or getattr(images, 'ndim', 4) < 4
        or not isinstance(images, Iterable)
    ):
        raise ValueError(
            f'{function} takes a list of images: write {function}(model, [x])'
        )
    return (as_image(x, f'image {index}') for index, x in enumerate(images))


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


def chunks(items: Iterable, size: int) -> Iterator[list]:
    """Lists of so many items, the last one of what is left."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def predict_stream(
    model: Any, samples: Iterable[dict], batch_size: int
) -> Iterator[PoseDataSample]:
    """Predict samples as they come; of any number of them only a few are held.

    Args:
        model: as for :func:`predict_samples`.
        samples: generator of what the test pipeline makes.
        batch_size: number of samples that the network sees at once, at most.

    Returns:
        Iterator over the predictions, in the order of the samples.

    Raises:
        ValueError: a batch size below 1.
    """
    if batch_size < 1:
        raise ValueError(f'batch_size must be at least 1, got {batch_size}')
    for window in chunks(samples, _BATCHES_AHEAD * batch_size):
        yield from predict_samples(model, window, batch_size)


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
        step = _at_once(model, samples[indices[0]]['inputs'], batch_size)
        for start in range(0, len(indices), step):
            chosen = indices[start : start + step]
            batch = pseudo_collate([samples[index] for index in chosen])
            predictions.update(zip(chosen, model.test_step(batch), strict=True))
    return [predictions[index] for index in range(len(samples))]


def _at_once(model: Any, inputs: Any, batch_size: int) -> int:
    """How many inputs of a size to give to the network, at most so many."""
    largest = inputs[0] if isinstance(inputs, list) else inputs
    if model.data_preprocessor.device.type != 'cpu':
        return batch_size
    pixels = largest.shape[-2] * largest.shape[-1]
    return min(batch_size, max(1, _PIXELS_AT_ONCE // pixels))
