# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""``python -m mmkp.testing CONFIG`` checks a method and prints a line a check."""

import argparse
import sys
from collections.abc import Sequence

from mmkp.cli.overrides import parse_with_overrides
from mmkp.engine.cli import (
    add_config_arguments,
    config_from_arguments,
    run_tool,
    whole_number,
)
from mmkp.testing.check import CheckFailed, CheckResult
from mmkp.testing.run import check_method
from mmkp.testing.table import CHECKS


def parse_args(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(
        prog='python -m mmkp.testing',
        description='Check that a method does what every method has to',
        epilog=f'checks: {", ".join(CHECKS)}',
    )
    add_config_arguments(parser)
    parser.add_argument(
        '--checks', nargs='+', metavar='NAME', help='those to run; by default all'
    )
    parser.add_argument(
        '--skip', nargs='+', metavar='NAME', default=[], help='those to leave out'
    )
    parser.add_argument(
        '--steps',
        type=whole_number(1),
        default=20,
        help='of the training after which the loss has to have fallen',
    )
    return parse_with_overrides(parser, argv)


def print_result(result: CheckResult) -> None:
    """Print a line a check; what failed is told in full."""
    line = f'{result.status:8} {result.name:36} {result.seconds:6.2f} s'
    print(f'{line}  {result.message}'.rstrip(), flush=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Check a method.

    Args:
        argv: words of the command line, None for those of the program.

    Returns:
        1 where a check failed, else 0.
    """
    args = parse_args(argv)
    skip = dict.fromkeys(args.skip, 'left out on the command line')
    try:
        results = check_method(
            config_from_arguments(args),
            checks=args.checks,
            skip=skip,
            steps=args.steps,
            on_result=print_result,
        )
    except CheckFailed as error:
        print(str(error).splitlines()[0].rstrip(':'))
        return 1
    passed = sum(result.status == 'passed' for result in results)
    print(f'{passed} of {len(results)} checks passed, none failed')
    return 0


if __name__ == '__main__':
    run_tool(lambda: sys.exit(main()))
