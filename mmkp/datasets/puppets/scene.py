# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Composes pictures of puppets with their exact ground truth."""

from dataclasses import dataclass

import numpy as np

from .appearance import Appearance, sample_appearance
from .background import paint_background
from .painter import REACH, Figure, owners, paint_figure
from .pose import Pose, pose_figure, sample_angles
from .settings import PuppetSettings
from .shapes import Canvas
from .skeleton import COCO_JOINTS

# Positions are multiples of 1/64 pixel, see the module ``shapes``.
_GRID = 64
#: Free pixels between the figures and the border, as a share of the side.
_MARGIN = 0.015
# Purposes of the independent streams of chance of an image.
_COUNT, _SCENE, _BACKDROP = range(3)


@dataclass
class Scene:
    """A picture with what it shows; figures are ordered from back to front.

    Args:
        image (np.ndarray): BGR, uint8 of shape (H, W, 3).
        keypoints (np.ndarray): COCO-17 joints, float32 pixels (x, y) of shape
            (N, 17, 2), pixel centres at whole numbers.
        visibility (np.ndarray): COCO's flags, uint8 of shape (N, 17): 2 seen,
            1 covered by another part or figure.
        boxes (np.ndarray): Tight boxes around the whole figures, hidden or
            not, float32 pixels (x1, y1, x2, y2) of shape (N, 4).
        areas (np.ndarray): Pixels in which each figure is seen, float32 (N,).
        labels (np.ndarray): Label of the part seen in each pixel, int32 of
            shape (H, W); 0 is the background.
        parts (dict[int, tuple[int, str]]): Figure and name of the part of
            each label; higher labels were painted later.
    """

    image: np.ndarray
    keypoints: np.ndarray
    visibility: np.ndarray
    boxes: np.ndarray
    areas: np.ndarray
    labels: np.ndarray
    parts: dict[int, tuple[int, str]]


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
    low, high = settings.figures
    if low == high:
        return low
    return int(_stream(settings, index, _COUNT).integers(low, high + 1))


def _stream(settings: PuppetSettings, index: int, purpose: int) -> np.random.Generator:
    """Chance that depends on the seed, the clip and the purpose alone."""
    clip = index // settings.frames_per_clip
    return np.random.default_rng((settings.seed, clip, purpose))


def render(settings: PuppetSettings, index: int) -> Scene:
    """Draw an image.

    Args:
        settings (PuppetSettings): What the pictures show.
        index (int): Number of the image, from 0.

    Returns:
        Scene: The picture and its ground truth; the same for the same
        arguments, in any order, process and state of other generators.
    """
    image = paint_background(
        _stream(settings, index, _BACKDROP), settings.background, settings.image_size
    )
    figures = compose(settings, index)
    return draw(figures, image)


def compose(settings: PuppetSettings, index: int) -> list[Figure]:
    """Choose and place the figures of an image, from back to front.

    Args:
        settings (PuppetSettings): What the pictures show.
        index (int): Number of the image, from 0.

    Returns:
        list[Figure]: The figures, all joints within the image.
    """
    rng = _stream(settings, index, _SCENE)
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


def draw(figures: list[Figure], background: np.ndarray) -> Scene:
    """Draw figures over a background and derive the ground truth.

    Args:
        figures (list[Figure]): From back to front.
        background (np.ndarray): BGR, float32 of shape (3, H, W), 0 to 255;
            drawn upon.

    Returns:
        Scene: The picture and its ground truth.
    """
    labels = np.zeros(background.shape[1:], dtype=np.int32)
    canvas = Canvas(background, labels)
    parts: dict[int, tuple[int, str]] = {}
    for number, figure in enumerate(figures):
        first = len(parts) + 1
        names = paint_figure(canvas, figure, first)
        parts.update({first + i: (number, n) for i, n in enumerate(names)})
    np.rint(background, out=background)
    np.clip(background, 0, 255, out=background)
    image = np.ascontiguousarray(background.astype(np.uint8).transpose(1, 2, 0))
    owner = np.array([-1] + [figure for figure, _ in parts.values()])
    pixels = np.bincount(owner[labels].ravel() + 1, minlength=len(figures) + 1)
    extents = [_extent(figure) for figure in figures]
    return Scene(
        image=image,
        keypoints=np.stack([figure.joints for figure in figures]),
        visibility=_visibility(figures, labels, parts),
        boxes=np.array(extents, dtype=np.float32),
        areas=pixels[1:].astype(np.float32),
        labels=labels,
        parts=parts,
    )


def _visibility(
    figures: list[Figure], labels: np.ndarray, parts: dict[int, tuple[int, str]]
) -> np.ndarray:
    """Flag joints whose nearest pixel shows a part painted over their own."""
    label_of = {part: label for label, part in parts.items()}
    height, width = labels.shape
    flags = np.empty((len(figures), len(COCO_JOINTS)), dtype=np.uint8)
    for number, figure in enumerate(figures):
        nearest = np.rint(figure.joints).astype(int)
        columns = np.clip(nearest[:, 0], 0, width - 1)
        rows = np.clip(nearest[:, 1], 0, height - 1)
        own = [
            max(label_of[number, part] for part in owners(joint))
            for joint in COCO_JOINTS
        ]
        flags[number] = 2 - (labels[rows, columns] > own)
        for joint, hidden in zip(
            ('left_ear', 'right_ear'), figure.hidden_ears, strict=True
        ):
            if hidden:
                flags[number, COCO_JOINTS.index(joint)] = 1
    return flags


def _reaches(names: list[str]) -> np.ndarray:
    """How far the drawing reaches beyond points of these names, statures."""
    return np.array([REACH.get(n.split('_')[-1], 0.0) for n in names])


def _extent(figure: Figure) -> np.ndarray:
    """Box (4,) around everything that is drawn of a figure."""
    names = list(COCO_JOINTS) + list(figure.landmarks)
    points = np.stack([figure.point(name) for name in names])
    reach = _reaches(names)[:, None] * figure.stature
    return np.concatenate([(points - reach).min(axis=0), (points + reach).max(axis=0)])


def _cast(rng: np.random.Generator, settings: PuppetSettings, count: int) -> _Actor:
    """Choose pose, looks and size of a figure."""
    frames = settings.frames_per_clip
    rotation = np.radians(rng.uniform(*settings.rotation))
    angles = sample_angles(rng, frames, settings.pose_variation)
    pose = pose_figure(angles, np.full(frames, rotation))
    behind = rng.random(2) < (0.15 if settings.occlusion else 0.0)
    names = list(COCO_JOINTS) + list(pose.landmarks)
    points = np.concatenate(
        [pose.joints, np.stack(list(pose.landmarks.values()), 1)], axis=1
    )
    reach = _reaches(names)[:, None]
    stature = rng.uniform(*settings.scale_range(count))
    return _Actor(
        pose=pose,
        appearance=sample_appearance(rng, settings.appearance),
        arms_behind=(bool(behind[0]), bool(behind[1])),
        stature=float(stature * min(settings.image_size)),
        offset=np.zeros((frames, 2)),
        low=(points - reach).min(axis=1),
        high=(points + reach).max(axis=1),
    )


def _cells(settings: PuppetSettings, count: int) -> list[np.ndarray]:
    """Boxes (4,) in which figures are placed."""
    width, height = settings.image_size
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
    pose, offset = actor.pose, actor.offset[frame]

    def pixels(points: np.ndarray) -> np.ndarray:
        placed = np.rint((offset + actor.stature * points) * _GRID) / _GRID
        return placed.astype(np.float32)

    return Figure(
        joints=pixels(pose.joints[frame]),
        landmarks={n: pixels(p[frame]) for n, p in pose.landmarks.items()},
        stature=actor.stature,
        head_axis=pose.head_axes[frame],
        head_angles=pose.head_angles[frame],
        breadth=float(pose.breadth[frame]),
        hidden_ears=pose.hidden_ears[frame],
        arms_behind=actor.arms_behind,
        appearance=actor.appearance,
    )
