"""The content of small COCO-style files, sound but for what a test changes."""

import copy

POINTS = [10, 10, 2, 30, 10, 2, 20, 40, 1]


def image(number=1, **changes):
    given = dict(id=number, file_name=f'{number}.png', width=64, height=48)
    return {k: v for k, v in (given | changes).items() if v is not ...}


def person(number=1, **changes):
    given = dict(
        id=number,
        image_id=1,
        category_id=1,
        bbox=[5, 5, 30, 40],
        area=600.0,
        iscrowd=0,
        num_keypoints=3,
        keypoints=POINTS,
    )
    return {k: copy.deepcopy(v) for k, v in (given | changes).items() if v is not ...}


def coco(*annotations, images=None, categories=None):
    return dict(
        images=images or [image(1), image(2)],
        annotations=list(annotations),
        categories=categories or [dict(id=1, name='t', keypoints=['a', 'b', 'c'])],
    )
