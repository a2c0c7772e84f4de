"""Matching, assembly and joining, step by step."""

import numpy as np
import pytest

from mmkp.ops.part_affinity import grouping

# Two arms on a body: body 0, elbows 1 and 2, wrists 3 and 4.
LIMBS = ((0, 1), (0, 2), (1, 3), (2, 4), (1, 2))
REDUNDANT = (False, False, False, False, True)
K = 5


def assemble(part, candidates, merge=True):
    """People as {keypoint: peak}, and the sums over their limbs.

    Candidates are (limb, start, end, score) in the order of assembly.
    """
    capacity = len(part) + len(part) // 2
    members, owner = [-1] * (capacity * K), [-1] * len(part)
    limb_scores = [0.0] * capacity
    scratch = [[-1] * len(part), [-1] * len(part)]
    columns = zip(*candidates, strict=True)
    number = grouping.assemble_people(
        *columns, part, REDUNDANT, K, merge, owner, members, limb_scores, *scratch
    )
    people = {}
    for n in range(number):
        own = {k: members[n * K + k] for k in range(K) if members[n * K + k] >= 0}
        assert all(part[p] == k for k, p in own.items())
        assert all(owner[p] == n for p in own.values())
        if own:
            people[n] = (own, limb_scores[n])
    assert sorted(p for own, _ in people.values() for p in own.values()) == [
        p for p in range(len(part)) if owner[p] >= 0
    ]
    return list(people.values())


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


def bridged(part, places, members, num_people, over, max_gap=2.5):
    """Join fragments, given as {keypoint: peak}, over keypoints (u, v, between)."""
    owner = [-1] * len(part)
    flat = [-1] * (len(members) * K)
    for n, own in enumerate(members):
        for k, p in own.items():
            owner[p], flat[n * K + k] = n, p
    first = np.searchsorted(part, np.arange(K + 1)).tolist()
    x, y = (list(map(float, axis)) for axis in zip(*places, strict=True))
    gaps, ends = [0.0] * 50, [0] * 100
    limb_scores = [1.0] * len(members)
    found = grouping.find_bridges(
        num_people,
        first,
        x,
        y,
        [a for a, _ in LIMBS],
        [b for _, b in LIMBS],
        [k for triplet in over for k in triplet],
        K,
        max_gap,
        owner,
        flat,
        [0.0] * len(members),
        gaps,
        ends,
    )
    order = sorted(range(found), key=lambda c: gaps[c])
    grouping.join_fragments(order, ends, K, owner, flat, limb_scores)
    rows = [flat[n * K : (n + 1) * K] for n in range(len(members))]
    joined = [{k: p for k, p in enumerate(row) if p >= 0} for row in rows]
    return joined, gaps[:found], limb_scores


class TestBridges:
    """Fragments joined over the body, which both lack."""

    OVER = ((1, 2, 0),)
    PART = (1, 2, 3, 4)
    ARMS = ({1: 0, 3: 2}, {2: 1, 4: 3})

    def test_arms_join_over_the_missing_body(self):
        places = [(0, 0), (3, 0), (0, 2), (3, 2)]
        joined, gaps, scores = bridged(self.PART, places, self.ARMS, 2, self.OVER)
        # Three cells, in limbs of two.
        assert gaps == [1.5]
        assert joined == [{1: 0, 2: 1, 3: 2, 4: 3}, {}] and scores == [2, 0]

    @pytest.mark.parametrize(('distance', 'is_joined'), [(4.9, True), (5.1, False)])
    def test_not_beyond_the_largest_gap(self, distance, is_joined):
        places = [(0, 0), (distance, 0), (0, 2), (distance, 2)]
        joined, _, _ = bridged(self.PART, places, self.ARMS, 2, self.OVER)
        assert (joined[1] == {}) == is_joined

    def test_short_limbs_count_as_a_cell(self):
        places = [(0, 0), (2.4, 0), (0, 0.1), (2.4, 0.1)]
        joined, gaps, _ = bridged(self.PART, places, self.ARMS, 2, self.OVER)
        assert joined[1] == {} and gaps == [pytest.approx(2.4)]

    def test_single_peak_joins_a_fragment_but_no_other_peak(self):
        places = [(0, 0), (3, 0), (0, 2), (3, 2)]
        fragments = ({1: 0, 3: 2}, {2: 1})
        joined, _, _ = bridged(self.PART, places, fragments, 1, self.OVER)
        assert joined == [{1: 0, 2: 1, 3: 2}, {}]
        joined, gaps, _ = bridged(self.PART, places, ({1: 0}, {2: 1}), 0, self.OVER)
        assert not gaps and joined == [{1: 0}, {2: 1}]

    def test_nothing_is_bridged_where_the_keypoint_between_is_known(self):
        part, fragments = (0, 1, 2, 4), ({0: 0, 1: 1}, {2: 2, 4: 3})
        places = [(1, 0), (0, 0), (3, 0), (3, 2)]
        joined, gaps, _ = bridged(part, places, fragments, 2, self.OVER)
        assert not gaps and joined == list(fragments)

    def test_smallest_gap_first(self):
        # Two right arms beside one left arm: the nearer one takes it.
        part = (1, 1, 2, 3, 3, 4)
        places = [(0, 0), (5, 0), (3, 0), (0, 2), (5, 2), (3, 2)]
        fragments = ({1: 0, 3: 3}, {1: 1, 3: 4}, {2: 2, 4: 5})
        joined, gaps, _ = bridged(part, places, fragments, 3, self.OVER)
        assert sorted(gaps) == [1, 1.5]
        assert joined == [{1: 0, 3: 3}, {1: 1, 2: 2, 3: 4, 4: 5}, {}]


def placed(points, found, neighbors, flips=(0, 2, 1, 4, 3)):
    """Where one person's keypoints are put; neighbours as pairs (keypoint, other)."""
    x, y = (list(map(float, axis)) for axis in zip(*points, strict=True))
    targets, others = zip(*sorted(neighbors), strict=True)
    grouping.place_absent_keypoints(x, y, found, 1, targets, others, flips)
    return list(zip(x, y, strict=True))


def test_absent_keypoints_lie_where_the_other_side_has_them():
    both = [*LIMBS[:4], *[(b, a) for a, b in LIMBS[:4]]]
    points = [(10, 5), (6, 5), (14, 6), (5, 9), (0, 0)]
    # The wrist hangs from its elbow as the other wrist does.
    found = [True, True, True, True, False]
    assert placed(points, found, both) == [*points[:4], (13, 10)]
    # Without that wrist it lies at the elbow, its only neighbour.
    found[3] = False
    assert placed(points, found, both) == [*points[:3], (6, 5), (14, 6)]
    # A body lies between the elbows; what has no neighbour in the middle of all.
    found = [False, True, True, False, False]
    assert placed(points, found, both)[0] == (10, 5.5)
    found = [False, False, False, True, False]
    assert placed(points, found, both) == [(5, 9), (5, 9), (5, 9), (5, 9), (5, 9)]
