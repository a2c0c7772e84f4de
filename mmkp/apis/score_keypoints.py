# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How good discovered keypoints are, without any annotation."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmkp.apis.batches import chunks
from mmkp.apis.frozen_features import Features
from mmkp.evaluation.functional import keypoint_components as parts
from mmkp.evaluation.functional.keypoint_score import KeypointScores, score_components
from mmkp.ops.geometry import size_of
from mmkp.ops.heatmaps.moments import spatial_entropy
from mmkp.ops.warps.warp import random_thin_plate_spline


@torch.no_grad()
def score_keypoints(
    model: Any,
    samples: Iterable[dict],
    other: Any = None,
    features: Features | None = None,
    batch_size: int = 16,
    seed: int = 0,
) -> KeypointScores:
    """Score each keypoint of a model that discovered them.

    Each image is looked at once as it is and once under a random thin-plate spline,
    about 5 degrees, 10 % of scale and 5 % of the side, drawn from a seed of its own.

    Args:
        model: of :class:`mmkp.models.unsupervised.UnsupervisedPoseEstimator`.
        samples: what a test pipeline makes: ``inputs`` (3, H, W) uint8, BGR, all of one
            size, and ``data_samples``; images that were not trained on are best.
        other: a model trained from another seed or on another half, for ``agreement``.
        features: frozen network for ``cycle``: it takes (B, 3, H, W) float32, RGB, 0 to
            255, and returns maps (B, C, h, w).
        batch_size: number of images at once.
        seed: of the warps.

    Returns:
        The scores, see :func:`mmkp.evaluation.functional.score_components`.

    Raises:
        ValueError: There is no image, or the model discovers no keypoints.
    """
    if not hasattr(model, 'detect'):
        raise ValueError(f'{type(model).__name__} discovers no keypoints to score')
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    collected: list[dict[str, Tensor]] = []
    for batch in chunks(samples, batch_size):
        data = model.data_preprocessor(pseudo_collate(batch), False)
        found = _measure(model, data['inputs'], generator)
        if other is not None:
            inputs = other.data_preprocessor(pseudo_collate(batch), False)['inputs']
            found['others'] = _fractions(other.detect(inputs)[0], inputs)
        if features is not None:
            pictures = torch.stack([sample['inputs'] for sample in batch])
            pictures = pictures.flip(1).float().to(device)
            found['features'] = _at(features(pictures), found['keypoints'])
        collected.append({name: value.cpu() for name, value in found.items()})
    if not collected:
        raise ValueError('there is no image to score keypoints on')
    return score_components(
        _components(
            **{
                name: torch.cat([found[name] for found in collected]).double().numpy()
                for name in collected[0]
            }
        )
    )


def _measure(
    model: Any, inputs: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Keypoints of images and of warped ones, as fractions, and entropies of maps."""
    keypoints, maps = model.detect(inputs)
    warp = random_thin_plate_spline(
        len(inputs), size_of(inputs), device=inputs.device, generator=generator
    )
    warped, _ = model.detect(warp.images(inputs))
    places = (keypoints, *map(warp.points_to_source, (warped, keypoints)))
    names = ('keypoints', 'returned', 'carried')
    found = {n: _fractions(p, inputs) for n, p in zip(names, places, strict=True)}
    mass = maps.sum((-2, -1), keepdim=True).clamp_min(1e-12)
    found['entropies'] = spatial_entropy(maps / mass, normalized=True)
    return found


def _fractions(points: Tensor, inputs: Tensor) -> Tensor:
    """Pixels of the input as fractions of it."""
    return (points + 0.5) / points.new_tensor(size_of(inputs))


def _at(maps: Sequence[Tensor], keypoints: Tensor) -> Tensor:
    """Features (B, K, C) at fractions of the crop, those of each map of unit length."""
    grid = (2 * keypoints - 1)[:, :, None]
    read = [F.grid_sample(m, grid, align_corners=False)[..., 0] for m in maps]
    return torch.cat([F.normalize(f, dim=1) for f in read], dim=1).transpose(1, 2)


def _components(
    keypoints: np.ndarray,
    returned: np.ndarray,
    carried: np.ndarray,
    entropies: np.ndarray,
    others: np.ndarray | None = None,
    features: np.ndarray | None = None,
) -> dict[str, np.ndarray]:
    found = dict(
        movement=parts.movement(keypoints),
        distinctness=parts.distinctness(keypoints),
        inside=parts.inside_share(keypoints),
        equivariance=parts.equivariance(keypoints, returned, carried),
        reliability=parts.reliability(keypoints, returned),
        sharpness=parts.sharpness(entropies),
    )
    if others is not None:
        found['agreement'] = parts.agreement(keypoints, others)
    if features is not None:
        found['cycle'] = parts.cycle_consistency(features)
    return found
