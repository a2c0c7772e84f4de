# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Load another frame of the clip that an image belongs to."""

import functools
import os.path as osp
from collections.abc import Sequence

import numpy as np
from mmpose.registry import TRANSFORMS

from mmkp.datasets.image_decoding import fetch_image
from mmkp.datasets.image_files import find_images
from mmkp.datasets.transforms.base import Transform


@functools.lru_cache(maxsize=4096)
def clip_frames(folder: str) -> tuple[str, ...]:
    """List the frames of a clip by name, which is the order in time.

    Args:
        folder: One clip's folder, one image a frame.

    Returns:
        Names of the images directly in the folder, sorted.
    """
    return tuple(sorted(find_images(folder, recursive=False)))


@TRANSFORMS.register_module()
class LoadClipFrame(Transform):
    """Add another frame of the same clip, which then undergoes the same transforms.

    All images in the folder of ``img_path`` are the frames of its clip, in the order
    of their names, as ``tools/dataset_converters/action_strips_to_frames.py`` writes
    them. From here on ``img`` is a list of both frames, and MMPose's geometric
    transforms (``RandomFlip``, ``TopdownAffine``) and ``TopdownResize`` treat both
    alike. ``PackPoseInputs`` stacks them to (2, 3, H, W) for
    ``FramePairDataPreprocessor``.

    Required keys: ``img`` (H, W, 3) uint8 and ``img_path``.
    Changed and added keys: ``img``, a list of this frame and the other one;
    ``second_img_path``.

    Args:
        gap: Distance of the frames, or the smallest and largest of which one is drawn
            at random. Positive gaps are later frames.
        both_directions: Whether to look for earlier frames just as well. At the ends
            of a clip the direction that has such frames is taken all the same.
        backend_args: Storage back end, as in ``mmengine.fileio.get``.

    Raises:
        ValueError: If a gap is below 1, or the range is empty.
    """

    def __init__(
        self,
        gap: int | Sequence[int] = (1, 3),
        both_directions: bool = True,
        backend_args: dict | None = None,
    ) -> None:
        low, high = (gap, gap) if isinstance(gap, int) else gap
        if not 1 <= low <= high:
            raise ValueError(
                f'gap of LoadClipFrame is {gap}: give a number of frames of at least '
                '1, or (smallest, largest)'
            )
        self.gap = (low, high)
        self.both_directions = both_directions
        self.backend_args = backend_args

    def transform(self, results: dict) -> dict:
        """Load the other frame of one sample.

        Args:
            results: The sample; see the class for its keys.

        Returns:
            The same dict with both frames.

        Raises:
            ValueError: If the clip has no frame at such a distance, if its frames
                differ in size, or if the image comes from no file.
            CorruptImageError: If the other frame is damaged.
        """
        if not results.get('img_path'):
            raise ValueError(
                'LoadClipFrame needs the path of the image, img_path, to find the clip '
                'that it belongs to: read images from files'
            )
        path = self._choose(results['img_path'])
        second = fetch_image(path, self.backend_args)
        first = results['img']
        if second.shape != first.shape:
            raise ValueError(
                f'{path} has shape {second.shape}, but {results["img_path"]} '
                f'{first.shape}: frames of a clip must be of one size'
            )
        results['img'] = [first, second.astype(first.dtype)]
        results['second_img_path'] = path
        return results

    def _choose(self, path: str) -> str:
        """Draw the path of another frame of the clip."""
        folder, name = osp.split(path)
        names = clip_frames(folder)
        index = names.index(name)
        gaps = np.arange(self.gap[0], self.gap[1] + 1)
        later: np.ndarray = index + gaps
        later = later[later < len(names)]
        earlier: np.ndarray = index - gaps
        earlier = earlier[earlier >= 0]
        if self.both_directions or not len(later):
            later = np.concatenate((later, earlier))
        if not len(later):
            raise ValueError(
                f'{folder} has {len(names)} frames, none of them {self.gap} frames '
                f'from {name}: leave out such short clips, or take a smaller gap'
            )
        return osp.join(folder, names[np.random.choice(later)])
