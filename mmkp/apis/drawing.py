# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Predictions on the images that they belong to. Pictures are BGR, uint8.

Images are whatever :func:`mmkp.datasets.image_decoding.as_image` takes: paths, arrays
in BGR, tensors in RGB, PIL images. A notebook shows ``picture[..., ::-1]``, RGB.
"""

from typing import Any

import cv2
import numpy as np

from mmkp.apis.batches import Image
from mmkp.datasets.image_decoding import as_image
from mmkp.visualization.canvas import enlarged, put_text, rescaled, size_of, text_width
from mmkp.visualization.heatmap_pictures import (
    heatmap_sheet,
    overlay_heatmaps,
    rescaled_affine,
)
from mmkp.visualization.keypoints import draw_edges, draw_keypoints
from mmkp.visualization.model_pictures import keypoint_colors
from mmkp.visualization.part_affinity_pictures import (
    field_sheet,
    limb_names,
    overlay_arrows,
    overlay_fields,
)
from mmkp.visualization.skeletons import (
    CONFIDENT_SCORE,
    SkeletonStyle,
    draw_skeletons,
)
from mmkp.visualization.stack_pictures import stack_sheet

SMALLEST_PICTURE = 384
# What can be drawn of the maps of a model.
HEATMAP_STYLES = ('overlay', 'all')
FIELD_STYLES = ('wheel', 'arrows', 'all')


def skeleton_style(model: Any) -> SkeletonStyle:
    """Links and colours of the data set, or of the limbs where the model has others.

    Args:
        model: with ``dataset_meta``; of a part affinity model that decodes all of its
            own keypoints, the limbs are drawn.

    Returns:
        The style.
    """
    meta = model.dataset_meta
    decoder = getattr(model.head, 'decoder', None)
    skeleton = getattr(decoder, 'skeleton', None)
    if skeleton is not None and getattr(decoder, 'output_keypoints', '') == 'all':
        number = skeleton.num_keypoints
        kept = set(range(skeleton.num_limbs)) - set(skeleton.redundant_limbs)
        links = np.array([skeleton.limbs[limb] for limb in sorted(kept)])
        colors = keypoint_colors(number, None)
        return SkeletonStyle(colors, links, colors[links[:, 1]])
    colors = keypoint_colors(len(meta['keypoint_colors']), meta)
    links = np.asarray(meta.get('skeleton_links') or (), int).reshape(-1, 2)
    link_colors = np.asarray(meta.get('skeleton_link_colors', ())).reshape(-1, 3)
    if len(link_colors) != len(links):
        link_colors = colors[links[:, 1]]
    return SkeletonStyle(colors, links, link_colors)


def draw_people(
    image: Image,
    people: dict[str, np.ndarray],
    style: SkeletonStyle,
    min_score: float = CONFIDENT_SCORE,
    numbers: bool = False,
    show_boxes: bool = False,
) -> np.ndarray:
    """Draw the skeletons of all people; small images are enlarged first.

    Lines are the thinner the smaller a person is; better ones lie on top.

    Args:
        image: path, array (H, W, 3) in BGR, tensor in RGB, or PIL image.
        people: one item of what :func:`predict_people` or :func:`predict_topdown`
            returns.
        style: links and colours.
        min_score: keypoints of a lower score, and those not found, are not drawn.
        numbers: write each keypoint's number beside it.
        show_boxes: draw the boxes too.

    Returns:
        Picture (h, w, 3), uint8, BGR.
    """
    picture, *sizes = _picture_of(image)
    order = np.argsort(people['bbox_scores'], kind='stable')
    boxes = rescaled(people['bboxes'][order].reshape(-1, 2, 2), *sizes)
    if show_boxes:
        picture = _draw_boxes(picture, boxes)
    picture = draw_skeletons(
        picture,
        rescaled(people['keypoints'][order], *sizes),
        people['keypoint_scores'][order],
        boxes.reshape(-1, 4),
        style,
        min_score,
        numbers,
    )
    return cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)


def draw_stacks(
    image: Image,
    instances: dict[str, np.ndarray],
    style: SkeletonStyle,
    min_score: float = CONFIDENT_SCORE,
) -> np.ndarray:
    """Draw what each stack of a network makes of an image, side by side.

    Args:
        image: path, array (H, W, 3) in BGR, tensor in RGB, or PIL image.
        instances: one item of what :func:`predict_topdown` returns, with stacks.
        style: links and colours.
        min_score: keypoints of a lower score are not drawn.

    Returns:
        Picture (h, w, 3), uint8, BGR.
    """
    drawn = stack_sheet(
        np.ascontiguousarray(as_image(image)[..., ::-1]),
        instances['stack_keypoints'],
        instances['stack_scores'],
        instances['stack_heatmaps'],
        instances['image_to_map'],
        style,
        min_score,
    )
    return np.ascontiguousarray(drawn[..., ::-1])


def draw_maps(
    image: Image, people: dict[str, np.ndarray], model: Any, kind: str, style: str
) -> np.ndarray:
    """Draw the heatmaps or fields of an image; small images are enlarged first.

    Args:
        image: path, array (H, W, 3) in BGR, tensor in RGB, or PIL image.
        people: one item of what :func:`predict_people` or :func:`predict_topdown`
            returns, with its maps.
        model: of which they are, for names and colours.
        kind: 'heatmaps' or 'fields'.
        style: 'overlay' or 'all' (a tile for each keypoint) of heatmaps; 'wheel',
            'arrows' or 'all' (a tile for each limb) of fields.

    Returns:
        Picture (h, w, 3), uint8, BGR.

    Raises:
        ValueError: the model predicts no such maps, or unknown style.
    """
    name, styles = dict(
        heatmaps=('heatmaps', HEATMAP_STYLES),
        fields=('part_affinity_fields', FIELD_STYLES),
    )[kind]
    if name not in people:
        raise ValueError(f'{type(model.head).__name__} predicts no {kind} to show')
    if style not in styles:
        raise ValueError(f'{kind} are shown as one of {styles}, got {style!r}')
    picture, *sizes = _picture_of(image)
    maps = people[name]
    to_map = rescaled_affine(people['image_to_map'], *sizes)
    number = people['heatmaps'].shape[-3]
    keypoints, limbs, colors = _names_and_colors(model, number)
    if kind == 'heatmaps':
        if style == 'all':
            drawn = heatmap_sheet(picture, maps, keypoints, colors, to_map)
        else:
            drawn = overlay_heatmaps(picture, maps, colors, to_map)
    elif style == 'all':
        drawn = field_sheet(picture, maps, limbs, to_map)
    else:
        draw = overlay_arrows if style == 'arrows' else overlay_fields
        drawn = draw(picture, maps, to_map)
    return np.ascontiguousarray(drawn[..., ::-1])


def draw_predictions(
    image: Image,
    instances: dict[str, np.ndarray],
    colors: np.ndarray | None = None,
    edges: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    numbers: bool = False,
    min_score: float = 0.0,
    show_boxes: bool = False,
) -> np.ndarray:
    """Draw all instances of an image; small images are enlarged first.

    Args:
        image: path, array (H, W, 3) in BGR, tensor in RGB, or PIL image.
        instances: one item of what :func:`predict_topdown` returns.
        colors: RGB of each keypoint, 0 to 255, shape (K, 3); by default K that are
            easily told apart.
        edges: pairs of keypoints to draw, shape (E, 2), int.
        weights: of the edges, shape (E,).
        numbers: write each keypoint's number beside it.
        min_score: keypoints of a lower score are not drawn.
        show_boxes: draw the boxes too.

    Returns:
        Picture (h, w, 3), uint8, BGR.
    """
    picture, *sizes = _picture_of(image)
    if colors is None:
        colors = keypoint_colors(instances['keypoints'].shape[1])
    if show_boxes:
        boxes = instances['bboxes'].reshape(-1, 2, 2)
        picture = _draw_boxes(picture, rescaled(boxes, *sizes))
    for index, keypoints in enumerate(instances['keypoints']):
        points = rescaled(keypoints, *sizes)
        scores = instances['keypoint_scores'][index]
        if edges is not None:
            seen = np.where(scores[:, None] >= min_score, points, np.nan)
            picture = draw_edges(picture, seen, edges, weights)
        picture = draw_keypoints(
            picture, points, colors, None, scores, min_score, numbers
        )
    return cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)


def draw_rate(
    picture: np.ndarray, frames_per_second: float, of_network: float | None = None
) -> np.ndarray:
    """Write a rate into the upper right corner.

    Args:
        picture: (H, W, 3), uint8, BGR.
        frames_per_second: what to write, from reading to writing.
        of_network: the same of the network alone.

    Returns:
        Picture of the same shape.
    """
    text = f'{frames_per_second:.1f} frames/s'
    if of_network is not None:
        text += f', network {of_network:.1f}'
    size = max(12, round(0.035 * len(picture)))
    width = min(text_width(text, size) + size, picture.shape[1])
    height = round(1.6 * size)
    drawn = picture.copy()
    corner = drawn[:height, -width:]
    corner[:] = corner // 3
    place = (drawn.shape[1] - width / 2 - 1, height / 2)
    return put_text(drawn, text, place, (255, 255, 255), size, 'mm')


def _draw_boxes(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Frame boxes, given by two corners each, (N, 2, 2)."""
    drawn = np.ascontiguousarray(picture).copy()
    for box in boxes.round():
        first, last = (tuple(int(v) for v in corner) for corner in box)
        cv2.rectangle(drawn, first, last, (255, 255, 255), 1)
    return drawn


def _picture_of(image: Image) -> tuple[np.ndarray, tuple[int, int], tuple[int, int]]:
    """The image as RGB, enlarged where it is small; its size before and after."""
    picture = cv2.cvtColor(as_image(image), cv2.COLOR_BGR2RGB)
    size = size_of(picture)
    if max(size) < SMALLEST_PICTURE:
        picture = enlarged(picture, SMALLEST_PICTURE)
    return picture, size, size_of(picture)


def _names_and_colors(
    model: Any, num_keypoints: int
) -> tuple[list[str], list[str], np.ndarray]:
    """Names of heatmaps and limbs, and the heatmaps' colours."""
    skeleton = getattr(getattr(model.head, 'decoder', None), 'skeleton', None)
    meta = model.dataset_meta
    known = meta.get('keypoint_id2name') or {}
    names = list(skeleton.keypoints) if skeleton else [*known.values()]
    if len(names) != num_keypoints:
        names = [str(index) for index in range(num_keypoints)]
    limbs = limb_names(skeleton.limbs, names) if skeleton else []
    return names, limbs, keypoint_colors(num_keypoints, None)
