"""What all verbs share: where they write, and what they print last."""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def add_result_arguments(parser: argparse._ActionsContainer) -> None:
    """Add the arguments of verbs that write a result.

    Args:
        parser: of the verb.
    """
    parser.add_argument(
        '-o', '--out', help='what to write (default: runs/<verb>/<name>, numbered)'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='replace what -o names'
    )
    add_json_argument(parser)


def comma_words(text: str) -> list[str]:
    """Read words with commas between them.

    Args:
        text: of the command line.
    """
    return [word.strip() for word in text.split(',') if word.strip()]


def add_formats_argument(
    parser: argparse._ActionsContainer, known: Iterable[str], default: str
) -> None:
    """Add ``--formats``, a list.

    Args:
        parser: of the verb.
        known: names that can be given.
        default: what is written where none is.
    """
    parser.add_argument(
        '-f',
        '--formats',
        type=comma_words,
        default=default,
        help=f'files to write, with commas between them: {", ".join(known)} '
        '(default: %(default)s)',
    )


def add_json_argument(parser: argparse._ActionsContainer) -> None:
    """Add ``--json``.

    Args:
        parser: of the verb.
    """
    parser.add_argument(
        '--json', action='store_true', help='print one json object, for machines'
    )


def print_result(args: argparse.Namespace, path: str | Path, **known: Any) -> None:
    """Print the path of the result as the last line, or one json object.

    Args:
        args: with ``json``.
        path: of the result.
        **known: what else the object says; plain data.
    """
    if args.json:
        print(json.dumps(dict(path=str(path), **known), ensure_ascii=False))
    else:
        print(path)
