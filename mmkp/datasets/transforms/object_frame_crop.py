# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Cut the object out as it lies, its tail downwards."""

import math
from collections.abc import Sequence

import cv2
import numpy as np
import torch
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform, checked_input_size
from mmkp.ops.border_background import border_contrast
from mmkp.ops.image_moments import object_frame
from mmkp.ops.turned_crop import TurnedCrop, turn

_SEARCHED = 96  # pixels a side in which the frame is looked for


@TRANSFORMS.register_module()
class ObjectFrameCrop(Transform):
    """Cut out a square that turns with the object, by the moments of its contrast.

    Objects that turn in the plane, such as animals seen from above, are shown to the
    detector in a frame of their own: mass is the squared difference from the background
    that the border of the box shows, its principal axis points downwards, with the
    longer tail of the mass below (:func:`mmkp.ops.image_moments.object_frame`). The
    square is as wide as the box is from corner to corner, so that the object does not
    leave it. Beyond the image its border goes on.

    Takes the place of ``TopdownResize``. ``input_rotation`` must be among the
    ``meta_keys`` of ``PackPoseInputs``: by it predictions are turned back.

    Required keys: ``img``, an image or a list of frames, and ``bbox_center`` and
    ``bbox_scale`` (1, 2) in image pixels. Optional: ``keypoints`` (1, K, 2).
    Changed and added keys: ``img``, ``bbox_center``, ``bbox_scale``, ``input_size``
    (w, h), ``input_center`` and ``input_scale`` (2,), ``input_rotation`` in degrees
    from x towards y, ``transformed_keypoints`` (1, K, 2).

    Args:
        input_size: Width and height of the network input, which are equal.
        window: Of :func:`~mmkp.ops.image_moments.object_frame`.
        zoom: Factor on what is shown, above 1 for a smaller part.

    Raises:
        ValueError: If ``input_size`` is no pair of equal whole numbers, or another
            argument is not positive.
    """

    def __init__(
        self, input_size: Sequence[int], window: float = 0.2, zoom: float = 1.0
    ) -> None:
        self.input_size = checked_input_size(input_size)
        if self.input_size[0] != self.input_size[1] or min(window, zoom) <= 0:
            raise ValueError(
                f'input_size={input_size} must be a square, window={window} and '
                f'zoom={zoom} positive'
            )
        self.window, self.zoom = window, zoom

    def transform(self, results: dict) -> dict:
        """Cut one sample.

        Args:
            results: The sample; see the class for its keys.

        Returns:
            The same dict with the network input.

        Raises:
            ValueError: If there is not exactly one box, or if it is empty or no
                finite number.
        """
        box = np.concatenate([results['bbox_center'], results['bbox_scale']], -1)
        if box.shape != (1, 4) or not np.isfinite(box).all() or (box[0, 2:] <= 0).any():
            raise ValueError(
                f'{results.get("img_path")}: ObjectFrameCrop takes one box that is not '
                f'empty, got centers and sizes {box.tolist()}'
            )
        image = results['img']
        frames = image if isinstance(image, list) else [image]
        # Boxes are measured from edge to edge, pixel centers lie at integers.
        middle, longer = box[0, :2].astype(np.float64) - 0.5, float(box[0, 2:].max())
        center, degrees = self._frame(frames[0], middle, longer)
        side = math.hypot(*box[0, 2:]) / self.zoom
        cut = [_cut(f, center, side, degrees, self.input_size[0]) for f in frames]
        results['img'] = cut if isinstance(image, list) else cut[0]
        scale = np.full(2, side, np.float32)
        size = np.array(self.input_size, np.float32)
        # MMPose counts pixels from the corner of the input, see TopdownResize.
        moved = (center + side / size / 2).astype(np.float32)
        results.update(
            bbox_center=(center[None] + 0.5).astype(np.float32),
            bbox_scale=scale[None],
            input_size=self.input_size,
            input_scale=scale,
            input_center=moved,
            input_rotation=degrees,
        )
        if results.get('keypoints') is not None:
            crop = TurnedCrop.of_sample(results)
            points = results['keypoints'].astype(np.float32)
            points[..., :2] = crop.to_crop(points[..., :2]) * size
            results['transformed_keypoints'] = points
        return results

    def _frame(
        self, image: np.ndarray, center: np.ndarray, side: float
    ) -> tuple[np.ndarray, float]:
        """Center of the object in image pixels, and degrees by which it is turned."""
        upright = _cut(image, center, side, 0.0, _SEARCHED)
        values = torch.from_numpy(upright).permute(2, 0, 1)[None].float() / 255
        found, angle = object_frame(border_contrast(values), self.window)
        offset = found[0].double().numpy() - (_SEARCHED - 1) / 2
        return center + offset * side / _SEARCHED, math.degrees(angle.item()) - 90


def _cut(
    image: np.ndarray, center: np.ndarray, side: float, degrees: float, pixels: int
) -> np.ndarray:
    """Sample a turned square of an image (H, W, 3) without aliasing."""
    fine = pixels * max(1, math.ceil(side / pixels))
    step = side / fine
    corner = center - step * (fine - 1) / 2
    # Of the input's pixels (0, 0), (1, 0), (0, 1), where they lie in the image.
    places = turn(corner + step * np.array([[0, 0], [1, 0], [0, 1]]), center, degrees)
    matrix = np.stack([places[1] - places[0], places[2] - places[0], places[0]], 1)
    sampled = cv2.warpAffine(
        image,
        matrix,
        (fine, fine),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return cv2.resize(sampled, (pixels, pixels), interpolation=cv2.INTER_AREA)
