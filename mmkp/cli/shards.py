"""``mmkp predict --shard``: one of several processes, and what is merged of them."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmkp.apis.merge_shards import merge_shards, missing
from mmkp.apis.predict import check_formats
from mmkp.apis.predict_into import PredictionInterruptedError
from mmkp.apis.predict_options import PredictOptions
from mmkp.apis.predict_shard import write_shard
from mmkp.apis.predictions import FORMAT_FILES
from mmkp.apis.run import Run
from mmkp.apis.shard_part import read_state, states_of
from mmkp.apis.shards import read_shard
from mmkp.cli.results import add_formats_argument, add_json_argument, print_result


def add_shard_arguments(parser: argparse.ArgumentParser) -> None:
    """Add ``--shard`` and ``--merge``.

    Args:
        parser: of the verb ``predict``.
    """
    shards = parser.add_argument_group('several processes')
    shards.add_argument(
        '--shard',
        metavar='I/N',
        help='be process I (from 0) of N, each of which predicts its share of the '
        'source into -o; the last one merges them. auto: the task of a job of Slurm. '
        'The same call goes on after an interruption',
    )
    shards.add_argument(
        '--merge',
        metavar='OUT',
        help='merge the shards in OUT, with -f, and do nothing else: for parts that '
        'were copied together',
    )


def merge_main(argv: Sequence[str], prog: str | None = None) -> None:
    """Merge what shards have written.

    Args:
        argv: words of the command line, ``--merge`` among them.
        prog: the command.
    """
    parser = argparse.ArgumentParser(
        prog=prog, description='Merge what the shards of a prediction have written'
    )
    parser.add_argument('--merge', metavar='OUT', required=True, help='the folder')
    add_formats_argument(parser, FORMAT_FILES, 'json')
    add_json_argument(parser)
    args = parser.parse_args(argv)
    formats = args.formats
    check_formats(formats)
    found = merge_shards(args.merge, formats)
    print_result(args, found.path, **found.figures)


def shard_main(
    args: argparse.Namespace,
    model: Any,
    source: Any,
    options: PredictOptions,
    formats: Sequence[str],
    run: Run | None,
) -> None:
    """Predict a shard, and merge all where it is the last one.

    Args:
        args: of the verb ``predict``.
        model: that was loaded.
        source: of all shards.
        options: how.
        formats: files to write of all.
        run: that the model is of.
    """
    if args.out is None:
        raise ValueError('shards write into one folder: name it with -o')
    if args.overwrite:
        raise ValueError(
            '--overwrite would remove what the other shards have written: remove '
            f"'{args.out}' before they begin, or name another folder with -o"
        )
    shard, out = read_shard(args.shard), Path(args.out)
    try:
        found = write_shard(model, source, out, shard, options, formats, run)
    except PredictionInterruptedError as error:
        print(f'{error}\nto go on: repeat the command', file=sys.stderr)
        raise
    state = read_state(shard.folder(out)) or {}
    told = dict(shard=str(shard), shard_images=state.get('images'))
    if found is None:
        lacking = missing(states_of(out))
        if not args.json:
            print(f'shard {shard}: {told["shard_images"]} images; {lacking}')
        print_result(args, out, **told, merged=False)
    else:
        print_result(args, out, **told, merged=True, **found.figures)
