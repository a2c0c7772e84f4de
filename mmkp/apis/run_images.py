# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The images that a run's keypoints are of."""

from collections.abc import Sequence

import numpy as np

from mmkp.apis.media import Media
from mmkp.apis.run import Run
from mmkp.apis.survey import media_path
from mmkp.datasets.image_decoding import CorruptImageError, read_image


def read_run_images(run: Run, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Read images of a run's source.

    Args:
        run: whose source is still there.
        names: as in ``keypoints.json``.

    Returns:
        By name (H, W, 3) uint8, BGR; those that are gone are left out.
    """
    try:
        media = Media(run.source or '')
    except (FileNotFoundError, ValueError):
        return {}
    wanted = set(names)
    if media.is_video:
        found = {}
        for name, image in media:
            if name in wanted:
                found[name] = image
            if len(found) == len(wanted):
                break
        return found
    images = {}
    for name in names:
        try:
            images[name] = read_image(media_path(media, name))
        except CorruptImageError:
            continue
    return images
