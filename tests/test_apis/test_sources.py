"""What a source may be: files, folders, patterns, lists, films, cameras, arrays."""

import cv2
import films
import numpy as np
import pytest
from PIL import Image

from mmkp.apis import camera
from mmkp.apis.films import Film
from mmkp.apis.media import Media, frame_range


def write(path, level):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((20, 30, 3), level, np.uint8)
    path.write_bytes(cv2.imencode(path.suffix, image)[1].tobytes())
    return path


@pytest.fixture
def photos(tmp_path):
    for level, name in enumerate(('Käfer 1.png', '照片/a b.png', 'ζ.png')):
        write(tmp_path / 'in' / name, 10 * level)
    return tmp_path / 'in'


def names_of(source, **options):
    return [name for name, _ in Media(source, **options)]


def test_patterns_that_the_shell_did_not_expand(photos, monkeypatch):
    assert names_of(f'{photos}/*.png') == ['Käfer 1.png', 'ζ.png']
    assert names_of(f'{photos}/**/*.png') == ['Käfer 1.png', 'ζ.png', '照片/a b.png']
    monkeypatch.chdir(photos)
    assert names_of('*/*.png') == ['a b.png']
    with pytest.raises(FileNotFoundError, match=r"no file matches '.*\*\.jpg'"):
        Media(f'{photos}/*.jpg')


def test_text_lists(photos, tmp_path):
    listed = tmp_path / 'list.txt'
    listed.write_text('in/ζ.png\n\nin\\照片\\a b.png\n', encoding='utf-8')
    assert names_of(listed) == ['ζ.png', '照片/a b.png']
    listed.write_text('in/ζ.png\nin/gone.png\n', encoding='utf-8')
    with pytest.raises(FileNotFoundError, match=r"list.txt' lists '.*gone.png'"):
        Media(listed)
    with pytest.raises(ValueError, match='the list of images is empty'):
        Media([])


def test_several_films_and_images_of_a_folder(photos):
    films.write(photos / 'b.mp4', 3)
    (photos / 'deep').mkdir()
    films.write(photos / 'deep' / 'b.avi', 2)
    (photos / 'broken.mkv').write_bytes(b'nothing')
    media = Media(photos)
    shots = list(media.shots())
    assert [shot.name for shot in shots] == [
        'Käfer 1.png', 'b_000000', 'b_000001', 'b_000002', 'deep/b_000000',
        'deep/b_000001', 'ζ.png', '照片/a b.png',
    ]  # fmt: skip
    assert media.length == 8 and media.damaged == ['broken.mkv']
    assert [shot.film is None for shot in shots] == [True, *[False] * 5, True, True]
    assert not media.is_video and media.film is None


def test_two_films_of_one_name_have_frames_of_their_own(tmp_path):
    films.write(tmp_path / 'a.avi', 1)
    films.write(tmp_path / 'a.mp4', 1)
    assert names_of(tmp_path) == ['a_000000', 'a.mp4_000000']


def test_only_some_frames_are_read(tmp_path, photos):
    path = films.write(tmp_path / 'a.mp4', 12)
    whole = list(Film(path))
    media = Media(path, frames=frame_range('2-8:3'))
    shots = list(media.shots())
    assert [shot.name for shot in shots] == ['a_000002', 'a_000005', 'a_000008']
    assert media.length == 3
    for shot, number in zip(shots, (2, 5, 8), strict=True):
        assert shot.time == whole[number].time
        assert np.array_equal(shot.image, whole[number].image)
    assert names_of(path, frames=frame_range('3')) == ['a_000003']
    assert names_of(photos, frames=frame_range('1-5')) == ['ζ.png', '照片/a b.png']
    with pytest.raises(ValueError, match='has no frame 40'):
        list(Media(path, frames=frame_range('40-50')))


@pytest.mark.parametrize('text', ['', 'a', '5-3', '1-2-3', '1:2', '0-9:0', '-4'])
def test_what_is_no_range_of_frames(text):
    with pytest.raises(ValueError, match='is no range of frames: write 0-100'):
        frame_range(text)


def test_frames_that_were_read_before_are_left_out(tmp_path):
    path = films.write(tmp_path / 'a.mp4', 5)
    done = {'a_000000', 'a_000001'}
    assert names_of(path, without=done) == ['a_000002', 'a_000003', 'a_000004']


def test_what_a_notebook_holds(photos):
    red = np.zeros((8, 9, 3), np.uint8)
    red[..., 0] = 200
    grey = np.full((8, 9), 7, np.uint8)
    mixed = [red, Image.fromarray(red), grey, photos / 'ζ.png']
    shots = {shot.name: shot.image for shot in Media(mixed).shots()}
    assert list(shots) == ['ζ.png', 'image_000000', 'image_000001', 'image_000002']
    # Blue, green, red.
    assert shots['image_000000'][0, 0].tolist() == [0, 0, 200]
    assert shots['image_000001'][0, 0].tolist() == [0, 0, 200]
    assert shots['image_000002'][0, 0].tolist() == [7, 7, 7]
    assert names_of(red) == ['image_000000']
    assert len(names_of(np.stack([red, red]))) == 2
    with pytest.raises(ValueError, match='image_000000 is a dict'):
        Media({})


def test_exif_turns_are_applied(tmp_path):
    image = Image.fromarray(np.zeros((20, 30, 3), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / 'a.jpg', exif=exif)
    [(_, upright)] = Media(tmp_path / 'a.jpg')
    assert upright.shape == (30, 20, 3)


class FakeCamera:
    """Three pictures, then nothing, as when it is unplugged."""

    def __init__(self, index):
        self.index, self.left = index, 3

    def isOpened(self):
        return self.index == 0

    def get(self, _):
        return 0.0

    def read(self):
        self.left -= 1
        return self.left >= 0, np.full((4, 6, 3), max(self.left, 0), np.uint8)


def test_cameras(monkeypatch, tmp_path):
    monkeypatch.setattr(camera.cv2, 'VideoCapture', FakeCamera)
    monkeypatch.chdir(tmp_path)
    for source in ('0', 0):
        media = Media(source)
        assert media.is_video and media.is_endless and media.length is None
        shots = list(media.shots())
        assert [shot.name for shot in shots] == [f'camera_0_00000{i}' for i in range(3)]
        assert shots[0].time < shots[2].time
    assert names_of('0', frames=frame_range('1-1')) == ['camera_0_000001']
    with pytest.raises(ValueError, match='camera 3 cannot be opened'):
        Media('3')
    # A file of that name is one.
    write(tmp_path / 'x.png', 3).rename(tmp_path / '3')
    assert names_of('3') == ['3']
