"""Settings of the config on the command line, without an option before them."""

import argparse
from collections.abc import Sequence

from mmkp.engine.option_values import OptionAction


def parse_with_overrides(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None
) -> argparse.Namespace:
    """Read a command line on which ``KEY=VALUE`` may stand anywhere after the files.

    Args:
        parser: with the arguments of
            :func:`mmkp.engine.cli.add_config_arguments`; gets one more.
        argv: words of the command line, None for those of the program.

    Returns:
        The arguments, the settings merged into ``cfg_options``.
    """
    parser.add_argument(
        'overrides', nargs='*', metavar='KEY=VALUE', help='the same as --cfg-options'
    )
    args = parser.parse_intermixed_args(argv)
    overrides = vars(args).pop('overrides')
    for word in overrides:
        if '=' not in word:
            parser.error(f"unexpected argument '{word}': a setting is KEY=VALUE")
    if overrides:
        OptionAction([], 'cfg_options')(parser, args, overrides, 'KEY=VALUE')
    return args
