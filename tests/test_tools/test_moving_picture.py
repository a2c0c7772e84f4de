"""The README's moving picture."""

import tiny
from PIL import Image


def test_frames_go_there_and_back(tmp_path):
    path = tmp_path / 'a' / 'moving.gif'
    tiny.call_tool('misc/moving_picture.py', path, '--frames', '3', '--figures', '2')
    with Image.open(path) as film:
        assert film.size == (960, 480) and film.n_frames == 4
        frames = [film.seek(i) or film.convert('RGB').tobytes() for i in range(4)]
    assert frames[1] == frames[3] and frames[0] != frames[1] != frames[2]
