"""The verb ``test``: test a checkpoint."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.fileio import dump

from mmkp.cli.overrides import parse_with_overrides
from mmkp.cli.run_words import with_run
from mmkp.engine.cli import add_config_arguments, config_from_arguments
from mmkp.engine.loader_options import settle_loaders
from mmkp.engine.quiet_runner import QuietRunner
from mmkp.engine.runner_options import (
    dump_predictions,
    set_checkpoint,
    show_bad_cases,
    show_predictions,
)


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(prog=prog, description='Test a pose model')
    add_config_arguments(parser, launcher=True)
    parser.add_argument(
        'checkpoint', help='checkpoint file; a folder of a run stands for both'
    )
    parser.add_argument('--out', help='json file for the metrics')
    parser.add_argument('--dump', help='pickle file for the predictions')
    parser.add_argument('--show-dir', help='folder for pictures of the predictions')
    parser.add_argument('--show', action='store_true', help='show them in a window')
    parser.add_argument('--interval', type=int, default=1, help='of those pictures')
    parser.add_argument('--wait-time', type=float, default=1, help='seconds a picture')
    parser.add_argument(
        '--badcase', action='store_true', help='only the worst predictions'
    )
    return parse_with_overrides(parser, argv)


def configure(args: argparse.Namespace) -> Config:
    """Turn the command line into a config."""
    cfg = config_from_arguments(args)
    set_checkpoint(cfg, args.checkpoint)
    if args.badcase:
        show_bad_cases(cfg, args.show_dir, args.show, args.wait_time)
    elif args.show or args.show_dir:
        show_predictions(cfg, args.show_dir, args.interval, args.show, args.wait_time)
    if args.dump:
        dump_predictions(cfg, args.dump)
    settle_loaders(cfg)
    return cfg


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Test."""
    args = parse_args(with_run(argv, prog), prog)
    runner = QuietRunner.from_cfg(configure(args))
    metrics = runner.test()
    if args.out and metrics and is_main_process():
        Path(args.out).parent.mkdir(parents=True, exist_ok=True)
        dump(metrics, args.out)
