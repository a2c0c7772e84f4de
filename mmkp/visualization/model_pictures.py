# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Pictures of a discovery model at work on a batch of network inputs."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.model import is_model_wrapper
from torch import Tensor, nn

from mmkp.datasets.metainfo import distinct_colors
from mmkp.visualization.discovery_grid import (
    discovery_grid,
    edge_weight_matrix,
    keypoint_sheet,
)


def is_discovery_model(model: Any) -> bool:
    """Whether a model discovers keypoints and can show what it makes of an image."""
    return hasattr(model, 'reconstruct') and hasattr(model, 'num_keypoints')


def keypoint_colors(num_keypoints: int, metainfo: dict | None = None) -> np.ndarray:
    """Colours of the keypoints, those of the data set where it has K of them.

    Args:
        num_keypoints: number K of keypoints.
        metainfo: parsed metainfo of a data set, optional.

    Returns:
        RGB from 0 to 255, shape (K, 3).
    """
    colors = np.asarray((metainfo or {}).get('keypoint_colors', ()))
    if len(colors) == num_keypoints:
        return colors
    return np.array(distinct_colors(num_keypoints))


def to_pictures(values: Tensor, preprocessor: nn.Module | None) -> np.ndarray:
    """Turn network-input values back into pictures.

    Args:
        values: shape (B, 3, H, W), as the preprocessor made them.
        preprocessor: the model's data preprocessor, for its mean, standard deviation
            and order of colours.

    Returns:
        RGB pictures, shape (B, H, W, 3), uint8.
    """
    values = values.detach().float().cpu()
    if getattr(preprocessor, '_enable_normalize', False):
        mean, std = (getattr(preprocessor, name).cpu() for name in ('mean', 'std'))
        values = values * std + mean
    if not getattr(preprocessor, '_channel_conversion', False):
        values = values.flip(1)  # the network reads BGR
    values = torch.nan_to_num(values).round().clamp(0, 255).to(torch.uint8)
    return values.permute(0, 2, 3, 1).numpy()


@torch.no_grad()
def picture_model(
    model: Any,
    batch: dict[str, Any],
    metainfo: dict | None = None,
    title: str = '',
    tile: int = 192,
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Draw what a discovery model makes of some images.

    Args:
        model: with ``reconstruct`` and ``num_keypoints``; in evaluation mode or not,
            it is left as it was.
        batch: collated samples, as a data loader gives them.
        metainfo: parsed metainfo of the data set, for the colours.
        title: what to write at the top.
        tile: length of a tile's longer side in pixels, at least.
        seed: the same masks each time, so that pictures can be compared; the
            generators of random numbers are left as they were.

    Returns:
        ``discovery``: the grid, and, where edges are learned, ``edge_weights``: the
        matrix of their weights. RGB, uint8.
    """
    if is_model_wrapper(model):
        model = model.module
    training = model.training
    model.eval()
    device = next(model.parameters()).device
    with torch.random.fork_rng([device] if device.type == 'cuda' else []):
        torch.manual_seed(seed)
        inputs = model.data_preprocessor(batch, training=False)['inputs']
        if hasattr(model, 'settle'):
            inputs = model.settle(inputs)
        outputs = model.reconstruct(inputs)
    model.train(training)
    colors = keypoint_colors(model.num_keypoints, metainfo)
    preprocessor = model.data_preprocessor
    pictures = {
        name: to_pictures(outputs[name], preprocessor)
        for name in ('masked_images', 'reconstruction')
        if name in outputs
    }
    edges, weights = learned_edges(model)
    edge_maps = outputs.get('edge_map')
    covering = outputs['geometry'].cover_image(outputs['heatmaps'])
    grid = discovery_grid(
        to_pictures(inputs, preprocessor),
        outputs['keypoints'].float().cpu().numpy(),
        colors,
        heatmaps=covering.float().cpu().numpy(),
        edges=edges,
        edge_weights=weights,
        edge_maps=None if edge_maps is None else edge_maps[:, 0].float().cpu().numpy(),
        masked_images=pictures.get('masked_images'),
        reconstructions=pictures.get('reconstruction'),
        title=title,
        tile=tile,
    )
    drawn = {'discovery': grid}
    if edges is not None and weights is not None and len(edges) > 0:
        drawn['edge_weights'] = edge_weight_matrix(edges, weights, colors, title)
    return drawn


@torch.no_grad()
def picture_keypoints(
    model: Any,
    batch: dict[str, Any],
    metainfo: dict | None = None,
    title: str = '',
    tile: int = 224,
    columns: int = 6,
) -> np.ndarray:
    """Draw keypoints and learned edges on many images, see :func:`keypoint_sheet`.

    Args:
        model: with ``detect`` and ``num_keypoints``; left in its mode.
        batch: collated samples, as a data loader gives them.
        metainfo: parsed metainfo of the data set, for the colours.
        title: what to write at the top.
        tile: length of a tile's longer side in pixels.
        columns: number of images in a row.

    Returns:
        RGB picture, uint8.
    """
    training = model.training
    model.eval()
    inputs = model.data_preprocessor(batch, training=False)['inputs']
    keypoints, _ = model.detect(inputs)
    model.train(training)
    edges, weights = learned_edges(model)
    return keypoint_sheet(
        to_pictures(inputs, model.data_preprocessor),
        keypoints.float().cpu().numpy(),
        keypoint_colors(model.num_keypoints, metainfo),
        edges,
        weights,
        title,
        tile,
        columns,
    )


def spread_indices(dataset: Any, number: int) -> list[int]:
    """Indices spread evenly over a data set, or over the last one of several in one.

    Args:
        dataset: any; ``DiscoveryEvaluationDataset`` holds the images to score last.
        number: how many, at most.

    Returns:
        The indices.
    """
    lengths = getattr(dataset, 'lens', None) or [len(dataset)]
    start = int(sum(lengths[:-1]))
    number = min(number, len(dataset) - start)
    chosen = np.linspace(start, len(dataset) - 1, number)
    return [int(index) for index in chosen.round()]


def learned_edges(model: Any) -> tuple[np.ndarray | None, np.ndarray | None]:
    """The edges that a model has learned and their weights.

    Args:
        model: any pose estimator.

    Returns:
        Pairs of keypoints (E, 2) int and weights (E,) float; None twice for a model
        without ``generator.edge_weights``.
    """
    generator = getattr(model, 'generator', None)
    weights = getattr(generator, 'edge_weights', None)
    if weights is None:
        return None, None
    return generator.edges.cpu().numpy(), weights.detach().float().cpu().numpy()


def edges_among(
    edges: np.ndarray, weights: np.ndarray, kept: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The edges between keypoints that are kept.

    Args:
        edges: (E, 2) int, pairs of keypoints.
        weights: (E,).
        kept: indices of K keypoints.

    Returns:
        Those edges, (F, 2), by their places in ``kept``, and their weights, (F,).
    """
    places = {index: place for place, index in enumerate(kept)}
    inside = np.isin(edges, list(kept)).all(axis=1)
    renamed = [[places[int(end)] for end in edge] for edge in edges[inside]]
    return np.array(renamed, edges.dtype).reshape(-1, 2), weights[inside]
