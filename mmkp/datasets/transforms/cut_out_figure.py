# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Cut the one object of a picture out of its background, and frame it."""

import os.path as osp
from functools import lru_cache

import cv2
import numpy as np
from mmpose.registry import TRANSFORMS

from mmkp.datasets.figure_ground import figure_mask, median_picture
from mmkp.datasets.image_boxes import box_window
from mmkp.datasets.image_decoding import read_image
from mmkp.datasets.image_files import find_images
from mmkp.datasets.transforms.base import Transform

#: Pictures of a folder whose median is the scene, and masks that are remembered.
SCENE_PICTURES, REMEMBERED = 31, 5000
#: An object's frame reaches so many deviations of its pixels from their mean at most;
#: an ellipse reaches 2.
DEVIATIONS = 2.5


@TRANSFORMS.register_module()
class CutOutFigure(Transform):
    """Blank what is not the object, so that no keypoint can lie on anything else.

    The object is what differs from the border's smooth colors or, for a still camera,
    from the empty scene, see :func:`mmkp.datasets.figure_ground.figure_mask`. A picture
    in which nothing differs is left as it is. It is looked for in the sample's box,
    which is that of the whole picture where nobody has boxes. Masks of files are
    remembered by ``img_path`` and box.

    Place it after ``LoadVerifiedImage``, before ``GetBBoxCenterScale``.

    Required keys: ``img`` (H, W, 3) uint8, ``bbox`` (1, 4). Optional: ``img_path``.
    Changed keys: ``img``; with ``frame`` ``bbox`` (1, 4) float32, the edges
    ``x1, y1, x2, y2`` of the object in pixels.

    Args:
        scene: What a still camera sees without the object: a picture, or a folder of
            pictures of it, whose median it is; resized to pictures of the same shape
            in another resolution. None: the border's colors alone.
        fill: Grey value in place of the background, from 0 to 255.
        frame: Whether the object's own box takes the place of the sample's; what is
            thin and far off, such as the end of a tail, is blanked, too.
        single: Whether the object is one connected part; off, all is kept that differs,
            such as the paws of an animal whose body keeps its place.
        padding: Factor by which the box is enlarged to look in, so that its border
            shows the background.

    Raises:
        ValueError: If ``fill`` is no grey value, or ``padding`` is not positive.
    """

    def __init__(
        self,
        scene: str | None = None,
        fill: int = 255,
        frame: bool = True,
        single: bool = True,
        padding: float = 1.0,
    ) -> None:
        if not 0 <= fill <= 255:
            raise ValueError(f'fill={fill} is no grey value: give one from 0 to 255')
        if not padding > 0:
            raise ValueError(f'padding={padding} of CutOutFigure must be positive')
        self.scene, self.fill = scene, fill
        self.frame, self.single, self.padding = frame, single, padding
        self._masks: dict[tuple, np.ndarray] = {}

    def transform(self, results: dict) -> dict:
        """Cut one sample out.

        Args:
            results: The sample; see the class for its keys.

        Returns:
            The same dict.

        Raises:
            FileNotFoundError: If the scene does not exist.
            ValueError: If the scene has another shape than the picture.
        """
        mask = self._mask(results)
        if not mask.any():
            return results
        if self.frame:
            (top, bottom), (left, right) = (
                _reach(mask.sum(axis=axis)) for axis in (1, 0)
            )
            results['bbox'] = np.array([[left, top, right, bottom]], np.float32)
            framed = np.zeros_like(mask)
            framed[top:bottom, left:right] = mask[top:bottom, left:right]
            mask = framed
        results['img'] = np.where(mask[..., None], results['img'], self.fill).astype(
            results['img'].dtype
        )
        return results

    def _mask(self, results: dict) -> np.ndarray:
        """Pixels of the object, remembered where the picture is a file.

        What is held in memory has the same name, or none, whatever it shows.
        """
        image, name = results['img'], results.get('img_path') or ''
        window = box_window(results['bbox'][0], image.shape, self.padding)
        shape = image[window].shape[:2]
        mask = np.zeros(image.shape[:2], bool)
        if not min(shape):
            return mask
        key = (name, image.shape, *((part.start, part.stop) for part in window))
        if key in self._masks:
            bits = np.unpackbits(self._masks[key], count=shape[0] * shape[1])
            mask[window] = bits.view(bool).reshape(shape)
            return mask
        scene = self._scene_of(image, name)
        behind = None if scene is None else scene[window]
        mask[window] = figure_mask(image[window], behind, self.single)
        if osp.isfile(name) and len(self._masks) < REMEMBERED:
            self._masks[key] = np.packbits(mask[window])
        return mask

    def _scene_of(self, image: np.ndarray, name: str | None) -> np.ndarray | None:
        """The scene behind a picture, of its size."""
        if self.scene is None:
            return None
        scene = read_scene(self.scene)
        height, width = image.shape[:2]
        # Rounded sides of a reduced picture may be off by half a pixel.
        off = scene.shape[0] * width / height - scene.shape[1]
        if scene.shape != image.shape and abs(off) <= width / height:
            scene = cv2.resize(scene, (width, height), interpolation=cv2.INTER_LINEAR)
        if scene.shape != image.shape:
            raise ValueError(
                f'{name or "the picture"} has (height, width, 3) {image.shape}, the '
                f'scene {self.scene} has {scene.shape}: a still camera makes pictures '
                'of one shape; set scene=None for others'
            )
        return scene


def _reach(numbers: np.ndarray) -> tuple[int, int]:
    """First and last edge of an object along an axis, less what is thin and far off.

    A tail that is seen in one picture and not in the next changes the frame little.

    Args:
        numbers: pixels of the object in each row or column.
    """
    places = np.flatnonzero(numbers)
    middle = np.average(places, weights=numbers[places])
    spread = np.average((places - middle) ** 2, weights=numbers[places]) ** 0.5
    first = max(places[0], round(middle - DEVIATIONS * spread))
    return int(first), int(min(places[-1], round(middle + DEVIATIONS * spread))) + 1


def read_scene(path: str) -> np.ndarray:
    """Read what a still camera sees without its object.

    Args:
        path: A picture, or a folder of pictures, of which up to 31 are read, spread
            evenly.

    Returns:
        The picture, or the median of those of the folder, (H, W, 3) uint8.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If pictures of the folder are fewer than three, or differ in size.
    """
    return _scene_of_time(path, osp.getmtime(path) if osp.exists(path) else 0.0)


@lru_cache(maxsize=8)
def _scene_of_time(path: str, changed: float) -> np.ndarray:
    """The scene of a file or folder that was last changed then."""
    if not osp.isdir(path):
        return read_image(path)
    names = find_images(path)
    places = np.linspace(0, len(names) - 1, min(len(names), SCENE_PICTURES))
    return median_picture([osp.join(path, names[int(p)]) for p in places.round()])
