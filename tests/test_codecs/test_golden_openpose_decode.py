"""Decoding against the people whose maps were drawn, and against other decoders.

What is expected is said in ``golden/openpose_decode/README.md``. The 16 synthetic cases
know their people; on 30 outputs of real networks two other decoders, which differ from
each other, say where people are.
"""

import json

import numpy as np
import pytest

from mmkp.codecs import PartAffinityField

NEAR = 8.0  # pixels within which a keypoint counts as the same one
PROFILES = ('accurate', 'openpose', 'lightweight')

# Number of people, and of keypoints that are where they should be in the right person.
CASES = {
    'empty': (0, 0),
    'single': (1, 18),
    'two_overlapping': (2, 36),
    'touching_wrists': (2, 36),
    'shared_wrist': (2, 33),
    'missing_neck': (1, 17),
    'three_way_merge': (1, 18),
    'id_zero': (2, 19),
    'colocated': (1, 17),
    'b_only_match': (1, 5),
    'crossing': (2, 36),
    'crossing_same_limb': (2, 36),
    'truncated': (3, 28),
    'thirty_people': (30, 540),
    'noisy': (3, 54),
    'only_two_parts': (0, 0),
}
# Without the two shoulders as a bridge the legs stay apart. The cut legs of a truncated
# person do, too.
FRAGMENTS = {
    'openpose': dict(missing_neck=(3, 11), truncated=(4, 28)),
    # Without merging arms and legs stay apart, too.
    'lightweight': dict(
        missing_neck=(5, 5), three_way_merge=(3, 12), truncated=(4, 28)
    ),
}
ROUGH = ('colocated', 'truncated')  # more keypoints than that are fine


@pytest.fixture(scope='module')
def golden(golden_dir):
    return Golden(golden_dir / 'openpose_decode')


class Golden:
    """The golden folder: cases, and what the codec makes of them."""

    def __init__(self, folder):
        self.folder = folder
        index = json.loads((folder / 'index.json').read_text())
        self.real = [entry['file'] for entry in index['real']]
        names = [entry['file'] for entry in index['synthetic']]
        self.synthetic = {
            name.partition('_')[2][: -len('.npz')]: name for name in names
        }
        self._decoded = {}

    def case(self, name):
        with np.load(self.folder / self.synthetic.get(name, name)) as arrays:
            return dict(arrays)

    def decoded(self, name, profile, **options):
        """People (N, 18, 2), scores (N, 18) and scores of people (N,) of a case."""
        if (name, profile) not in self._decoded:
            codec = PartAffinityField(
                'coco18', profile=profile, output_keypoints='all', **options
            )
            maps = self.case(name)['out57'].astype(np.float32)
            self._decoded[name, profile] = codec.decode(maps[:19], maps[19:])
        return self._decoded[name, profile]


def distances(points, person):
    """Between places (M, 2) and those of a person (M, 3), pixels."""
    return np.hypot(*(points - person[..., :2]).T)


def right_keypoints(people, scores, truth):
    """For each person of the truth who of the others it is, and the errors in pixels.

    Each decoded person stands for one of the truth, the one with most keypoints first.
    """
    matches = []
    for t, person in enumerate(truth):
        for p, points in enumerate(people):
            error = distances(points, person)
            same = (person[:, 2] > 0) & (scores[p] > 0) & (error < NEAR)
            matches.append((same.sum(), t, p, error[same]))
    taken, found = set(), {}
    for _, t, p, error in sorted(matches, key=lambda m: -m[0]):
        if t not in found and p not in taken and len(error):
            taken.add(p)
            found[t] = (p, error)
    return found


@pytest.mark.parametrize('profile', PROFILES)
class TestGoldenSynthetic:
    def test_golden_people_and_keypoints(self, golden, profile):
        expected = CASES | FRAGMENTS.get(profile, {})
        assert set(golden.synthetic) == set(expected)
        for case, (number, right) in expected.items():
            people, scores, instance_scores = golden.decoded(case, profile)
            assert people.shape == (number, 18, 2), case
            assert scores.shape == (number, 18) and len(instance_scores) == number
            found = right_keypoints(people, scores, golden.case(case)['truth'])
            errors = np.concatenate([np.zeros(0), *(e for _, e in found.values())])
            assert len(errors) >= right, case
            assert len(errors) == right or case in ROUGH, case
            if case != 'truncated':
                assert (errors <= 2).all(), case

    def test_golden_peak_of_two_people_is_used_once(self, golden, profile):
        people, scores, _ = golden.decoded('shared_wrist', profile)
        first, second = golden.case('shared_wrist')['truth']
        (wrist,) = np.flatnonzero((first[:, :2] == second[:, :2]).all(1))
        near = distances(people[:, wrist], first[wrist]) < NEAR
        assert np.count_nonzero(near & (scores[:, wrist] > 0)) == 1

    def test_golden_peak_zero_is_a_member(self, golden, profile):
        people, scores, _ = golden.decoded('id_zero', profile)
        found = right_keypoints(people, scores, golden.case('id_zero')['truth'])
        assert [len(found[t][1]) for t in (0, 1)] == [14, 5]
        # One ear lies between the two of them.
        numbers = (scores > 0).sum(1)
        assert numbers[found[0][0]] in (14, 15) and numbers[found[1][0]] in (5, 6)

    @pytest.mark.parametrize('case', ['missing_neck', 'three_way_merge'])
    def test_golden_fragments_are_all_that_is_there(self, golden, profile, case):
        people, scores, _ = golden.decoded(case, profile)
        (person,) = golden.case(case)['truth']
        near = [distances(points, person) < NEAR for points in people]
        times = (np.array(near) & (scores > 0)).sum(0)
        np.testing.assert_array_equal(times, person[:, 2] > 0)


# Enlarged maps take their time.
@pytest.mark.parametrize(
    ('profile', 'step'), [('accurate', 1), ('openpose', 3), ('lightweight', 3)]
)
def test_golden_real_maps_as_two_other_decoders(golden, profile, step):
    agreed, right = 0, 0
    assert len(golden.real) == 30
    for name in golden.real[::step]:
        # The networks were trained by tf-pose, which draws fields where heatmaps are.
        people, scores, _ = golden.decoded(name, profile, field_alignment='centred')
        case = golden.case(name)
        for person in case['lightweight_people']:
            both = [common_keypoints(person, p) for p in case['hzzone_people']]
            common = max(both, key=np.sum, default=np.zeros(18, bool))
            agreed += common.sum()
            people_and_scores = np.concatenate([people, scores[..., None]], 2)
            mine = [common & common_keypoints(person, p) for p in people_and_scores]
            right += max(map(np.sum, mine), default=0)
    assert agreed > 1200 / step
    assert right / agreed > 0.95


def common_keypoints(first, second):
    """Keypoints (18,) that two people (18, 3) have at the same place."""
    near = distances(first[:, :2], second) < NEAR
    return near & (first[:, 2] > 0) & (second[:, 2] > 0)
