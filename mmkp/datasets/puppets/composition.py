# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Chooses the figures of a picture and where they stand."""

from dataclasses import dataclass

import numpy as np

from .appearance import Appearance, sample_appearance
from .figure import REACH, Figure
from .pose import Pose, pose_figure, sample_angles
from .settings import PuppetSettings

# Positions are multiples of 1/64 pixel, see the module ``shapes``.
_GRID = 64
# Free pixels between the figures and the border, as a share of the side.
_MARGIN = 0.015
# Share of the arms that pass behind the trunk where occlusion is wanted.
_ARM_BEHIND = 0.15
#: Purposes of the independent streams of chance of an image.
COUNT, FIGURES, BACKGROUND = range(3)


@dataclass
class _Actor:
    """One figure throughout a clip, placed in the picture."""

    pose: Pose
    appearance: Appearance
    arms_behind: tuple[bool, bool]
    stature: float
    offset: np.ndarray  # (F, 2) pixels of the midpoint of the hips
    low: np.ndarray  # (F, 2) extent about it, statures
    high: np.ndarray


def count_figures(settings: PuppetSettings, index: int) -> int:
    """Number of figures in the image ``index``."""
    low, high = settings.figure_range
    if low == high:
        return low
    return int(stream(settings, index, COUNT).integers(low, high + 1))


def stream(settings: PuppetSettings, index: int, purpose: int) -> np.random.Generator:
    """Chance that depends on the seed, the clip and the purpose alone."""
    clip = index // settings.frames_per_clip
    return np.random.default_rng((settings.seed, clip, purpose))


def compose(settings: PuppetSettings, index: int) -> list[Figure]:
    """Choose and place the figures of an image, from back to front.

    Args:
        settings (PuppetSettings): What the pictures show.
        index (int): Number of the image, from 0.

    Returns:
        list[Figure]: The figures, all joints within the image.
    """
    rng = stream(settings, index, FIGURES)
    count = count_figures(settings, index)
    cells = _cells(settings, count)
    actors: list[_Actor] = []
    for number in range(count):
        actor = _cast(rng, settings, count)
        _place(rng, settings, actor, cells[number % len(cells)], actors)
        actors.append(actor)
    frame = index % settings.frames_per_clip
    # whoever stands lower in the picture is nearer; decided for the whole
    # clip, so that nobody jumps to the front
    actors.sort(
        key=lambda actor: float((actor.offset + actor.stature * actor.high)[:, 1].max())
    )
    return [_figure(actor, frame) for actor in actors]


def _cast(rng: np.random.Generator, settings: PuppetSettings, count: int) -> _Actor:
    """Choose pose, looks and size of a figure."""
    frames = settings.frames_per_clip
    rotation = float(np.radians(rng.uniform(*settings.rotation)))
    angles = sample_angles(rng, frames, settings.pose_variation)
    pose = pose_figure(angles, rotation)
    behind = rng.random(2) < (_ARM_BEHIND if settings.occlusion else 0.0)
    stature = rng.uniform(*settings.scale_range(count))
    return _Actor(
        pose=pose,
        appearance=sample_appearance(rng, settings.appearance),
        arms_behind=(bool(behind[0]), bool(behind[1])),
        stature=float(stature * min(settings.size)),
        offset=np.zeros((frames, 2)),
        low=(pose.points - REACH).min(axis=1),
        high=(pose.points + REACH).max(axis=1),
    )


def _cells(settings: PuppetSettings, count: int) -> list[np.ndarray]:
    """Boxes (4,) in which figures are placed."""
    width, height = settings.size
    margin = _MARGIN * min(width, height)
    rows = columns = 1
    if not settings.occlusion:
        # figures are about twice as tall as they are wide
        columns = int(np.ceil(np.sqrt(count * 1.6 * width / height)))
        columns = min(max(columns, 1), count)
        rows = int(np.ceil(count / columns))
    x = np.linspace(-0.5, width - 0.5, columns + 1)
    y = np.linspace(-0.5, height - 0.5, rows + 1)
    return [
        np.array([x[c] + margin, y[r] + margin, x[c + 1] - margin, y[r + 1] - margin])
        for r in range(rows)
        for c in range(columns)
    ]


def _place(
    rng: np.random.Generator,
    settings: PuppetSettings,
    actor: _Actor,
    cell: np.ndarray,
    others: list[_Actor],
) -> None:
    """Give a figure its stature and path, wholly within its cell.

    The path is a small loop about a fixed place. Of six places, the one whose
    trunk stays farthest from the other figures' is taken: figures overlap, but
    hardly ever hide one another altogether.
    """
    frames = settings.frames_per_clip
    room = cell[2:] - cell[:2]
    # a loop as wide as a tenth of the figure's stature
    phase = rng.random(2)
    time = np.arange(frames)[:, None] / frames
    loop = 0.05 * np.sin(2 * np.pi * (time + phase)) * (frames > 1)
    low = (actor.low + loop).min(axis=0)
    high = (actor.high + loop).max(axis=0)
    actor.stature = float(min(actor.stature, *(room / (high - low))))
    free = room - (high - low) * actor.stature
    spots = 0.5 + settings.translation * (rng.random((6 if others else 1, 2)) - 0.5)
    starts = cell[:2] + free * spots - low * actor.stature
    best = 0
    if others:
        taken = np.stack([other.offset.mean(axis=0) for other in others])
        sizes = np.array([other.stature for other in others])
        apart = np.hypot(*(starts[:, None] - taken).transpose(2, 0, 1))
        best = int((apart / sizes).min(axis=1).argmax())
    actor.offset = starts[best] + loop * actor.stature


def _figure(actor: _Actor, frame: int) -> Figure:
    """The figure in one frame, in pixels."""
    pose = actor.pose
    points = actor.offset[frame] + actor.stature * pose.points[frame]
    return Figure(
        points=(np.rint(points * _GRID) / _GRID).astype(np.float32),
        stature=actor.stature,
        head_axis=pose.head_axes[frame],
        head_angles=pose.head_angles[frame],
        breadth=float(pose.breadth[frame]),
        hidden_ears=pose.hidden_ears[frame],
        arms_behind=actor.arms_behind,
        appearance=actor.appearance,
    )
