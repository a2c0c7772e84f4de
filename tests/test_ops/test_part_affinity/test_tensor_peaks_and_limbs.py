# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Peaks and limbs as tensor operations are those of the compiled loops."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mmkp.codecs import build_skeleton
from mmkp.codecs.make_skeleton import make_skeleton
from mmkp.ops.part_affinity.grouping_config import PROFILES
from mmkp.ops.part_affinity.limb_skeleton import limb_tables
from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.peaks import find_peaks, highest_peaks, thinned_peaks
from mmkp.ops.part_affinity.tensor_limbs import batch_limbs, line_integrals
from mmkp.ops.part_affinity.tensor_peaks import batch_peaks, thin_batch_peaks

TABLES = limb_tables(build_skeleton('coco18'))
seeds = st.integers(0, 2**32 - 1)
sides = st.integers(1, 24)


def compiled_peaks(maps, most, border):
    return highest_peaks(find_peaks(np.ascontiguousarray(maps), 0.05, border), most)


def rows_of(peaks, image):
    return peaks.rows[peaks.rows[:, 0] == image].numpy()


def check_peaks(found, expected, image):
    rows = rows_of(found, image)
    assert (found.number[image].numpy() == np.diff(expected.first)).all()
    np.testing.assert_allclose(rows[:, 2], expected.x, atol=2e-5)
    np.testing.assert_allclose(rows[:, 3], expected.y, atol=2e-5)
    np.testing.assert_array_equal(rows[:, 4], expected.score)


@settings(max_examples=40, deadline=None)
@given(seeds, st.integers(1, 3), sides, sides, st.booleans(), st.booleans())
def test_peaks_are_those_of_the_compiled_loop(seed, batch, height, width, border, ties):
    draw = np.random.default_rng(seed)
    maps = draw.normal(0, 0.3, (batch, 18, height, width)).astype(np.float32)
    if ties:
        maps = np.round(maps * 4) / 4
    most = int(draw.integers(1, 40))
    found = batch_peaks(torch.from_numpy(maps), 0.05, most, border)
    for image in range(batch):
        check_peaks(found, compiled_peaks(maps[image], most, border), image)


@settings(max_examples=25, deadline=None)
@given(seeds, st.floats(0.5, 6))
def test_peaks_that_are_near_an_earlier_one_are_left_out(seed, distance):
    draw = np.random.default_rng(seed)
    maps = draw.normal(0, 0.3, (2, 4, 14, 17)).astype(np.float32)
    found = batch_peaks(torch.from_numpy(maps), 0.05, 127)
    thinned = thin_batch_peaks(found, distance)
    for image in range(2):
        expected = thinned_peaks(compiled_peaks(maps[image], 127, True), distance)
        check_peaks(thinned, expected, image)


@pytest.mark.parametrize('profile', PROFILES)
@settings(max_examples=12, deadline=None)
@given(seed=seeds, height=sides, width=sides, penalty=st.booleans())
def test_limbs_are_those_of_the_compiled_loop(profile, seed, height, width, penalty):
    draw = np.random.default_rng(seed)
    shape = (2, 18, height, width)
    maps = draw.normal(0, 0.3, shape).astype(np.float32)
    fields = draw.normal(0.1, 0.4, (2, 38, height, width)).astype(np.float32)
    rules = PROFILES[profile].rules(8)
    rules = rules._replace(max_peaks=12, min_fraction=0.4, length_penalty=penalty)
    peaks = batch_peaks(torch.from_numpy(maps), 0.05, rules.max_peaks)
    limbs = batch_limbs(torch.from_numpy(fields), peaks, TABLES, 0.4375, rules).numpy()
    first = differing = number = 0
    for image in range(2):
        own = compiled_peaks(maps[image], rules.max_peaks, True)
        expected = score_limbs(fields[image], own, TABLES, 0.4375, rules)
        last = first + len(own.x)
        rows = limbs[(limbs[:, 1] >= first) & (limbs[:, 1] < last)]
        found = {(a, b - first, c - first): score for a, b, c, score in rows}
        wanted = zip(expected.limb, expected.start, expected.end, strict=True)
        wanted = dict(zip(wanted, expected.score, strict=True))
        # A sample at the threshold passes in one precision and not in the other.
        differing += len(found.keys() ^ wanted.keys()) + sum(
            abs(found[key] - wanted[key]) > 1e-4 for key in found.keys() & wanted.keys()
        )
        first, number = last, number + len(wanted)
    assert first == len(peaks.rows)
    assert differing <= 1 + number / 1000


def test_a_constant_field_along_a_limb_scores_its_length_in_that_direction():
    fields = torch.zeros(1, 2, 9, 9)
    fields[0, 0], fields[0, 1] = 0.6, 0.8
    rules = PROFILES['accurate'].rules(1)._replace(length_penalty=False)
    start, end = torch.tensor([[1.0, 1.0]] * 2), torch.tensor([[4.0, 5.0], [5.0, 1.0]])
    zero = torch.zeros(2, dtype=torch.long)
    found = line_integrals(fields, zero, zero, start, end, rules)
    torch.testing.assert_close(found, torch.tensor([1.0, 0.6]))
    against = line_integrals(fields, zero, zero, end, start, rules)
    assert torch.isinf(against).all()


def test_maps_without_peaks_have_no_limbs():
    skeleton = make_skeleton('pair', 'ab', {}, [0.1, 0.1], [('a', 'b')])
    peaks = batch_peaks(torch.zeros(2, 2, 5, 7), 0.05, 127)
    assert peaks.rows.shape == (0, 5) and (peaks.number == 0).all()
    rules = PROFILES['accurate'].rules(8)
    limbs = batch_limbs(
        torch.ones(2, 2, 5, 7), peaks, limb_tables(skeleton), 0.0, rules
    )
    assert limbs.shape == (0, 4)


@pytest.mark.parametrize('half', [torch.bfloat16, torch.float16], ids=str)
def test_half_maps_are_read_as_floats_under_autocast(half):
    draw = torch.Generator().manual_seed(0)
    maps = torch.rand(1, 18, 9, 9, generator=draw).to(half)
    fields = torch.rand(1, 38, 9, 9, generator=draw).to(half)
    rules = PROFILES['accurate'].rules(8)
    expected = batch_peaks(maps.float(), 0.05, 127)
    with torch.autocast('cpu', dtype=half):
        found = batch_peaks(maps, 0.05, 127)
        limbs = batch_limbs(fields, found, TABLES, 0.0, rules)
    assert torch.equal(found.rows, expected.rows)
    assert torch.equal(limbs, batch_limbs(fields.float(), expected, TABLES, 0.0, rules))
