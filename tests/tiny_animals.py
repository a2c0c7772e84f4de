"""Drawn animals of seven points, in COCO's format, shared by the tests."""

import json
from pathlib import Path

import cv2
import numpy as np

NAMES = ['nose', 'left_ear', 'right_ear', 'neck', 'back', 'tail_base', 'tail_tip']
# Along the body and to its left, of an animal of length 1.
SHAPE = np.array(
    [(0, 0), (0.15, 0.12), (0.15, -0.12), (0.25, 0), (0.5, 0), (0.75, 0), (1, 0)]
)


def write_animals(folder: Path, number: int = 4, size: int = 160) -> Path:
    """Write ``images`` of two animals each and ``annotations/{train,val}.json``."""
    (folder / 'images').mkdir(parents=True)
    (folder / 'annotations').mkdir()
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for index in range(number):
        canvas = rng.integers(90, 130, (size, size + 40, 3), dtype=np.uint8)
        for place in (0.3, 0.7):
            angle = rng.uniform(-0.5, 0.5)
            turn = np.array(
                [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
            )
            points = (SHAPE - (0.5, 0)) * 90 @ turn.T + (size / 2 + 20, size * place)
            for link in ((0, 3), (1, 3), (2, 3), (3, 4), (4, 5), (5, 6)):
                ends = [tuple(map(int, points[k].round())) for k in link]
                cv2.line(canvas, *ends, (30 + 30 * link[0], 220, 40), 4)
            corner, extent = points.min(0) - 6, np.ptp(points, axis=0) + 12
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=index,
                    category_id=1,
                    iscrowd=0,
                    keypoints=np.c_[points, np.full(7, 2)].ravel().tolist(),
                    num_keypoints=7,
                    bbox=[*corner, *extent],
                    area=float(extent.prod()),
                )
            )
        name = f'{index}.png'
        cv2.imwrite(str(folder / 'images' / name), canvas)
        images.append(dict(id=index, file_name=name, width=size + 40, height=size))
    categories = [dict(id=1, name='animal', keypoints=NAMES, skeleton=[])]
    content = dict(images=images, annotations=annotations, categories=categories)
    for part in ('train', 'val'):
        path = folder / 'annotations' / f'{part}.json'
        path.write_text(json.dumps(content))
    return folder
