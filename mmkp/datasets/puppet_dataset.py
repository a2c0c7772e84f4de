# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The embedded data set: figures drawn while they are read."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmengine.logging import MessageHub
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from .puppets import (
    PuppetSettings,
    count_figures,
    puppet_metainfo,
    puppet_uri,
    render,
    reorder_joints,
)
from .puppets.scene import Scene
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
    (1). ``label_covered=False`` makes both 0 for covered joints.

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
        joint_order (str): 'coco' (17 joints) or 'openpose' (18 with the neck).
        data_mode (str): 'topdown', one item a figure, or 'bottomup', one item
            an image with all of its figures.
        box (str): 'figure' or 'image': what the box of a top-down item frames.
        box_padding (float): How much larger than the tight box around the
            figure the box is, 0.1 meaning a tenth; for ``box='figure'``.
        label_covered (bool): Whether joints that are covered are labelled.
        metainfo (dict, optional): Replaces the meta information of the joint
            order.
        pipeline (list): Transforms.
        test_mode (bool): As in MMPose.
        lazy_init (bool): As in MMPose.
        indices (int | Sequence[int], optional): Items to keep.

    Raises:
        ValueError: For a value that is not usable, naming it and the remedy.
    """

    METAINFO: dict = puppet_metainfo('coco')

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
        joint_order: str = 'coco',
        data_mode: str = 'topdown',
        box: str = 'image',
        box_padding: float = 0.0,
        label_covered: bool = True,
        metainfo: dict | None = None,
        pipeline: Sequence[dict | Callable] = (),
        test_mode: bool = False,
        lazy_init: bool = False,
        indices: int | Sequence[int] | None = None,
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
        _check_items(num_images, box, box_padding)
        self.num_images = num_images
        self.joint_order = joint_order
        self.box = box
        self.box_padding = box_padding
        self.label_covered = label_covered
        super().__init__(
            data_mode=data_mode,
            metainfo=metainfo or puppet_metainfo(joint_order),
            pipeline=list(pipeline),
            test_mode=test_mode,
            lazy_init=lazy_init,
            indices=indices,
        )
        # There is no annotation file: CocoMetric shall take the annotations
        # from the samples, and needs the name of the category for that.
        self._metainfo['CLASSES'] = [dict(id=1, name='person')]
        MessageHub.get_current_instance().pop_info(
            f'{self._metainfo["dataset_name"]}_ann_file', None
        )

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
        if self.data_mode == 'topdown':
            rows = slice(item['figure'], item.pop('figure') + 1)
        else:
            rows = slice(None)
        item.update(self.annotate(scene, index, rows))
        clip, frame = divmod(index, self.settings.frames_per_clip)
        item.update(
            img=scene.image,
            img_path=puppet_uri(self.settings, index),
            clip_id=clip,
            frame_id=frame,
        )
        return item

    def annotate(self, scene: Scene, index: int, rows: slice) -> dict:
        """Annotations of figures of a scene in MMPose's format.

        Args:
            scene (Scene): The picture.
            index (int): Number of the image.
            rows (slice): Figures to include.

        Returns:
            dict: The keys named by :meth:`get_data_info`, without the image.
        """
        keypoints = reorder_joints(scene.keypoints, self.joint_order)[rows]
        flags = _reorder_flags(scene.visibility, self.joint_order)[rows]
        if not self.label_covered:
            flags = np.where(flags == 2, flags, 0)
        most = self.settings.figure_range[1]
        # ids start at 1: the COCO evaluation takes 0 for "no match"
        ids = [
            index * most + figure + 1
            for figure in range(*rows.indices(len(scene.keypoints)))
        ]
        tight = scene.boxes[rows]
        areas = scene.areas[rows]
        masks = [
            encode_mask(scene.figure_mask(figure))
            for figure in range(*rows.indices(len(scene.keypoints)))
        ]
        raw = [
            _coco_annotation(*values, index)
            for values in zip(ids, keypoints, flags, tight, areas, strict=True)
        ]
        for annotation, mask in zip(raw, masks, strict=True):
            annotation['segmentation'] = mask
        num_figures = len(keypoints)
        info: dict[str, Any] = dict(
            keypoints=keypoints.copy(),
            keypoints_visible=np.minimum(flags, 1).astype(np.float32),
            bbox=self._boxes(tight),
            bbox_score=np.ones(num_figures, dtype=np.float32),
            area=np.maximum(areas, 1),
            category_id=np.ones(num_figures, dtype=np.int64),
        )
        lists: dict[str, list] = dict(
            id=ids,
            num_keypoints=[int(np.count_nonzero(f)) for f in flags],
            iscrowd=[0] * num_figures,
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
        if self.data_mode == 'bottomup':
            return tight.copy()
        if self.box == 'image':
            width, height = self.settings.size
            return np.array([[0, 0, width, height]], dtype=np.float32)
        center = (tight[:, :2] + tight[:, 2:]) / 2
        half = (tight[:, 2:] - tight[:, :2]) / 2 * (1 + self.box_padding)
        return np.concatenate([center - half, center + half], axis=1).astype(np.float32)


def _check_items(num_images: Any, box: Any, box_padding: Any) -> None:
    """Raise ValueError unless the arguments can be used."""
    if (
        not isinstance(num_images, int)
        or isinstance(num_images, bool)
        or num_images < 1
    ):
        raise ValueError(
            f'PuppetDataset: num_images={num_images!r} is not '
            'usable; give the number of images, from 1'
        )
    if box not in ('figure', 'image'):
        raise ValueError(
            f"PuppetDataset: box={box!r} is not usable; choose 'figure' or 'image'"
        )
    if not isinstance(box_padding, (int, float)) or box_padding < 0:
        raise ValueError(
            f'PuppetDataset: box_padding={box_padding!r} is not '
            'usable; give a number from 0'
        )


def _reorder_flags(flags: np.ndarray, order: str) -> np.ndarray:
    """Bring visibility flags (N, 17) into a joint order (N, K).

    The neck counts as seen where both shoulders are.
    """
    if order == 'coco':
        return flags
    doubled = reorder_joints(flags.astype(np.float32), order)
    return np.floor(doubled).astype(np.uint8)


def _coco_annotation(
    identifier: int,
    keypoints: np.ndarray,
    flags: np.ndarray,
    box: np.ndarray,
    area: np.ndarray,
    image_id: int,
) -> dict:
    """One figure in the format of COCO's annotation files."""
    triplets = np.concatenate([keypoints, flags[:, None]], axis=1)
    left, top, right, bottom = box.tolist()
    return dict(
        id=identifier,
        image_id=image_id,
        category_id=1,
        bbox=[left, top, right - left, bottom - top],
        area=max(float(area), 1.0),
        keypoints=triplets.ravel().tolist(),
        num_keypoints=int(np.count_nonzero(flags)),
        iscrowd=0,
    )
