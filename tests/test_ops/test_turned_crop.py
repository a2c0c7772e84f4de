import numpy as np

from mmkp.ops.turned_crop import TurnedCrop, turn


def test_turns_are_clockwise_in_a_picture():
    points = np.array([[5.0, 1.0], [1.0, 3.0]])
    turned = turn(points, np.array([1.0, 1.0]), 90)
    np.testing.assert_allclose(turned, [[1, 5], [-1, 1]], atol=1e-12)


def test_crop_and_image_are_inverse_and_equal_mmpose_without_a_turn():
    crop = TurnedCrop(
        np.array([70.0, 40.0]), np.array([128.0, 64.0]), np.array([64.0, 32.0])
    )
    fractions = np.array([[[0.0, 0.0], [0.5, 0.25], [1.0, 1.0]]])
    image = crop.to_image(fractions)
    expected = fractions * crop.scale + crop.center - 0.5 * crop.scale
    np.testing.assert_allclose(image, expected)
    for degrees in (30.0, 180.0, -100.0):
        turned = TurnedCrop(crop.center, crop.scale, crop.size, degrees)
        back = turned.to_crop(turned.to_image(fractions))
        np.testing.assert_allclose(back, fractions, atol=1e-12)


def test_half_a_turn_mirrors_pixels_about_the_middle_of_the_input():
    meta = dict(
        input_center=[32.0, 32.0],
        input_scale=[64.0, 64.0],
        input_size=(64, 64),
        input_rotation=None,
        half_turned=True,
    )
    crop = TurnedCrop.of_sample(meta)
    assert crop.degrees == 180
    np.testing.assert_allclose(crop.unturned(np.array([[0.0, 10.0]])), [[63, 53]])
