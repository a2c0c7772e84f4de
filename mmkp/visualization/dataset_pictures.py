"""Samples of a data set, as they are or as the network gets them."""

from typing import Any

import numpy as np
from mmpose.registry import DATASETS

from mmkp.visualization.canvas import (
    beside,
    caption,
    enlarged,
    rescaled,
    size_of,
    stack,
    tiled,
)
from mmkp.visualization.heatmap_pictures import overlay_heatmaps
from mmkp.visualization.keypoints import draw_edges, draw_keypoints
from mmkp.visualization.model_pictures import keypoint_colors
from mmkp.visualization.part_affinity_pictures import overlay_fields

MODES = ('original', 'transformed')


def picture_dataset(
    dataset_cfg: dict, number: int = 24, mode: str = 'transformed', tile: int = 224
) -> np.ndarray:
    """Draw a contact sheet of a data set, with annotations where there are any.

    Where the pipeline makes heatmaps and part affinity fields, they are beside the
    image, and so is, in red, what does not count in the loss.

    Args:
        dataset_cfg: config of the data set, with its ``pipeline``.
        number: of samples, spread evenly over the data set.
        mode: 'original' draws images as they are stored, 'transformed' what comes out
            of the pipeline, augmentation included.
        tile: length of a tile's longer side in pixels.

    Returns:
        RGB picture, uint8.

    Raises:
        ValueError: unknown ``mode``.
    """
    if mode not in MODES:
        raise ValueError(f'mode must be one of {MODES}, got {mode!r}')
    cfg = dict(dataset_cfg)
    pipeline = [dict(step) for step in cfg.get('pipeline', [])]
    if mode == 'original':
        pipeline = [dict(type='LoadVerifiedImage')]
    else:
        for step in pipeline:
            if step['type'] == 'PackPoseInputs':
                step['pack_transformed'] = True
    cfg['pipeline'] = pipeline
    dataset = DATASETS.build(cfg)
    metainfo = getattr(dataset, 'metainfo', {})
    last = len(dataset) - 1
    chosen = np.linspace(0, last, min(number, last + 1)).round().astype(int)
    tiles = []
    for index in chosen:
        sample = dataset[int(index)]
        image, keypoints, visible, name = _unpack(sample, cfg.get('data_mode'))
        picture = _draw(image, keypoints, visible, metainfo, tile)
        picture = beside([picture, *_draw_targets(image, sample, tile)], 2)
        title = caption(f'{index} {name}', picture.shape[1], 11)
        tiles.append(stack([picture, title], 0))
    ratio = tiles[0].shape[0] / tiles[0].shape[1]
    columns = min(6, max(1, round((len(tiles) * min(1.0, ratio * 1.1)) ** 0.5 * 1.3)))
    return tiled(tiles, columns)


def _unpack(
    sample: dict[str, Any], data_mode: str | None
) -> tuple[np.ndarray, Any, Any, str]:
    """Image (RGB), keypoints (N, G, 2) or None, their visibility, and a name."""
    if 'inputs' in sample:
        inputs = sample['inputs'].numpy()
        # Of a pair of frames, the first one is the network's input.
        inputs = inputs[0] if inputs.ndim == 4 else inputs
        image = inputs.transpose(1, 2, 0)[..., ::-1]
        data_sample = sample['data_samples']
        gt = data_sample.get('gt_instances')
        # Bottom-up pipelines move the keypoints themselves.
        moved = 'keypoints' if data_mode == 'bottomup' else 'transformed_keypoints'
        keypoints = visible = None
        if gt is not None:  # its length is that of any field, of which some have none
            keypoints = gt.get('transformed_keypoints', gt.get(moved))
            visible = gt.get('keypoints_visible')
        name = str(data_sample.metainfo.get('dataset_name') or '')
    else:
        image = sample['img'][..., ::-1]
        keypoints = sample.get('keypoints')
        visible = sample.get('keypoints_visible')
        name = str(sample.get('img_path') or '').rsplit('/', 1)[-1]
    if keypoints is None or np.ndim(keypoints) != 3:
        return np.ascontiguousarray(image), None, None, name
    if visible is not None and np.ndim(visible) == 3:
        visible = visible[..., 0]
    return np.ascontiguousarray(image), np.asarray(keypoints), visible, name


def _draw(
    image: np.ndarray, keypoints: Any, visible: Any, metainfo: dict, tile: int
) -> np.ndarray:
    picture = enlarged(image, tile)
    if keypoints is None:
        return picture
    colors = keypoint_colors(keypoints.shape[1], metainfo)
    links = np.reshape(np.asarray(metainfo.get('skeleton_links') or (), int), (-1, 2))
    if links.size and links.max() >= keypoints.shape[1]:
        links = links[:0]
    for index, points in enumerate(keypoints):
        places = rescaled(points, size_of(image), size_of(picture))
        if visible is not None:
            places = np.where(np.asarray(visible)[index, :, None] > 0, places, np.nan)
        picture = draw_edges(picture, places, links, thickness=1)
        picture = draw_keypoints(picture, places, colors, radius=3)
    return picture


def _draw_targets(
    image: np.ndarray, sample: dict[str, Any], tile: int
) -> list[np.ndarray]:
    """Heatmaps, fields and what does not count, where the pipeline makes them."""
    data_sample = sample.get('data_samples')
    targets = data_sample.get('gt_fields') if data_sample is not None else None
    if targets is None or 'part_affinity_fields' not in targets:
        return []
    picture = enlarged(image, tile)
    heatmaps = targets.heatmaps[:-1].numpy()
    drawn = [
        overlay_heatmaps(picture, heatmaps, keypoint_colors(len(heatmaps), None)),
        overlay_fields(picture, targets.part_affinity_fields.numpy()),
    ]
    if 'heatmap_weights' in targets:
        # The more channels leave a cell out, the redder it is.
        unknown = 1 - targets.heatmap_weights.numpy().mean(0, keepdims=True)
        drawn.append(overlay_heatmaps(picture, unknown, np.array([(230, 30, 30)])))
    return drawn
