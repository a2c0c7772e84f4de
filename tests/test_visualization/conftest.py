"""Pages of runs, open in a real browser that complains of nothing."""

import shutil

import pytest
from chromium import chromium
from report_page import HOSTILE, write_run


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
    with chromium() as browser:
        yield browser


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
