# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images of every kind give predictions, or one sentence that says why not."""

import numpy as np
import torch

from mmkp.testing.check import CheckFailed
from mmkp.testing.comparison import expect_same_predictions
from mmkp.testing.method import Method


def check_images_of_any_kind(method: Method) -> None:
    """The same picture as bytes, numbers, fractions or tensor, grey or in color."""
    model, color = method.trained(), method.images[0]
    grey = np.repeat(color[..., :1], 3, axis=2)
    rgb = torch.from_numpy(color[..., ::-1].transpose(2, 0, 1).copy())
    kinds = {
        'uint8': (color, color),
        'float32 of 0 to 255': (color.astype(np.float32), color),
        'an RGB tensor': (rgb, color),
        'grey (H, W)': (grey[..., 0], grey),
        'grey (H, W, 1)': (grey[..., :1], grey),
    }
    for kind, (image, plain) in kinds.items():
        expect_same_predictions(
            method.predict(model, method.test_batch([image])),
            method.predict(model, method.test_batch([plain])),
            0.0,
            f'an image as {kind} and as uint8 (H, W, 3)',
        )


def check_images_of_any_size(method: Method) -> None:
    """One pixel, one row, one column and a large image give finite keypoints."""
    model = method.trained()
    width, height = method.image_size
    for shape in ((1, 1), (1, width), (height, 1), (3 * height, 2 * width)):
        image = np.full((*shape, 3), 100, np.uint8)
        [found] = method.predict(model, method.test_batch([image]))
        if not np.isfinite(found['keypoints']).all():
            raise CheckFailed(
                f'keypoints of an image of {shape[1]}x{shape[0]} pixels are not '
                'finite, should be'
            )


def check_not_a_number_is_refused(method: Method) -> None:
    """An image with one pixel that is not a number is refused in one sentence."""
    model = method.trained()
    image = method.images[0].astype(np.float32)
    image[0, 0] = np.nan
    try:
        method.predict(model, method.test_batch([image]))
    except ValueError as error:
        if 'finite' in str(error) or 'NaN' in str(error):
            return
        raise CheckFailed(
            f'an image with a NaN is refused by {str(error)!r}, should be told that '
            'it is not finite'
        ) from error
    raise CheckFailed('an image with a NaN is taken silently, should be refused')
