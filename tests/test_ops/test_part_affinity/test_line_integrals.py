"""Line integrals over part affinity fields, in closed form and against plain loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.codecs.make_skeleton import make_skeleton
from mmkp.ops.part_affinity.grouping_config import GroupingConfig
from mmkp.ops.part_affinity.limb_skeleton import limb_tables
from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.peaks import Peaks

LIMB = ('ab',)
SIZE = (10, 14)  # height and width


def scored(fields, peaks, limbs=LIMB, field_offset=0.0, **options):
    """Candidates; long limbs are as good as short ones."""
    rules = GroupingConfig(**(dict(length_penalty=False) | options)).rules(1)
    names = 'abcd'[: len(peaks.first) - 1]
    tables = limb_tables(
        make_skeleton('letters', names, {}, [0.1] * len(names), list(map(tuple, limbs)))
    )
    return score_limbs(fields, peaks, tables, field_offset, rules)


def peaks_at(*points, number=2):
    """Peaks from (keypoint, x, y), sorted by keypoint."""
    keypoint, x, y = np.array(sorted(points, key=lambda p: p[0]), np.float64).T
    first = np.searchsorted(keypoint, np.arange(number + 1))
    return Peaks(first, x.copy(), y.copy(), np.ones(len(x)))


def constant(x, y, size=SIZE):
    """Fields (2, h, w) of one limb, everywhere the same vector."""
    return np.broadcast_to(np.float32([x, y])[:, None, None], (2, *size)).copy()


def random_case(seed, keypoints=3):
    """Smooth fields of three limbs, and peaks."""
    random = np.random.default_rng(seed)
    fields = random.normal(0.3, 0.5, (6, *SIZE)).astype(np.float32)
    first = np.searchsorted(
        np.sort(random.integers(0, keypoints, 14)), np.arange(keypoints + 1)
    )
    x, y = random.uniform(0, SIZE[1] - 1, 14), random.uniform(0, SIZE[0] - 1, 14)
    return fields, Peaks(first, x, y, np.ones(14))


@pytest.mark.parametrize('angle', np.arange(0, 360, 30))
def test_field_along_the_limb_gives_its_length(angle):
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    start, end = np.array([6, 4]) - 3 * along, np.array([6, 4]) + 3 * along
    peaks = peaks_at((0, *start), (1, *end))
    for strength in (1.0, 0.4):
        fields = constant(*along * strength)
        for options in ({}, dict(only_passing=True), dict(samples_by_length=True)):
            found = scored(fields, peaks, **options)
            assert found.score == pytest.approx(strength, rel=1e-6)
            assert (found.limb, found.start, found.end) == (0, 0, 1)
    # At right angles, or reversed, nothing supports the limb.
    for field in ((-along[1], along[0]), -along):
        assert len(scored(constant(*field), peaks).score) == 0
    assert scored(constant(*-along), peaks, ('ba',)).score == pytest.approx(1)


def test_ends_that_coincide_pass_with_the_threshold():
    peaks = peaks_at((0, 5.0, 5.0), (1, 5.0, 5.0), (1, 5.9, 5.0), (1, 6.1, 5.0))
    found = scored(constant(0, 1), peaks, sample_threshold=0.07)
    np.testing.assert_array_equal(found.end, [1, 2])
    np.testing.assert_array_equal(found.score, [0.07, 0.07])
    # Where the field supports it, a short limb counts in full.
    found = scored(constant(1, 0), peaks)
    np.testing.assert_allclose(found.score, [1, 1, 0.05])


def test_enough_samples_have_to_pass():
    # Eight samples at columns 2.5, 3.5, ... 9.5, five of which see the field.
    fields = constant(0, 0)
    fields[0, :, :7] = 1
    peaks = peaks_at((0, 2.0, 4.0), (1, 10.0, 4.0))
    for share, passes in ((0.625, True), (0.63, False)):
        found = scored(fields, peaks, min_fraction=share)
        assert len(found.score) == passes
    # Between the columns 6 and 7 the field falls from 1 to 0.
    mean = scored(fields, peaks).score
    assert mean == pytest.approx(4.5 / 8)
    passing = scored(fields, peaks, only_passing=True).score
    assert passing == pytest.approx(4.5 / 5)


def test_negative_mean_is_no_support():
    fields = constant(-1, 0)
    fields[0, :, 5:] = 0.1
    peaks = peaks_at((0, 1.0, 4.0), (1, 12.0, 4.0))
    assert len(scored(fields, peaks, min_fraction=0.5).score) == 0


def test_fields_beside_the_heatmaps_are_read_where_they_are():
    fields = constant(0, 0)
    fields[0, 5] = 1
    peaks = peaks_at((0, 2.0, 4.5), (1, 10.0, 4.5))
    options = dict(min_fraction=0.5)
    assert scored(fields, peaks, **options).score == pytest.approx(0.5)
    found = scored(fields, peaks, field_offset=0.5, **options)
    assert found.score == pytest.approx(1)


@pytest.mark.parametrize(
    ('length', 'score'), [(4, 1), (5, 1), (6.25, 0.8), (8, 0.625), (10, 0.5)]
)
def test_limbs_longer_than_half_the_height_lose_score(length, score):
    peaks = peaks_at((0, 1.0, 4.0), (1, 1.0 + length, 4.0))
    found = scored(constant(1, 0), peaks, length_penalty=True)
    assert found.score == pytest.approx(score)
    # What is left of a weak field may be nothing.
    weak = scored(constant(0.3, 0), peaks, length_penalty=True)
    assert len(weak.score) == (score > 0.7)


@pytest.mark.parametrize('size', [(1, 9), (9, 1), (1, 1)])
def test_maps_of_one_row_or_column(size):
    along = np.array([size[1] > 1, size[0] > 1], float)
    peaks = peaks_at((0, 0.0, 0.0), (1, *(along * 8)))
    found = scored(constant(*along, size), peaks)
    assert found.score == pytest.approx(0.05 if size == (1, 1) else 1)


def test_without_peaks_there_are_no_limbs():
    none = Peaks(np.zeros(3, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
    for peaks in (none, peaks_at((0, 1.0, 1.0)), peaks_at((1, 1.0, 1.0))):
        assert [len(v) for v in scored(constant(1, 0), peaks)] == [0] * 4


def one_by_one(fields, peaks, limbs, samples, by_length, **rules):
    """The same by whole arrays of one pair, (limb, start, end, score) each."""
    height, width = fields.shape[1:]
    found = []
    for limb, ends in enumerate(limbs):
        a, b = (range(*peaks.first['abc'.index(end) :][:2]) for end in ends)
        for start, end in ((i, j) for i in a for j in b):
            from_ = np.array([peaks.x[start], peaks.y[start]])
            along = np.array([peaks.x[end], peaks.y[end]]) - from_
            length = np.hypot(*along)
            number, first = samples, 0.5
            if by_length:
                root = np.floor(np.sqrt(5 * np.abs(along).max()) + 0.5)
                number, first = int(np.clip(root, 5, 25)), 0
            x, y = (
                from_[:, None] + along[:, None] * (np.arange(number) + first) / number
            )
            i = np.clip(np.floor(x), 0, width - 2).astype(int)
            j = np.clip(np.floor(y), 0, height - 2).astype(int)
            pieces = fields[2 * limb : 2 * limb + 2].astype(float)
            read = [
                (pieces[:, j + v, i + u], np.abs(1 - u - x + i) * np.abs(1 - v - y + j))
                for v in (0, 1)
                for u in (0, 1)
            ]
            values = along @ sum(vector * share for vector, share in read)
            values /= max(length, 1e-6)
            passing = values > 0.05
            score = values.mean()
            if rules['only_passing']:
                score = values[passing].mean() if passing.any() else 0
            if rules['length_penalty']:
                score += min(0.5 * height / max(length, 1e-6) - 1, 0)
            if passing.sum() >= rules['min_fraction'] * number and score > 0:
                found.append((limb, start, end, score))
            elif length < 1:
                found.append((limb, start, end, 0.05))
    # Limb by limb, the best of a limb first.
    return np.array(sorted(found, key=lambda row: (row[0], -row[3]))).reshape(-1, 4).T


@given(
    seed=st.integers(0, 2**32 - 1),
    by_length=st.booleans(),
    only_passing=st.booleans(),
    penalty=st.booleans(),
    samples=st.integers(1, 12),
)
@settings(max_examples=20, deadline=None)
def test_limbs_are_scored_as_pair_by_pair(
    seed, by_length, only_passing, penalty, samples
):
    fields, peaks = random_case(seed)
    limbs = ('ab', 'cb', 'ac')
    rules = dict(min_fraction=0.55, only_passing=only_passing, length_penalty=penalty)
    expected = one_by_one(fields, peaks, limbs, samples, by_length, **rules)
    rules |= dict(num_samples=samples, samples_by_length=by_length)
    found = scored(fields, peaks, limbs, **rules)
    for values, others in zip(found, expected, strict=True):
        np.testing.assert_allclose(values, others, rtol=1e-9)
