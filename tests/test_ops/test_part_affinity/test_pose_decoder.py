"""Putting people together: every pitfall of the released decoders, on drawn people."""

import numpy as np
import pytest
import torch
from drawn_people import (
    PLAIN,
    assert_same_people,
    codec_for,
    draw,
    draw_letters,
    found_letters,
    letters,
    upright,
)

from mmkp.codecs import PartAffinityField, build_skeleton
from mmkp.ops.part_affinity.pose_decoder import PoseDecoder

# Places in whole cells of stride 8 and 4, so that nothing is lost by rounding.
A, B, C, D, E, F = (20, 20), (60, 20), (60, 60), (100, 60), (100, 100), (140, 100)
COCO = np.array([upright(50, 30), upright(110, 36)])


class TestAssembly:
    def test_peak_zero_is_a_member_as_any_other(self):
        # Both have an a, the first one's being the first peak of all; so the limb cd
        # between them unites nobody.
        codec = letters('ab bc ad de cd', decoder=PLAIN)
        first = dict(a=A, b=B, c=C)
        second = dict(a=(140, 20), d=D, e=E)
        found = found_letters(codec, first, second, dict(c=C, d=D))
        assert found == [first, second]

    def test_end_alone_is_known(self):
        codec = letters('ab cb', decoder=PLAIN)
        assert found_letters(codec, dict(a=A, b=B, c=C)) == [dict(a=A, b=B, c=C)]

    def test_start_alone_is_known(self):
        codec = letters('ba bc', decoder=PLAIN)
        assert found_letters(codec, dict(a=A, b=B, c=C)) == [dict(a=A, b=B, c=C)]

    def test_fragments_without_a_common_keypoint_are_united(self):
        person = dict(a=A, b=B, c=C, d=D)
        codec = letters('ab cd bc', decoder=PLAIN)
        assert found_letters(codec, person) == [person]
        codec = letters('ab cd bc', decoder=PLAIN | dict(merge=False))
        assert found_letters(codec, person) == [dict(a=A, b=B), dict(c=C, d=D)]

    def test_three_fragments_are_united(self):
        person = dict(a=A, b=B, c=C, d=D, e=E, f=F)
        codec = letters('ab cd ef bc de', decoder=PLAIN)
        assert found_letters(codec, person) == [person]

    def test_limb_within_a_person_raises_its_score_only(self):
        person, scores = dict(a=A, b=B, c=C), []
        for options in (dict(limbs='ab bc'), dict(limbs='ab bc ac', redundant='ac')):
            codec = letters(**options, decoder=PLAIN)
            assert found_letters(codec, person) == [person]
            scores += codec.decode(*draw_letters(codec, person))[2].tolist()
        # Half of (sum of peaks + sum of limbs) / keypoints.
        assert scores[1] - scores[0] == pytest.approx(1 / 6, abs=0.02)

    def test_keypoints_at_the_same_place(self):
        person = dict(a=A, b=B, c=B, d=D)
        for limbs in ('ab bc cd', 'cd bc ab', 'ba cb dc'):
            assert found_letters(letters(limbs, decoder=PLAIN), person) == [person]

    def test_redundant_limb_begins_nobody(self):
        codec = letters('ab bc cd', redundant='cd', decoder=PLAIN)
        assert found_letters(codec, dict(c=C, d=D)) == []

    def test_peak_of_two_people_belongs_to_one(self):
        first, second = dict(a=A, b=B, c=C), dict(a=E, b=D, c=C)
        for options in (PLAIN, dict(min_keypoints=2)):
            found = found_letters(letters('ab bc', decoder=options), first, second)
            assert len(found) == 2
            assert [person.get('c') for person in found].count(C) == 1

    def test_searched_keypoint_is_not_the_peak_of_somebody_else(self):
        # The left wrists are at one place, where both fields lead.
        people = COCO.copy()
        people[1, 9] = people[0, 9]
        codec = codec_for(output_keypoints='source')
        found, scores, _ = codec.decode(*draw(codec, people))
        assert len(found) == 2
        near = np.hypot(*(found[:, 9] - people[0, 9]).T) < 16
        assert np.count_nonzero(near & (scores[:, 9] > 0)) == 1
        others = np.delete(scores, 9, axis=1)
        assert (others > 0).all()

    def test_keypoint_without_a_peak_is_searched_along_the_field(self):
        codec = codec_for(output_keypoints='source')
        heatmaps, fields = draw(codec, COCO[:1])
        wrist = codec.skeleton.keypoints.index('left_wrist')
        heatmaps[wrist] *= 0.04  # below the threshold
        found, scores, _ = codec.decode(heatmaps, fields)
        assert_same_people(np.delete(found, 9, 1), np.delete(COCO[:1], 9, 1))
        assert np.hypot(*(found[0, 9] - COCO[0, 9])) < 8
        assert 0.01 < scores[0, 9] <= 0.02
        # Where the heatmap is empty it hangs from its elbow as the other wrist does.
        heatmaps[wrist] = 0
        found, scores, _ = codec.decode(heatmaps, fields)
        assert scores[0, 9] == 0
        _, elbow, other_elbow, _, other_wrist = found[0, 6:11]
        hanging = elbow + other_wrist - other_elbow
        np.testing.assert_allclose(found[0, 9], hanging, rtol=1e-5)


class TestFewKeypoints:
    def test_image_without_people(self):
        for output, number in (('source', 17), ('all', 18)):
            codec = PartAffinityField(output_keypoints=output)
            people = codec.decode(np.zeros((19, 46, 46)), np.zeros((38, 46, 46)))
            shapes = [(0, number, 2), (0, number), (0,)]
            assert [v.shape for v in people] == shapes
            assert all(v.dtype == np.float32 for v in people)
        assert codec.batch_decode(
            np.zeros((0, 19, 46, 46)), np.zeros((0, 38, 46, 46))
        ) == ([], [], [])

    def test_two_keypoints_and_one_limb(self):
        person = dict(a=A, b=B)
        assert found_letters(letters('ab', decoder=dict(min_keypoints=2)), person) == [
            person
        ]
        assert found_letters(letters('ab'), person) == []

    def test_single_keypoints_are_nobody(self):
        codec = letters('ab bc')
        assert found_letters(codec, dict(a=A), dict(b=(100, 100))) == []

    def test_maps_of_one_row_or_column(self):
        person = dict(a=(20, 4), b=(60, 4), c=(100, 4))
        found = found_letters(letters('ab bc', size=(160, 8)), person)
        assert found == [person]
        turned = {letter: place[::-1] for letter, place in person.items()}
        assert found_letters(letters('ab bc', size=(8, 160)), turned) == [turned]


class TestMissingNeck:
    VISIBLE = np.array([[1] + [0] + [1] * 16])
    NECKLESS = VISIBLE[0] > 0

    @pytest.fixture(scope='class')
    @classmethod
    def maps(cls):
        points, _, _ = build_skeleton('coco18').from_source(COCO[:1], np.ones((1, 17)))
        return points, draw(codec_for(), points, cls.VISIBLE)

    def test_person_is_joined_over_the_shoulders(self, maps):
        points, drawn = maps
        people, scores, _ = codec_for().decode(*drawn)
        assert len(people) == 1
        np.testing.assert_array_equal(scores[0] > 0, self.NECKLESS)
        error = np.abs(people[0] - points[0])
        assert error[self.NECKLESS].max() < 0.3
        # The neck itself is put between its neighbours.
        assert error[1].max() < 15

    def test_lightweight_profile_leaves_fragments(self, maps):
        _, drawn = maps
        people, scores, _ = codec_for(profile='lightweight').decode(*drawn)
        assert len(people) == 5
        np.testing.assert_array_equal((scores > 0).sum(0), self.NECKLESS)

    def test_strangers_are_not_joined(self):
        points, visible, _ = build_skeleton('coco18').from_source(
            COCO, np.ones((2, 17))
        )
        # Legs, and the upper half of somebody else, several limbs away.
        is_leg = np.isin(np.arange(18), range(8, 14))
        visible = np.stack([is_leg, ~is_leg & self.NECKLESS])
        points[1] += (200, 0)
        codec = codec_for(size=(400, 160))
        _, scores, _ = codec.decode(*draw(codec, points, visible))
        assert sorted((scores > 0).sum(1).tolist()) == [6, 11]
        # Near enough they are one person.
        points[1] -= points[1] - points[0]
        _, scores, _ = codec.decode(*draw(codec, points, visible))
        assert (scores > 0).sum(1).tolist() == [17]


class TestBrokenMaps:
    @pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
    @pytest.mark.parametrize('kind', [np.asarray, torch.from_numpy])
    def test_undefined_values_spare_the_people_elsewhere(self, value, kind):
        decode = PoseDecoder(build_skeleton('coco18'), 8)
        whole = [maps[None] for maps in draw(codec_for(), COCO)]
        (expected,) = decode(*whole)
        assert len(expected.keypoints) == 2
        for which in (0, 1):
            maps = [m.copy() for m in whole]
            maps[which][..., :2, -2:] = value
            with pytest.warns(UserWarning, match='not finite.*lower the learning rate'):
                (people,) = decode(*map(kind, maps))
            for array, other in zip(people, expected, strict=True):
                np.testing.assert_allclose(array, other, rtol=1e-5)

    def test_maps_that_are_not_finite_at_all_hold_nobody(self):
        with pytest.warns(UserWarning, match='not finite'):
            people, _, _ = codec_for().decode(
                np.full((19, 20, 20), np.nan), np.full((38, 20, 20), np.nan)
            )
        assert len(people) == 0

    @pytest.mark.parametrize(
        ('heatmaps', 'fields'),
        [
            ((1, 17, 20, 20), (1, 38, 20, 20)),
            ((1, 26, 20, 20), (1, 52, 20, 20)),
            ((1, 19, 20, 20), (1, 34, 20, 20)),
            ((1, 19, 20, 20), (1, 38, 20, 21)),
            ((2, 19, 20, 20), (1, 38, 20, 20)),
            ((19, 20, 20), (38, 20, 20)),
        ],
    )
    def test_maps_of_another_skeleton_are_refused(self, heatmaps, fields):
        message = (
            r"'coco18' has 18 keypoints and 19 limbs and reads heatmaps "
            r'\(B, 19, h, w\) and fields \(B, 38, h, w\), got '
        )
        with pytest.raises(ValueError, match=message):
            codec_for().batch_decode(np.zeros(heatmaps), np.zeros(fields))

    @pytest.mark.parametrize(
        ('options', 'message'),
        [
            (dict(profile='fast'), r"profile must be one of \['accurate'.*got 'fast'"),
            (
                dict(threshold=0.1),
                'unknown decoder option threshold; there are .*merge',
            ),
            (dict(upsample=0), 'upsample must be a whole number from 1 to 16, got 0'),
            (
                dict(min_fraction=80),
                'min_fraction must be a number from 0 to 1, got 80',
            ),
            (dict(instance_score='max'), "instance_score must be 'mean' or 'sum'"),
        ],
    )
    def test_bad_options(self, options, message):
        with pytest.raises(ValueError, match=message):
            PoseDecoder(build_skeleton('coco18'), 8, **options)

    def test_codec_hands_its_options_on_and_refuses_bad_ones_at_once(self):
        person = dict(a=A, b=B)
        for options in ({}, dict(merge=False)):
            codec = letters('ab', decoder=options | dict(min_keypoints=2))
            assert found_letters(codec, person) == [person]
        with pytest.raises(ValueError, match='unknown decoder option threshold'):
            codec_for(decoder=dict(threshold=0.1))
        with pytest.raises(ValueError, match='profile must be one of'):
            codec_for(profile='fast')
