"""Keypoints searched along fields: steps of one cell are equal on every back end."""

import numpy as np
import torch

from mmkp.ops.part_affinity.recovery import recover_keypoints


def walks(seed, number=3000, size=(9, 3)):
    random = np.random.default_rng(seed)
    fields = random.normal(0, 0.5, (1, 4, *size[::-1])).astype(np.float32)
    heatmaps = random.random((1, 3, *size[::-1])).astype(np.float32)
    places = [random.uniform(0, side - 1, number) for side in size]
    return (
        heatmaps,
        fields,
        np.zeros(number, np.int64),
        random.integers(0, 3, number),
        random.integers(0, 2, number),
        random.choice([-1.0, 1.0], number),
        *places,
        random.uniform(1, 6, number),
    )


def test_numpy_and_torch_take_the_same_step():
    for seed in range(5):
        given = walks(seed)
        arrays = recover_keypoints(*given, field_offset=0.4375)
        tensors = recover_keypoints(*map(torch.from_numpy, given), field_offset=0.4375)
        for array, tensor in zip(arrays, tensors, strict=True):
            np.testing.assert_allclose(array, tensor.numpy(), rtol=1e-6, atol=1e-9)


def test_the_first_of_equal_steps_counts():
    # A field of the same strength everywhere: within a cell all steps weigh the same.
    angle = np.linspace(0.1, 1.4, 50)
    fields = np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)
    heatmaps = np.ones((50, 1, 9, 9), np.float32)
    fields = np.broadcast_to(fields.T[:, :, None, None], (50, 2, 9, 9))
    zeros, ones = np.zeros(50, np.int64), np.ones(50)
    given = (heatmaps, np.ascontiguousarray(fields), np.arange(50), zeros, zeros)
    given += (ones, 2 * ones, 2 * ones, 5 * ones)
    step = 5 * 0.8 / 12
    for found in (
        recover_keypoints(*given),
        [v.numpy() for v in recover_keypoints(*map(torch.from_numpy, given))],
    ):
        np.testing.assert_allclose(np.hypot(found[1] - 2, found[2] - 2), step)
