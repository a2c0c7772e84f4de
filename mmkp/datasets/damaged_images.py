# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""A few damaged images among thousands: left out of a training, named, counted."""

import logging
from typing import Any

import torch
from mmengine.dataset import BaseDataset
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from mmkp.datasets.image_decoding import CorruptImageError

_MOST_LINES = 10
# A share beyond is no accident: a wrong folder, a broken copy, another format.
_MOST_SHARE, _ALWAYS_LEFT_OUT = 0.1, 20


class DamagedImages:
    """Which images of a data set are damaged, known to all its worker processes.

    Args:
        number: of images.
        folder: of the images, for messages.
    """

    def __init__(self, number: int, folder: str) -> None:
        self.met = torch.zeros(number, dtype=torch.bool).share_memory_()
        self.folder = folder
        self._remedy = f'python tools/misc/find_corrupt_images.py {folder}'

    def note(self, index: int, error: CorruptImageError, purpose: str) -> None:
        """Note a damaged image; name it the first time, unless many have been named.

        Args:
            index: of the image.
            error: what is wrong with it.
            purpose: what it is left out of.

        Raises:
            CorruptImageError: all images are damaged, or more than a tenth of them.
        """
        if self.met[index]:
            return self._check(error)
        self.met[index] = True
        count = int(self.met.sum())
        if count <= _MOST_LINES:
            more = ' Further ones are counted only.' if count == _MOST_LINES else ''
            # MMEngine shows no warnings of other processes, only errors.
            print_log(
                f'{error}. It is left out of {purpose} and replaced by another image. '
                f'To list all damaged images: {self._remedy}{more}',
                logger='current',
                level=logging.WARNING if is_main_process() else logging.ERROR,
            )
        return self._check(error)

    def _check(self, error: CorruptImageError) -> None:
        count, number = int(self.met.sum()), len(self.met)
        if count == number:
            raise type(error)(
                f'all {number} images of {self.folder} are damaged, the last one met: '
                f'{error}'
            ) from error
        if count > max(_MOST_SHARE * number, _ALWAYS_LEFT_OUT):
            raise type(error)(
                f'{count} of the {number} images of {self.folder} are damaged, too '
                f'many to go on without them; the last one met: {error}. To list all: '
                f'{self._remedy}'
            ) from error


class _Prepare:
    """``prepare_data`` of a data set, which answers None for a damaged image."""

    def __init__(self, dataset: BaseDataset) -> None:
        self.dataset = dataset
        folder = (getattr(dataset, 'data_prefix', None) or {}).get('img') or '.'
        self.damaged = DamagedImages(len(dataset), folder)

    def __call__(self, index: int) -> Any:
        try:
            return type(self.dataset).prepare_data(self.dataset, index)
        except CorruptImageError as error:
            self.damaged.note(index, error, 'training')
            return None  # upon which MMEngine draws another sample


def leave_out_damaged_images(dataset: Any) -> None:
    """Let a training survive images that cannot be read, with or without labels.

    What takes their place is drawn from the generators that a checkpoint holds, so that
    a resumed training sees the same. In an evaluation they stay errors.

    Args:
        dataset: of a training; wrappers of MMEngine are looked into.
    """
    inner = [*getattr(dataset, 'datasets', []), getattr(dataset, 'dataset', None)]
    if isinstance(dataset, BaseDataset):
        if not dataset.test_mode:
            dataset.prepare_data = _Prepare(dataset)
    else:
        for part in inner:
            if part is not None:
                leave_out_damaged_images(part)
