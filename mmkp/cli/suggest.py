"""The verb ``suggest``: which images to label next, and why."""

import argparse
from collections.abc import Sequence

from mmkp.apis.suggest import suggest
from mmkp.cli.results import add_result_arguments, print_result


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog, description='Say which images to label or correct next, and why'
    )
    parser.add_argument('run', metavar='RUN', help='folder of a run')
    parser.add_argument('source', metavar='SOURCE', help='folder of images, or film')
    parser.add_argument(
        '-n', '--number', type=int, default=20, help='how many (default: 20)'
    )
    parser.add_argument(
        '--labels', help='file of the labels that there are; they are left out'
    )
    parser.add_argument('-d', '--device', help='such as cpu or cuda:0')
    add_result_arguments(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Suggest images."""
    args = parse_args(argv, prog)
    found = suggest(
        args.run,
        args.source,
        args.number,
        args.labels,
        args.out,
        args.overwrite,
        args.device,
    )
    if not args.json:
        for row in found.rows:
            print(f'{row["image"]}: {row["reason"]}')
    print_result(args, found.path, suggestions=found.rows)
