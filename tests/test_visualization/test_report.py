"""The page of a run as text: what it holds, how large it is, what it does not run."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from mmkp.visualization.report import (
    EmbeddedPictures,
    page_images,
    render_page,
    render_preview,
)

HOSTILE = '</script><script>alert(1)</script>"\'><img src=x onerror=alert(2)>.png'
FACTS = dict(
    title=HOSTILE, sentence=HOSTILE, figures={HOSTILE: HOSTILE}, command=HOSTILE,
    source=HOSTILE, created=HOSTILE, version='1', what='images', remarks=[HOSTILE],
)  # fmt: skip


class Elements(HTMLParser):
    """Tags with their attributes, and the text of scripts and styles."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], {}
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.setdefault(len(self.tags) - 1, data)

    def of(self, tag):
        return [
            (attributes, self.texts.get(index))
            for index, (found, attributes) in enumerate(self.tags)
            if found == tag
        ]


def decoded(url):
    start, content = url.split(',')
    assert start == 'data:image/webp;base64'
    content = np.frombuffer(base64.b64decode(content), np.uint8)
    return cv2.imdecode(content, cv2.IMREAD_COLOR)


class TestEmbeddedPictures:
    def test_all_together_fit_and_use_what_there_is(self):
        rng = np.random.default_rng(0)
        coarse = rng.integers(0, 255, (20, 60, 60, 3), dtype=np.uint8)
        images = [cv2.resize(image, (800, 600)) for image in coarse]
        encoder = EmbeddedPictures(len(images), 200_000)
        urls = [encoder.encode(image) for image in images]
        assert 130_000 < sum(map(len, urls)) <= 200_000
        sizes = [decoded(url).shape for url in urls]
        for height, width, _ in sizes:
            assert width / height == pytest.approx(4 / 3, abs=0.02)

    def test_the_share_of_what_is_gone_goes_to_the_others(self):
        rng = np.random.default_rng(0)
        noise = rng.integers(0, 255, (600, 600, 3), dtype=np.uint8)
        alone, among = EmbeddedPictures(1, 20_000), EmbeddedPictures(4, 20_000)
        for _ in range(3):
            among.skip()
        assert among.encode(noise) == alone.encode(noise)

    def test_a_small_image_keeps_its_pixels(self):
        image = np.zeros((30, 50, 3), np.uint8)
        image[:, 25:] = (200, 90, 30)
        found = decoded(EmbeddedPictures(1, 10**6).encode(image))
        assert np.abs(found.astype(int) - image).mean() < 6
        assert found.shape == image.shape

    def test_no_room_gives_the_smallest_picture(self):
        noise = np.random.default_rng(0).integers(0, 255, (99, 400, 3), dtype=np.uint8)
        assert decoded(EmbeddedPictures(9, 0).encode(noise)).shape == (4, 16, 3)


def record(name='a.png', num_keypoints=2, **extra):
    points = [[10.12345, 20.5]] * num_keypoints
    instance = dict(keypoints=points, keypoint_scores=[0.5] * num_keypoints)
    return dict(image=name, width=40, height=30, instances=[instance], **extra)


class TestRecords:
    def test_evenly_spaced(self):
        keypoints = dict(images=[record(str(index)) for index in range(101)])
        images, number, num_keypoints = page_images(keypoints, 5, 'k.json')
        assert [image.name for image in images] == ['0', '25', '50', '75', '100']
        assert (number, num_keypoints) == (101, 2)
        assert images[0].instances == [[[10.123, 20.5, 0.5]] * 2]

    def test_missing_points_and_scores(self):
        given = record(time=1)
        instance = given['instances'][0]
        instance['keypoints'] = [[None, None], [1, 2]]
        instance['keypoint_scores'] = None
        (image,), _, _ = page_images(dict(images=[given]), 9, 'k.json')
        assert image.instances == [[[None, None, 1.0], [1.0, 2.0, 1.0]]]
        assert image.time == 1.0

    @pytest.mark.parametrize(
        ('change', 'told'),
        [
            (dict(width=0), r"'k\.json', image 1: ValueError 0x30 pixels"),
            (dict(width=None), 'image 1: TypeError'),
            (dict(instances=[{}]), "image 1: KeyError 'keypoints'"),
            (dict(instances=[dict(keypoints=[1, 2, 3])]), 'image 1: ValueError'),
            (dict(instances=[dict(keypoints=[[1, 2]])]), 'objects of 1 and 2 keyp'),
            (dict(time='soon'), 'image 1: ValueError'),
        ],
    )
    def test_what_is_no_record_is_told(self, change, told):
        keypoints = dict(images=[record(), record() | change])
        with pytest.raises(ValueError, match=told):
            page_images(keypoints, 9, 'k.json')

    @pytest.mark.parametrize('images', [None, [], 'abc'])
    def test_no_images(self, images):
        with pytest.raises(ValueError, match="'k.json' lists no images"):
            page_images(dict(images=images), 9, 'k.json')


@pytest.fixture(scope='module')
def page():
    keypoint = dict(
        name=HOSTILE, partner=None, color='#ff0000', score=0.5, verdict=HOSTILE
    )
    data = dict(
        key='k', run=HOSTILE, source=HOSTILE, keypoints=[keypoint], links=[],
        images=[dict(name=HOSTILE, width=9, height=9, time=None, instances=[])],
    )  # fmt: skip
    return Elements(render_page(FACTS, data)), data


class TestPage:
    def test_what_data_say_is_text(self, page):
        elements, data = page
        assert [a.get('type') for a, _ in elements.of('script')] == [
            'application/json',
            None,
        ]
        assert not elements.of('img')
        for _, attributes in elements.tags:
            assert not [name for name in attributes if name.startswith('on')]
        assert json.loads(elements.of('script')[0][1]) == data

    def test_its_policy_lets_its_own_script_and_style_run_and_nothing_else(self, page):
        elements, _ = page
        (policy,) = (
            attributes['content']
            for attributes, _ in elements.of('meta')
            if attributes.get('http-equiv') == 'Content-Security-Policy'
        )
        rules = dict(rule.split(' ', 1) for rule in policy.split('; '))
        for rule, (_, text) in (
            ('script-src', elements.of('script')[1]),
            ('style-src', elements.of('style')[0]),
        ):
            digest = hashlib.sha256(text.encode()).digest()
            assert rules.pop(rule) == f"'sha256-{base64.b64encode(digest).decode()}'"
        assert rules == {
            'default-src': "'none'",
            'img-src': 'data:',
            'base-uri': "'none'",
            'form-action': "'none'",
        }

    def test_it_names_no_other_file(self, page):
        elements, _ = page
        links = [a['href'] for _, a in elements.tags if 'href' in a]
        assert links == ['#images']
        assert not [a for _, a in elements.tags if 'src' in a or 'style' in a]
        (_, style), = elements.of('style')  # fmt: skip
        assert not re.search(r'url\(|@import|-webkit-|-moz-', style)

    def test_controls_have_names(self, page):
        elements, _ = page
        for attributes, _ in elements.of('input'):
            if attributes['type'] != 'checkbox':  # which stand in their labels
                assert attributes['aria-label']
        html, _ = elements.of('html')[0]
        assert html['lang'] == 'en'
        assert elements.of('title')[0][1].endswith(': keypoints')


def test_a_preview_is_escaped_and_colors_points_by_their_number():
    (image,), _, _ = page_images(dict(images=[record(HOSTILE)]), 1, 'k.json')
    image.instances[0][0] = [None, None, 0.1]
    elements = Elements(
        render_preview(
            path='a b/report.html',
            title=HOSTILE,
            sentence='',
            number=1,
            megabytes='0.1',
            colors=['#111111', '#222222'],
            images=[image],
        )  # fmt: skip
    )
    assert not elements.of('script') and not elements.of('img')
    (circle, _), = elements.of('circle')  # fmt: skip
    assert (circle['fill'], circle['cx'], circle['cy']) == ('#222222', '10.123', '20.5')
    assert elements.of('a')[0][0]['href'] == 'a b/report.html'
