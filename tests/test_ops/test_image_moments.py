"""Moments of shapes whose moments are known, and of turned images."""

import math

import pytest
import torch

from mmkp.ops.image_moments import (
    axis_skewness,
    central_moments,
    centroid,
    object_frame,
    principal_angle,
)


def drop(angle, center=(31.5, 31.5), side=64):
    """A drop: heavy and round at one end, with a tail in the direction of an angle."""
    axis = torch.arange(side, dtype=torch.float64)
    x, y = torch.meshgrid(axis - center[0], axis - center[1], indexing='xy')
    u = x * math.cos(angle) + y * math.sin(angle)
    v = -x * math.sin(angle) + y * math.cos(angle)
    parts = ((-6, 4, 1.0), (2, 3, 0.5), (10, 2, 0.25))
    return sum(
        weight * (-((u - place) ** 2 + v**2) / (2 * deviation**2)).exp()
        for place, deviation, weight in parts
    )[None]


def test_moments_of_a_rectangle_are_its_sums_of_powers():
    mass = torch.zeros(1, 10, 12, dtype=torch.float64)
    mass[0, 2:5, 4:9] = 2.0  # x 4 to 8, y 2 to 4
    center = centroid(mass)
    assert center.tolist() == [[6.0, 3.0]]
    moments = central_moments(mass, center)
    assert moments.shape == (1, 4, 4)
    assert moments[0, 0, 0] == 30
    assert moments[0, 2, 0] == 2 * 3 * (4 + 1 + 0 + 1 + 4)
    assert moments[0, 0, 2] == 2 * 5 * (1 + 0 + 1)
    assert moments[0, 2, 2] == 2 * 10 * 2
    assert moments[0, [1, 0, 1, 3], [0, 1, 1, 0]].tolist() == [0, 0, 0, 0]
    assert principal_angle(moments).tolist() == [0.0]
    assert principal_angle(moments.transpose(1, 2)).item() == math.pi / 2


def test_skewness_of_three_points_is_that_of_their_distribution():
    mass = torch.zeros(1, 3, 9, dtype=torch.float64)
    mass[0, 1, [0, 1, 8]] = torch.tensor([1.0, 2.0, 1.0], dtype=torch.float64)
    moments = central_moments(mass, centroid(mass))
    values = torch.tensor([0.0, 1.0, 1.0, 8.0], dtype=torch.float64)
    standard = (values - values.mean()) / values.std(correction=0)
    expected = standard.pow(3).mean()
    zero = torch.zeros(1, dtype=torch.float64)
    torch.testing.assert_close(axis_skewness(moments, zero)[0], expected)
    torch.testing.assert_close(axis_skewness(moments, zero + math.pi)[0], -expected)


@pytest.mark.parametrize('degrees', range(-170, 190, 20))
def test_a_turned_object_gives_a_turned_frame(degrees):
    angle = math.radians(degrees)
    center, found = object_frame(drop(angle, (29.0, 33.0)), window=0.3)
    difference = (found.item() - angle + math.pi) % (2 * math.pi) - math.pi
    assert abs(difference) < 1e-3
    upright, _ = object_frame(drop(0.0, (29.0, 33.0)), window=0.3)
    offset = upright[0, 0] - 29  # heavy at the round end
    turned = torch.tensor([math.cos(angle), math.sin(angle)], dtype=torch.float64)
    expected = torch.tensor([29.0, 33.0], dtype=torch.float64) + offset * turned
    torch.testing.assert_close(center[0], expected, atol=2e-3, rtol=0)


def test_quarter_turns_and_mirror_images_are_exact():
    mass = drop(0.7, (30.0, 35.0))
    center, angle = object_frame(mass)
    mirrored, across = object_frame(mass.flip(-1))
    torch.testing.assert_close(mirrored[0, 0], 63 - center[0, 0])
    torch.testing.assert_close(across.cos(), -angle.cos())
    torch.testing.assert_close(across.sin(), angle.sin())
    turned, later = object_frame(mass.rot90(-1, (1, 2)))  # clockwise
    torch.testing.assert_close(
        turned[0], torch.stack((63 - center[0, 1], center[0, 0]))
    )
    torch.testing.assert_close(later.sin(), angle.cos())


def test_another_object_at_the_rim_does_not_count():
    alone = drop(0.4)
    mass = alone.clone()
    mass[0, :8, :8] = 0.5
    center, angle = object_frame(mass, window=0.15)
    expected, direction = object_frame(alone, window=0.15)
    assert (centroid(mass) - centroid(alone)).norm() > 6
    assert (center - expected).norm() < 0.1
    assert (angle - direction).abs() < 0.02


def test_each_image_of_a_batch_has_its_own_frame():
    batch = torch.cat([drop(0.2), drop(2.0, (28.0, 30.0))])
    centers, angles = object_frame(batch)
    for index in range(2):
        center, angle = object_frame(batch[index, None])
        torch.testing.assert_close(centers[index], center[0])
        torch.testing.assert_close(angles[index], angle[0])


def test_gradients_agree_with_finite_differences():
    mass = drop(0.5)[:, 20:44, 20:44].clone().requires_grad_()

    def frame(mass):
        moments = central_moments(mass, centroid(mass))
        angle = principal_angle(moments)
        return centroid(mass), angle, axis_skewness(moments, angle)

    assert torch.autograd.gradcheck(frame, (mass,))


@pytest.mark.parametrize('value', [0.0, 1.0])
def test_nothing_and_a_round_object_lie_in_the_middle_with_finite_gradients(value):
    mass = torch.full((1, 9, 9), value, requires_grad=True)
    center, angle = object_frame(mass)
    assert center.tolist() == [[4.0, 4.0]]
    assert angle.tolist() == [0.0]
    (center.sum() + angle.sum()).backward()
    assert mass.grad is not None and mass.grad.isfinite().all()
