# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Random size and rotation of the crop, as Stacked Hourglass trains."""

import numpy as np
from mmcv.transforms.utils import cache_randomness
from mmpose.registry import TRANSFORMS

from mmkp.datasets.transforms.base import Transform

LAWS = ('exponential', 'linear', 'uniform')


@TRANSFORMS.register_module()
class RandomScaleRotation(Transform):
    """Scale and rotate the box of each person by clipped random numbers.

    The paper says +/-30 degrees and .75 to 1.25 (Newell et al., ECCV 2016, section
    3.4). What was trained with draws a scale of ``2 ** z`` with a normal, clipped
    ``z``, which treats enlarging and shrinking alike, a normal, clipped angle, and
    leaves most people upright. Two other implementations draw otherwise; ``law`` says
    how, the defaults are the author's:

    =============  ==========================  ========================
    ``law``        factor of the box           angle, where there is one
    =============  ==========================  ========================
    exponential    2 ** (clipped normal)       clipped normal
    linear         1 + (clipped normal)        clipped normal
    uniform        1 + (uniform)               uniform
    =============  ==========================  ========================

    MMPose's ``RandomBBoxTransform`` draws from truncated normals instead, whose mass
    beyond the limits is redistributed, not gathered there. ``TopdownAffine`` has to
    follow, which moves image and keypoints.

    Required keys: ``bbox_scale`` (N, 2), width and height in image pixels.
    Changed and added keys: ``bbox_scale`` (N, 2), ``bbox_rotation`` (N,) degrees.

    Args:
        law: 'exponential', 'linear' or 'uniform', see above.
        scale_exponent_std: standard deviation of the exponent of 2, or of the factor
            itself with the law 'linear'. Unused with 'uniform'.
        scale_exponent_limit: largest exponent, or largest distance of the factor from
            1 with the other laws; either way.
        rotation_std: standard deviation in degrees. Unused with 'uniform'.
        rotation_limit: largest rotation in degrees, either way.
        rotation_probability: share of people who are rotated at all.

    Raises:
        ValueError: an argument that cannot be used.
    """

    def __init__(
        self,
        law: str = 'exponential',
        scale_exponent_std: float = 0.25,
        scale_exponent_limit: float = 0.5,
        rotation_std: float = 30.0,
        rotation_limit: float = 60.0,
        rotation_probability: float = 0.4,
    ) -> None:
        if law not in LAWS:
            raise ValueError(f'law must be one of {LAWS}, got {law!r}')
        scale = (scale_exponent_std, scale_exponent_limit)
        rotation = (rotation_std, rotation_limit)
        if min(scale + rotation) < 0:
            raise ValueError(
                'standard deviations and limits must not be negative, got '
                f'{scale} of the scale and {rotation} of the rotation'
            )
        if law != 'exponential' and scale_exponent_limit >= 1:
            raise ValueError(
                f'scale_exponent_limit must be below 1 with the law {law!r}, or boxes '
                f'could vanish, got {scale_exponent_limit}'
            )
        if not 0 <= rotation_probability <= 1:
            raise ValueError(
                'rotation_probability must lie between 0 and 1, got '
                f'{rotation_probability}'
            )
        self.law = law
        self.scale_exponent_std = scale_exponent_std
        self.scale_exponent_limit = scale_exponent_limit
        self.rotation_std = rotation_std
        self.rotation_limit = rotation_limit
        self.rotation_probability = rotation_probability

    def transform(self, results: dict) -> dict:
        """Change the boxes of one sample.

        Args:
            results: the sample; see the class for its keys.

        Returns:
            The same dict with new arrays under the changed keys.
        """
        scales = results['bbox_scale']
        factors, rotations = self._draw(len(scales))
        results['bbox_scale'] = (scales * factors).astype(scales.dtype)
        results['bbox_rotation'] = rotations
        return results

    @cache_randomness
    def _draw(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Return factors (count, 1) and rotations (count,) in degrees; float32."""
        spread = self._spread(count, self.scale_exponent_std, self.scale_exponent_limit)
        factors = 2**spread if self.law == 'exponential' else 1 + spread
        angles = self._spread(count, self.rotation_std, self.rotation_limit)
        turned = np.random.uniform(size=count) < self.rotation_probability
        rotations = np.where(turned, angles, 0)
        return factors[:, None].astype(np.float32), rotations.astype(np.float32)

    def _spread(self, count: int, std: float, limit: float) -> np.ndarray:
        """Random numbers (count,) within the limit on both sides of 0."""
        if self.law == 'uniform':
            return np.random.uniform(-limit, limit, count)
        return np.clip(np.random.normal(0, std, count), -limit, limit)
