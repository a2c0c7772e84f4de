"""Padding of one color around images."""

import torch

from mmkp.ops.warps.padding import PaddedWarp, pad_with_border_mean, paste_into_padding
from mmkp.ops.warps.thin_plate_spline import random_thin_plate_spline


def test_the_padding_has_the_mean_color_of_the_border():
    image = torch.zeros(1, 1, 3, 4)
    image[0, 0, 0, 0] = 6.0  # a corner counts twice of 2 * 4 + 2 * 3 values
    image[0, 0, 1, 2] = 100.0  # the inside does not count
    padded = pad_with_border_mean(image, (2, 1))
    assert padded.shape == (1, 1, 5, 8)
    torch.testing.assert_close(padded[..., 1:-1, 2:-2], image)
    torch.testing.assert_close(padded[0, 0, 0], torch.full((8,), 12 / 14))
    torch.testing.assert_close(padded[0, 0, :, -1], torch.full((5,), 12 / 14))


def test_without_padding_nothing_changes():
    images = torch.rand(2, 3, 4, 5)
    assert pad_with_border_mean(images, (0, 0)) is images
    assert paste_into_padding(images, images, (0, 0)) is images


def test_pasting_replaces_the_image_and_keeps_its_padding():
    images, others = torch.rand(2, 3, 4, 5), torch.rand(2, 3, 4, 5)
    others.requires_grad_()
    padded = pad_with_border_mean(images, (1, 2))
    pasted = paste_into_padding(others, padded, (1, 2))
    torch.testing.assert_close(pasted[..., 2:-2, 1:-1], others)
    torch.testing.assert_close(pasted[..., :2, :], padded[..., :2, :])
    pasted.sum().backward()
    torch.testing.assert_close(others.grad, torch.ones_like(others))


def test_a_padded_warp_moves_the_image_inside_as_the_warp_does():
    torch.manual_seed(0)
    warp = random_thin_plate_spline(2, (20, 16), dtype=torch.float64)
    padded = PaddedWarp(warp, (3, 2))
    assert padded.image_size == (26, 20)
    assert padded.dtype == torch.float64
    points = torch.rand(2, 5, 2, dtype=torch.float64) * 16
    shift = points.new_tensor((3, 2))
    expected = warp.points_to_source(points) + shift
    torch.testing.assert_close(padded.points_to_source(points + shift), expected)
    torch.testing.assert_close(padded.validity(points), warp.validity(points - shift))
