"""Line integrals over part affinity fields, in closed form and against plain loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.peaks import Peaks

LIMB = np.array([[0, 1]])
SIZE = (10, 14)  # height and width


def scored(*arguments, **options):
    """Limbs, long ones as good as short ones."""
    return score_limbs(*arguments, **(dict(length_penalty=False) | options))


def peaks_at(*points):
    """Peaks (channel, x, y), sorted by channel."""
    channel, x, y = np.array(sorted(points, key=lambda p: p[0]), np.float64).T
    return Peaks(channel.astype(np.int64), x, y, np.ones(len(x)))


def constant(x, y, size=SIZE):
    """Fields (1, 2, h, w) of one limb, everywhere the same vector."""
    return np.broadcast_to(np.float32([x, y])[:, None, None], (2, *size))[None].copy()


def random_case(seed, batch=2, keypoints=3):
    """Smooth fields and peaks of a batch."""
    random = np.random.default_rng(seed)
    limbs = np.array([[0, 1], [2, 1], [0, 2]])
    fields = random.normal(0.3, 0.5, (batch, 2 * len(limbs), *SIZE)).astype(np.float32)
    channel = np.sort(random.integers(0, batch * keypoints, 14))
    x, y = random.uniform(0, SIZE[1] - 1, 14), random.uniform(0, SIZE[0] - 1, 14)
    return fields, Peaks(channel, x, y, np.ones(14)), limbs


def as_tensors(fields, peaks):
    return torch.from_numpy(fields), Peaks(*map(torch.from_numpy, peaks))


def assert_same(first, second, **tolerance):
    for a, b in zip(first, second, strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), **tolerance)


@pytest.mark.parametrize('angle', np.arange(0, 360, 30))
def test_field_along_the_limb_gives_its_length(angle):
    along = np.array([np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))])
    start, end = np.array([6, 4]) - 3 * along, np.array([6, 4]) + 3 * along
    peaks = peaks_at((0, *start), (1, *end))
    for strength in (1.0, 0.4):
        fields = constant(*along * strength)
        for options in ({}, dict(only_passing=True), dict(samples_by_length=True)):
            found = scored(fields, peaks, LIMB, 2, **options)
            assert found.score == pytest.approx(strength, rel=1e-6)
            assert (found.image, found.limb, found.start, found.end) == (0, 0, 0, 1)
    # At right angles, or reversed, nothing supports the limb.
    for field in ((-along[1], along[0]), -along):
        assert len(scored(constant(*field), peaks, LIMB, 2).score) == 0
    backwards = np.array([[1, 0]])
    assert scored(constant(*-along), peaks, backwards, 2).score == pytest.approx(1)


def test_ends_that_coincide_pass_with_the_threshold():
    peaks = peaks_at((0, 5.0, 5.0), (1, 5.0, 5.0), (1, 5.9, 5.0), (1, 6.1, 5.0))
    found = scored(constant(0, 1), peaks, LIMB, 2, sample_threshold=0.07)
    np.testing.assert_array_equal(found.end, [1, 2])
    np.testing.assert_array_equal(found.score, [0.07, 0.07])
    # Where the field supports it, a short limb counts in full.
    found = scored(constant(1, 0), peaks, LIMB, 2)
    np.testing.assert_allclose(found.score, [0.05, 1, 1])


def test_enough_samples_have_to_pass():
    # Eight samples at columns 2.5, 3.5, ... 9.5, five of which see the field.
    fields = constant(0, 0)
    fields[0, 0, :, :7] = 1
    peaks = peaks_at((0, 2.0, 4.0), (1, 10.0, 4.0))
    for share, passes in ((0.625, True), (0.63, False)):
        found = scored(fields, peaks, LIMB, 2, min_fraction=share)
        assert len(found.score) == passes
    # Between the columns 6 and 7 the field falls from 1 to 0.
    mean = scored(fields, peaks, LIMB, 2).score
    assert mean == pytest.approx(4.5 / 8)
    passing = scored(fields, peaks, LIMB, 2, only_passing=True).score
    assert passing == pytest.approx(4.5 / 5)


def test_negative_mean_is_no_support():
    fields = constant(-1, 0)
    fields[0, 0, :, 5:] = 0.1
    peaks = peaks_at((0, 1.0, 4.0), (1, 12.0, 4.0))
    assert len(scored(fields, peaks, LIMB, 2, min_fraction=0.5).score) == 0


def test_fields_beside_the_heatmaps_are_read_where_they_are():
    fields = constant(0, 0)
    fields[0, 0, 5] = 1
    peaks = peaks_at((0, 2.0, 4.5), (1, 10.0, 4.5))
    options = dict(min_fraction=0.5)
    assert scored(fields, peaks, LIMB, 2, **options).score == pytest.approx(0.5)
    found = scored(fields, peaks, LIMB, 2, field_offset=0.5, **options)
    assert found.score == pytest.approx(1)


@pytest.mark.parametrize(
    ('length', 'score'), [(4, 1), (5, 1), (6.25, 0.8), (8, 0.625), (10, 0.5)]
)
def test_limbs_longer_than_half_the_height_lose_score(length, score):
    peaks = peaks_at((0, 1.0, 4.0), (1, 1.0 + length, 4.0))
    found = score_limbs(constant(1, 0), peaks, LIMB, 2, length_penalty=True)
    assert found.score == pytest.approx(score)
    # What is left of a weak field may be nothing.
    weak = score_limbs(constant(0.3, 0), peaks, LIMB, 2, length_penalty=True)
    assert len(weak.score) == (score > 0.7)


@pytest.mark.parametrize('size', [(1, 9), (9, 1), (1, 1)])
def test_maps_of_one_row_or_column(size):
    along = np.array([size[1] > 1, size[0] > 1], float)
    peaks = peaks_at((0, 0.0, 0.0), (1, *(along * 8)))
    found = scored(constant(*along, size), peaks, LIMB, 2)
    assert found.score == pytest.approx(0.05 if size == (1, 1) else 1)


def test_without_peaks_there_are_no_limbs():
    none = Peaks(np.zeros(0, np.int64), np.zeros(0), np.zeros(0), np.zeros(0))
    for peaks in (none, peaks_at((0, 1.0, 1.0)), peaks_at((1, 1.0, 1.0))):
        found = scored(constant(1, 0), peaks, LIMB, 2)
        assert [len(v) for v in found] == [0] * 5
        found = scored(*as_tensors(constant(1, 0), peaks), LIMB, 2)
        assert [len(v) for v in found] == [0] * 5


def one_by_one(fields, peaks, limbs, keypoints, samples, by_length, **rules):
    """The same in loops, a pair at a time."""
    threshold, fraction = rules.get('sample_threshold', 0.05), rules['min_fraction']
    found = []
    height, width = fields.shape[2:]
    for image in range(len(fields)):
        for limb, (a, b) in enumerate(limbs):
            for start in np.flatnonzero(peaks.channel == image * keypoints + a):
                for end in np.flatnonzero(peaks.channel == image * keypoints + b):
                    from_ = np.array([peaks.x[start], peaks.y[start]])
                    along = np.array([peaks.x[end], peaks.y[end]]) - from_
                    length = np.hypot(*along)
                    number, first = samples, 0.5
                    if by_length:
                        root = np.floor(np.sqrt(5 * np.abs(along).max()) + 0.5)
                        number, first = int(np.clip(root, 5, 25)), 0
                    values = []
                    for rank in range(number):
                        x, y = from_ + along * (rank + first) / number
                        x0 = int(np.clip(np.floor(x), 0, width - 2))
                        y0 = int(np.clip(np.floor(y), 0, height - 2))
                        piece = fields[image, 2 * limb :, y0 : y0 + 2, x0 : x0 + 2][:2]
                        weights = np.outer([y0 + 1 - y, y - y0], [x0 + 1 - x, x - x0])
                        value = (piece.astype(float) * weights).sum((1, 2))
                        values.append(value @ along / max(length, 1e-6))
                    values = np.array(values)
                    passing = values > threshold
                    score = values.mean()
                    if rules.get('only_passing'):
                        score = values[passing].mean() if passing.any() else 0
                    if rules['length_penalty']:
                        score += min(0.5 * height / max(length, 1e-6) - 1, 0)
                    if passing.sum() >= fraction * number and score > 0:
                        found.append((image, limb, start, end, score))
                    elif length < 1:
                        found.append((image, limb, start, end, threshold))
    return np.array(found, float).reshape(-1, 5).T


@given(
    seed=st.integers(0, 2**32 - 1),
    by_length=st.booleans(),
    only_passing=st.booleans(),
    penalty=st.booleans(),
    samples=st.integers(1, 12),
)
@settings(max_examples=20, deadline=None)
def test_all_at_once_is_one_by_one(seed, by_length, only_passing, penalty, samples):
    fields, peaks, limbs = random_case(seed)
    rules = dict(min_fraction=0.55, only_passing=only_passing, length_penalty=penalty)
    expected = one_by_one(fields, peaks, limbs, 3, samples, by_length, **rules)
    rules |= dict(num_samples=samples, samples_by_length=by_length)
    found = scored(fields, peaks, limbs, 3, **rules)
    assert_same(found, expected, rtol=1e-9)
    of_tensors = scored(*as_tensors(fields, peaks), limbs, 3, **rules)
    assert_same(found, of_tensors, rtol=1e-12)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=20, deadline=None)
def test_batch_is_image_by_image(seed):
    fields, peaks, limbs = random_case(seed)
    found = scored(fields, peaks, limbs, 3, min_fraction=0.5)
    for image in range(len(fields)):
        own = np.flatnonzero(peaks.channel // 3 == image)
        of_image = Peaks(peaks.channel[own] - 3 * image, *(v[own] for v in peaks[1:]))
        alone = scored(fields[image : image + 1], of_image, limbs, 3, min_fraction=0.5)
        here = found.image == image
        assert_same([v[here] for v in found[1:2]], alone[1:2])
        first = np.searchsorted(peaks.channel, 3 * image)
        assert_same([v[here] - first for v in found[2:4]], alone[2:4])
        np.testing.assert_array_equal(found.score[here], alone.score)
