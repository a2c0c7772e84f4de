# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What a set of puppet pictures looks like, and the checks of it."""

from dataclasses import dataclass
from typing import Any, NoReturn

from .appearance import APPEARANCES
from .background import BACKGROUNDS

_SMALLEST = 16


def reject(name: str, value: Any, remedy: str) -> NoReturn:
    """Raise the ValueError of an argument that cannot be used."""
    raise ValueError(f'PuppetDataset: {name}={value!r} is not usable; {remedy}')


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _as_pair(name: str, value: Any, remedy: str) -> tuple:
    """Return two numbers; a single one counts twice."""
    pair = (value, value) if _is_number(value) else value
    if not isinstance(pair, (tuple, list)) or not all(map(_is_number, pair)):
        reject(name, value, remedy)
    if len(pair) != 2:
        reject(name, value, remedy)
    return tuple(pair)


def _as_range(name: str, value: Any, remedy: str) -> tuple:
    """Return two ordered numbers."""
    pair = _as_pair(name, value, remedy)
    if pair[0] > pair[1]:
        reject(name, value, remedy)
    return pair


def check_count(name: str, value: Any, least: int, remedy: str) -> None:
    """Raise ValueError unless ``value`` is a whole number from ``least``."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        reject(name, value, remedy)


@dataclass(frozen=True)
class PuppetSettings:
    """Everything that decides what the pictures show.

    Args:
        image_size (int | tuple[int]): Width and height in pixels, at least
            16; one number for a square.
        seed (int): Any whole number from 0. Pictures of two seeds have
            nothing in common.
        figures (int | tuple[int]): Figures in an image, or the smallest and
            the largest number of them.
        pose_variation (float): 0, everyone stands at rest, to 1, the full
            range of every joint.
        scale (tuple[float], optional): Range of the stature of a standing
            figure, as a share of the shorter side of the image. Poses that
            would not fit are drawn smaller. None: (0.72, 0.95) for a single
            figure, less with more of them.
        rotation (tuple[float]): Range of the rotation of whole figures,
            degrees clockwise.
        translation (float): Share of the free room around a figure that its
            position makes use of, 0 (in the middle) to 1.
        background (str): 'plain', 'gradient', 'clutter' or 'mixed'.
        occlusion (bool): Whether figures may stand before each other and
            arms pass behind the trunk. Without it, every figure stands in a
            cell of its own. (An arm in front of the trunk may hide another
            joint in any case.)
        appearance (str): 'same', 'outfits' or 'any': how much looks differ.
        frames_per_clip (int): With more than one, images ``c * frames`` to
            ``c * frames + frames - 1`` are a film of the same figures, which
            move smoothly and end where they began.

    Raises:
        ValueError: For a value that is not usable, naming it and the remedy.
    """

    image_size: int | tuple[int, int] = 128
    seed: int = 0
    figures: int | tuple[int, int] = 1
    pose_variation: float = 1.0
    scale: tuple[float, float] | None = None
    rotation: tuple[float, float] = (-12.0, 12.0)
    translation: float = 1.0
    background: str = 'gradient'
    occlusion: bool = True
    appearance: str = 'outfits'
    frames_per_clip: int = 1

    def __post_init__(self) -> None:
        """Check every value."""
        remedy = f'give (width, height) of at least {_SMALLEST} whole pixels'
        for number in _as_pair('image_size', self.image_size, remedy):
            check_count('image_size', number, _SMALLEST, remedy)
        remedy = 'give the number of figures (from 1), or (least, most)'
        for number in _as_range('figures', self.figures, remedy):
            check_count('figures', number, 1, remedy)
        check_count('seed', self.seed, 0, 'give a whole number from 0')
        check_count(
            'frames_per_clip', self.frames_per_clip, 1, 'give a whole number from 1'
        )
        for name in ('pose_variation', 'translation'):
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value <= 1:
                reject(name, value, 'give a number from 0 to 1')
        if self.scale is not None:
            remedy = 'give (smallest, largest), larger than 0'
            if _as_range('scale', self.scale, remedy)[0] <= 0:
                reject('scale', self.scale, remedy)
        _as_range('rotation', self.rotation, 'give (least, most) in degrees')
        for name, choices in (
            ('background', BACKGROUNDS),
            ('appearance', APPEARANCES),
            ('occlusion', (True, False)),
        ):
            if getattr(self, name) not in choices:
                reject(name, getattr(self, name), f'choose one of {choices}')

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        width, height = _as_pair('image_size', self.image_size, '')
        return width, height

    @property
    def figure_range(self) -> tuple[int, int]:
        """Smallest and largest number of figures in an image."""
        least, most = _as_pair('figures', self.figures, '')
        return least, most

    def scale_range(self, num_figures: int) -> tuple[float, float]:
        """Range of the stature in shares of the image's shorter side."""
        if self.scale is not None:
            return self.scale
        if num_figures == 1:
            return 0.72, 0.95
        # crowds of any size fill the picture about as densely
        crowding = min(1.0, 1.5 * num_figures**-0.5)
        return 0.6 * crowding, 0.85 * crowding
