"""Drawn films play in a real browser."""

import http.server
import threading
from functools import partial

import films
import pytest
from chromium import chromium

from mmkp.apis import film_writer
from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Frame

PLAY = """async () => {
    const video = document.createElement('video');
    video.muted = true; video.src = '%s'; document.body.append(video);
    await video.play();
    await new Promise(done => setTimeout(done, 300));
    return [video.readyState, video.videoWidth, video.duration, video.currentTime];
}"""


@pytest.fixture(scope='module')
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp('site')
    (folder / 'index.html').write_text('<!DOCTYPE html><title>film</title>')

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ('127.0.0.1', 0), partial(Handler, directory=folder)
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with chromium() as browser:
        shown = browser.new_page()
        shown.goto(f'http://127.0.0.1:{server.server_port}/index.html')
        yield shown, folder
    server.shutdown()


@pytest.mark.slow
@pytest.mark.parametrize('encoder', ['ffmpeg', 'opencv'])
def test_a_drawn_film_plays(page, encoder, monkeypatch):
    shown, folder = page
    if encoder == 'ffmpeg':
        pytest.importorskip('imageio_ffmpeg')
    else:
        monkeypatch.setattr(film_writer, 'ffmpeg_program', lambda: None)
    with FilmWriter(folder / encoder, 25) as out:
        for number in range(50):
            out.write(Frame(films.picture(number, (97, 65)), number / 25))
    state, width, duration, time = shown.evaluate(PLAY % out.path.name)
    assert state >= 2 and width == 98
    assert duration == pytest.approx(2, abs=0.1) and time > 0
