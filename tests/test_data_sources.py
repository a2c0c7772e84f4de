"""Every data set and weights file that a config names has a row in docs/data.md."""

import re
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = [p for p in ROOT.glob('configs/*_2d_keypoint/**/*.py')]
EXPERIMENTS = sorted(p for p in CONFIGS if '_base_' not in p.parts)
ROWS = [
    cells.split('|')[1:-1]
    for cells in (ROOT / 'docs/data.md').read_text('utf-8').splitlines()
    if cells.startswith('| `')
]
SOURCES = [source for row in ROWS for source in re.findall(r'`([^`]+)`', row[0])]
REMOTE = ('torchvision://', 'mmcls://', 'https://', 'http://')


def paths_in(value, key=''):
    """Whatever a config wants to read, as (key, path)."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from paths_in(item, name)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from paths_in(item, key)
    elif isinstance(value, str):
        local = value.startswith(('data/', 'work_dirs/'))
        if key in ('data_root', 'weights', 'base_model', 'checkpoint') or local:
            yield key, value
        elif value.startswith(REMOTE):
            yield key, value


def read_by(config):
    """Those paths which are no folder below a ``data_root``."""
    config.pop('work_dir', None)
    return {
        v for k, v in paths_in(config.to_dict()) if not v.endswith('/') or k != 'img'
    }


@pytest.mark.parametrize('path', EXPERIMENTS, ids=lambda path: path.stem)
def test_has_a_row(path):
    for name in read_by(Config.fromfile(path)):
        rows = [s for s in SOURCES if f'{name}/'.startswith(f'{s}/')]
        assert rows, f'{name} of {path.name} has no row in docs/data.md'


def test_rows_say_everything_and_are_used():
    assert all(len(row) == 5 and all(cell.strip() for cell in row) for row in ROWS)
    assert len(set(SOURCES)) == len(SOURCES)
    text = '\n'.join(p.read_text() for p in ROOT.glob('configs/**/*.py'))
    for source in SOURCES:
        # Some are put together in the config: f'{root}/{name}'.
        assert Path(source).name in text, f'no config names {source}'


def test_converters_exist():
    text = (ROOT / 'docs/data.md').read_text('utf-8')
    converters = set(re.findall(r'`(?:python )?(?:[\w/]*/)?(\w+_to_\w+\.py)', text))
    assert len(converters) > 10
    for name in converters:
        assert list(ROOT.glob(f'tools/*_converters/{name}')), name
