"""Settings of the config may stand anywhere behind the files."""

import argparse

import pytest

from mmkp.cli.overrides import parse_with_overrides
from mmkp.engine.cli import add_config_arguments
from mmkp.engine.option_values import meant_value


def parse(*words):
    parser = argparse.ArgumentParser()
    add_config_arguments(parser)
    parser.add_argument('checkpoint')
    parser.add_argument('--amp', action='store_true')
    parser.add_argument('--out')
    return parse_with_overrides(parser, ['config.py', 'a=b.pth', *words])


def settings(args):
    return {key: meant_value(value) for key, value in args.cfg_options.items()}


@pytest.mark.parametrize(
    'words',
    [
        ['--amp', 'x.y=3', 'z=[1,2]', '--out', 'k=v'],
        ['x.y=3', '--amp', '--out', 'k=v', 'z=[1,2]'],
        ['x.y=3', '--amp', '--out', 'k=v', '--cfg-options', 'z=[1,2]'],
        ['--amp', '--out', 'k=v', '--cfg-options', 'x.y=3', 'z=[1,2]'],
    ],
)
def test_settings_among_options(words):
    args = parse(*words)
    assert settings(args) == {'x.y': 3, 'z': [1, 2]}
    # The values of options, and files, may look like settings.
    assert args.amp and args.out == 'k=v' and args.checkpoint == 'a=b.pth'
    assert not hasattr(args, 'overrides')


def test_none():
    assert parse().cfg_options is None


def test_the_plain_form_wins():
    args = parse('x=2', '--cfg-options', 'x=1', 'y=1')
    assert settings(args) == {'x': 2, 'y': 1}


def test_another_word(capsys):
    with pytest.raises(SystemExit) as stopped:
        parse('more')
    assert stopped.value.code == 2
    assert "unexpected argument 'more': a setting is KEY=VALUE" in (
        capsys.readouterr().err
    )
