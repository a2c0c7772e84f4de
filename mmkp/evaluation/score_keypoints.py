# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""How good discovered keypoints are, without any annotation."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from mmengine.dataset import pseudo_collate
from torch import Tensor

from mmkp.evaluation.functional import keypoint_components as parts
from mmkp.evaluation.functional.border_objectness import (
    border_objectness,
    objectness_share,
)
from mmkp.evaluation.functional.keypoint_score import KeypointScores, score_components
from mmkp.models.frozen_features import Features
from mmkp.models.unsupervised.predicted_keypoints import detect_predicted
from mmkp.ops.geometry import size_of
from mmkp.ops.heatmaps.moments import spatial_entropy
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline
from mmkp.ops.warps.warp import Warp

#: Degrees, a deviation, by which images are turned where objects stand the same way.
UPRIGHT = 5.0


@dataclass(frozen=True)
class MeasuredKeypoints:
    """What a model does on n images, of which components are made.

    Keypoints are fractions of the crop.

    Args:
        keypoints: (n, K, 2), in the images.
        returned: (n, K, 2), found in warped images and carried back.
        carried: (n, K, 2), the places of ``keypoints`` in the warped images, carried
            back.
        entropies: (n, K), of the maps, over that of a uniform one.
        pictures: (n, h, w, C), what objects are told from the background by.
        others: (n, L, 2), another model's keypoints.
        features: (n, K, C), of a frozen network at the keypoints.
    """

    keypoints: np.ndarray
    returned: np.ndarray
    carried: np.ndarray
    entropies: np.ndarray
    pictures: np.ndarray
    others: np.ndarray | None = None
    features: np.ndarray | None = None

    def components(self) -> dict[str, np.ndarray]:
        """Name -> (K,) in [0, 1], see :data:`COMPONENTS`."""
        objectness = border_objectness(self.pictures)
        found = dict(
            movement=parts.movement(self.keypoints),
            distinctness=parts.distinctness(self.keypoints),
            inside=parts.inside_share(self.keypoints),
            equivariance=parts.equivariance(
                self.keypoints, self.returned, self.carried
            ),
            reliability=parts.reliability(self.keypoints, self.returned),
            sharpness=parts.sharpness(self.entropies),
            on_object=objectness_share(objectness, self.keypoints),
        )
        if self.others is not None:
            found['agreement'] = parts.agreement(self.keypoints, self.others)
        if self.features is not None:
            found['cycle'] = parts.cycle_consistency(self.features)
        return found

    def scores(self) -> KeypointScores:
        """The components put together."""
        return score_components(self.components())


def score_keypoints(
    model: Any,
    samples: Iterable[dict],
    other: Any = None,
    features: Features | None = None,
    batch_size: int = 16,
    seed: int = 0,
    rotation_std: float = UPRIGHT,
) -> KeypointScores:
    """Score each keypoint of a model that discovered them.

    Args: see :func:`measure_keypoints`.

    Returns:
        The scores, see :func:`mmkp.evaluation.functional.score_components`.

    Raises:
        ValueError: There is no image, or the model discovers no keypoints.
    """
    found = measure_keypoints(
        model, samples, other, features, batch_size, seed, rotation_std
    )
    return found.scores()


@torch.no_grad()
def measure_keypoints(
    model: Any,
    samples: Iterable[dict],
    other: Any = None,
    features: Features | None = None,
    batch_size: int = 16,
    seed: int = 0,
    rotation_std: float = UPRIGHT,
) -> MeasuredKeypoints:
    """Look for what a model predicts in each image as it is, and once warped.

    Warps are random thin-plate splines, about 10 % of scale and 5 % of the side, drawn
    from a seed of their own. They turn images as far as the objects are: keypoints of
    animals seen from above that are tied to directions of the picture follow a turn of
    5 degrees as well as those that are tied to the animal.

    Args:
        model: of :class:`mmkp.models.unsupervised.UnsupervisedPoseEstimator`.
        samples: what a test pipeline makes: ``inputs`` (3, H, W) uint8, BGR, all of one
            size, and ``data_samples``; images that were not trained on are best.
        other: a model trained from another seed or on another half, for ``agreement``.
        features: frozen network for ``cycle``: it takes (B, 3, H, W) float32, RGB, 0 to
            255, and returns maps (B, C, h, w).
        batch_size: number of images at once.
        seed: of the warps.
        rotation_std: by how many degrees they turn, a deviation; see
            :attr:`mmkp.apis.survey.Survey.score_rotation`.

    Returns:
        What was found.

    Raises:
        ValueError: There is no image, or the model discovers no keypoints.
    """
    if not hasattr(model, 'detect'):
        raise ValueError(f'{type(model).__name__} discovers no keypoints to score')
    device = next(model.parameters()).device
    sample_warp = partial(
        random_thin_plate_spline,
        rotation_std=rotation_std,
        device=device,
        generator=torch.Generator(device).manual_seed(seed),
    )
    collected: list[dict[str, Tensor]] = []
    for batch in _batches(samples, batch_size):
        data = model.data_preprocessor(pseudo_collate(batch), False)
        found = _measure(model, data['inputs'], sample_warp)
        pictures = torch.stack([sample['inputs'] for sample in batch])
        pictures = pictures.flip(1).float().to(device)
        found['pictures'] = _small(pictures)
        if other is not None:
            inputs = other.data_preprocessor(pseudo_collate(batch), False)['inputs']
            found['others'] = _fractions(detect_predicted(other, inputs)[0], inputs)
        if features is not None:
            found['features'] = _at(features(pictures), found['keypoints'])
        collected.append({name: value.cpu() for name, value in found.items()})
    if not collected:
        raise ValueError('there is no image to score keypoints on')
    return MeasuredKeypoints(
        **{
            name: torch.cat([found[name] for found in collected]).double().numpy()
            for name in collected[0]
        }
    )


def _batches(samples: Iterable[dict], size: int) -> Iterator[list[dict]]:
    iterator = iter(samples)
    while batch := list(islice(iterator, size)):
        yield batch


def _measure(
    model: Any, inputs: Tensor, sample_warp: Callable[..., Warp]
) -> dict[str, Tensor]:
    """Keypoints of images and of warped ones, as fractions, and entropies of maps."""
    keypoints, maps = detect_predicted(model, inputs)
    warp = sample_warp(len(inputs), size_of(inputs))
    warped, _ = detect_predicted(model, warp.images(inputs))
    places = (keypoints, *map(warp.points_to_source, (warped, keypoints)))
    names = ('keypoints', 'returned', 'carried')
    found = {n: _fractions(p, inputs) for n, p in zip(names, places, strict=True)}
    mass = maps.sum((-2, -1), keepdim=True).clamp_min(1e-12)
    found['entropies'] = spatial_entropy(maps / mass, normalized=True)
    return found


def _small(pictures: Tensor) -> Tensor:
    """Pictures of 32 cells along the longer side, channels last."""
    scale = min(1.0, 32 / max(pictures.shape[-2:]))
    size = [max(1, round(scale * side)) for side in pictures.shape[-2:]]
    small = F.interpolate(pictures, size, mode='area')
    return small.permute(0, 2, 3, 1)


def _fractions(points: Tensor, inputs: Tensor) -> Tensor:
    """Pixels of the input as fractions of it."""
    return (points + 0.5) / points.new_tensor(size_of(inputs))


def _at(maps: Sequence[Tensor], keypoints: Tensor) -> Tensor:
    """Features (B, K, C) at fractions of the crop, those of each map of unit length."""
    grid = (2 * keypoints - 1)[:, :, None]
    read = [F.grid_sample(m, grid, align_corners=False)[..., 0] for m in maps]
    return torch.cat([F.normalize(f, dim=1) for f in read], dim=1).transpose(1, 2)
