# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Poses of a puppet: joint angles, their movement, forward kinematics.

Lengths are in units of the stature of a standing figure, x to the right of
the picture, y down; a point is the complex number x + iy, so that turning it
by an angle (clockwise, as seen) is a product. Figures face the viewer, so that
their left side is to the right of the picture. The direction of a bone is
measured from straight down, positive away from the body on both sides.
"""

from dataclasses import dataclass

import numpy as np

from mmkp.datasets.body_metainfo import COCO_JOINTS, SIDES

_LIMB_FREEDOM = dict(
    shoulder=(4, 138, 20),
    elbow=(-75, 80, 6),
    hip=(0, 34, 6),
    knee=(-34, 10, -3),
    foot=(35, 75, 55),
)
#: Degrees of freedom: (lowest, highest, at rest), angles in degrees.
DEGREES_OF_FREEDOM: dict[str, tuple[float, float, float]] = dict(
    lean=(-14, 14, 0),
    turn=(-35, 35, 0),
    head_roll=(-16, 16, 0),
    head_turn=(-32, 32, 0),
    head_nod=(-10, 10, 0),
    **{
        f'{side}_{part}': _LIMB_FREEDOM[part]
        for part in _LIMB_FREEDOM
        for side in SIDES
    },
)
_RANGES = np.radians(list(DEGREES_OF_FREEDOM.values()))

# A long-limbed cartoon build: the head is larger than life so that the
# five face points stay apart at 64 pixels.
HEAD_HEIGHT = 0.1  # half the head, crown to chin
HEAD_WIDTH = 0.082
NECK = 0.118  # midpoint of the shoulders to centre of the head
TRUNK = 0.29  # midpoint of the hips to midpoint of the shoulders
SHOULDER = 0.098  # half the distance of the shoulders
HIP = 0.058
UPPER_ARM, FOREARM, HAND = 0.152, 0.142, 0.036
THIGH, SHIN, FOOT = 0.215, 0.205, 0.06

# Where the face points lie on the head, seen as a ball: (azimuth towards the
# figure's left, elevation) in degrees.
FACE_POINTS = dict(
    nose=(0, -8),
    left_eye=(25, 12),
    right_eye=(-25, 12),
    left_ear=(86, 2),
    right_ear=(-86, 2),
)
# An ear further round than this (sine of the angle behind the outline) is
# covered by the head.
HIDDEN_EAR = -0.2

#: Points of a figure besides the joints: midpoint of the hips, midpoint of the
#: shoulders, centre of the head, ends of hands and feet.
LANDMARKS = (
    'pelvis',
    'neck',
    'head',
    'left_hand',
    'right_hand',
    'left_toe',
    'right_toe',
)
POINTS = COCO_JOINTS + LANDMARKS
POINT_INDEX = {name: index for index, name in enumerate(POINTS)}


@dataclass
class Pose:
    """One figure in every frame of a clip, about the midpoint of its hips.

    Args:
        points (np.ndarray): The ``POINTS`` (COCO-17 joints, then landmarks) of
            shape (F, P, 2) in statures.
        head_axes (np.ndarray): Unit vector along the face, crown to chin, of
            shape (F, 2).
        head_angles (np.ndarray): Turn and nod of the head of shape (F, 2) in
            radians.
        breadth (np.ndarray): Apparent breadth of the trunk relative to a
            frontal view, of shape (F,).
        hidden_ears (np.ndarray): Whether the (left, right) ear is covered by
            the head, bool of shape (F, 2).
    """

    points: np.ndarray
    head_axes: np.ndarray
    head_angles: np.ndarray
    breadth: np.ndarray
    hidden_ears: np.ndarray


def sample_angles(
    rng: np.random.Generator, num_frames: int, variation: float
) -> dict[str, np.ndarray]:
    """Draw smooth joint-angle trajectories that repeat after a clip.

    Args:
        rng (np.random.Generator): Source of chance.
        num_frames (int): Number F of frames.
        variation (float): 0 (everyone stands at rest) to 1 (full range).

    Returns:
        dict[str, np.ndarray]: Radians of shape (F,) for each degree of
        freedom.
    """
    low, high, rest = _RANGES.T
    position = rng.random(len(_RANGES))
    cycles = rng.integers(1, 3, len(_RANGES))
    phase = rng.random(len(_RANGES))
    if num_frames > 1:
        # swing about a middle by at most a quarter of the range, so that no
        # angle meets its limit with a jerk
        time = np.arange(num_frames)[:, None] / num_frames
        swing = np.sin(2 * np.pi * (cycles * time + phase))
        position = 0.25 + 0.5 * position + 0.25 * swing
    else:
        position = position[None]
    angles = rest + variation * (low + (high - low) * position - rest)
    return dict(zip(DEGREES_OF_FREEDOM, angles.T, strict=True))


def pose_figure(angles: dict[str, np.ndarray], rotation: float) -> Pose:
    """Forward kinematics.

    Args:
        angles (dict[str, np.ndarray]): Radians of shape (F,) for each degree
            of freedom.
        rotation (float): Rotation of the whole figure, radians clockwise.

    Returns:
        Pose: Where everything is, in statures.
    """
    breadth = np.cos(angles['turn'])
    up = -1j * np.exp(1j * angles['lean'])
    head_up = -1j * np.exp(1j * (0.5 * angles['lean'] + angles['head_roll']))
    neck = TRUNK * up
    points = dict(pelvis=0 * neck, neck=neck, head=neck + NECK * head_up)
    for side, sign in (('left', 1), ('right', -1)):
        # 1j * up points to the figure's left
        _pose_limbs(points, angles, side, sign, breadth * 1j * up)
    hidden_ears = _place_face(points, angles, head_up)
    turned = np.exp(1j * rotation) * np.stack([points[n] for n in POINTS], axis=-1)
    return Pose(
        points=_pairs(turned),
        head_axes=_pairs(-head_up * np.exp(1j * rotation)),
        head_angles=np.stack([angles['head_turn'], angles['head_nod']], axis=1),
        breadth=breadth,
        hidden_ears=hidden_ears,
    )


def _pairs(points: np.ndarray) -> np.ndarray:
    """Turn complex numbers (...) into coordinates (..., 2)."""
    return np.ascontiguousarray(points)[..., None].view(np.float64)


def _pose_limbs(
    points: dict, angles: dict, side: str, sign: int, across: np.ndarray
) -> None:
    """Add the arm and the leg of a side to ``points``."""
    # a bone at angle a points to i exp(-i a): down, and away from the body
    arm = angles[f'{side}_shoulder']
    leg = angles[f'{side}_hip']
    shin = leg + angles[f'{side}_knee']
    directions = np.stack(
        [arm, arm + angles[f'{side}_elbow'], leg, shin, shin + angles[f'{side}_foot']]
    )
    upper_arm, forearm, thigh, shank, foot = 1j * np.exp(-1j * sign * directions)
    shoulder = points['neck'] + sign * SHOULDER * across
    hip = points['pelvis'] + sign * HIP * across
    elbow = shoulder + UPPER_ARM * upper_arm
    wrist = elbow + FOREARM * forearm
    knee = hip + THIGH * thigh
    ankle = knee + SHIN * shank
    limbs = dict(
        shoulder=shoulder,
        elbow=elbow,
        wrist=wrist,
        hand=wrist + HAND * forearm,
        hip=hip,
        knee=knee,
        ankle=ankle,
        toe=ankle + FOOT * foot,
    )
    points.update({f'{side}_{name}': point for name, point in limbs.items()})


def _place_face(points: dict, angles: dict, head_up: np.ndarray) -> np.ndarray:
    """Add the five face points to ``points``; tell which ears are hidden."""
    azimuth, elevation = np.array(list(FACE_POINTS.values())).T
    x, y, depth = head_coordinates(
        azimuth, elevation, angles['head_turn'][:, None], angles['head_nod'][:, None]
    )
    axes = head_up[:, None]
    placed = points['head'][:, None] + (HEAD_WIDTH * x * 1j - HEAD_HEIGHT * y) * axes
    points.update(zip(FACE_POINTS, placed.T, strict=True))
    return depth[:, [n.endswith('ear') for n in FACE_POINTS]] < HIDDEN_EAR


def head_coordinates(
    azimuth: np.ndarray | float,
    elevation: np.ndarray | float,
    turn: np.ndarray | float,
    nod: np.ndarray | float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where points of the ball-shaped head appear on the drawn head.

    Args:
        azimuth (np.ndarray | float): Degrees towards the figure's left.
        elevation (np.ndarray | float): Degrees upwards.
        turn (np.ndarray | float): Turn of the head to the figure's left, radians.
        nod (np.ndarray | float): Nod downwards, radians.

    Returns:
        tuple[np.ndarray]: x (to the figure's left, in half head widths), y
        (down, in half head heights) and depth (towards the viewer), of the
        arguments' common shape.
    """
    around = np.radians(azimuth) + turn
    level = np.radians(elevation) - nod
    radius = np.cos(level)
    return np.sin(around) * radius, -np.sin(level), np.cos(around) * radius
