# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Objects before a smooth background, and before a still camera's scene."""

import cv2
import numpy as np
import pytest

from mmkp.datasets.figure_ground import (
    background_distance,
    border_surface,
    figure_mask,
    median_picture,
)


def surface(height=60, width=80):
    """A background that is a polynomial of second degree, (H, W, 3) float32."""
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    channels = (
        120 + 20 * x - 10 * y,
        90 + 5 * x * y,
        100 + 15 * x * x - 20 * y * y,
    )
    return np.stack(channels, -1).astype(np.float32)


def scene(height=60, width=80):
    """Dark walls around a light floor, uint8."""
    image = np.full((height, width, 3), 200, np.uint8)
    image[:12] = image[-9:] = image[:, :10] = 60
    return image


def test_the_surface_of_the_border_passes_over_what_the_border_cuts():
    image = surface()
    seen = image.copy()
    seen[20:40, 30:50] = 0  # the object
    seen[50:, 60:] = 255  # another one, cut by the border
    np.testing.assert_allclose(border_surface(seen), image, atol=0.5)


def test_the_largest_object_is_found_with_its_gaps_bridged():
    image = surface().round().astype(np.uint8)
    expected = np.zeros(image.shape[:2], bool)
    expected[20:40, 30:50] = expected[20:40, 51:60] = True  # a gap of one pixel
    image[expected] = (0, 0, 200)
    image[50:, 70:] = 0
    assert np.array_equal(figure_mask(image), expected)
    expected[50:, 70:] = True
    assert np.array_equal(figure_mask(image, single=False), expected)


def test_of_a_still_camera_the_scene_is_what_explains_more():
    background = scene()
    image = background.copy()
    image[25:33, 40:60] = 30
    mask = np.zeros(image.shape[:2], bool)
    mask[25:33, 40:60] = True
    assert np.array_equal(figure_mask(image, background), mask)
    # A scene of something else does not help: the border's colors do.
    plain = surface().round().astype(np.uint8)
    plain[20:40, 30:50] = 0
    distance = background_distance(plain, background)
    np.testing.assert_allclose(distance, background_distance(plain, None))
    assert np.array_equal(figure_mask(plain, background), figure_mask(plain))


def test_nothing_in_a_picture_of_one_color():
    assert not figure_mask(np.full((20, 30, 3), 7, np.uint8)).any()


def test_the_median_of_pictures_is_the_empty_scene(tmp_path):
    paths = []
    for index in range(5):
        image = scene()
        image[20:30, 12 + 12 * index : 24 + 12 * index] = 0
        paths.append(str(tmp_path / f'{index}.png'))
        cv2.imwrite(paths[-1], image)
    assert np.array_equal(median_picture(paths), scene())
    with pytest.raises(ValueError, match='2 pictures do not tell'):
        median_picture(paths[:2])
    cv2.imwrite(paths[1], scene()[1:])
    with pytest.raises(ValueError, match=r'1\.png has .*\(59, 80, 3\), .*0\.png'):
        median_picture(paths)


def test_faint_parts_belong_to_what_they_are_connected_to():
    image = np.full((80, 80, 3), 200, np.uint8)
    image[20:50, 30:50] = 20  # a trunk
    image[50:70, 32:38] = 130  # a leg of nearly the background's color
    image[10:16, 60:70] = 130  # and something as faint that is not connected
    expected = np.zeros((80, 80), bool)
    expected[20:50, 30:50] = expected[50:70, 32:38] = True
    assert np.array_equal(figure_mask(image), expected)
    assert np.array_equal(figure_mask(image, single=False), expected)


def test_noise_beside_an_object_is_no_part_of_it():
    noise = np.random.default_rng(0).normal(0, 12, (80, 80, 3))
    image = np.full((80, 80, 3), 200.0)
    image[20:50, 30:50] = 120
    found = figure_mask((image + noise).clip(0, 255).astype(np.uint8))
    inside = np.zeros((80, 80), bool)
    inside[20:50, 30:50] = True
    assert found[inside].mean() > 0.97
    assert found[~inside].mean() < 0.02


def test_a_mirror_image_that_a_shadow_connects_is_another_object():
    image = np.full((90, 90, 3), 200, np.uint8)
    image[50:75, 20:70] = 20  # an animal
    image[36:50, 20:70] = 130  # its shadow up to the wall
    image[20:36, 22:60] = 30  # its mirror image there
    found = figure_mask(image)
    assert found[50:75, 20:70].all()
    assert not found[20:36].any() and found[43:50, 20:60].any()
    image[20:36, 22:60] = 200
    image[30:36, 22:30] = 30  # a small part that is connected is one of the animal's
    assert figure_mask(image)[30:36, 22:30].all()


def test_shadows_before_a_scene_are_left_out():
    behind = np.full((80, 80, 3), 200, np.uint8)
    image = behind.copy()
    image[20:50, 30:50] = 20
    image[50:60, 30:50] = 130  # its shadow
    assert figure_mask(image)[50:60, 30:50].all()
    found = figure_mask(image, behind)
    assert found[20:50, 30:50].all() and not found[50:].any()
