"""Where pictures are written: none replaces another, or what it is drawn on."""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny

from mmkp.apis import load_model, predict_files
from mmkp.apis.media import Media
from mmkp.apis.picture_writer import PictureWriter


def fill(folder, names):
    """Write images, each of a grey value of its own."""
    for index, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((20, 20, 3), 10 * index, np.uint8)
        path.write_bytes(cv2.imencode(path.suffix.lower(), image)[1].tobytes())
    return folder


def draw(source, folder):
    media, written = Media(source), {}
    with PictureWriter(folder, media) as out:
        for name, image in media:
            written[name] = out.write(name, image)
    return written


def test_every_image_has_a_picture_of_its_own(tmp_path):
    names = ['a.png', 'a.bmp', 'a.webp', 'a.tif', 'a.PNG', 'A.png', 'a.bmp.png']
    names += [
        'Sub/x.png',
        'sub/x.png',
        'sub/x.bmp',
        'a/b.png',
        'e\u0301.png',
        '\xe9.png',
    ]
    written = draw(fill(tmp_path / 'in', names), tmp_path / 'out')
    paths = [str(path).lower() for path in written.values()]
    assert len(set(paths)) == len(names)
    for index, name in enumerate(names):
        picture = cv2.imdecode(np.fromfile(written[name], np.uint8), 1)
        assert (picture == 10 * index).all(), name
    assert written['a.png'].name == 'a.png' or written['A.png'].name == 'A.png'
    assert written['a.webp'].name == 'a.webp.png'


def test_the_original_is_never_replaced(tmp_path):
    source = fill(tmp_path / 'pictures', ['a.png', 'b.bmp'])
    content = (source / 'a.png').read_bytes()
    with pytest.raises(ValueError, match='would replace the image that it is drawn on'):
        draw(source, source)
    assert (source / 'a.png').read_bytes() == content


@pytest.fixture(scope='module')
def model():
    config, checkpoint = tiny.trained()
    return load_model(config, checkpoint, device='cpu')


def test_a_folder_called_pictures_holds_the_pictures(model, tmp_path):
    source = fill(tmp_path / 'in', ['a.png', 'heatmaps/a.png', 'edge_weights.png'])
    out = tmp_path / 'pictures'
    path = predict_files(model, source, out, show_heatmaps='all', show_edges=True)
    assert path == out / 'keypoints.json'
    found = {str(p.relative_to(out)) for p in out.rglob('*.png')}
    assert found == {
        'a.png', 'edge_weights.png', 'edge_weights_2.png', 'heatmaps/a.png',
        'heatmaps/a_2.png', 'heatmaps/heatmaps/a.png', 'heatmaps/edge_weights.png',
    }  # fmt: skip
    records = json.loads(path.read_text())['images']
    pictures = {record['image']: record['picture'] for record in records}
    assert pictures['edge_weights.png'] == 'edge_weights_2.png'
    # The matrix of the weights, not the picture of that name.
    assert cv2.imread(str(out / 'edge_weights.png')).shape != (384, 384, 3)


def test_pictures_of_an_earlier_run_are_not_predicted(model, tmp_path):
    source = fill(tmp_path / 'in', ['a.png', 'b.png'])
    for _ in range(2):
        path = predict_files(model, source, source / 'results')
    records = json.loads(path.read_text())['images']
    assert [record['image'] for record in records] == ['a.png', 'b.png']


def test_boxes_that_fit_no_image_and_images_without(model, tmp_path, monkeypatch):
    told = []
    module = sys.modules['mmkp.apis.predict_into']
    monkeypatch.setattr(module, 'print_log', lambda text, **_: told.append(text))
    source = fill(tmp_path / 'in', ['a.png', 'b.png', 'c.png'])
    boxes = tmp_path / 'boxes.json'
    content = {'./a.png': [[1, 1, 9, 9], [1, 1, 0, 9]], 'x.png': [[1, 1, 5, 5]]}
    boxes.write_text(json.dumps(content))
    path = predict_files(model, source, tmp_path / 'out', boxes_file=boxes)
    [record] = json.loads(path.read_text())['images']
    assert record['image'] == 'a.png' and len(record['instances']) == 1
    assert '1 boxes that are empty' in told[0] and './a.png: [1, 1, 0, 9]' in told[0]
    assert (
        '1 of 2 names with boxes are those of no image, the first is x.png' in told[1]
    )
    assert '2 of 3 images have no box and are left out, the first is b.png' in told[2]


def test_a_folder_of_damaged_files_only(model, tmp_path):
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in' / 'a.png').write_bytes(b'x')
    with pytest.raises(ValueError, match=r"no image of '.*in' can be read"):
        predict_files(model, tmp_path / 'in', tmp_path / 'out')


def test_an_image_without_suffix_is_known_by_its_content(tmp_path):
    path = fill(tmp_path, ['a.png']) / 'a.png'
    path = Path(path.rename(tmp_path / 'photo'))
    [(name, image)] = Media(path)
    assert name == 'photo' and image.shape == (20, 20, 3)
    assert draw(path, tmp_path / 'out')['photo'].name == 'photo.png'
