"""Writes a run's page of known points, and acts on it as a person does."""

import json
from pathlib import Path

import numpy as np

from mmkp.apis.run import Run
from mmkp.apis.view import view

HOSTILE = '<img src=x onerror=alert(1)> & "a".jpg'
POINTS = np.array([[120.0, 100.0], [500.0, 120.0], [320.0, 380.0]])
SCORES = [0.9, 0.5, 0.1]


def write_run(folder, source, names, time=False):
    """A run on images of 640x480: two objects in the first, a point less in the 2nd."""
    images = []
    for index, name in enumerate(names):
        points = [POINTS.tolist(), (POINTS + [40, 30]).tolist()][
            : 2 if index == 0 else 1
        ]
        if index == 1:
            points[0][2] = [None, None]
        instances = [dict(keypoints=p, keypoint_scores=SCORES) for p in points]
        images.append(dict(image=name, width=640, height=480, instances=instances))
        if time:
            images[-1]['time'] = index / 4
    folder.mkdir(exist_ok=True)
    content = dict(num_keypoints=3, images=images)
    (folder / 'keypoints.json').write_text(json.dumps(content))
    score = dict(sentence='<script>document.title = "owned"</script> score 0.5')
    score['keypoints'] = [dict(score=0.7, verdict='<b>sits</b> still')] * 3
    (folder / 'score.json').write_text(json.dumps(score))
    Run.create(folder, 'discover', source=str(source), links=[[0, 1]])
    return view(folder).path


def downloaded(page):
    with page.expect_download() as download:
        page.get_by_role('button', name='Download corrections').click()
    assert download.value.suggested_filename == 'corrections.json'
    return json.loads(Path(download.value.path()).read_text(encoding='utf-8'))


def image_of(corrections, name):
    (found,) = (i for i in corrections['images'] if i['image'] == name)
    return found


def enlarge(page, name):
    page.get_by_role('button', name=f'Enlarge {name}').click()
    return page.locator('#enlarged')
