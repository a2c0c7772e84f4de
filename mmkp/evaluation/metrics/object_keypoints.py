# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which predicted keypoints lie on the object, by its segmentation or a mask's file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmkp.datasets.image_decoding import read_image
from mmkp.datasets.segmentation import encode_mask, segmentation_mask
from mmkp.evaluation.functional import object_cover, on_object
from mmkp.ops.turned_crop import TurnedCrop

MASK_SUFFIXES = ('.png', '.jpg', '.bmp')


@dataclass(frozen=True)
class ObjectView:
    """The object in one image, and the crop that the detector saw.

    Args:
        mask: Run lengths of its pixels, as COCO's files hold them.
        crop: Where the crop lies in the image.
    """

    mask: dict[str, Any]
    crop: TurnedCrop


def object_view(
    data_sample: dict, name: str, mask_folder: str | None = None
) -> ObjectView:
    """Find the pixels of the object of a predicted data sample.

    Args:
        data_sample: A ``PoseDataSample`` as a dict, with ``ori_shape``, the crop and,
            without a folder, the annotation in COCO's format as ``raw_ann_info``.
        name: File or id for messages.
        mask_folder: Folder of masks of the images, ``<name of the image>.png``: what is
            brighter than half is the object.

    Returns:
        The object and the crop.

    Raises:
        FileNotFoundError: If the image has no mask in the folder.
        ValueError: If the object has no segmentation, or one of another size.
    """
    shape = (int(data_sample['ori_shape'][0]), int(data_sample['ori_shape'][1]))
    if mask_folder is not None:
        mask = _read_mask(mask_folder, str(data_sample['img_path']), shape)
        return ObjectView(encode_mask(mask), TurnedCrop.of_sample(data_sample))
    annotation = data_sample.get('raw_ann_info')
    found = None
    if isinstance(annotation, Mapping):
        found = segmentation_mask(annotation.get('segmentation'), shape)
    if found is None:
        raise ValueError(
            f'{name}: the annotation has no segmentation, so nobody can tell which '
            'keypoints lie on the object: set object_share=False, or mask_folder to '
            'a folder of masks.'
        )
    return ObjectView(encode_mask(found), TurnedCrop.of_sample(data_sample))


def object_shares(
    views: Sequence[ObjectView], columns: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], float]:
    """Shares of keypoints on the object, over images.

    Args:
        views: The object and the crop of each of n images.
        columns: Name -> keypoints (n, K, 2), fractions of the crop.

    Returns:
        Name -> share of each keypoint (K,) in percent, and the mean share of the crop
        that the object covers, in percent.
    """
    flags: dict[str, list[np.ndarray]] = {name: [] for name in columns}
    covers = []
    for index, view in enumerate(views):
        height, width = view.mask['size']
        mask = segmentation_mask(view.mask, (height, width))
        if mask is None:  # not a pixel
            mask = np.zeros((height, width), bool)
        # By chance in the upright square around the same place.
        corner = view.crop.center - view.crop.scale / 2
        covers.append(object_cover(mask, corner, view.crop.scale))
        for name, keypoints in columns.items():
            places = view.crop.to_image(keypoints[index])
            flags[name].append(on_object(places, mask))
    shares = {name: 100 * np.mean(found, axis=0) for name, found in flags.items()}
    return shares, 100 * float(np.mean(covers))


def _read_mask(folder: str, image: str, shape: tuple[int, int]) -> np.ndarray:
    """Pixels (H, W) bool of the object in an image."""
    candidates = [Path(folder) / f'{Path(image).stem}{s}' for s in MASK_SUFFIXES]
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise FileNotFoundError(
            f'{image} has no mask: {candidates[0]} does not exist; mask_folder is to '
            'hold one for each image, under its name'
        )
    mask = read_image(path).max(axis=2) > 127
    if mask.shape != shape:
        raise ValueError(
            f'{path} has {mask.shape[1]}x{mask.shape[0]} pixels, its image '
            f'{shape[1]}x{shape[0]}: they must agree'
        )
    return mask
