# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints that any code predicted, beside the annotations of the same images."""

from pathlib import Path

import numpy as np

from mmkp.datasets.coco_check.reading import read_coco
from mmkp.evaluation.functional import KeypointSamples


def samples_of_predictions(
    predictions: dict[str, np.ndarray], annotations: str | Path
) -> KeypointSamples:
    """Pair predictions with a COCO-style file that has one object an image.

    The crop of the samples is the whole image.

    Args:
        predictions: File name of an image to (K, 2) points, (x, y) in its pixels;
            images that the file does not name are left out.
        annotations: COCO-style json file; each image has a width and a height.

    Returns:
        One sample an annotated image, in the file's order.

    Raises:
        FileNotFoundError: If the annotation file does not exist.
        ValueError: If it cannot be used, has several objects in an image, or names
            an image without a prediction.
    """
    content = read_coco(str(annotations))
    images = {image['id']: image for image in content['images']}
    objects = [a for a in content['annotations'] if a.get('num_keypoints')]
    names = tuple(images[item['image_id']]['file_name'] for item in objects)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            f'{annotations} annotates several objects in {twice}: predictions that '
            'name images alone need one object an image'
        )
    missing = [name for name in names if name not in predictions]
    if missing:
        raise ValueError(
            f'{len(missing)} of {len(names)} images of {annotations} have no '
            f'prediction, the first of them {missing[0]}'
        )
    sizes = np.array(
        [
            [images[item['image_id']][side] for side in ('width', 'height')]
            for item in objects
        ],
        dtype=np.float64,
    )
    points = np.array([item['keypoints'] for item in objects], dtype=np.float64)
    points = points.reshape(len(objects), -1, 3)
    return KeypointSamples.from_arrays(
        np.stack([predictions[name] for name in names]) / sizes[:, None],
        points[..., :2] / sizes[:, None],
        points[..., 2] > 0,
        sizes,
        names=names,
    )
