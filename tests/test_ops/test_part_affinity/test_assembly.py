"""Matching, assembly and joining, step by step."""

import numpy as np
import pytest

from mmkp.codecs.make_skeleton import make_skeleton
from mmkp.ops.part_affinity.assembled_poses import AssembledPoses
from mmkp.ops.part_affinity.assembly import (
    PartialPoses,
    add_single_peaks,
    assemble_poses,
    join_fragments,
)
from mmkp.ops.part_affinity.limb_skeleton import limb_tables
from mmkp.ops.part_affinity.line_integrals import LimbCandidates
from mmkp.ops.part_affinity.matching import match_limbs
from mmkp.ops.part_affinity.peaks import Peaks
from mmkp.ops.part_affinity.recovery import place_absent_keypoints

# Two arms on a body: body 0, elbows 1 and 2, wrists 3 and 4.
K = 5
NAMES = ('body', 'left', 'right', 'left wrist', 'right wrist')
LIMBS = ((0, 1), (0, 2), (1, 3), (2, 4), (1, 2))
TABLES = limb_tables(
    make_skeleton(
        'arms',
        NAMES,
        {NAMES[a]: NAMES[b] for a, b in ((1, 2), (2, 1), (3, 4), (4, 3))},
        [0.1] * K,
        [(NAMES[a], NAMES[b]) for a, b in LIMBS],
        redundant_limbs=[('left', 'right')],
    )
)
ARM_TABLES = TABLES._replace(
    **{name: getattr(TABLES, name)[:4] for name in ('start', 'end')}
)


def assemble(part, candidates, merge=True):
    """People as {keypoint: peak}, and the sums over their limbs.

    Candidates are (limb, start, end, score) in the order of assembly.
    """
    columns = [np.array(column) for column in zip(*candidates, strict=True)]
    limbs = match_limbs(LimbCandidates(*columns), len(part))
    poses = assemble_poses(limbs, len(part), TABLES, merge)
    people = []
    for n, row in enumerate(poses.peak.tolist()):
        own = {k: p for k, p in enumerate(row) if p >= 0}
        assert all(part[p] == k for k, p in own.items())
        assert all(poses.pose_of_peak[p] == n for p in own.values())
        if own:
            people.append((own, poses.limb_score[n]))
    owned = np.flatnonzero(poses.pose_of_peak >= 0).tolist()
    assert sorted(p for own, _ in people for p in own.values()) == owned
    return people


def test_limb_begins_a_person_and_further_ones_extend_it():
    people = assemble([0, 1, 3], [(0, 0, 1, 0.5), (2, 1, 2, 0.25)])
    assert people == [({0: 0, 1: 1, 3: 2}, 0.75)]


def test_person_grows_from_either_end():
    # The second limb knows its end only: its start is added all the same.
    people = assemble([0, 1, 2], [(0, 0, 1, 0.5), (4, 1, 2, 0.1)])
    assert people == [({0: 0, 1: 1, 2: 2}, 0.6)]
    people = assemble([0, 1, 2], [(1, 0, 2, 0.5), (4, 1, 2, 0.1)])
    assert people == [({0: 0, 1: 1, 2: 2}, 0.6)]


def test_each_peak_is_used_once_a_limb():
    # Two bodies want one elbow: the worse limb is none, and leaves its body free.
    part, best, worse = [0, 0, 1, 1], (0, 1, 2, 0.9), (0, 0, 2, 0.8)
    assert assemble(part, [best, worse, (0, 1, 3, 0.7)]) == [({0: 1, 1: 2}, 0.9)]
    people = assemble(part, [best, worse, (0, 0, 3, 0.7)])
    assert people == [({0: 1, 1: 2}, 0.9), ({0: 0, 1: 3}, 0.7)]


def test_redundant_limb_begins_nobody():
    assert assemble([1, 2], [(4, 0, 1, 0.9)]) == []


def test_limb_within_a_person_only_adds_its_score():
    candidates = [(0, 0, 1, 0.5), (1, 0, 2, 0.5), (4, 1, 2, 0.25)]
    assert assemble([0, 1, 2], candidates) == [({0: 0, 1: 1, 2: 2}, 1.25)]


def test_two_people_without_a_common_keypoint_are_united():
    candidates = [(2, 0, 2, 0.5), (3, 1, 3, 0.5), (4, 0, 1, 0.25)]
    part = [1, 2, 3, 4]
    united = assemble(part, candidates)
    assert united == [({1: 0, 2: 1, 3: 2, 4: 3}, 1.25)]
    apart = assemble(part, candidates, merge=False)
    assert [own for own, _ in apart] == [{1: 0, 3: 2}, {2: 1, 4: 3}]


def test_two_people_with_a_common_keypoint_stay_two():
    # Person 0 has peak 0: a peak of number 0 is a keypoint as any other.
    part = [0, 0, 1, 2]
    people = assemble(part, [(0, 0, 2, 0.5), (1, 1, 3, 0.5), (4, 2, 3, 0.25)])
    assert people == [({0: 0, 1: 2}, 0.5), ({0: 1, 2: 3}, 0.5)]


def test_taken_keypoint_is_not_replaced():
    # The second wrist belongs to nobody: the elbow's person has one already.
    part = [0, 1, 1, 2]
    people = assemble(part, [(0, 0, 1, 0.5), (1, 0, 3, 0.5), (4, 2, 3, 0.25)])
    assert people == [({0: 0, 1: 1, 2: 3}, 1.0)]


def test_three_fragments_become_one_person():
    part = [0, 1, 2, 3, 4]
    candidates = [(2, 1, 3, 0.5), (3, 2, 4, 0.5), (4, 1, 2, 0.5), (0, 0, 1, 0.5)]
    assert assemble(part, candidates) == [({k: k for k in range(5)}, 2.0)]


def joined(part, places, members, over, max_gap=2.5):
    """Join fragments, given as {keypoint: peak}, over keypoints (u, v, between)."""
    poses = PartialPoses(
        np.full((len(members), K), -1), np.ones(len(members)), np.full(len(part), -1)
    )
    for n, own in enumerate(members):
        for k, p in own.items():
            poses.pose_of_peak[p] = n
            poses.peak[n, k] = p
    first = np.searchsorted(part, np.arange(K + 1))
    x, y = np.array(places, float).T.copy()
    peaks = Peaks(first, x, y, np.ones(len(x)))
    tables = ARM_TABLES._replace(missing_links=np.array(over))
    join_fragments(poses, peaks, tables, max_gap)
    rows = [{k: p for k, p in enumerate(row) if p >= 0} for row in poses.peak.tolist()]
    return rows, poses.limb_score.tolist()


class TestMissingLinks:
    """Fragments joined over the body, which both lack."""

    OVER = ((1, 2, 0),)
    PART = (1, 2, 3, 4)
    ARMS = ({1: 0, 3: 2}, {2: 1, 4: 3})

    def test_arms_join_over_the_missing_body(self):
        places = [(0, 0), (3, 0), (0, 2), (3, 2)]
        rows, scores = joined(self.PART, places, self.ARMS, self.OVER)
        assert rows == [{1: 0, 2: 1, 3: 2, 4: 3}, {}] and scores == [2, 0]

    @pytest.mark.parametrize(('distance', 'is_joined'), [(4.9, True), (5.1, False)])
    def test_not_beyond_the_largest_gap(self, distance, is_joined):
        # Up to two and a half limbs of two cells.
        places = [(0, 0), (distance, 0), (0, 2), (distance, 2)]
        rows, _ = joined(self.PART, places, self.ARMS, self.OVER)
        assert (rows[1] == {}) == is_joined

    @pytest.mark.parametrize(('distance', 'is_joined'), [(2.4, True), (2.6, False)])
    def test_short_limbs_count_as_a_cell(self, distance, is_joined):
        places = [(0, 0), (distance, 0), (0, 0.1), (distance, 0.1)]
        rows, _ = joined(self.PART, places, self.ARMS, self.OVER)
        assert (rows[1] == {}) == is_joined

    def test_single_peak_joins_a_fragment_but_no_other_peak(self):
        places = [(0, 0), (3, 0), (0, 2), (3, 2)]
        rows, _ = joined(self.PART, places, ({1: 0, 3: 2}, {2: 1}), self.OVER)
        assert rows == [{1: 0, 2: 1, 3: 2}, {}]
        rows, _ = joined(self.PART, places, ({1: 0}, {2: 1}), self.OVER)
        assert rows == [{1: 0}, {2: 1}]

    def test_nothing_is_joined_where_the_keypoint_between_is_known(self):
        part, fragments = (0, 1, 2, 4), ({0: 0, 1: 1}, {2: 2, 4: 3})
        places = [(1, 0), (0, 0), (3, 0), (3, 2)]
        rows, _ = joined(part, places, fragments, self.OVER)
        assert rows == list(fragments)

    def test_smallest_gap_first(self):
        # Two right arms beside one left arm: the nearer one takes it.
        part = (1, 1, 2, 3, 3, 4)
        places = [(0, 0), (5, 0), (3, 0), (0, 2), (5, 2), (3, 2)]
        fragments = ({1: 0, 3: 3}, {1: 1, 3: 4}, {2: 2, 4: 5})
        rows, _ = joined(part, places, fragments, self.OVER)
        assert rows == [{1: 0, 3: 3}, {1: 1, 2: 2, 3: 4, 4: 5}, {}]


def test_single_peaks_become_fragments_of_their_own():
    poses = PartialPoses(
        np.array([[0, 1, -1, -1, -1]]), np.array([0.5]), np.array([0, 0, -1, -1])
    )
    score = np.array([0.9, 0.9, 0.05, 0.2])
    peaks = Peaks(np.array([0, 1, 2, 3, 3, 4]), score, score, score)
    grown = add_single_peaks(poses, peaks, 0.1)
    assert grown.peak.tolist() == [[0, 1, -1, -1, -1], [-1, -1, -1, -1, 3]]
    assert grown.pose_of_peak.tolist() == [0, 0, -1, 1]
    assert grown.limb_score.tolist() == [0.5, 0]


def placed(points, found):
    """Where one person's keypoints are put."""
    scores = np.array([found], float)
    poses = AssembledPoses(np.array([points], float), scores, np.ones(1))
    edges = TABLES.edge_limb < 4
    tables = TABLES._replace(
        edge_target=TABLES.edge_target[edges], edge_other=TABLES.edge_other[edges]
    )
    place_absent_keypoints(poses, tables)
    return list(map(tuple, poses.keypoints[0].tolist()))


def test_absent_keypoints_lie_where_the_other_side_has_them():
    points = [(10, 5), (6, 5), (14, 6), (5, 9), (0, 0)]
    # The wrist hangs from its elbow as the other wrist does.
    found = [True, True, True, True, False]
    assert placed(points, found) == [*points[:4], (13, 10)]
    # Without that wrist it lies at the elbow, its only neighbour.
    found[3] = False
    assert placed(points, found) == [*points[:3], (6, 5), (14, 6)]
    # A body lies between the elbows; what has no neighbour in the middle of all.
    found = [False, True, True, False, False]
    assert placed(points, found)[0] == (10, 5.5)
    found = [False, False, False, True, False]
    assert placed(points, found) == [(5, 9), (5, 9), (5, 9), (5, 9), (5, 9)]
