# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The embedded data set: figures drawn while they are read."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from .body_metainfo import COCO_JOINTS, COCO_LINKS, body_metainfo
from .puppets import PuppetSettings, count_figures, puppet_uri, render
from .puppets.scene import Scene
from .puppets.settings import check_count, reject
from .sample_annotations import coco_annotation, judge_by_samples
from .segmentation import encode_mask


@DATASETS.register_module()
class PuppetDataset(BaseCocoStyleDataset):
    """Procedurally drawn, articulated figures with exact ground truth.

    Nothing is read from disk and nothing is stored: a picture is drawn when
    its item is asked for, and depends on the seed and its number alone, not on
    the order of access, the process or other random generators. Items carry
    the picture as ``img``, which ``LoadImage`` keeps, and the keys that MMPose
    data sets give (`BaseCocoStyleDataset`). Two seeds never share a picture,
    so training and test sets differ by ``seed``.

    Figures face the viewer; their own left sleeve and trouser leg are the
    darker ones. Joints that another part or figure covers are labelled, as in
    COCO: their ``keypoints_visible`` is 1 like that of all joints (the loss
    counts them), and the flags in ``raw_ann_info`` tell seen (2) from covered
    (1).

    Args:
        num_images (int): Number of images.
        image_size (int | tuple[int]): Width and height in pixels.
        seed (int): Any whole number from 0.
        figures (int | tuple[int]): Figures in an image, or their smallest and
            largest number.
        pose_variation (float): 0, at rest, to 1, the full range of each joint.
        scale (tuple[float], optional): Range of a standing figure's stature as
            a share of the shorter side of the image; None chooses one by the
            number of figures. Figures always fit the image.
        rotation (tuple[float]): Range of whole figures' rotation in degrees.
        translation (float): Share of the free room that positions use, 0 to 1.
        background (str): 'plain', 'gradient', 'clutter' or 'mixed'.
        occlusion (bool): Whether figures may overlap and arms pass behind the
            trunk.
        appearance (str): 'same', 'outfits' or 'any'.
        frames_per_clip (int): With more than one, each run of so many images
            is a film of the same figures moving.
        data_mode (str): 'topdown', one item a figure, or 'bottomup', one item
            an image with all of its figures.
        box (str): 'figure' or 'image': what the box of a top-down item frames.
        metainfo (dict, optional): Replaces ``METAINFO``, that of COCO's joints.
        pipeline (list): Transforms.
        **kwargs: Other arguments of ``BaseCocoStyleDataset``.

    Raises:
        ValueError: For a value that is not usable, naming it and the remedy.
    """

    METAINFO: dict = body_metainfo('puppets_coco', COCO_JOINTS, COCO_LINKS)

    def __init__(
        self,
        num_images: int = 1000,
        image_size: int | tuple[int, int] = 128,
        seed: int = 0,
        figures: int | tuple[int, int] = 1,
        pose_variation: float = 1.0,
        scale: tuple[float, float] | None = None,
        rotation: tuple[float, float] = (-12.0, 12.0),
        translation: float = 1.0,
        background: str = 'gradient',
        occlusion: bool = True,
        appearance: str = 'outfits',
        frames_per_clip: int = 1,
        data_mode: str = 'topdown',
        box: str = 'image',
        metainfo: dict | None = None,
        pipeline: Sequence[dict | Callable] = (),
        **kwargs: Any,
    ) -> None:
        self.settings = PuppetSettings(
            image_size,
            seed,
            figures,
            pose_variation,
            scale,
            rotation,
            translation,
            background,
            occlusion,
            appearance,
            frames_per_clip,
        )
        check_count('num_images', num_images, 1, 'give the number of images, from 1')
        if box not in ('figure', 'image'):
            reject('box', box, "choose 'figure' or 'image'")
        self.num_images = num_images
        self.box = box
        super().__init__(
            data_mode=data_mode, metainfo=metainfo, pipeline=list(pipeline), **kwargs
        )
        judge_by_samples(self)

    def load_data_list(self) -> list[dict]:
        """List the items; their pictures are drawn by ``get_data_info``."""
        if self.data_mode == 'bottomup':
            return [dict(img_id=index) for index in range(self.num_images)]
        return [
            dict(img_id=index, figure=figure)
            for index in range(self.num_images)
            for figure in range(count_figures(self.settings, index))
        ]

    def get_data_info(self, idx: int) -> dict:
        """Draw an item.

        Args:
            idx (int): Index of the item.

        Returns:
            dict: ``img`` (H, W, 3) uint8 BGR, ``img_id``, ``img_path`` (a name
            that MMEngine's file layer draws, see ``puppets.file_backend``),
            ``id``, ``keypoints`` (N, K, 2), ``bbox`` (N, 4) as x1, y1, x2, y2 and
            ``area`` (N,), all in pixels, ``segmentation``, the pixels in which a
            figure is seen as run lengths, ``keypoints_visible`` (N, K), 1 for
            labelled joints, ``clip_id``, ``frame_id`` and further keys as in
            ``BaseCocoStyleDataset``. N is 1 in top-down mode.
        """
        item = super().get_data_info(idx)
        index = item['img_id']
        scene = render(self.settings, index)
        figures = list(range(len(scene.keypoints)))
        if self.data_mode == 'topdown':
            figures = [item.pop('figure')]
        item.update(self.annotate(scene, index, figures))
        clip, frame = divmod(index, self.settings.frames_per_clip)
        item.update(
            img=scene.image,
            img_path=puppet_uri(self.settings, index),
            clip_id=clip,
            frame_id=frame,
        )
        return item

    def annotate(self, scene: Scene, index: int, figures: list[int]) -> dict:
        """Annotations of figures of a scene in MMPose's format.

        Args:
            scene (Scene): The picture.
            index (int): Number of the image.
            figures (list[int]): Numbers of the figures to include.

        Returns:
            dict: The keys named by :meth:`get_data_info`, without the image.
        """
        keypoints, flags = scene.keypoints[figures], scene.visibility[figures]
        tight, areas = scene.boxes[figures], np.maximum(scene.areas[figures], 1)
        # From 1: the COCO evaluation takes 0 for "no match".
        first = index * self.settings.figure_range[1] + 1
        ids = [first + figure for figure in figures]
        masks = [encode_mask(scene.figure_mask(figure)) for figure in figures]
        raw = [
            dict(coco_annotation(number, index, *values), segmentation=mask)
            for number, mask, *values in zip(
                ids, masks, keypoints, flags, tight, areas, strict=True
            )
        ]
        info: dict[str, Any] = dict(
            keypoints=keypoints,
            keypoints_visible=np.minimum(flags, 1).astype(np.float32),
            bbox=self._boxes(tight),
            bbox_score=np.ones(len(ids), dtype=np.float32),
            area=areas,
            category_id=np.ones(len(ids), dtype=np.int64),
        )
        lists: dict[str, list] = dict(
            id=ids,
            num_keypoints=[annotation['num_keypoints'] for annotation in raw],
            iscrowd=[0] * len(ids),
            segmentation=masks,
            raw_ann_info=raw,
        )
        if self.data_mode == 'bottomup':
            return dict(info, **lists, invalid_segs=[])
        info.update({key: values[0] for key, values in lists.items()})
        # scalars of one figure, as in BaseCocoStyleDataset
        info.update(area=info['area'][0], category_id=info['category_id'][0])
        return info

    def _boxes(self, tight: np.ndarray) -> np.ndarray:
        """Boxes (N, 4) of the items from the tight boxes around figures."""
        if self.data_mode == 'topdown' and self.box == 'image':
            width, height = self.settings.size
            return np.array([[0, 0, width, height]], dtype=np.float32)
        return tight
