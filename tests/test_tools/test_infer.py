"""Images, folders and videos in; pictures and a file of keypoints out."""

import json
import re
import shutil

import cv2
import numpy as np
import pytest
import tiny


@pytest.fixture
def source(tmp_path):
    return tiny.draw_figures(tmp_path / 'in' / 'deeper', 5).parent


def infer(source, out, *options):
    config, checkpoint = tiny.trained()
    tiny.call_tool(
        'infer.py',
        config,
        checkpoint,
        source,
        '--out',
        out,
        '--device',
        'cpu',
        *options,
    )
    return json.loads((out / 'keypoints.json').read_text())


def test_folder(source, tmp_path, capsys):
    out = tmp_path / 'out'
    (source / 'broken.png').write_bytes(b'no image')
    (source / 'notes.txt').write_text('not looked at')
    content = infer(source, out, '--batch-size', 2)
    assert content['num_keypoints'] == 4 and len(content['edges']) == 6
    assert content['damaged_images'] == ['broken.png']
    names = [record['image'] for record in content['images']]
    assert names == [f'deeper/{index:03d}.png' for index in range(5)]
    [instance] = content['images'][0]['instances']
    assert np.shape(instance['keypoints']) == (4, 2)
    assert instance['bbox'] == [0, 0, 48, 48]
    assert 'a second' in capsys.readouterr().err
    drawn = cv2.imread(str(out / 'pictures' / names[0]))
    assert drawn.shape == (384, 384, 3)  # small images are enlarged


def test_edges_and_numbers_are_drawn_where_asked_for(source, tmp_path):
    image = source / 'deeper' / '000.png'
    pictures = {}
    for name, options in (
        ('plain', []),
        ('edges', ['--show-edges']),
        ('numbers', ['--show-numbers']),
        ('none', ['--min-score', 2]),
    ):
        infer(image, tmp_path / name, *options)
        pictures[name] = cv2.imread(str(tmp_path / name / 'pictures' / '000.png'))
    original = cv2.resize(
        cv2.imread(str(image)), (384, 384), None, 0, 0, cv2.INTER_CUBIC
    )
    assert np.array_equal(pictures['none'], original)
    for name in ('edges', 'numbers'):
        assert (pictures[name] != pictures['plain']).any()
    assert (tmp_path / 'edges' / 'edge_weights.png').is_file()
    assert not (tmp_path / 'plain' / 'edge_weights.png').exists()


def test_boxes(source, tmp_path):
    boxes = {'deeper/001.png': [[4, 6, 30, 30], [0, 0, 20, 24, 0.5]]}
    (tmp_path / 'boxes.json').write_text(json.dumps(boxes))
    content = infer(source, tmp_path / 'out', '--boxes', tmp_path / 'boxes.json')
    [record] = content['images']
    assert record['image'] == 'deeper/001.png'
    assert [i['bbox'] for i in record['instances']] == [[4, 6, 34, 36], [0, 0, 20, 24]]
    assert [i['bbox_score'] for i in record['instances']] == [1, 0.5]
    assert len(list((tmp_path / 'out' / 'pictures').rglob('*.png'))) == 1


def test_video(source, tmp_path):
    film = tmp_path / 'film.avi'
    writer = cv2.VideoWriter(str(film), cv2.VideoWriter_fourcc(*'MJPG'), 12, (48, 48))
    for path in sorted(source.rglob('*.png')):
        writer.write(cv2.imread(str(path)))
    writer.release()
    content = infer(film, tmp_path / 'out', '--show-edges', '--batch-size', 3)
    assert [r['image'] for r in content['images']][-1] == 'film_000004'
    (path,) = (tmp_path / 'out' / 'pictures').glob('film.*')
    drawn = cv2.VideoCapture(str(path))
    assert drawn.get(cv2.CAP_PROP_FRAME_COUNT) == 5
    assert drawn.get(cv2.CAP_PROP_FPS) == 12


def test_no_pictures(source, tmp_path):
    infer(source, tmp_path / 'out', '--no-pictures')
    assert not list((tmp_path / 'out').rglob('*.png'))


@pytest.mark.parametrize(
    'name, message',
    [
        ('absent', "input '.*absent' does not exist"),
        ('empty', 'no image found in .*empty'),
        ('text.txt', "input '.*text.txt' is neither a folder, nor an image"),
        ('text.png', 'text.png'),
        ('text.mp4', "video '.*text.mp4' cannot be opened"),
    ],
)
def test_wrong_inputs(tmp_path, capsys, name, message):
    (tmp_path / 'empty').mkdir()
    for file in ('text.txt', 'text.png', 'text.mp4'):
        (tmp_path / file).write_text('words')
    with pytest.raises(SystemExit):
        infer(tmp_path / name, tmp_path / 'out')
    error = capsys.readouterr().err
    assert re.search(f'error: .*{message}', error)


def test_box_file_that_fits_no_image(source, tmp_path, capsys):
    (tmp_path / 'boxes.json').write_text('{"other.png": [[1, 2, 3, 4]]}')
    with pytest.raises(SystemExit):
        infer(source, tmp_path / 'out', '--boxes', tmp_path / 'boxes.json')
    assert 'no image of' in capsys.readouterr().err


def test_boxes_of_a_detector(data_dir, tmp_path, capsys):
    folder = tmp_path / 'in'
    folder.mkdir()
    pictures = sorted((data_dir / 'coco' / 'val2017').glob('*.jpg'))[:2]
    for path in pictures:
        shutil.copy(path, folder)
    cv2.imwrite(str(folder / 'z.png'), np.zeros((64, 48, 3), np.uint8))
    detector = data_dir / 'detectors' / 'yolox_nano.onnx'
    tiny.call_tool(
        *('misc/detect_boxes.py', folder, '--detector', detector),
        *('--classes', 'person', '--out', tmp_path / 'boxes.json'),
    )
    assert 'boxes in 2 of 3 images' in capsys.readouterr().out
    options = ['--boxes', detector, '--classes', 'person', '--no-pictures']
    found = infer(folder, tmp_path / 'out', *options)
    read = infer(folder, tmp_path / 'read', '--boxes', tmp_path / 'boxes.json')
    assert [r['image'] for r in found['images']] == [path.name for path in pictures]
    for one, other in zip(found['images'], read['images'], strict=True):
        for mine, theirs in zip(one['instances'], other['instances'], strict=True):
            np.testing.assert_allclose(mine['bbox'], theirs['bbox'], atol=2e-3)
    for options, message in (
        (['--boxes', detector, '--classes', 'gnu'], "got 'gnu'"),
        (['--boxes', detector, '--classes', 'toaster'], r'has a box in .*toaster'),
        (['--classes', 'dog'], 'classes are those of a detector'),
    ):
        with pytest.raises(SystemExit):
            infer(folder, tmp_path / 'bad', *options)
        assert re.search(message, capsys.readouterr().err)
