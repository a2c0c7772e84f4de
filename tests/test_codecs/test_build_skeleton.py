"""Skeletons of presets, of data sets by name, and of any metainfo."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from mmkp.codecs import build_skeleton
from mmkp.codecs.build_skeleton import limbs_from_links

PARTS = dict(
    Sho='shoulder',
    Elb='elbow',
    Wri='wrist',
    Hip='hip',
    Kne='knee',
    Ank='ankle',
    Eye='eye',
    Ear='ear',
    BigToe='big_toe',
    SmallToe='small_toe',
    Heel='heel',
)
NAMES = dict(
    coco18='Nose Neck RSho RElb RWri LSho LElb LWri RHip RKne RAnk LHip LKne LAnk '
    'REye LEye REar LEar',
    body25='Nose Neck RSho RElb RWri LSho LElb LWri MidHip RHip RKne RAnk LHip LKne '
    'LAnk REye LEye REar LEar LBigToe LSmallToe LHeel RBigToe RSmallToe RHeel',
)
LIMBS = dict(
    coco18='1-8 8-9 9-10 1-11 11-12 12-13 1-2 2-3 3-4 2-16 1-5 5-6 6-7 5-17 1-0 0-14 '
    '0-15 14-16 15-17',
    body25='1-8 9-10 10-11 8-9 8-12 12-13 13-14 1-2 2-3 3-4 2-17 1-5 5-6 6-7 5-18 1-0 '
    '0-15 0-16 15-17 16-18 14-19 19-20 14-21 11-22 22-23 11-24',
)
ASSEMBLY = dict(
    coco18='1-2 1-5 2-3 3-4 5-6 6-7 1-8 8-9 9-10 1-11 11-12 12-13 1-0 0-14 14-16 0-15 '
    '15-17 2-16 5-17',
    body25='1-8 1-2 1-5 2-3 3-4 5-6 6-7 8-9 9-10 10-11 8-12 12-13 13-14 1-0 0-15 15-17 '
    '0-16 16-18 2-17 5-18 14-19 19-20 14-21 11-22 22-23 11-24',
)
ASSEMBLY_INDICES = (6, 10, 7, 8, 11, 12, 0, 1, 2, 3, 4, 5, 14, 15, 17, 16, 18, 9, 13)
SWAPS = dict(
    coco18='2-5 3-6 4-7 8-11 9-12 10-13 14-15 16-17',
    body25='2-5 3-6 4-7 9-12 10-13 11-14 15-16 17-18 19-22 20-23 21-24',
)
LIMB_FLIPS = dict(
    coco18=(3, 4, 5, 0, 1, 2, 10, 11, 12, 13, 6, 7, 8, 9, 14, 16, 15, 18, 17),
    body25=(0, 5, 6, 4, 3, 1, 2, 11, 12, 13, 14, 7, 8, 9, 10, 15, 17, 16, 19, 18)
    + (23, 24, 25, 20, 21, 22),
)
EAR_LIMBS = dict(coco18='2-16 5-17', body25='2-17 5-18')
COCO_INDICES = dict(
    coco18='0 5,6 6 8 10 5 7 9 12 14 16 11 13 15 2 1 4 3',
    body25='0 5,6 6 8 10 5 7 9 11,12 12 14 16 11 13 15 2 1 4 3 17 18 19 20 21 22',
)
WITHOUT_FEET = ' '.join(COCO_INDICES['body25'].split()[:19])
ANIMALS = (
    'AP10KDataset',
    'AnimalPoseDataset',
    'AnimalKingdomDataset',
    'Horse10Dataset',
    'MacaqueDataset',
    'ZebraDataset',
    'FlyDataset',
    'LocustDataset',
    'CocoDataset',
)


def pairs(text):
    return [tuple(map(int, pair.split('-'))) for pair in text.split()]


def in_full(abbreviation):
    """Our name of a keypoint."""
    whole = dict(Nose='nose', Neck='neck', MidHip='middle_hip')
    sides = dict(R='right', L='left')
    if abbreviation in whole:
        return whole[abbreviation]
    return f'{sides[abbreviation[0]]}_{PARTS[abbreviation[1:]]}'


@pytest.mark.parametrize('name', ['coco18', 'body25'])
class TestOpenPose:
    def test_keypoints_and_their_sources(self, name):
        skeleton = build_skeleton(name)
        assert skeleton.keypoints == tuple(map(in_full, NAMES[name].split()))
        expected = COCO_INDICES[name].split()
        assert [','.join(map(str, s)) for s in skeleton.sources] == expected
        assert skeleton.num_source_keypoints == dict(coco18=17, body25=23)[name]

    def test_limbs_and_assembly(self, name):
        skeleton = build_skeleton(name)
        assert list(skeleton.limbs) == pairs(LIMBS[name])
        order = [skeleton.limbs[limb] for limb in skeleton.assembly_order]
        assert order == pairs(ASSEMBLY[name])
        if name == 'coco18':
            assert skeleton.assembly_order == ASSEMBLY_INDICES
        redundant = [skeleton.limbs[limb] for limb in skeleton.redundant_limbs]
        assert redundant == pairs(EAR_LIMBS[name])

    def test_mirror_images(self, name):
        skeleton = build_skeleton(name)
        flips = np.arange(skeleton.num_keypoints)
        for a, b in pairs(SWAPS[name]):
            flips[[a, b]] = b, a
        assert list(skeleton.flip_indices) == list(flips)
        assert skeleton.limb_flip_indices == LIMB_FLIPS[name]
        assert set(skeleton.limb_flip_signs) == {1}


def test_body25_without_feet_reads_the_keypoints_of_coco():
    body, feet = build_skeleton('body25_body'), build_skeleton('body25')
    assert body.limbs == feet.limbs and body.keypoints == feet.keypoints
    assert body.assembly_order == feet.assembly_order
    assert body.flip_indices == feet.flip_indices
    assert body.num_source_keypoints == 17
    assert body.sources == feet.sources[:19] + ((),) * 6
    assert ' '.join(','.join(map(str, s)) for s in body.sources[:19]) == WITHOUT_FEET


def test_sigmas_are_those_of_coco_and_of_its_feet():
    skeleton = build_skeleton('body25')
    sigma = dict(zip(skeleton.keypoints, skeleton.sigmas, strict=True))
    expected = dict(nose=0.026, left_hip=0.107, right_heel=0.094, left_big_toe=0.068)
    for keypoint, value in expected.items():
        assert sigma[keypoint] == pytest.approx(value)
    assert sigma['neck'] == pytest.approx(sigma['left_shoulder'])


def test_mpi_puts_people_together_from_the_head():
    skeleton = build_skeleton('mpi15')
    assert skeleton.num_keypoints == 15 and skeleton.num_limbs == 14
    assert (np.array(skeleton.limb_flip_indices) >= 0).all()
    assert set(skeleton.limb_flip_signs) == {1}
    check_tree(skeleton)


def check_tree(skeleton):
    """All but the redundant limbs lead from one root to all keypoints."""
    limbs = [
        limb
        for index, limb in enumerate(skeleton.limbs)
        if index not in skeleton.redundant_limbs
    ]
    assert sorted(skeleton.assembly_order) == list(range(skeleton.num_limbs))
    assert len(limbs) == skeleton.num_keypoints - 1
    ends = [b for _, b in limbs]
    assert len(set(ends)) == len(ends), 'a keypoint with two limbs that lead to it'
    reached = set(range(skeleton.num_keypoints)) - set(ends)
    assert len(reached) == 1
    for a, b in limbs:
        # Of limbs in this order the inner end is always there already.
        assert a in reached
        reached.add(b)


def check_mirrored(skeleton):
    """Mirroring twice changes nothing, and limbs go where their ends go."""
    flips = skeleton.flip_indices
    for limb, other in enumerate(skeleton.limb_flip_indices):
        sign = skeleton.limb_flip_signs[limb]
        assert skeleton.limb_flip_indices[other] == limb
        assert skeleton.limb_flip_signs[other] == sign
        ends = tuple(flips[k] for k in skeleton.limbs[limb])
        assert skeleton.limbs[other] == ends[::sign]


@pytest.mark.parametrize('name', ANIMALS)
def test_data_sets_give_a_tree_and_what_closes_its_loops(name):
    skeleton = build_skeleton(name)
    check_tree(skeleton)
    check_mirrored(skeleton)
    assert skeleton.keypoints == skeleton.source_keypoints
    assert skeleton.sources == tuple((k,) for k in range(skeleton.num_keypoints))
    order = skeleton.assembly_order
    assert order[len(order) - len(skeleton.redundant_limbs) :] == (
        skeleton.redundant_limbs
    )


@given(
    number=st.integers(1, 8),
    links=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=16),
)
@settings(max_examples=60, deadline=None)
def test_any_links_give_a_tree(number, links):
    links = [(a % number, b % number) for a, b in links]
    tree, redundant = limbs_from_links(number, links)
    assert len(tree) == number - 1
    reached = {tree[0][0]} if tree else {0}
    for a, b in tree:
        assert a in reached and b not in reached
        reached.add(b)
    assert len(reached) == number
    distinct = {frozenset(link) for link in links if link[0] != link[1]}
    of_tree = {frozenset(limb) for limb in tree}
    assert {frozenset(limb) for limb in redundant} == distinct - of_tree
    assert len(redundant) == len(distinct - of_tree)


def test_the_root_is_in_the_middle():
    chain = [(k, k + 1) for k in range(6)]
    tree, redundant = limbs_from_links(7, chain)
    assert tree[0][0] == 3 and not redundant
    assert (3, 2) in tree and (2, 1) in tree and (4, 5) in tree


def test_parsed_metainfo_and_files_are_the_same_as_the_name():
    metainfo = dict(from_file='configs/_base_/datasets/ap10k.py')
    by_name = build_skeleton('AP10KDataset')
    for spec in (metainfo, parse_pose_metainfo(dict(metainfo))):
        skeleton = build_skeleton(spec)
        assert skeleton.limbs == by_name.limbs
        assert skeleton.flip_indices == by_name.flip_indices
    assert build_skeleton(by_name) is by_name


def metainfo(names, links, swaps=None, **more):
    """A metainfo as MMPose's data sets take it."""
    return dict(
        dataset_name='test animal',
        paper_info={},
        keypoint_info={
            index: dict(
                name=name, id=index, color=[0, 0, 0], swap=(swaps or {}).get(name, '')
            )
            for index, name in enumerate(names)
        },
        skeleton_info={
            index: dict(link=link, id=index, color=[0, 0, 0])
            for index, link in enumerate(links)
        },
        joint_weights=[1.0] * len(names),
        sigmas=[],
        **more,
    )


def test_metainfo_may_say_what_to_join():
    options = dict(
        derived_keypoints={'middle': ('a', 'b')},
        limbs=[['middle', 'a'], ['middle', 'b'], ['a', 'c']],
        assembly_order=[['a', 'c'], ['middle', 'a'], ['middle', 'b']],
    )
    spec = metainfo('abc', [], dict(a='b', b='a'), part_affinity=options)
    skeleton = build_skeleton(spec)
    assert skeleton.name == 'test animal'
    assert skeleton.keypoints == ('a', 'b', 'c', 'middle')
    assert skeleton.sources == ((0,), (1,), (2,), (0, 1))
    assert skeleton.limbs == ((3, 0), (3, 1), (0, 2))
    assert skeleton.assembly_order == (2, 0, 1)
    assert skeleton.limb_flip_indices == (1, 0, -1)
    assert skeleton.flip_indices == (1, 0, 2, 3)
    assert skeleton.sigmas == (0.05,) * 4


class TestRefusals:
    def test_unknown_name(self):
        with pytest.raises(ValueError, match=r"'body_25'.*'body25'.*AP10KDataset"):
            build_skeleton('body_25')

    def test_registered_but_without_keypoints(self):
        with pytest.raises(ValueError, match="unknown skeleton 'CombinedDataset'"):
            build_skeleton('CombinedDataset')

    @pytest.mark.parametrize('spec', ['WFLWDataset', metainfo('ab', [])])
    def test_no_links(self, spec):
        with pytest.raises(ValueError, match='has no limb.*skeleton_info'):
            build_skeleton(spec)

    @pytest.mark.parametrize(
        'options',
        [
            dict(limbs=[('a', 'tail')]),
            dict(limbs=[('a', 'b')], redundant_limbs=[('a', 'tail')]),
            dict(limbs=[('a', 'b')], derived_keypoints=dict(c=('a', 'tail'))),
        ],
    )
    def test_unknown_keypoints(self, options):
        spec = metainfo('ab', [], part_affinity=options)
        with pytest.raises(ValueError, match=r'not in it: tail; it has a, b'):
            build_skeleton(spec)
