# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Shares of discovered keypoints of which something is true, with their controls."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from .discovery_report import CHANCE, DETECTOR, DiscoveryReport
from .limb_share import Links, near_body
from .samples import KeypointSamples

# Points along a side of the crop, and images, that tell what chance would give.
GRID, IMAGES = 32, 100


class Body(NamedTuple):
    """What counts as the body of an annotated object.

    Args:
        links: Pairs of indices of annotated points, the limbs.
        trunk: Indices of the points at the corners of the trunk, in order.
        distance: From a limb, as a share of the crop's side.
    """

    links: Links
    trunk: tuple[int, ...]
    distance: float


def body_shares(
    samples: KeypointSamples, columns: Mapping[str, np.ndarray], body: Body
) -> tuple[dict[str, np.ndarray], float]:
    """Shares of keypoints near a limb or in the trunk, over images.

    Args:
        samples: n images with annotated points.
        columns: Name -> keypoints (n, K, 2), fractions of the crop.
        body: What counts as near.

    Returns:
        Name -> share of each keypoint (K,) in percent, and the share of the crop that
        counts as near, in percent.
    """
    side = np.sqrt(samples.crop_size.prod(axis=1))[:, None, None]
    factor = samples.crop_size[:, None] / side
    known = samples.point_visible[..., None]
    joints = np.where(known, samples.annotated, np.nan) * factor

    def share(points: np.ndarray, chosen: slice) -> np.ndarray:
        places = points * factor[chosen]
        near = near_body(places, joints[chosen], body.links, body.trunk, body.distance)
        return 100 * near.mean(axis=0)

    everywhere = (np.mgrid[:GRID, :GRID].reshape(2, 1, -1) + 0.5) / GRID
    some = slice(None, None, -(-len(samples) // IMAGES))
    chance = float(share(everywhere.transpose(1, 2, 0), some).mean())
    return {n: share(points, slice(None)) for n, points in columns.items()}, chance


def add_shares(
    report: DiscoveryReport, name: str, shares: Mapping[str, np.ndarray], chance: float
) -> None:
    """Put shares and their controls into a report.

    Args:
        report: Changed in place.
        name: What is true of them, such as ``'on_object'``.
        shares: Column to the share of each keypoint (K,) in percent.
        chance: The share of a point that is put anywhere, in percent.
    """
    report.shares[name] = {column: float(s.mean()) for column, s in shares.items()}
    report.shares[name][CHANCE] = chance
    report.keypoints[name] = shares[DETECTOR]
