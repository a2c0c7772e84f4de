"""The page puts the same people together as the decoder in Python."""

import cv2
import drawn_people
import numpy as np
import pytest
from web_page import in_node

from mmkp.deployment.graphs.people_graph import grouping_rules
from mmkp.ops.part_affinity.decoding import decode_image
from mmkp.ops.part_affinity.line_integrals import score_limbs
from mmkp.ops.part_affinity.peaks import find_peaks, highest_peaks, thinned_peaks

GROUP = """({ groupPeople }, given) => given.map(
  ({ peaks, limbs, maps, grouping }) => groupPeople(peaks, limbs, maps, grouping)
)"""
CASES = {
    'accurate': {},
    'openpose': dict(profile='openpose'),
    'lightweight': dict(profile='lightweight', decoder=dict(min_peak_distance=20)),
    'ours and the neck': dict(skeleton='body25_body'),
    'lenient': dict(decoder=dict(min_keypoints=1, min_score=0.05)),
}


def crowd_of(codec, seed):
    """Maps of people of whom parts are hidden, with noise and lost limbs."""
    rng = np.random.default_rng(seed)
    points = drawn_people.crowd(3, 2, height=110)
    points = points + rng.normal(0, 4, points.shape)
    visible = rng.random(points.shape[:2]) > 0.25
    heatmaps, fields = drawn_people.draw(codec, points, visible)
    heatmaps = heatmaps + 0.06 * rng.random(heatmaps.shape)
    fields = fields * (rng.random((len(fields) // 2, 1, 1)) > 0.15).repeat(2, 0)
    fields = fields + 0.1 * rng.normal(size=fields.shape)
    # Ragged peaks beside each other.
    heatmaps[:3] = np.maximum(heatmaps[:3], 0.6 * np.roll(heatmaps[:3], 2, 2))
    return heatmaps.astype(np.float32), fields.astype(np.float32)


def enlarged(maps, factor):
    height, width = (side * factor for side in maps.shape[1:])
    if factor == 1:
        return maps
    resized = [
        cv2.resize(m, (width, height), interpolation=cv2.INTER_CUBIC) for m in maps
    ]
    return np.stack(resized)


def candidates(codec, heatmaps, fields):
    """What the graph gives of an image, and what the runner takes."""
    decoder, number = codec.pose_decoder, codec.skeleton.num_keypoints
    rules = decoder.rules
    peaks = find_peaks(heatmaps[:number], rules.peak_threshold, rules.upsample <= 1)
    peaks = highest_peaks(peaks, rules.max_peaks)
    peaks = thinned_peaks(peaks, rules.min_peak_distance)
    limbs = score_limbs(fields, peaks, decoder.tables, decoder.field_offset, rules)
    keypoints = np.repeat(np.arange(number), np.diff(peaks.first))
    rows = zip(keypoints, peaks.x, peaks.y, peaks.score, strict=True)
    # In another order than that of assembly.
    shuffled = np.random.default_rng(0).permutation(len(limbs.limb))
    height, width = heatmaps.shape[1:]
    is_searched = rules.search_missing
    return dict(
        peaks=[
            dict(zip(('keypoint', 'x', 'y', 'score'), map(float, row), strict=True))
            for row in rows
        ],
        limbs=[
            dict(
                limb=int(limbs.limb[m]),
                start=int(limbs.start[m]),
                end=int(limbs.end[m]),
                score=float(limbs.score[m]),
            )
            for m in shuffled
        ],
        maps=dict(
            heatmaps=heatmaps.reshape(-1) if is_searched else [],
            fields=fields.reshape(-1) if is_searched else [],
            width=width,
            height=height,
        ),
        grouping=grouping_rules(codec),
    )


@pytest.fixture(scope='module')
def grouped():
    """Of each case and seed: what the page and what Python puts together."""
    keys, given, expected = [], [], []
    for case, options in CASES.items():
        options = dict(options)
        skeleton = options.pop('skeleton', 'coco18')
        codec = drawn_people.codec_for(
            skeleton, (240, 240), field_alignment='openpose', **options
        )
        for seed in range(3):
            maps = crowd_of(codec, seed)
            factor = int(codec.pose_decoder.rules.upsample)
            maps = [enlarged(one, factor) for one in maps]
            keys.append((case, seed))
            given.append(candidates(codec, *maps))
            expected.append(decoded(codec, *maps))
    found = in_node('grouping.mjs', GROUP, given)
    return dict(zip(keys, zip(found, expected, strict=True), strict=True))


def decoded(codec, heatmaps, fields):
    """People in cells, by the decoder, of maps that are enlarged already."""
    decoder = codec.pose_decoder
    maps = heatmaps[: codec.skeleton.num_keypoints], fields
    return decode_image(*maps, decoder.tables, decoder.rules, decoder.field_offset)


@pytest.mark.parametrize('seed', range(3))
@pytest.mark.parametrize('case', CASES)
def test_same_people(case, seed, grouped):
    found, expected = grouped[case, seed]
    assert len(found) == len(expected.keypoints) > 2
    for name, values in (
        ('score', expected.instance_scores),
        ('scores', expected.scores),
        ('keypoints', expected.keypoints),
    ):
        mine = np.array([person[name] for person in found])
        np.testing.assert_allclose(mine, values, rtol=1e-5, atol=1e-4)


def test_keypoints_are_searched_and_placed(grouped):
    """The cases reach every step."""
    scores = np.concatenate([e.scores.ravel() for _, e in grouped.values()])
    assert (scores == 0).any()
    searched = [e.scores for (case, _), (_, e) in grouped.items() if case == 'accurate']
    assert ((np.concatenate(searched) > 0) & (np.concatenate(searched) < 0.05)).any()


def test_nobody():
    codec = drawn_people.codec_for('coco18', (80, 80))
    empty = [np.zeros((n, 10, 10), np.float32) for n in (19, 38)]
    assert in_node('grouping.mjs', GROUP, [candidates(codec, *empty)]) == [[]]
