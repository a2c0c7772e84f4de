"""People drawn as heatmaps and fields, shared by the tests of their decoding."""

import numpy as np
from tiny_people import FIGURE

from mmkp.codecs import PartAffinityField
from mmkp.codecs.make_skeleton import make_skeleton

# Assembly alone, without what the default profile adds to it.
PLAIN = dict(max_gap=0.0, search_missing=False, min_keypoints=2)


def upright(x, y, height=100.0):
    """COCO's keypoints (17, 2) of somebody whose head is at a place, in pixels."""
    return FIGURE * height + (x, y)


def crowd(columns, rows, spacing=(80, 130), height=100.0):
    """COCO's keypoints (N, 17, 2) of many people in rows."""
    places = [(c, r) for r in range(rows) for c in range(columns)]
    return np.stack(
        [
            upright(spacing[0] * (c + 0.5), 16 + spacing[1] * r, height)
            for c, r in places
        ]
    )


def codec_for(skeleton='coco18', size=(160, 160), **options):
    """A codec that decodes all keypoints, fields being where the heatmaps are."""
    options = dict(output_keypoints='all', field_alignment='centred') | options
    return PartAffinityField(skeleton, size, **options)


def letters(limbs, redundant='', size=(160, 160), **options):
    """A codec for keypoints that are letters, with limbs such as 'ab bc'."""
    names = sorted(set(limbs) - {' '})
    skeleton = make_skeleton(
        'letters',
        names,
        {},
        [0.1] * len(names),
        [tuple(limb) for limb in limbs.split()],
        redundant_limbs=[tuple(limb) for limb in redundant.split()],
    )
    return codec_for(skeleton, size, **options)


def draw(codec, points, visible=None):
    """Heatmaps (K + 1, h, w) and fields (2L, h, w) of people."""
    encoded = codec.encode(points, visible)
    return encoded['heatmaps'], encoded['part_affinity_fields']


def draw_letters(codec, *people):
    """The same of people who are given as {letter: place}."""
    names = codec.skeleton.keypoints
    points = np.zeros((len(people), len(names), 2))
    visible = np.zeros(points.shape[:2])
    for person, places in enumerate(people):
        for letter, place in places.items():
            points[person, names.index(letter)] = place
            visible[person, names.index(letter)] = 1
    return draw(codec, points, visible)


def found_letters(codec, *people):
    """What comes out, {letter: place} rounded to pixels, in the order of letters."""
    found, scores, _ = codec.decode(*draw_letters(codec, *people))
    names = codec.skeleton.keypoints
    return sorted(
        [
            {
                name: tuple(np.rint(place).astype(int).tolist())
                for name, place, score in zip(names, *person, strict=True)
                if score > 0
            }
            for person in zip(found, scores, strict=True)
        ],
        key=lambda person: sorted(person.items()),
    )


def assert_same_people(found, expected, tolerance=0.3):
    """Keypoints (N, K, 2) of the same people in any order."""
    assert found.shape == expected.shape
    distance = np.abs(found[:, None] - expected[None]).max((2, 3))
    np.testing.assert_array_less(distance.min(0), tolerance)
    assert len(set(distance.argmin(0).tolist())) == len(expected)
