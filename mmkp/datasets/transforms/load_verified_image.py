# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Load an image, refuse a damaged one, and know its size from then on."""

import numpy as np
from mmpose.datasets.transforms import LoadImage
from mmpose.registry import TRANSFORMS

from mmkp.datasets.image_arrays import array_as_image
from mmkp.datasets.image_decoding import fetch_image


@TRANSFORMS.register_module()
class LoadVerifiedImage(LoadImage):
    """Load an image like ``LoadImage``, with three differences.

    A truncated file is an error instead of a picture with a grey part, 16-bit images
    are scaled to 8 bits, and a sample without box gets the box of the whole image.
    Alpha channels are dropped, grey images get three equal channels, and the EXIF
    orientation is applied: boxes and keypoints belong to the image as viewers show
    it. A 1x1 image is a legal image.

    Required keys: ``img_path``, or ``img``, whatever
    :func:`mmkp.datasets.image_arrays.array_as_image` takes: arrays are BGR.
    Added keys: ``img``, ``img_shape`` and ``ori_shape`` (H, W); where absent, ``bbox``
    (1, 4) float32 ``(0, 0, W, H)`` in image pixels and ``bbox_score`` (1,).

    Args:
        to_float32: Whether to return float32 instead of uint8 values (0 to 255).
        backend_args: Storage back end, as in ``mmengine.fileio.get``.
    """

    def __init__(
        self, to_float32: bool = False, backend_args: dict | None = None
    ) -> None:
        super().__init__(to_float32=to_float32, backend_args=backend_args)

    def transform(self, results: dict) -> dict:
        """Load the image of one sample.

        Args:
            results: The sample; see the class for its keys.

        Returns:
            The same dict with the image and its size.

        Raises:
            MissingImageError: If the file does not exist.
            CorruptImageError: If the file is damaged or no image, or cannot be read.
            ValueError: If ``img`` is no image.
        """
        if results.get('img') is None:
            results['img'] = fetch_image(results['img_path'], self.backend_args)
        else:
            name = results.get('img_path') or 'the image'
            results['img'] = array_as_image(results['img'], name)
        results.setdefault('img_path', None)
        if self.to_float32:
            results['img'] = results['img'].astype(np.float32)
        height, width = results['img'].shape[:2]
        results['img_shape'] = results['ori_shape'] = (height, width)
        if results.get('bbox') is None:
            results['bbox'] = np.array([[0, 0, width, height]], np.float32)
            results['bbox_score'] = np.ones(1, np.float32)
        return results
