"""Points on the page of a run are corrected by mouse, touch and keys."""

import pytest
from report_page import HOSTILE, POINTS, downloaded, enlarge, image_of


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
