"""The page of a run names keypoints, keeps corrections and is safe, in a browser."""

import json

import cv2
import pytest
from report_page import HOSTILE, downloaded, enlarge, image_of, write_run


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
