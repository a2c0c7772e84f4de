# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Poses of a puppet: joint angles, their movement, forward kinematics.

Lengths are in units of the stature of a standing figure, x to the right of
the picture, y down. Figures face the viewer, so that their left side is to
the right of the picture. Angles are in degrees; the direction of a bone is
measured from straight down, positive away from the body on both sides.
"""

from dataclasses import dataclass

import numpy as np

from .skeleton import COCO_JOINTS

#: Degrees of freedom: (lowest, highest, at rest), angles in degrees.
DEGREES_OF_FREEDOM: dict[str, tuple[float, float, float]] = dict(
    lean=(-14, 14, 0),
    turn=(-35, 35, 0),
    head_roll=(-16, 16, 0),
    head_turn=(-32, 32, 0),
    head_nod=(-10, 10, 0),
    left_shoulder=(4, 138, 20),
    right_shoulder=(4, 138, 20),
    left_elbow=(-75, 80, 6),
    right_elbow=(-75, 80, 6),
    left_hip=(0, 34, 6),
    right_hip=(0, 34, 6),
    left_knee=(-34, 10, -3),
    right_knee=(-34, 10, -3),
    left_foot=(35, 75, 55),
    right_foot=(35, 75, 55),
)

# A low, long-limbed cartoon build: the head is larger than life so that the
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


@dataclass
class Pose:
    """Joints of one figure in every frame of a clip.

    Args:
        joints (np.ndarray): COCO-17 joints of shape (F, 17, 2) in statures.
        landmarks (dict[str, np.ndarray]): Further points of shape (F, 2):
            ``pelvis``, ``neck``, ``head`` (centre), ``left_hand``,
            ``right_hand``, ``left_toe``, ``right_toe``.
        head_axes (np.ndarray): Unit vector along the face, crown to chin, of
            shape (F, 2).
        head_angles (np.ndarray): Turn and nod of the head of shape (F, 2) in
            radians.
        breadth (np.ndarray): Apparent breadth of the trunk relative to a
            frontal view, of shape (F,).
        hidden_ears (np.ndarray): Whether the (left, right) ear is covered by
            the head, bool of shape (F, 2).
    """

    joints: np.ndarray
    landmarks: dict[str, np.ndarray]
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
    ranges = np.array(list(DEGREES_OF_FREEDOM.values()), dtype=np.float64)
    low, high, rest = ranges.T
    position = rng.random(len(ranges))
    cycles = rng.integers(1, 3, len(ranges))
    phase = rng.random(len(ranges))
    if num_frames > 1:
        # swing about a middle by at most a quarter of the range, so that no
        # angle meets its limit with a jerk
        time = np.arange(num_frames)[:, None] / num_frames
        swing = np.sin(2 * np.pi * (cycles * time + phase))
        position = 0.25 + 0.5 * position + 0.25 * swing
    else:
        position = position[None]
    angles = rest + variation * (low + (high - low) * position - rest)
    return dict(zip(DEGREES_OF_FREEDOM, np.radians(angles).T, strict=True))


def _bone(angle: np.ndarray, length: float, side: int) -> np.ndarray:
    """Offset (F, 2) of a bone ``angle`` away from straight down."""
    return length * np.stack([side * np.sin(angle), np.cos(angle)], axis=-1)


def _rotate(points: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rotate (F, P, 2) points clockwise (as seen) by (F,) radians."""
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, y = points[..., 0], points[..., 1]
    return np.stack([x * cos - y * sin, x * sin + y * cos], axis=-1)


def pose_figure(angles: dict[str, np.ndarray], rotation: np.ndarray) -> Pose:
    """Forward kinematics.

    Args:
        angles (dict[str, np.ndarray]): Radians of shape (F,) for each degree
            of freedom.
        rotation (np.ndarray): Rotation of the whole figure, clockwise as seen,
            radians of shape (F,).

    Returns:
        Pose: The joints, in statures, about the midpoint of the hips.
    """
    num_frames = len(rotation)
    points = {'pelvis': np.zeros((num_frames, 2))}
    up = -_bone(-angles['lean'], 1.0, 1)
    across = np.stack([-up[:, 1], up[:, 0]], axis=-1)  # to the figure's left
    breadth = np.cos(angles['turn'])
    points['neck'] = TRUNK * up
    head_tilt = 0.5 * angles['lean'] + angles['head_roll']
    head_up = -_bone(-head_tilt, 1.0, 1)
    points['head'] = points['neck'] + NECK * head_up
    for side, sign in (('left', 1), ('right', -1)):
        _pose_limbs(points, angles, side, sign, breadth[:, None] * across)
    ears = _place_face(points, angles, head_up)
    names = list(points)
    rotated = _rotate(np.stack([points[n] for n in names], 1), rotation)
    placed = dict(zip(names, rotated.transpose(1, 0, 2), strict=True))
    return Pose(
        joints=np.stack([placed[name] for name in COCO_JOINTS], axis=1),
        landmarks={n: p for n, p in placed.items() if n not in COCO_JOINTS},
        head_axes=_rotate(-head_up[:, None], rotation)[:, 0],
        head_angles=np.stack([angles['head_turn'], angles['head_nod']], 1),
        breadth=breadth,
        hidden_ears=ears,
    )


def _pose_limbs(
    points: dict, angles: dict, side: str, sign: int, across: np.ndarray
) -> None:
    """Add the arm and the leg of a side to ``points``."""
    shoulder = points['neck'] + sign * SHOULDER * across
    hip = points['pelvis'] + sign * HIP * across
    arm, leg = angles[f'{side}_shoulder'], angles[f'{side}_hip']
    forearm = arm + angles[f'{side}_elbow']
    shin = leg + angles[f'{side}_knee']
    elbow = shoulder + _bone(arm, UPPER_ARM, sign)
    wrist = elbow + _bone(forearm, FOREARM, sign)
    knee = hip + _bone(leg, THIGH, sign)
    ankle = knee + _bone(shin, SHIN, sign)
    foot = shin + angles[f'{side}_foot']
    points.update(
        {
            f'{side}_shoulder': shoulder,
            f'{side}_elbow': elbow,
            f'{side}_wrist': wrist,
            f'{side}_hand': wrist + _bone(forearm, HAND, sign),
            f'{side}_hip': hip,
            f'{side}_knee': knee,
            f'{side}_ankle': ankle,
            f'{side}_toe': ankle + _bone(foot, FOOT, sign),
        }
    )


def _place_face(points: dict, angles: dict, head_up: np.ndarray) -> np.ndarray:
    """Add the five face points to ``points``; tell which ears are hidden."""
    across = np.stack([-head_up[:, 1], head_up[:, 0]], axis=-1)
    hidden = []
    for name, (azimuth, elevation) in FACE_POINTS.items():
        x, y, depth = head_coordinates(
            azimuth, elevation, angles['head_turn'], angles['head_nod']
        )
        points[name] = (
            points['head']
            + HEAD_WIDTH * x[:, None] * across
            - HEAD_HEIGHT * y[:, None] * head_up
        )
        if name.endswith('ear'):
            hidden.append(depth < HIDDEN_EAR)
    return np.stack(hidden, axis=1)


def head_coordinates(
    azimuth: float, elevation: float, turn: np.ndarray, nod: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Where a point of the ball-shaped head appears on the drawn head.

    Args:
        azimuth (float): Degrees towards the figure's left.
        elevation (float): Degrees upwards.
        turn (np.ndarray): Turn of the head to the figure's left, radians (F,).
        nod (np.ndarray): Nod downwards, radians (F,).

    Returns:
        tuple[np.ndarray]: x (to the figure's left, in half head widths), y
        (down, in half head heights) and depth (towards the viewer), each (F,).
    """
    azimuth_now = np.radians(azimuth) + turn
    level = np.radians(elevation) - nod
    return (
        np.sin(azimuth_now) * np.cos(level),
        -np.sin(level),
        np.cos(azimuth_now) * np.cos(level),
    )
