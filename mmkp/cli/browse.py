"""The verb ``browse``: the images of a config with their targets, as one picture."""

import argparse
from collections.abc import Sequence

from mmkp.apis.browse import PHASES, browse
from mmkp.cli.overrides import parse_with_overrides
from mmkp.cli.results import add_result_arguments, print_result
from mmkp.engine.cli import whole_number
from mmkp.engine.option_values import OptionAction
from mmkp.visualization.dataset_pictures import MODES


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog, description='Draw images of a config with their targets'
    )
    parser.add_argument('config', metavar='CONFIG|RUN', help='config, or folder')
    parser.add_argument(
        '-n', '--number', type=whole_number(1), default=16, help='of images'
    )
    parser.add_argument('--phase', choices=PHASES, default='train')
    parser.add_argument('--mode', choices=MODES, default='transformed')
    parser.add_argument(
        '--cfg-options', nargs='+', action=OptionAction, help=argparse.SUPPRESS
    )
    add_result_arguments(parser)
    return parse_with_overrides(parser, argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Draw."""
    args = parse_args(argv, prog)
    sheet = browse(
        args.config,
        args.out,
        args.number,
        args.phase,
        args.mode,
        args.cfg_options,
        args.overwrite,
    )
    print_result(args, sheet.path)
