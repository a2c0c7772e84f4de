import json

import cv2
import numpy as np
import pytest


@pytest.fixture
def picture():
    """A picture whose content survives JPEG compression."""
    rows, columns = np.mgrid[:32, :48].astype(np.float32)
    return np.stack([rows * 6, columns * 5, 255 - rows * 4], -1).astype(np.uint8)


@pytest.fixture
def logged(monkeypatch):
    """Collect what the data sets log."""
    messages = []

    def keep(message, logger=None, level=20):
        messages.append((level, message))

    for module in (
        'damaged_images',
        'unlabeled_image_dataset',
        'annotation_checks',
        'image_files',
        'coco_check.notes',
        'sides',
    ):
        monkeypatch.setattr(f'mmkp.datasets.{module}.print_log', keep)
    return messages


@pytest.fixture
def told(monkeypatch):
    """Collect what the check of COCO-style files tells, each file as the first."""
    lines = []
    target = 'mmkp.datasets.coco_check.notes.print_log'
    monkeypatch.setattr('mmkp.datasets.coco_check.notes._told', set())
    monkeypatch.setattr(target, lambda line, **_: lines.append(line))
    return lines


@pytest.fixture
def make_landmarks(tmp_path, picture):
    """Write a COCO-style data set; returns its folder."""

    def write(points, name='points.json', boxes=None, names=('left_a', 'right_a', 'b')):
        images, annotations = [], []
        for index, triplets in enumerate(points):
            file_name = f'{name}_{index}.png'
            cv2.imwrite(str(tmp_path / file_name), picture)
            images.append(dict(id=index, file_name=file_name, width=48, height=32))
            annotations.append(
                dict(
                    id=index,
                    image_id=index,
                    category_id=1,
                    iscrowd=0,
                    bbox=[0, 0, 48, 32] if boxes is None else boxes[index],
                    keypoints=np.asarray(triplets, float).flatten().tolist(),
                )
            )
        category = dict(id=1, name='thing', keypoints=list(names), skeleton=[[1, 3]])
        content = dict(images=images, annotations=annotations, categories=[category])
        (tmp_path / name).write_text(json.dumps(content))
        return tmp_path

    return write
