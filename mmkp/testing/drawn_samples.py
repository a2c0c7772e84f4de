# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Images and annotations for the checks, drawn: no file is needed."""

from typing import Any

import cv2
import numpy as np

# As MMPose's data sets add them to each sample.
_METAINFO_KEYS = (
    'dataset_name',
    'upper_body_ids',
    'lower_body_ids',
    'flip_pairs',
    'dataset_keypoint_weights',
    'flip_indices',
    'skeleton_links',
)


def drawn_images(
    number: int, size: tuple[int, int], num_keypoints: int, seed: int = 0
) -> tuple[list[np.ndarray], np.ndarray]:
    """Draw the same discs, moved, turned and scaled, on a smooth random ground.

    Args:
        number: B of images.
        size: (W, H) of each in pixels.
        num_keypoints: K of discs.
        seed: of what is drawn; no global generator is touched.

    Returns:
        Images (H, W, 3), uint8, BGR, and the centers of the discs (B, K, 2), (x, y) in
        pixels.
    """
    width, height = size
    layout = np.random.default_rng(1)
    shape = layout.uniform(-0.3, 0.3, (num_keypoints, 2))
    colors = layout.integers(60, 256, (num_keypoints, 3))
    rng = np.random.default_rng((2, seed))
    radius = max(1, round(min(size) / 20))
    images, centers = [], []
    for _ in range(number):
        ground = rng.integers(0, 120, (4, 4, 3)).astype(np.uint8)
        image = cv2.resize(ground, size, interpolation=cv2.INTER_CUBIC)
        angle, scale = rng.uniform(-0.4, 0.4), rng.uniform(0.8, 1.1)
        turn = scale * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        middle = rng.uniform(0.45, 0.55, 2)
        points = (shape @ turn.T + middle).clip(0.05, 0.95) * (width - 1, height - 1)
        for point, color in zip(points, colors, strict=True):
            place = tuple(int(side) for side in point.round())
            cv2.circle(image, place, radius, color.tolist(), -1)
        images.append(image)
        centers.append(points)
    return images, np.array(centers, np.float32)


def raw_sample(
    image: np.ndarray, points: np.ndarray, metainfo: dict, bottom_up: bool, index: int
) -> dict[str, Any]:
    """What a data set of MMPose gives to a training pipeline.

    Args:
        image: (H, W, 3), uint8, BGR.
        points: (K, 2) in its pixels.
        metainfo: parsed, of the data set.
        bottom_up: whether the sample is an image of several instances or a box of one.
        index: of the sample.

    Returns:
        The sample; its box is the whole image.
    """
    height, width = image.shape[:2]
    box = np.array([[0, 0, width, height]], np.float32)
    annotation = dict(
        id=index,
        image_id=index,
        category_id=1,
        iscrowd=0,
        area=float(width * height),
        bbox=[0.0, 0.0, float(width), float(height)],
        keypoints=np.c_[points, np.full(len(points), 2)].ravel().tolist(),
        num_keypoints=len(points),
    )
    visible = np.ones((1, len(points)), np.float32)
    sample = dict(
        img=image.copy(),
        img_path=f'drawn_{index}.png',
        img_id=index,
        id=[index] if bottom_up else index,
        category_id=[1] if bottom_up else 1,
        img_shape=(height, width),
        ori_shape=(height, width),
        bbox=box,
        bbox_score=np.ones(1, np.float32),
        keypoints=points[None].astype(np.float32),
        keypoints_visible=visible,
        num_keypoints=np.array([len(points)]) if bottom_up else len(points),
        area=np.array([width * height], np.float32),
        iscrowd=[0] if bottom_up else 0,
        segmentation=[],
        raw_ann_info=[annotation] if bottom_up else annotation,
        invalid_segs=[],
        head_size=np.array([max(width, height) / 5], np.float32),
    )
    return {**sample, **{key: metainfo[key] for key in _METAINFO_KEYS}}
