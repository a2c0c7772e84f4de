"""Films as people have them: turned, of varying rates, cut off, with any suffix."""

import itertools
import json

import cv2
import films
import numpy as np
import pytest
import tiny
from PIL import Image

from mmkp.apis import film_writer, load_model, predict_files
from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Film, Frame, is_film
from mmkp.apis.media import Media
from mmkp.apis.picture_writer import PictureWriter


@pytest.fixture(params=['ffmpeg', 'opencv'])
def encoder(request, monkeypatch):
    """Who writes films: imageio-ffmpeg, or OpenCV where that is not installed."""
    if request.param == 'ffmpeg':
        pytest.importorskip('imageio_ffmpeg')
    else:
        monkeypatch.setattr(film_writer, 'ffmpeg_program', lambda: None)
    return request.param


WRITTEN = pytest.mark.parametrize(
    ('suffix', 'codec'),
    [
        ('wmv', 'WMV2'), ('3gp', 'mp4v'), ('flv', 'FLV1'), ('ts', 'mpg2'),
        ('MTS', 'mpg2'), ('m2ts', 'mpg2'), ('mkv', 'mp4v'), ('mov', 'mp4v'),
        ('avi', 'XVID'), ('mpg', 'mpg2'), ('mxf', 'mpg2'), ('webm', 'VP80'),
    ],
)  # fmt: skip


def draw(source, folder):
    """Write what is read of a film; the drawn one."""
    media = Media(source)
    with PictureWriter(folder, media) as out:
        for name, image in media:
            out.write(name, image)
    return out.written


@WRITTEN
def test_containers_are_known_by_their_content(tmp_path, suffix, codec):
    path = films.write(tmp_path / f'a.{suffix}', 8, 25, codec=codec)
    path = path.rename(tmp_path / 'upload.bin')
    assert is_film(path)
    frames = list(Film(path))
    assert len(frames) == 8
    np.testing.assert_allclose([f.time for f in frames], np.arange(8) / 25, atol=2e-3)
    assert frames[0].image.shape == (64, 96, 3)


def test_text_that_ffmpeg_would_play_is_no_film(tmp_path):
    for name, text in (
        ('a.txt', 'words ' * 99),
        ('b.bin', '#EXTM3U\n#EXTINF:9,\n/etc'),
    ):
        (tmp_path / name).write_text(text)
        assert not is_film(tmp_path / name)
        with pytest.raises(
            ValueError, match=f'{name}.* is neither a folder, nor an im'
        ):
            Media(tmp_path / name)


def test_a_phone_held_upright(tmp_path, encoder):
    path = films.turn(films.write(tmp_path / 'phone.mp4', 5))
    for film in (path, draw(path, tmp_path / 'out')):
        frames = list(Film(film))
        assert {f.image.shape for f in frames} == {(96, 64, 3)}
        # What was left lies above.
        red = frames[0].image[..., 2].astype(int)
        assert red[:26].mean() > 200 and red[44:].mean() < 30


def test_times_of_a_varying_rate_are_kept(tmp_path, encoder):
    durations = [1, 1, 1, 5, 1, 1, 2, 1]
    path = films.set_durations(films.write(tmp_path / 'a.mp4', 8), durations)
    film = Film(path)
    times = np.cumsum([0, *durations[:-1]]) / 10
    np.testing.assert_allclose([f.time for f in film], times, atol=1e-6)
    assert film.rate == pytest.approx(10)
    drawn = list(Film(draw(path, tmp_path / 'out')))
    assert len(drawn) == 13 and drawn[-1].time == pytest.approx(1.2, abs=2e-3)
    # The picture at each moment is that of the original.
    shown = [int(f.image[..., 2].max()) for f in drawn]
    levels = [255 - 8 * int(np.searchsorted(times, f.time + 1e-2) - 1) for f in drawn]
    np.testing.assert_allclose(shown, levels, atol=8)


@pytest.mark.parametrize('rate', [0.2, 7, 29.97, 10000])
@pytest.mark.parametrize('size', [(96, 64), (97, 65)])
def test_drawn_films_keep_their_rate_and_size(tmp_path, rate, size, encoder):
    with FilmWriter(tmp_path / 'a', rate) as out:
        for number in range(5):
            out.write(Frame(films.picture(number, size), number / rate))
    film = Film(out.path)
    frames = list(film)
    assert len(frames) == 5
    assert film.rate == pytest.approx(rate, rel=1e-3)
    np.testing.assert_allclose(np.diff([f.time for f in frames]), 1 / rate, rtol=0.05)
    assert frames[0].image.shape == (size[1] + size[1] % 2, size[0] + size[0] % 2, 3)


@pytest.mark.parametrize('rate', [25, 1000])
def test_codec_of_drawn_films_is_one_that_browsers_play(tmp_path, rate, encoder):
    with FilmWriter(tmp_path / 'a', rate) as out:
        out.write(Frame(films.picture(0), 0.0))
    code = int(cv2.VideoCapture(str(out.path)).get(cv2.CAP_PROP_FOURCC))
    assert code.to_bytes(4, 'little').lower() in (
        (b'h264', b'avc1')
        if encoder == 'ffmpeg'
        else (b'vp80', b'vp90', b'vp09', b'h264')
    )


def test_where_no_such_codec_is_there_it_is_told(tmp_path, monkeypatch):
    for name in ('_VP8', '_VP9', '_H264'):
        monkeypatch.setattr(film_writer, name, ('.mp4', 'none'))
    monkeypatch.setattr(film_writer, 'ffmpeg_program', lambda: None)
    told = []
    monkeypatch.setattr(film_writer, 'print_log', lambda text, **_: told.append(text))
    with FilmWriter(tmp_path / 'a', 25) as out:
        out.write(Frame(films.picture(0), 0.0))
    assert out.path.suffix == '.mp4' and 'browsers do not' in told[0]


def test_a_cut_of_the_recording_is_no_still(tmp_path, encoder):
    with FilmWriter(tmp_path / 'a', 10) as out:
        for time in (0, 0.1, 5000.0, 5000.1):
            out.write(Frame(films.picture(0), time))
    assert len(list(Film(out.path))) == 4


@pytest.mark.parametrize('kind', ['gif', 'webp', 'png'])
def test_moving_pictures_are_films(tmp_path, kind):
    images = [Image.fromarray(films.picture(n)[..., ::-1]) for n in range(4)]
    path = tmp_path / f'a.{kind}'
    images[0].save(
        path, kind, save_all=True, append_images=images[1:], duration=[50, 50, 100, 50]
    )
    assert is_film(path)
    frames = list(Film(path))
    np.testing.assert_allclose([f.time for f in frames], [0, 0.05, 0.1, 0.2])
    assert np.abs(frames[2].image.astype(int) - films.picture(2)).mean() < 6
    images[0].save(path, kind)
    assert not is_film(path)
    [(name, image)] = Media(path)
    assert name == path.name and image.shape == (64, 96, 3)


def test_cut_off_film_tells_both_numbers(tmp_path, monkeypatch):
    path = films.write(tmp_path / 'a.avi', 24)
    content = path.read_bytes()
    path.write_bytes(content[: int(0.6 * len(content))])
    told = []
    monkeypatch.setattr(
        'mmkp.apis.films.print_log', lambda text, **_: told.append(text)
    )
    config, checkpoint = tiny.trained()
    model = load_model(config, checkpoint, device='cpu')
    written = predict_files(model, path, tmp_path / 'out')
    found = json.loads(written.read_text())
    number = len(found['images'])
    assert 0 < number < 22 and found['frames_declared'] == 24
    assert [f'only {number} of 24 frames can be read' in text for text in told] == [
        True
    ]
    assert found['images'][1]['time'] == pytest.approx(0.1)
    assert found['images'][0]['picture'] in ('pictures/a.webm', 'pictures/a.mp4')


def test_complete_films_are_not_said_to_be_cut_off(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(
        'mmkp.apis.films.print_log', lambda text, **_: told.append(text)
    )
    one = films.write(tmp_path / 'one.mp4', 1)
    varying = films.set_durations(
        films.write(tmp_path / 'v.mp4', 6), [1, 9, 1, 1, 7, 1]
    )
    for path in (one, varying, draw(varying, tmp_path / 'out')):
        list(Film(path))
    assert told == []


def test_what_cannot_be_opened_is_one_sentence(tmp_path, capfd):
    path = films.write(tmp_path / 'a.mp4', 24)
    capfd.readouterr()
    path.write_bytes(path.read_bytes()[:-900])  # without its index
    with pytest.raises(ValueError, match=r"a.mp4' cannot be opened: it is damaged"):
        Media(path)
    assert capfd.readouterr().err == ''


def test_frames_are_read_one_by_one(tmp_path):
    path = films.write(tmp_path / 'a.mp4', 12)
    film = Film(path)
    assert len(list(itertools.islice(film, 3))) == 3
    assert film.num_read == 3
