# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The arrays that every protocol works on."""

from dataclasses import dataclass, replace

import numpy as np

from mmkp.ops.arguments import real_array

# Of the crop; keypoints further away are none.
MAX_FRACTION = 1e6


@dataclass(frozen=True)
class KeypointSamples:
    """Discovered and annotated keypoints of n images, in one crop frame.

    Args:
        discovered: (n, K, 2) float64, (x, y) as fractions of the crop.
        annotated: (n, G, 2) float64, (x, y) as fractions of the same crop.
        visible: (n, G, 2) bool; False entries are neither fitted nor scored.
        crop_size: (n, 2) float64, width and height of the crop in pixels.
        image_size: (n, 2) float64, width and height of the image in pixels.
        names: n names used in messages.
    """

    discovered: np.ndarray
    annotated: np.ndarray
    visible: np.ndarray
    crop_size: np.ndarray
    image_size: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def from_arrays(
        cls,
        discovered: np.ndarray,
        annotated: np.ndarray,
        visible: np.ndarray | None = None,
        crop_size: np.ndarray | None = None,
        image_size: np.ndarray | None = None,
        names: tuple[str, ...] | None = None,
    ) -> 'KeypointSamples':
        """Check shapes, fill in defaults and convert to float64.

        Args:
            discovered: (n, K, 2) fractions of the crop.
            annotated: (n, G, 2) fractions of the crop; NaN means unknown.
            visible: (n, G) or (n, G, 2), non-zero where known. Default: all.
            crop_size: (n, 2) or (2,) pixels. Default: a square of side 1.
            image_size: (n, 2) or (2,) pixels. Default: ``crop_size``.
            names: n names. Default: the running index.

        Returns:
            The checked samples.

        Raises:
            ValueError: If shapes disagree, a discovered keypoint is not finite or a
                million crops away, or a size is not positive.
        """
        discovered = _points(discovered, 'discovered')
        annotated = _points(annotated, 'annotated')
        num = len(discovered)
        if len(annotated) != num:
            raise ValueError(
                f'{num} images have discovered keypoints but {len(annotated)} '
                'have annotated ones: give one row of each per image.'
            )
        names = tuple(map(str, range(num))) if names is None else tuple(names)
        _check_discovered(discovered, names, 'discovered')
        known = np.isfinite(annotated)
        if visible is not None:
            flags = real_array('visible', visible).astype(bool)
            flags = flags[..., None] if flags.ndim == 2 else flags
            if flags.ndim != 3 or not _fits(flags, annotated):
                raise ValueError(
                    f'visible has shape {np.shape(visible)} but the annotated '
                    f'keypoints have shape {annotated.shape}.'
                )
            known = known & flags
        crop = _sizes(1.0 if crop_size is None else crop_size, num, 'crop_size')
        image = crop if image_size is None else _sizes(image_size, num, 'image_size')
        return cls(
            discovered, np.where(known, annotated, 0.0), known, crop, image, names
        )

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.discovered)

    @property
    def num_discovered(self) -> int:
        """Number K of discovered keypoints."""
        return self.discovered.shape[1]

    @property
    def num_annotated(self) -> int:
        """Number G of annotated keypoints."""
        return self.annotated.shape[1]

    @property
    def point_visible(self) -> np.ndarray:
        """(n, G) bool: both coordinates are known."""
        return np.all(self.visible, axis=2)

    def select(self, index: np.ndarray) -> 'KeypointSamples':
        """Return the images at ``index`` (integers or a mask over n)."""
        picked = np.arange(len(self))[index]
        arrays = ('discovered', 'annotated', 'visible', 'crop_size', 'image_size')
        chosen = {name: getattr(self, name)[picked] for name in arrays}
        return replace(self, **chosen, names=tuple(self.names[i] for i in picked))

    def in_frame(self, frame: str) -> 'KeypointSamples':
        """Return the samples with lengths as a protocol's ``frame`` asks.

        Args:
            frame: ``'image'``: unchanged; ``'crop'``: the crop is a square of
                side 1.
        """
        if frame == 'image':
            return self
        return replace(
            self,
            crop_size=np.ones_like(self.crop_size),
            image_size=self.image_size / self.crop_size,
        )

    def with_discovered(self, discovered: np.ndarray) -> 'KeypointSamples':
        """Return the same images with other discovered keypoints.

        Args:
            discovered: (n, K', 2) fractions of the crop.

        Returns:
            The samples.

        Raises:
            ValueError: If they are of another number of images, or not finite.
        """
        discovered = _points(discovered, 'untrained')
        if len(discovered) != len(self):
            raise ValueError(
                f'{len(discovered)} images have untrained keypoints, but {len(self)} '
                'have discovered ones: give one row of each per image.'
            )
        _check_discovered(discovered, self.names, 'untrained')
        return replace(self, discovered=discovered)


def _fits(flags: np.ndarray, annotated: np.ndarray) -> bool:
    """Whether flags (n, G, 1) or (n, G, 2) are those of points (n, G, 2)."""
    return flags.shape[:2] == annotated.shape[:2] and flags.shape[2] in (1, 2)


def _points(values: np.ndarray, what: str) -> np.ndarray:
    points = real_array(f'{what} keypoints', values).astype(np.float64)
    if points.ndim != 3 or points.shape[2] != 2:
        raise ValueError(
            f'{what} keypoints must have shape (images, points, 2), got {points.shape}.'
        )
    return points


def _check_discovered(
    discovered: np.ndarray, names: tuple[str, ...], what: str
) -> None:
    # NaN is not smaller than anything.
    bad = ~(np.abs(discovered) < MAX_FRACTION).all(axis=(1, 2))
    if bad.any():
        raise ValueError(
            f'the {what} keypoints of {names[int(np.argmax(bad))]} (and of '
            f'{int(bad.sum()) - 1} more) are not finite or a million crops away: the '
            'detector has diverged or its file is damaged.'
        )


def _sizes(values: np.ndarray | float, num: int, what: str) -> np.ndarray:
    sizes = real_array(what, values).astype(np.float64)
    if not (np.isfinite(sizes) & (sizes > 0)).all():
        raise ValueError(
            f'{what} must hold positive widths and heights in pixels, got '
            f'{sizes[~(np.isfinite(sizes) & (sizes > 0))].ravel()[0]}'
        )
    if sizes.shape not in ((), (2,), (1, 2), (num, 2)):
        raise ValueError(
            f'{what} must have shape ({num}, 2) or (2,), got {sizes.shape}.'
        )
    return np.broadcast_to(sizes, (num, 2))
