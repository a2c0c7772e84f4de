"""Targets and weights against OpenPose's own label generator, on 12 real images."""

import numpy as np
import pytest

from mmkp.codecs import PartAffinityField

CASES = range(12)
CASES_WITH_FEET = (10, 11)
TOLERANCE = 2e-6

FEET = [
    f'{side}_{part}'
    for side in ('left', 'right')
    for part in ('big_toe', 'small_toe', 'heel')
]
OF_FOOT_DATA = [*FEET, 'neck', 'middle_hip', 'left_ankle', 'right_ankle']
CODECS = {
    '18': dict(skeleton='coco18'),
    '25': dict(skeleton='body25_body'),
    '25foot': dict(skeleton='body25', trained_keypoints=OF_FOOT_DATA),
}
RUNS = [(case, '18') for case in CASES] + [(case, '25') for case in CASES]
RUNS += [(case, '25foot') for case in CASES_WITH_FEET]


@pytest.fixture(scope='module')
def cases(golden_dir):
    loaded = {}
    for case in CASES:
        with np.load(golden_dir / f'openpose_targets/case{case:02}.npz') as arrays:
            loaded[case] = dict(arrays)
    return loaded


@pytest.fixture(scope='module')
def codecs():
    return {name: PartAffinityField(**options) for name, options in CODECS.items()}


def source_keypoints(case, model):
    """Keypoints of the data set, (N, 17 or 23, 3)."""
    if model == '25foot':
        return np.concatenate([case['keypoints17'], case['feet6']], 1)
    return case['keypoints17']


def assert_close(actual, expected, borderline):
    borderline = np.unpackbits(borderline)[: actual.size].astype(bool)
    far = np.abs(actual - expected).ravel() > TOLERANCE
    assert not (far & ~borderline).any()


@pytest.mark.parametrize(('number', 'model'), RUNS)
class TestGolden:
    def test_golden_keypoints_and_codes(self, cases, codecs, number, model):
        case, skeleton = cases[number], codecs[model].skeleton
        source = source_keypoints(case, model)
        expected = case[f'joints{model}']
        points, visible, ignored = skeleton.from_source(source[..., :2], source[..., 2])
        np.testing.assert_array_equal(visible > 0, expected[..., 2] <= 1)
        np.testing.assert_array_equal(ignored, expected[..., 2] >= 3)
        np.testing.assert_allclose(points, expected[..., :2], atol=1e-4)

    @pytest.mark.parametrize('outside', ['255', '0'])
    def test_golden_maps_and_weights(self, cases, codecs, number, model, outside):
        case, codec = cases[number], codecs[model]
        mask = case[f'mask46_pad{outside}'] / np.float32(255)
        source = source_keypoints(case, model)
        targets = codec.encode(source[..., :2], source[..., 2], labeled_mask=mask)
        heatmaps, fields = targets['heatmaps'], targets['part_affinity_fields']
        assert heatmaps.dtype == fields.dtype == np.float32
        assert_close(
            heatmaps[:-1], case[f'heat{model}'][:-1], case[f'borderline_heat{model}']
        )
        np.testing.assert_allclose(
            heatmaps[-1], case[f'heat{model}'][-1], rtol=0, atol=TOLERANCE
        )
        borderline = np.unpackbits(case[f'borderline_paf{model}'])
        borderline = borderline[: fields.size // 2].reshape(-1, 46, 46)
        borderline = np.packbits(np.repeat(borderline, 2, axis=0))
        assert_close(fields, case[f'paf{model}'], borderline)

        expected = case[f'W{"255" if outside == "255" else "0255"}_{model}']
        weights = np.concatenate([targets['field_weights'], targets['heatmap_weights']])
        np.testing.assert_array_equal(np.rint(weights * 255), expected)

    def test_golden_keypoints_of_the_maps_give_the_same(
        self, cases, codecs, number, model
    ):
        case, codec = cases[number], codecs[model]
        source, joints = source_keypoints(case, model), case[f'joints{model}']
        codes = joints[..., 2]
        direct = codec.encode(joints[..., :2], codes <= 1, codes >= 3)
        derived = codec.encode(source[..., :2], source[..., 2])
        for key, value in direct.items():
            np.testing.assert_allclose(derived[key], value, atol=TOLERANCE)
