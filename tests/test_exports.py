"""Every registered type can be imported from the room that it lives in."""

import importlib

import pytest
from registered import registered_types

TYPES = sorted(
    {found for _, found in registered_types()}, key=lambda found: found.__qualname__
)


def test_there_are_many():
    assert len(TYPES) > 60


@pytest.mark.parametrize('found', TYPES, ids=lambda found: found.__name__)
def test_is_exported(found):
    parts = found.__module__.split('.')
    # The room, and the folder in it where there is one.
    for depth in range(2, len(parts)):
        room = importlib.import_module('.'.join(parts[:depth]))
        assert getattr(room, found.__name__, None) is found
        assert found.__name__ in room.__all__ and found.__name__ in dir(room)


@pytest.mark.parametrize(
    'room', ['apis', 'codecs', 'datasets', 'engine', 'evaluation', 'models']
)
def test_what_is_exported_is_there_once(room):
    module = importlib.import_module(f'mmkp.{room}')
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, name) for name in module.__all__)
