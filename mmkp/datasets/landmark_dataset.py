# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""COCO-style landmark annotations of any object, without a class for each."""

import os.path as osp
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from mmkp.datasets.annotation_checks import hide_undefined_keypoints
from mmkp.datasets.coco_check import (
    landmark_category,
    landmark_edges,
    landmark_names,
    refuse_foreign,
)
from mmkp.datasets.metainfo import discovered_metainfo
from mmkp.datasets.sides import flip_partners, warn_of_unpaired_sides
from mmkp.labels import read_json


def landmark_metainfo(
    names: Sequence[str], edges: Sequence[Sequence[int]] = (), name: str = 'landmarks'
) -> dict:
    """Describe named landmarks in the METAINFO format of MMPose.

    Args:
        names: Names of the K landmarks. Sides are found by
            :func:`mmkp.datasets.sides.flip_partners`, e.g. ``left_x`` and ``right_x``.
        edges: Index pairs (E, 2) of the links to draw.
        name: Name of the data set.

    Returns:
        Dict as ``parse_pose_metainfo`` reads it.

    Raises:
        ValueError: If names repeat, or an edge is wrong.
    """
    if len(set(names)) != len(names):
        raise ValueError(f'landmark names of {name} repeat: {list(names)}')
    metainfo = discovered_metainfo(len(names), edges or None, name)
    partners = flip_partners(names)
    warn_of_unpaired_sides(names, partners, name)
    for index, landmark in enumerate(names):
        swap = partners.get(landmark, '')
        metainfo['keypoint_info'][index].update(name=landmark, swap=swap)
    for link, (start, end) in zip(
        metainfo['skeleton_info'].values(), edges, strict=True
    ):
        link['link'] = (names[start], names[end])
    return metainfo


@DATASETS.register_module()
class LandmarkDataset(BaseCocoStyleDataset):
    """COCO-style data set whose landmarks are described by the annotation file.

    The names and links are read from the file's first category with ``keypoints``
    (``skeleton`` counted from 1, as in COCO, or of names), so faces with 5 points,
    birds with 15 and mice with 17 need no class of their own. Left and right are found
    in the names; ``metainfo`` with ``swap`` says it where they are named otherwise.

    Unlike its base, it takes a box as edges: the box of a whole W x H image is
    ``(0, 0, W, H)``, as MMPose's inferencers have it. Files are checked by
    :func:`mmkp.datasets.coco_check.check_coco`.

    Args:
        ann_file: COCO-style json, relative to ``data_root``.
        keypoint_names: Names of the K landmarks, if the file has none.
        metainfo: Metainfo in MMPose's format in place of the file's.
        clip_boxes: Whether boxes are cut at the edges of the image, as MMPose does.
            A box that is a crop around the object would lose its centre.
        box: What the box of a sample frames: ``'annotation'``, as in the file, or
            ``'image'``, the whole image, so that nothing is known of where the object
            is.
        **kwargs: Other arguments of ``BaseCocoStyleDataset``.

    Raises:
        FileNotFoundError: If the annotation file does not exist.
        ValueError: If it is no json, names no keypoints and none are given, or ``box``
            is unknown.
    """

    # Only read by MMPose when a model is built without checkpoint and config metainfo.
    METAINFO: dict = discovered_metainfo(5, name='landmarks')

    def __init__(
        self,
        ann_file: str = '',
        keypoint_names: Sequence[str] | None = None,
        metainfo: dict | None = None,
        data_root: str | None = None,
        clip_boxes: bool = True,
        box: str = 'annotation',
        **kwargs: Any,
    ) -> None:
        if box not in ('annotation', 'image'):
            raise ValueError(f"box={box!r} is unknown: use 'annotation' or 'image'")
        self.clip_boxes, self.box = clip_boxes, box
        if metainfo is None:
            path = osp.join(data_root or '', ann_file)
            metainfo = self._metainfo_of_file(path, keypoint_names)
        super().__init__(
            ann_file=ann_file, metainfo=metainfo, data_root=data_root, **kwargs
        )

    @staticmethod
    def _metainfo_of_file(path: str, names: Sequence[str] | None) -> dict:
        """Describe the landmarks of an annotation file."""
        if not osp.isfile(path):
            raise FileNotFoundError(f'annotation file {path} does not exist')
        stem = osp.splitext(osp.basename(path))[0]
        if names is not None:
            return landmark_metainfo(names, name=stem)
        content = read_json(path, nan=True)
        if not isinstance(content, dict) or 'images' not in content:
            refuse_foreign(content, path)
        category = landmark_category(content, path)
        if not category:
            raise ValueError(
                f'{path} names no keypoints in its categories; set keypoint_names'
            )
        info = content.get('info')
        name = info.get('dataset_name') if isinstance(info, dict) else None
        names = landmark_names(category, path)
        edges = landmark_edges(category, names, path)
        return landmark_metainfo(names, edges, str(name or stem))

    def parse_data_info(self, raw_data_info: dict) -> dict | None:
        """Read one annotation.

        Args:
            raw_data_info: ``raw_ann_info`` and ``raw_img_info`` from the file.

        Returns:
            The sample: ``bbox`` (1, 4), ``keypoints`` (1, K, 2) image pixels and
            ``keypoints_visible`` (1, K), float32, and MMPose's other keys; ``None``
            for an annotation without box or keypoints.

        Raises:
            ValueError: If the number of keypoints is not that of the metainfo.
        """
        annotation, image = raw_data_info['raw_ann_info'], raw_data_info['raw_img_info']
        if 'bbox' not in annotation or 'keypoints' not in annotation:
            return None
        expected = 3 * self._metainfo['num_keypoints']
        if len(annotation['keypoints']) != expected:
            raise ValueError(
                f'{self.ann_file}: annotation {annotation.get("id")} of '
                f'{image["file_name"]} has {len(annotation["keypoints"])} numbers, '
                f'{expected} are expected (x, y, visibility of each keypoint)'
            )
        x, y, width, height = (float(value) for value in annotation['bbox'])
        sample = super().parse_data_info(raw_data_info)
        if self.box == 'image':
            x, y, width, height = 0.0, 0.0, image['width'], image['height']
        edges = np.array([[x, y, x + width, y + height]], np.float32)
        if self.clip_boxes:
            edges = edges.clip(0, [image['width'], image['height']] * 2)
        sample['bbox'] = edges.astype(np.float32)
        hide_undefined_keypoints(sample)
        sample['num_keypoints'] = int((sample['keypoints_visible'] > 0).sum())
        return sample

    def filter_data(self) -> list[dict]:
        """Filter by ``filter_cfg``.

        Returns:
            The remaining samples.

        Raises:
            ValueError: If none is left, or the file has no usable annotation.
        """
        samples = super().filter_data()
        if not samples:
            raise ValueError(
                f'{self.ann_file} has no usable annotation: each needs a box of '
                'positive size, at least one visible keypoint and, with '
                'filter_cfg, a sufficient score'
            )
        return samples


class BodyLandmarkDataset(LandmarkDataset):
    """Landmarks of the class's own ``METAINFO``; boxes may reach beyond the image.

    Args:
        ann_file: COCO-style json, relative to ``data_root``.
        metainfo: Metainfo in place of ``METAINFO``.
        **kwargs: Other arguments of ``LandmarkDataset``.
    """

    def __init__(
        self, ann_file: str = '', metainfo: dict | None = None, **kwargs: Any
    ) -> None:
        kwargs.setdefault('clip_boxes', False)
        super().__init__(ann_file, metainfo=metainfo or self.METAINFO, **kwargs)
