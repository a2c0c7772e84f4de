"""Starts a real browser."""

import shutil
from contextlib import contextmanager

import pytest


@contextmanager
def chromium(*arguments):
    """A headless browser with further arguments; skips where there is none."""
    sync_api = pytest.importorskip('playwright.sync_api')
    program = shutil.which('chromium') or shutil.which('google-chrome')
    if program is None:
        pytest.skip('there is no Chromium')
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, headless=True, args=['--no-sandbox', *arguments]
        )
        yield browser
        browser.close()
