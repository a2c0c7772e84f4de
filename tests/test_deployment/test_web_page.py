"""The page of an export as a person uses it, in a real browser, from a server."""

import http.server
import json
import re
import shutil
import threading
from functools import partial

import cv2
import films
import numpy as np
import pytest
from chromium import chromium
from web_page import runtime_folder

import mmkp
from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Frame
from mmkp.apis.predict_people import predict_people
from mmkp.apis.predict_topdown import predict_topdown
from mmkp.apis.shipped_models import open_run
from mmkp.datasets.puppets.file_backend import PuppetBackend, puppet_uri
from mmkp.datasets.puppets.settings import PuppetSettings
from mmkp.deployment.web_page import RUNTIME_FILES, write_page

READY = '#choose:enabled'
DONE = 'body:has(#choose:enabled):has(#download:enabled)'


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope='module')
def browser():
    camera = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']
    with chromium(*camera) as browser:
        yield browser


@pytest.fixture(scope='module')
def served():
    """Serve folders on this machine only: folder to address."""
    servers = []

    def serve(folder):
        handler = partial(QuietHandler, directory=folder)
        servers.append(http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler))
        threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        return f'http://127.0.0.1:{servers[-1].server_port}/web/'

    yield serve
    for server in servers:
        server.shutdown()


@pytest.fixture(scope='module')
def single(tmp_path_factory):
    """Export of a model of one object, with the page and its runtime."""
    pytest.importorskip('onnxscript')
    pytest.importorskip('onnxruntime')
    return exported('puppets-lmdis', tmp_path_factory.mktemp('single'))


@pytest.fixture(scope='module')
def several(tmp_path_factory):
    """Export of a model of everybody in a picture."""
    pytest.importorskip('onnxscript')
    pytest.importorskip('onnxruntime')
    return exported('puppets-openpose', tmp_path_factory.mktemp('several'))


def exported(model, folder):
    runtime = runtime_folder()
    made = mmkp.export(model, out=folder / 'made')
    write_page(made.path, runtime)
    return made.path


@pytest.fixture
def opened(browser):
    """Open a page in a tab of its own; errors and other addresses fail the test."""
    errors = []
    with browser.new_context(
        viewport=dict(width=1200, height=900), accept_downloads=True
    ) as context:

        def open_page(address, ready=READY):
            page = context.new_page()
            page.on('console', lambda m: m.type == 'error' and errors.append(m.text))
            page.on('pageerror', lambda error: errors.append(str(error)))
            own = ('http://127.0.0.1', 'blob:', 'data:', 'file:')
            page.on('request', lambda r: r.url.startswith(own) or errors.append(r.url))
            page.goto(address)
            page.wait_for_selector(ready, timeout=30000)
            return page

        yield open_page
    assert errors == []


def picture_file(path, number, **settings):
    """A drawn picture, 150 x 200 pixels."""
    chosen = PuppetSettings(image_size=(150, 200), seed=3, **settings)
    drawn = PuppetBackend().get(puppet_uri(chosen, number))
    image = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_COLOR)
    cv2.imwrite(str(path), image)
    return path


def downloaded(page, folder):
    """What the page's button downloads."""
    with page.expect_download() as download:
        page.click('#download')
    download.value.save_as(folder / 'downloaded.json')
    return json.loads((folder / 'downloaded.json').read_text())


def assert_equal_objects(record, expected, tolerance):
    """Compare an image's record with what Python predicts for it."""
    for name, key, slack in (
        ('keypoints', 'keypoints', tolerance),
        ('keypoint_scores', 'keypoint_scores', 1e-3),
        ('bbox', 'bboxes', tolerance),
        ('bbox_score', 'bbox_scores', 1e-3),
    ):
        found = np.array([one[name] for one in record['instances']], float)
        np.testing.assert_allclose(found, expected[key], atol=slack, rtol=0)


def test_keypoints_are_those_of_python(single, served, opened, tmp_path):
    pictures = [picture_file(tmp_path / f'{n} ä.png', n) for n in range(2)]
    page = opened(served(single))
    page.set_input_files('#file', pictures)
    page.wait_for_selector(DONE)
    model = open_run('puppets-lmdis').load_model('cpu')
    expected = predict_topdown(model, [str(path) for path in pictures])
    found = downloaded(page, tmp_path)
    assert [one['image'] for one in found['images']] == ['0 ä.png', '1 ä.png']
    for record, instances in zip(found['images'], expected, strict=True):
        assert (record['width'], record['height']) == (150, 200)
        assert_equal_objects(record, instances, 0.002)
    folder = tmp_path / 'python'
    mmkp.predict('puppets-lmdis', str(pictures[0]), out=folder, draw='none')
    written = json.loads((folder / 'keypoints.json').read_text())
    assert set(found) == set(written)
    for name in ('num_keypoints', 'keypoint_names', 'links', 'flip_indices'):
        assert found[name] == written[name]
    assert set(found['images'][0]) == set(written['images'][0])
    assert set(found['images'][0]['instances'][0]) == set(
        written['images'][0]['instances'][0]
    )


def test_pictures_turn_as_their_files_say(single, served, opened, tmp_path):
    image = cv2.imread(str(picture_file(tmp_path / 'one.png', 1)))
    pillow = pytest.importorskip('PIL.Image')
    turned = pillow.fromarray(image[..., ::-1]).transpose(pillow.Transpose.ROTATE_90)
    exif = pillow.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    turned.save(tmp_path / 'turned.png', exif=exif)
    page = opened(served(single))
    page.set_input_files('#file', tmp_path / 'turned.png')
    page.wait_for_selector(DONE)
    model = open_run('puppets-lmdis').load_model('cpu')
    (record,) = downloaded(page, tmp_path)['images']
    assert_equal_objects(record, predict_topdown(model, [image])[0], 0.01)


@pytest.mark.slow
def test_people_are_those_of_python(several, served, opened, tmp_path):
    pictures = [
        picture_file(tmp_path / f'{n}.jpg', n, figures=(2, 4)) for n in range(3)
    ]
    page = opened(served(several))
    page.set_input_files('#file', pictures)
    page.wait_for_selector(DONE)
    model = open_run('puppets-openpose').load_model('cpu')
    expected = predict_people(model, [str(path) for path in pictures])
    images = downloaded(page, tmp_path)['images']
    assert sum(len(one['instances']) for one in images) > 5
    for record, people in zip(images, expected, strict=True):
        assert_equal_objects(record, people, 0.02)
    assert page.locator('th[scope="rowgroup"]').count() == len(images[-1]['instances'])


def test_what_is_no_picture_is_named(single, served, opened, tmp_path):
    picture = picture_file(tmp_path / 'one.png', 0)
    damaged = tmp_path / '<b>two.png'
    damaged.write_bytes(picture.read_bytes()[:40])
    page = opened(served(single))
    page.set_input_files('#file', [picture, damaged])
    page.wait_for_selector(DONE)
    assert page.inner_text('#status').endswith('Not a picture: <b>two.png.')
    assert downloaded(page, tmp_path)['damaged_images'] == ['<b>two.png']


def test_everything_is_reached_by_keys(single, served, opened, tmp_path):
    pictures = [picture_file(tmp_path / f'{n}.png', n) for n in range(2)]
    page = opened(served(single))
    page.locator('body').press('Tab')
    page.wait_for_selector('#choose:focus')
    page.evaluate(
        """document.getElementById('file').addEventListener('click', event => {
          event.preventDefault();
          document.body.dataset.asked = 'yes';
        })"""
    )
    page.keyboard.press('Enter')
    page.wait_for_selector('body[data-asked]', timeout=5000)
    page.set_input_files('#file', pictures)
    page.wait_for_selector(DONE)
    assert page.inner_text('#caption') == '1.png (2 of 2)'
    page.focus('#previous')
    page.keyboard.press('Enter')
    page.wait_for_selector('#caption:text("0.png (1 of 2)")')
    plain = page.evaluate("document.getElementById('canvas').toDataURL()")
    page.focus('#table')
    page.keyboard.press('ArrowDown')
    page.keyboard.press('ArrowDown')
    assert page.inner_text('tr.lit th') == '1'
    lit = page.evaluate("document.getElementById('canvas').toDataURL()")
    page.keyboard.press('Escape')
    assert page.locator('tr.lit').count() == 0
    assert page.evaluate("document.getElementById('canvas').toDataURL()") == plain
    assert lit != plain
    page.focus('#threshold')
    page.keyboard.press('End')
    assert page.inner_text('#threshold-text') == '1.00'
    assert page.locator('tbody tr.low').count() == 16


def test_points_have_the_colors_of_the_export(single, served, opened, tmp_path):
    page = opened(served(single))
    page.set_input_files('#file', picture_file(tmp_path / 'one.png', 0))
    page.wait_for_selector(DONE)
    (record,) = downloaded(page, tmp_path)['images']
    colors = json.loads((single / 'export.json').read_text())['keypoint_colors']
    points = np.array(record['instances'][0]['keypoints'])
    drawn = page.evaluate(
        """points => {
          const canvas = document.getElementById('canvas');
          const zoom = canvas.width / 150, context = canvas.getContext('2d');
          return points.map(([x, y]) => [...context.getImageData(
            Math.floor((x + 0.5) * zoom), Math.floor((y + 0.5) * zoom), 1, 1).data]);
        }""",
        points.tolist(),
    )
    apart = [
        np.linalg.norm(np.delete(points, k, 0) - points[k], axis=1).min() > 5
        for k in range(len(points))
    ]
    assert sum(apart) > 8
    for k in np.flatnonzero(apart):
        assert drawn[k][:3] == colors[k]


@pytest.mark.parametrize('width', [375, 1600])
def test_nothing_reaches_out_of_the_window(width, single, served, opened, tmp_path):
    page = opened(served(single))
    page.set_viewport_size(dict(width=width, height=800))
    page.set_input_files('#file', picture_file(tmp_path / 'one.png', 0))
    page.wait_for_selector(DONE)
    assert page.evaluate('document.documentElement.scrollWidth') <= width


def test_a_page_opened_as_a_file_says_how_to_serve_it(single, browser):
    with browser.new_context() as context:
        page = context.new_page()
        page.goto((single / 'web/index.html').as_uri())
        assert 'python -m http.server' in page.inner_text('#as-file')


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        (dict(files={}), 'this export has no ONNX file'),
        (dict(version=2), 'version 2, which this page does not read'),
    ],
)
def test_exports_that_it_cannot_run(change, said, single, served, browser, tmp_path):
    shutil.copytree(single / 'web', tmp_path / 'web')
    described = json.loads((single / 'export.json').read_text())
    (tmp_path / 'export.json').write_text(json.dumps({**described, **change}))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(served(tmp_path))
        page.wait_for_selector('#status.bad')
        assert said in page.inner_text('#status')
        assert page.locator(READY).count() == 0


def test_without_the_runtime_it_says_where_to_put_it(single, served, browser, tmp_path):
    write_page(shutil.copytree(single, tmp_path / 'made'))
    shutil.rmtree(tmp_path / 'made/web/ort')
    asked = []
    with browser.new_context() as context:
        page = context.new_page()
        page.route(
            re.compile('^https:'), lambda r: (asked.append(r.request.url), r.abort())
        )
        page.goto(served(tmp_path / 'made'))
        page.wait_for_selector('#status.bad')
        assert 'copy the dist folder of its npm package' in page.inner_text('#status')
    (address,) = asked
    assert '/onnxruntime-web@1.' in address and address.endswith(RUNTIME_FILES[0])


@pytest.mark.slow
def test_a_film_is_followed(single, served, opened, tmp_path):
    path = tmp_path / 'film.mp4'
    with FilmWriter(path.with_suffix(''), 10) as out:
        for number in range(8):
            out.write(Frame(films.picture(number, (96, 64)), number / 10))
    page = opened(served(single))
    page.set_input_files('#file', out.path)
    page.wait_for_selector(DONE, timeout=30000)
    images = downloaded(page, tmp_path)['images']
    times = [one['time'] for one in images]
    assert times == sorted(times) and times[-1] <= 0.8 and len(times) >= 3
    assert all(np.isfinite(one['instances'][0]['keypoints']).all() for one in images)


@pytest.mark.slow
def test_the_camera_is_followed_until_it_is_stopped(single, served, opened):
    page = opened(served(single))
    page.click('#camera')
    page.wait_for_selector('#download:enabled')
    page.click('#stop')
    page.wait_for_selector(DONE)
    assert page.inner_text('#status') == 'The camera is off.'
    assert page.inner_text('#caption') == 'camera'


def test_files_that_are_missing_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match='is no export'):
        write_page(tmp_path)
    (tmp_path / 'export.json').write_text('{}')
    (tmp_path / RUNTIME_FILES[0]).touch()
    with pytest.raises(FileNotFoundError, match=r'lacks ort-wasm.*\.mjs, ort-wasm'):
        write_page(tmp_path, tmp_path)
    assert not (tmp_path / 'web').exists()
    assert write_page(tmp_path) == tmp_path / 'web/index.html'
    assert (tmp_path / 'web/mmkp_runner.mjs').is_file()
