# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What can be said for a keypoint without any annotation, from 0 to 1 each.

Keypoints are fractions of the crop throughout, n images and K keypoints. 1 is good; a
figure that is not known (NaN) counts as 0.
"""

import numpy as np

from mmkp.ops.arguments import real_array

from .collapse import BORDER_FRACTION

# Of the object's extent: what moves less from image to image is no part of it.
_STILL = 0.05
# Of what K points spread over the object would lie apart: what is closer is doubled.
_CROWDED = 0.25
# Of a uniform map's entropy: what is less is as sharp as is asked for.
_SHARP = 0.5
_RIDGE = 1e-3
_ROUNDING = 1e-6


def as_keypoints(
    name: str, values: np.ndarray, like: np.ndarray | None = None
) -> np.ndarray:
    """An array (n, K, 2), float64, of the same n and K as another one."""
    values = real_array(name, values).astype(np.float64)
    if values.ndim != 3 or 0 in values.shape or (like is None and values.shape[2] != 2):
        raise ValueError(
            f'{name} must have shape (images, keypoints, 2) with at least one of each, '
            f'got {values.shape}'
        )
    if like is not None and values.shape[:2] != like.shape[:2]:
        raise ValueError(
            f'{name} must be of {like.shape[0]} images and {like.shape[1]} keypoints, '
            f'got {values.shape}'
        )
    return values


def _share(values: np.ndarray) -> np.ndarray:
    return np.nan_to_num(np.clip(values, 0, 1), nan=0.0)


def _saved(error: np.ndarray, baseline: np.ndarray, power: int = 1) -> np.ndarray:
    """Share of a baseline's error that is avoided; 0 where that is mere rounding."""
    known = baseline > _ROUNDING
    return _share(1 - (error / np.where(known, baseline, np.nan)) ** power)


def keypoint_spread(keypoints: np.ndarray) -> np.ndarray:
    r"""Standard deviation of each keypoint's place over the images.

    .. math:: s_k = \sqrt{var_i x_{ik} + var_i y_{ik}}

    Args:
        keypoints: (n, K, 2).

    Returns:
        (K,) float64, fractions of the crop.
    """
    keypoints = as_keypoints('keypoints', keypoints)
    return np.sqrt(keypoints.var(axis=0).sum(axis=1))


def object_extent(keypoints: np.ndarray) -> float:
    r"""Root mean squared distance of keypoints from their centroid in each image.

    .. math:: L = \sqrt{mean_{ik} \|x_{ik} - mean_l x_{il}\|^2}

    Args:
        keypoints: (n, K, 2).

    Returns:
        The extent, a fraction of the crop.
    """
    keypoints = as_keypoints('keypoints', keypoints)
    centered = keypoints - keypoints.mean(axis=1, keepdims=True)
    return float(np.sqrt((centered**2).sum(axis=2).mean()))


def movement(keypoints: np.ndarray) -> np.ndarray:
    """How far a keypoint moves from image to image, min(1, s / (.05 L)).

    Points of the background of a fixed camera stay where they are.

    Args:
        keypoints: (n, K, 2); of a single one, L is a quarter of the crop.

    Returns:
        (K,) float64 in [0, 1].
    """
    extent = object_extent(keypoints) if keypoints.shape[1] > 1 else 0.25
    return _share(keypoint_spread(keypoints) / max(_STILL * extent, 1e-12))


def equivariance(
    keypoints: np.ndarray, returned: np.ndarray, carried: np.ndarray
) -> np.ndarray:
    r"""How much better a keypoint follows warps than one that ignores the image.

    .. math:: 1 - \frac{mean_i \|g_i(\Phi_k(x_i \circ g_i)) - \Phi_k(x_i)\|}
                       {mean_i \|g_i(\Phi_k(x_i)) - \Phi_k(x_i)\|}

    the error of equivariance (Thewlis et al., ICCV 2017, equation 1) over that of a
    detector of fixed places.

    Args:
        keypoints: (n, K, 2), in the images.
        returned: (n, K, 2), found in the warped images and carried back.
        carried: (n, K, 2), the places of ``keypoints`` taken as places of the warped
            images, and carried back.

    Returns:
        (K,) float64 in [0, 1]; 0 also for one that is worse than fixed.
    """
    keypoints = as_keypoints('keypoints', keypoints)
    error, still = (
        np.linalg.norm(as_keypoints(name, found, keypoints) - keypoints, axis=2).mean(0)
        for name, found in (('returned', returned), ('carried', carried))
    )
    return _saved(error, still)


def reliability(keypoints: np.ndarray, returned: np.ndarray) -> np.ndarray:
    r"""Share of a keypoint's variance that is no error of localisation.

    .. math:: \frac{s_k^2}{s_k^2 + e_k^2}, \quad
        e_k^2 = mean_i \|g_i(\Phi_k(x_i \circ g_i)) - \Phi_k(x_i)\|^2

    Args:
        keypoints: (n, K, 2), in the images.
        returned: (n, K, 2), found in the warped images and carried back.

    Returns:
        (K,) float64 in [0, 1].
    """
    keypoints = as_keypoints('keypoints', keypoints)
    error = (
        ((as_keypoints('returned', returned, keypoints) - keypoints) ** 2)
        .sum(2)
        .mean(0)
    )
    variance = keypoint_spread(keypoints) ** 2
    return _share(variance / np.maximum(variance + error, 1e-24))


def distinctness(keypoints: np.ndarray) -> np.ndarray:
    r"""How far a keypoint keeps from its nearest neighbour.

    .. math:: \min(1, d_k / (.25 L \sqrt{2 \pi / K}))

    with :math:`d_k` the mean distance to the nearest other keypoint. K points evenly
    over a disk of extent L have the area :math:`2 \pi L^2 / K` each.

    Args:
        keypoints: (n, K, 2).

    Returns:
        (K,) float64 in [0, 1]; 1 for a single keypoint.
    """
    keypoints = as_keypoints('keypoints', keypoints)
    number = keypoints.shape[1]
    if number < 2:
        return np.ones(1)
    distances = np.stack(
        [
            np.linalg.norm(keypoints - keypoints[:, k, None], axis=2)
            for k in range(number)
        ]
    )
    distances[np.arange(number), :, np.arange(number)] = np.inf
    apart = _CROWDED * object_extent(keypoints) * np.sqrt(2 * np.pi / number)
    return _share(distances.min(axis=2).mean(axis=1) / max(apart, 1e-12))


def sharpness(entropies: np.ndarray) -> np.ndarray:
    """How peaked the maps are, min(1, (1 - H) / .5) of the mean entropy H.

    Args:
        entropies: (n, K), over that of a uniform map, in [0, 1].

    Returns:
        (K,) float64 in [0, 1].
    """
    return _share((1 - np.asarray(entropies, np.float64).mean(axis=0)) / (1 - _SHARP))


def inside_share(keypoints: np.ndarray) -> np.ndarray:
    """Share of the images in which a keypoint is off the outer 5 % of the crop.

    Args:
        keypoints: (n, K, 2).

    Returns:
        (K,) float64 in [0, 1].
    """
    keypoints = as_keypoints('keypoints', keypoints)
    inside = (keypoints > BORDER_FRACTION) & (keypoints < 1 - BORDER_FRACTION)
    return inside.all(axis=2).mean(axis=0)


def cycle_consistency(features: np.ndarray, max_images: int = 64) -> np.ndarray:
    r"""How often what lies below a keypoint is recognised in another image.

    .. math:: \frac{p_k - 1/K}{1 - 1/K}, \quad
        p_k = mean_{i \ne j} [k = argmax_l \cos(f_{ik}, f_{jl})]

    where f are frozen features at the keypoints, less their mean.

    Args:
        features: (n, K, C).
        max_images: as many at most are compared, evenly spaced.

    Returns:
        (K,) float64 in [0, 1], 0 at chance; 1 for a single keypoint or image.

    Raises:
        ValueError: The shape is another one.
    """
    features = real_array('features', features).astype(np.float64)
    if features.ndim != 3 or 0 in features.shape:
        raise ValueError(f'features must have shape (n, K, C), got {features.shape}')
    features = features[:: -(-len(features) // max_images)]
    images, number, _ = features.shape
    if images < 2 or number < 2:
        return np.ones(number)
    features = features - features.mean(axis=(0, 1))
    lengths = np.linalg.norm(features, axis=2, keepdims=True)
    features = features / np.maximum(lengths, 1e-12)
    hits = np.zeros(number)
    for index in range(images):
        others = np.delete(features, index, axis=0)
        alike = np.einsum('kc,jlc->jkl', features[index], others)
        hits += (alike.argmax(axis=2) == np.arange(number)).mean(axis=0)
    return _share((hits / images - 1 / number) / (1 - 1 / number))


def agreement(keypoints: np.ndarray, others: np.ndarray) -> np.ndarray:
    r"""Share of a keypoint's variance that another training's keypoints foretell.

    .. math:: 1 - \frac{mean_i \|x_{ik} - \hat x_{ik}\|^2}{s_k^2}

    where :math:`\hat x` is a ridge regression from the other keypoints, fitted on the
    other half of the images. Against the mean pose, which foretells nothing, it is 0.

    Args:
        keypoints: (n, K, 2).
        others: (n, L, 2), of the same images, found by a detector that was trained on
            another half of the data or from another seed.

    Returns:
        (K,) float64 in [0, 1].
    """
    keypoints = as_keypoints('keypoints', keypoints)
    others = as_keypoints('others', others)
    if len(others) != len(keypoints):
        raise ValueError(f'{len(keypoints)} images, but others of {len(others)}')
    flat, inputs = (x.reshape(len(x), -1) for x in (keypoints, others))
    foretold = np.full_like(flat, np.nan)
    even = np.arange(len(flat)) % 2 == 0
    for fit in (even, ~even):
        if not fit.any():
            continue
        mean_in, mean_out = inputs[fit].mean(0), flat[fit].mean(0)
        x, y = inputs[fit] - mean_in, flat[fit] - mean_out
        gram = x.T @ x
        gram += _RIDGE * max(np.trace(gram), 1e-12) / len(gram) * np.eye(len(gram))
        foretold[~fit] = (inputs[~fit] - mean_in) @ np.linalg.solve(gram, x.T @ y)
        foretold[~fit] += mean_out
    error = ((foretold - flat) ** 2).reshape(keypoints.shape).sum(axis=2).mean(axis=0)
    return _saved(np.sqrt(error), keypoint_spread(keypoints), power=2)
