# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every registered type has a test, a config that uses it, and a row on a page."""

import inspect
import re
from functools import cache
from pathlib import Path

import pytest
from registered import registered_types

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / 'docs/types.md'
# Why no config of this package uses a type.
WITHOUT_CONFIG = {
    'KeypointScoreHook': 'added by whoever wants a training to stop by its score',
    'PartsOptimWrapperConstructor': 'for methods that train their parts by turns',
    'TimeLimitHook': 'added by the demo and by tools, from their --minutes',
    'TimedLearningRateHook': 'added by the demo, beside TimeLimitHook',
    'UnsupervisedPoseEstimator': 'the base of the others, for a method of your own',
}

TYPES = {found.__name__: found for _, found in registered_types()}


@cache
def words(folder, pattern):
    """Every name in the files of a folder, this file left out."""
    texts = (
        path.read_text('utf-8')
        for path in sorted((ROOT / folder).rglob(pattern))
        if path != Path(__file__)
    )
    return {word for text in texts for word in re.findall(r'\w+', text)}


def row(name):
    """The row of a type on the page: its room, and its own first sentence."""
    found = TYPES[name]
    room = found.__module__.rpartition('.')[0]
    sentence = (inspect.getdoc(found) or '').split('\n\n')[0].replace('\n', ' ')
    sentence = re.sub(r':(class|func|mod):`([^`]*)`', r'`\2`', sentence)
    return f'| `{name}` | `{room}` | {sentence.replace("``", "`")} |'


@cache
def rows():
    lines = PAGE.read_text('utf-8').splitlines()
    return [line for line in lines if line.startswith('| `')]


@pytest.mark.parametrize('name', sorted(TYPES))
def test_has_a_test(name):
    assert name in words('tests', '*.py'), f'no test speaks of {name}: write one'


@pytest.mark.parametrize('name', sorted(TYPES))
def test_a_config_uses_it(name):
    if name in WITHOUT_CONFIG:
        return
    assert name in words('configs', '*.py'), (
        f'no config uses {name}: write one, or say why in WITHOUT_CONFIG of this file'
    )


@pytest.mark.parametrize('name', sorted(TYPES))
def test_a_page_names_it(name):
    assert row(name) in rows(), f'add this line to docs/types.md:\n{row(name)}'


def test_the_page_names_nothing_else_and_is_in_order():
    names = [re.match(r'\| `(\w+)`', line)[1] for line in rows()]
    assert names == sorted(TYPES)


def test_reasons_are_of_types_that_no_config_uses():
    assert set(WITHOUT_CONFIG) <= set(TYPES)
    assert not set(WITHOUT_CONFIG) & words('configs', '*.py')
