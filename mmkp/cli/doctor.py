"""The verb ``doctor``: what is installed here, what is missing, whether it works."""

import argparse
import json
from collections.abc import Sequence

from mmkp.apis.doctor import doctor
from mmkp.cli.results import add_json_argument


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Say what is installed here and what is missing, and test it: the '
        'text that a bug report begins with',
    )
    parser.add_argument(
        '--no-test', dest='test', action='store_false', help='leave out the self-test'
    )
    add_json_argument(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> int:
    """Print it; 1 where a check of the self-test fails."""
    args = parse_args(argv, prog)
    found = doctor(args.test)
    print(json.dumps(found.to_dict(), ensure_ascii=False) if args.json else found)
    return int(bool(found.broken))
