"""The verb ``info``: what a file or folder is, and what to do with it."""

import argparse
import json
from collections.abc import Sequence

from mmkp.apis.info import info
from mmkp.cli.results import add_json_argument


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Say what a run, checkpoint, config, label file, film or folder of '
        'images is, what it holds and what the next command could be',
    )
    parser.add_argument('path', metavar='PATH', help='file or folder')
    add_json_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Say it; the path comes first here, as there is no result."""
    args = parse_args(argv, prog)
    found = info(args.path)
    if args.json:
        content = dict(path=str(found.path), kind=found.kind, **found.facts)
        print(json.dumps(dict(content, next=found.commands), ensure_ascii=False))
    else:
        print('\n'.join(found.lines()))
