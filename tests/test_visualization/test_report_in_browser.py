"""The page of a run as a person uses it, in a real browser, from a file."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

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


@pytest.fixture(scope='module')
def photos(tmp_path_factory, data_dir):
    """Real photographs, one of which has a hostile name."""
    folder = tmp_path_factory.mktemp('photos')
    found = sorted((data_dir / 'openfield/labeled-data/m4s1').glob('*.jpg'))[:3]
    for index, path in enumerate(found):
        shutil.copy(path, folder / (HOSTILE if index == 2 else f'{index}.jpg'))
    return folder


@pytest.fixture(scope='module')
def report(photos, tmp_path_factory):
    """The page of images of which one is gone."""
    names = ['0.jpg', '1.jpg', HOSTILE, 'gone.jpg']
    return write_run(tmp_path_factory.mktemp('made') / 'a run', photos, names)


@pytest.fixture(scope='module')
def browser():
    sync_api = pytest.importorskip('playwright.sync_api')
    program = shutil.which('chromium') or shutil.which('google-chrome')
    if program is None:
        pytest.skip('there is no Chromium')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=['--no-sandbox']
        )
        yield browser
        browser.close()


@pytest.fixture
def context(browser):
    with browser.new_context(
        viewport=dict(width=1200, height=900), accept_downloads=True
    ) as context:
        yield context


@pytest.fixture
def errors():
    """What the browser complains of, and what it asks a network for."""
    found = []
    yield found
    assert found == []


@pytest.fixture
def opened(context, errors):
    """Open a page in a tab of this test's browser profile."""

    def open_page(path, **viewport):
        page = context.new_page()
        if viewport:
            page.set_viewport_size(viewport)
        page.on('console', lambda m: m.type == 'error' and errors.append(m.text))
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('dialog', lambda dialog: (errors.append('dialog'), dialog.dismiss()))
        page.on(
            'request',
            lambda r: (
                r.url.startswith(('file:', 'data:', 'blob:')) or errors.append(r.url)
            ),
        )
        page.goto(path.as_uri())
        return page

    return open_page


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


def point(dialog, index, instance=0):
    return dialog.locator(f'.point.k{index}').nth(instance)


def drag(page, dialog, index, dx, dy, instance=0):
    """Drag a point by pixels of the screen; how many of the image one of them is."""
    disc = point(dialog, index, instance).locator('.disc').bounding_box()
    x, y = disc['x'] + disc['width'] / 2, disc['y'] + disc['height'] / 2
    # Not at its middle: it must not jump there.
    page.mouse.move(x + 2, y + 1)
    page.mouse.down()
    page.mouse.move(x + 2 + dx / 2, y + 1, steps=2)
    page.mouse.move(x + 2 + dx, y + 1 + dy, steps=2)
    page.mouse.up()
    return 640 / dialog.locator('.picture img').bounding_box()['width']


class TestPoints:
    def test_a_drag_comes_back_in_pixels_of_the_original(self, opened, report):
        page = opened(report)
        dialog = enlarge(page, '0.jpg')
        unit = drag(page, dialog, 1, -90, 60, instance=1)
        page.keyboard.press('Escape')
        assert dialog.is_hidden()
        corrections = downloaded(page)
        (image,) = corrections['images']
        assert (image['image'], image['bad']) == ('0.jpg', False)
        (instance,) = image['instances']
        assert (instance['index'], instance['hidden']) == (1, [])
        (index, moved), = instance['corrected'].items()  # fmt: skip
        assert index == '1'
        assert moved == pytest.approx([540 - 90 * unit, 150 + 60 * unit], abs=0.05)
        assert 0.5 < unit < 2 and 'moved' in point(dialog, 1, 1).get_attribute('class')

    def test_points_lie_where_the_image_has_them(self, opened, report):
        dialog = enlarge(opened(report), '1.jpg')
        picture = dialog.locator('img').bounding_box()
        scale = picture['width'] / 640
        assert scale > 1 and picture['height'] == pytest.approx(480 * scale, abs=0.1)
        for index, (x, y) in enumerate(POINTS[:2]):
            disc = point(dialog, index).locator('.disc').bounding_box()
            middle = disc['x'] + disc['width'] / 2, disc['y'] + disc['height'] / 2
            # Pixel centres are at integers.
            expected = (
                picture['x'] + (x + 0.5) * scale,
                picture['y'] + (y + 0.5) * scale,
            )
            assert middle == pytest.approx(expected, abs=0.15)

    def test_a_drag_ends_at_the_border(self, opened, report):
        page = opened(report)
        dialog = enlarge(page, '0.jpg')
        drag(page, dialog, 1, 800, -600)
        page.keyboard.press('Escape')
        (instance,) = image_of(downloaded(page), '0.jpg')['instances']
        assert instance['corrected'] == {'1': [639.5, -0.5]}

    def test_of_points_close_together_the_nearer_one_is_caught(self, opened, report):
        page = opened(report)
        dialog = enlarge(page, '0.jpg')
        drag(page, dialog, 0, 46, 37)  # to beside that of the other object, below it
        unit = drag(page, dialog, 0, 0, 90)
        page.keyboard.press('Escape')
        (instance,) = image_of(downloaded(page), '0.jpg')['instances']
        assert instance['index'] == 0
        assert instance['corrected']['0'] == pytest.approx(
            [120 + 46 * unit, 100 + 127 * unit], abs=0.1
        )

    def test_a_click_moves_nothing(self, opened, report):
        page = opened(report)
        dialog = enlarge(page, '0.jpg')
        point(dialog, 0).locator('.hit').click()
        assert 'Keypoint 0 · object 0 · x 120.0, y 100.0 · score 0.90' in (
            dialog.locator('.told').inner_text()
        )
        page.keyboard.press('Escape')
        assert downloaded(page)['images'] == []

    def test_by_touch(self, browser, errors, report):
        with browser.new_context(
            viewport=dict(width=375, height=812), has_touch=True, is_mobile=True
        ) as context:
            page = context.new_page()
            page.on('pageerror', lambda error: errors.append(str(error)))
            page.goto(report.as_uri())
            dialog = enlarge(page, '1.jpg')
            disc = point(dialog, 0).locator('.disc').bounding_box()
            x, y = disc['x'] + disc['width'] / 2, disc['y'] + disc['height'] / 2
            touch = context.new_cdp_session(page)
            for kind, dx, dy in (
                ('touchStart', 0, 0),
                ('touchMove', 20, 10),
                ('touchMove', 50, 30),
                ('touchEnd', None, None),
            ):
                points = [] if dx is None else [dict(x=x + dx, y=y + dy)]
                touch.send(
                    'Input.dispatchTouchEvent', dict(type=kind, touchPoints=points)
                )
            unit = 640 / dialog.locator('.picture img').bounding_box()['width']
            page.get_by_role('button', name='Close').first.click()
            (instance,) = image_of(downloaded(page), '1.jpg')['instances']
            assert instance['corrected']['0'] == pytest.approx(
                [120 + 50 * unit, 100 + 30 * unit], abs=0.1
            )

    def test_by_keys_with_undo_and_hidden(self, opened, report):
        page = opened(report)
        page.keyboard.press('n')  # the first image
        page.keyboard.press('n')
        page.keyboard.press('Enter')
        dialog = page.locator('#enlarged')
        assert dialog.locator('h2').inner_text() == '1.jpg'
        for _ in range(5):
            page.keyboard.press('Tab')
            if page.evaluate('document.activeElement.matches(".k0")'):
                break
        for key in ('ArrowRight', 'ArrowRight', 'ArrowUp', 'Shift+ArrowLeft', 'h'):
            page.keyboard.press(key)
        label = point(dialog, 0).get_attribute('aria-label')
        assert label == 'keypoint 0, x 112.0, y 99.0, moved, hidden'
        page.keyboard.press('n')
        page.keyboard.press('b')  # the chosen keypoint stays chosen
        assert page.evaluate('document.activeElement.matches("#enlarged .k0")')
        page.keyboard.press('Escape')
        corrections = downloaded(page)
        assert corrections['images'] == [
            dict(
                image='1.jpg',
                bad=False,
                instances=[dict(index=0, corrected={'0': [112, 99]}, hidden=[0])],
            ),
            dict(image=HOSTILE, bad=True, instances=[]),
        ]
        page.keyboard.press('u')
        assert len(downloaded(page)['images']) == 1
        page.keyboard.press('u')
        (instance,) = image_of(downloaded(page), '1.jpg')['instances']
        assert instance['hidden'] == []
        page.keyboard.press('u')  # moves that follow each other are one
        assert downloaded(page)['images'] == []
        assert page.get_by_role('button', name='Undo').first.is_disabled()

    def test_put_back(self, opened, report):
        page = opened(report)
        dialog = enlarge(page, '0.jpg')
        drag(page, dialog, 0, 30, 30)
        dialog.get_by_role('button', name='Put back').click()
        page.keyboard.press('Escape')
        assert downloaded(page)['images'] == []

    def test_a_missing_point_and_a_gone_image(self, opened, report):
        page = opened(report)
        tiles = page.locator('.tile')
        assert tiles.nth(1).locator('.point').count() == 2
        assert tiles.nth(3).inner_text().startswith('image is gone')
        assert tiles.nth(3).locator('.point').count() == 3
        assert '1 of 4 images are gone' in page.locator('.remarks').inner_text()


class TestKeypoints:
    def test_named_dropped_merged_and_paired(self, opened, report):
        page = opened(report)
        page.get_by_label('Name of keypoint 0').fill(' snout ')
        page.get_by_label('Name of keypoint 0').press('Enter')
        page.keyboard.type('<i>a tail</i>')
        page.get_by_label('Left or right partner of keypoint 0').select_option('1')
        assert page.get_by_label('partner of keypoint 1').input_value() == '0'
        known = [tuple(k.values()) for k in downloaded(page)['keypoints']]
        assert known == [
            (0, 'snout', False, None, 1),
            (1, '<i>a tail</i>', False, None, 0),
            (2, None, False, None, None),
        ]
        page.get_by_label('Merge keypoint 2 into').select_option('1')
        page.get_by_label('Drop keypoint 0').check()
        known = [tuple(k.values()) for k in downloaded(page)['keypoints']]
        assert known == [
            (0, 'snout', True, None, None),
            (1, '<i>a tail</i>', False, None, None),
            (2, None, False, 1, None),
        ]
        tile = page.locator('.tile').nth(2)
        assert tile.locator('.point.k0').is_hidden()
        colors = [
            tile.locator(f'.k{index} .disc').evaluate('e => getComputedStyle(e).fill')
            for index in (1, 2)
        ]
        assert colors[0] == colors[1]
        assert tile.locator('.tag.k2').text_content() == '1'
        label = enlarge(page, '1.jpg').locator('.tag.k1')
        assert label.text_content() == '1 <i>a tail</i>'
        page.keyboard.press('Escape')
        # What is dropped holds no other, and can be neither partner nor goal.
        page.get_by_label('Drop keypoint 1').check()
        assert page.get_by_label('Merge keypoint 2 into').locator('option').count() == 1
        assert [k['merged_into'] for k in downloaded(page)['keypoints']] == [None] * 3

    def test_a_name_that_is_there_twice_is_told(self, opened, report):
        page = opened(report)
        for index in (0, 2):
            page.get_by_label(f'Name of keypoint {index}').fill('ear')
        page.keyboard.press('Tab')
        told = page.get_by_text('keypoint 0 has this name, too: merge them?')
        assert told.is_visible()
        page.get_by_label('Merge keypoint 2 into').select_option('0')
        assert told.count() == 0

    def test_color_threshold_links_and_numbers(self, opened, report):
        page = opened(report)
        tile = page.locator('.tile').nth(2)
        page.get_by_label('Color of keypoint 1').fill('#123456')
        fill = tile.locator('.k1 .disc').evaluate('e => getComputedStyle(e).fill')
        assert fill == 'rgb(18, 52, 86)'
        shown = [tile.locator(f'.point.k{index}') for index in range(3)]
        slider = page.get_by_label('Hide keypoints below this score')
        slider.fill('60')
        assert [one.is_visible() for one in shown] == [True, False, False]
        assert slider.get_attribute('aria-valuetext') == '0.58: 10 of 15 points'
        assert tile.locator('line').first.is_hidden()
        slider.fill('0')
        assert all(one.is_visible() for one in shown)
        assert tile.locator('line').first.get_attribute('x1') == '120'
        for name, drawn in (('Links', 'line'), ('Numbers', 'text')):
            assert tile.locator(drawn).first.evaluate('e => e.checkVisibility()')
            page.get_by_label(name).uncheck()
            assert not tile.locator(drawn).first.evaluate('e => e.checkVisibility()')
        height = tile.bounding_box()['height']
        page.get_by_label('Height of the images').fill('400')
        assert tile.bounding_box()['height'] > 1.5 * height


class TestKeeping:
    def test_reloading_restores(self, opened, report):
        page = opened(report)
        page.get_by_label('Name of keypoint 1').fill('ear')
        page.get_by_label('Mark 0.jpg as bad').check()
        before = downloaded(page)
        page.reload()
        assert 'were found in this browser' in page.locator('#status').inner_text()
        assert downloaded(page) == before
        assert page.get_by_label('Name of keypoint 1').input_value() == 'ear'
        assert page.get_by_label('Mark 0.jpg as bad').is_checked()

    def test_a_file_is_loaded_and_what_is_not_here_is_kept(
        self, opened, report, tmp_path
    ):
        page = opened(report)
        content = downloaded(page)
        assert list(content) == [
            'format', 'version', 'run', 'source', 'keypoints', 'images',
        ]  # fmt: skip
        assert (content['format'], content['version']) == ('mmkp corrections', 1)
        content['keypoints'][2].update(name='tail', partner=1)
        content['keypoints'][1]['partner'] = 2
        content['images'] = [
            dict(
                image=name,
                bad=name == 'absent.jpg',
                instances=[dict(index=0, corrected={'2': [1.25, 2]}, hidden=[1])],
            )
            for name in ('absent.jpg', '0.jpg')
        ]
        path = tmp_path / 'corrections.json'
        path.write_text(json.dumps(content))
        page.locator('#file').set_input_files(path)
        told = page.locator('#status')
        told.get_by_text('1 are not on this page and are kept').wait_for()
        assert downloaded(page) == content
        page.keyboard.press('u')
        assert downloaded(page)['images'] == []

    @pytest.mark.parametrize(
        ('change', 'reason'),
        [
            (dict(format='coco'), 'this is no file of corrections'),
            (dict(version=2), 'version 2 is not known here'),
            (dict(keypoints=[]), 'it is of 0 keypoints, this run has 3'),
            (dict(images=[dict(image=3, bad=False, instances=[])]), 'has no name'),
        ],
    )
    def test_another_file_changes_nothing(
        self, change, reason, opened, report, tmp_path
    ):
        page = opened(report)
        before = downloaded(page)
        path = tmp_path / 'other.json'
        path.write_text(json.dumps(before | change))
        page.locator('#file').set_input_files(path)
        page.locator('#status').get_by_text(reason).wait_for()
        assert downloaded(page) == before

    def test_where_the_browser_keeps_nothing(self, context, opened, report):
        context.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw new "
            "DOMException('denied', 'SecurityError'); }});"
        )
        page = opened(report)
        page.get_by_label('Mark 1.jpg as bad').check()
        assert 'download before you leave' in page.locator('#status').inner_text()
        assert image_of(downloaded(page), '1.jpg')['bad']


class TestSafetyAndForm:
    def test_names_run_nothing(self, opened, report):
        page = opened(report)
        assert page.title() == 'a run: keypoints'
        assert page.locator('.tile .name').nth(2).inner_text() == HOSTILE
        assert page.locator('script').count() == 2 and page.locator('b').count() == 0
        assert page.locator('.verdict').first.inner_text() == '⚠ <b>sits</b> still'

    @pytest.mark.parametrize('scheme', ['light', 'dark'])
    @pytest.mark.parametrize('width', [375, 1600])
    def test_nothing_is_wider_than_the_screen(self, width, scheme, opened, report):
        page = opened(report, width=width, height=800)
        page.emulate_media(color_scheme=scheme, reduced_motion='reduce')
        page.locator('#legend-details').evaluate('e => { e.open = true; }')
        page.get_by_text('Where this comes from').click()
        fits = 'document.documentElement.scrollWidth <= innerWidth'
        assert page.evaluate(fits)
        dialog = enlarge(page, '0.jpg')
        box = dialog.bounding_box()
        assert page.evaluate(fits) and box['x'] >= 0
        assert box['x'] + box['width'] <= width and box['height'] <= 800
        assert dialog.evaluate('e => e.scrollWidth <= e.clientWidth')
        assert dialog.evaluate('e => e.scrollHeight <= e.clientHeight')

    @pytest.mark.parametrize('scheme', ['light', 'dark'])
    def test_text_has_enough_contrast(self, scheme, opened, report):
        page = opened(report)
        page.emulate_media(color_scheme=scheme)
        colors = page.evaluate(CONTRASTS)
        assert len(colors) > 20
        assert min(colors.values()) >= 4.5, min(colors.items(), key=lambda c: c[1])

    def test_every_control_has_a_name_and_can_be_seen_to_have_the_focus(
        self, opened, report
    ):
        page = opened(report)
        nameless = page.evaluate(
            """[...document.querySelectorAll('button, input, select, a')].filter(e =>
            !(e.getAttribute('aria-label') || e.textContent.trim()
              || [...e.labels ?? []].some(l => l.textContent.trim())))
            .map(e => e.outerHTML)"""
        )
        assert nameless == []
        page.keyboard.press('Tab')
        assert page.evaluate('document.activeElement.className') == 'skip'
        for _ in range(6):
            page.keyboard.press('Tab')
            outline = page.evaluate(
                'parseFloat(getComputedStyle(document.activeElement).outlineWidth)'
            )
            assert outline >= 2

    def test_help_lists_the_keys(self, opened, report):
        page = opened(report)
        page.keyboard.press('?')
        text = page.locator('#help').inner_text()
        for key in ('Tab', '←', 'n p', '\nb', '\nh', '\nu', 'Esc'):
            assert key in text
        page.keyboard.press('b')  # does nothing below it
        page.keyboard.press('Escape')
        assert page.locator('#help').is_hidden()
        assert downloaded(page)['images'] == []
        # In the box of a name they are letters.
        page.get_by_label('Name of keypoint 0').press_sequentially('hub?')
        assert page.get_by_label('Name of keypoint 0').input_value() == 'hub?'

    def test_a_film_has_a_slider_and_plays(self, opened, tmp_path, data_dir):
        film = tmp_path / 'mouse.avi'
        writer = cv2.VideoWriter(
            str(film), cv2.VideoWriter.fourcc(*'MJPG'), 4, (640, 480)
        )
        folder = data_dir / 'openfield/labeled-data/m4s1'
        for path in sorted(folder.glob('*.jpg'))[:5]:
            writer.write(cv2.imread(str(path)))
        writer.release()
        names = [f'mouse_{index:06d}' for index in range(5)]
        page = opened(write_run(tmp_path / 'run', film, names, time=True))
        assert page.locator('#film').is_visible()
        slider = page.get_by_label('Frame', exact=True)
        slider.fill('3')
        assert page.locator('#film output').inner_text() == '0.75 s, 4 of 5'
        page.get_by_role('button', name='Play').click()
        page.get_by_role('button', name='Pause').wait_for()
        page.get_by_role('button', name='Play').wait_for()  # at the end
        assert slider.input_value() == '4'
        page.get_by_role('button', name='Enlarge frame mouse_000004').click()
        assert page.locator('#enlarged h2').inner_text() == 'mouse_000004'


# Contrast of each element's own text with what is behind it, by WCAG 2.
CONTRASTS = """(() => {
  const parts = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const luminance = (c) => [.2126, .7152, .0722].reduce(
    (sum, w, i) => sum + w * linear(c[i] / 255), 0);
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const color = parts(getComputedStyle(e).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = {};
  const skipped = 'svg *, :disabled, :disabled *, option, script';
  for (const e of document.querySelectorAll(`body *:not(${skipped})`)) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3)
      .map((n) => n.data.trim());
    if (!text.join('') || !e.checkVisibility()) continue;
    const [a, b] = [parts(getComputedStyle(e).color), behind(e)].map(luminance);
    found[`${e.tagName} ${e.className} ${text.join('')}`.slice(0, 60)] =
      (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
  }
  return found;
})()"""
