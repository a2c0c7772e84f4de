"""The verb ``train``: train a model from a config."""

import argparse
import sys
from collections.abc import Sequence

from mmengine.config import Config

from mmkp.cli.overrides import parse_with_overrides
from mmkp.engine.cli import add_config_arguments, config_from_arguments
from mmkp.engine.loader_options import settle_loaders
from mmkp.engine.mixed_precision import DTYPES, use_mixed_precision
from mmkp.engine.quiet_runner import QuietRunner
from mmkp.engine.runner_options import (
    complete_hooks,
    set_resume,
    show_predictions,
    without_validation,
)


def parse_args(
    argv: Sequence[str] | None = None, prog: str | None = None
) -> argparse.Namespace:
    """Read the command line, or these words of one."""
    parser = argparse.ArgumentParser(prog=prog, description='Train a pose model')
    add_config_arguments(parser, launcher=True)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='CHECKPOINT',
        help='go on from a checkpoint, or from the newest readable one of the work '
        'directory when none is named',
    )
    parser.add_argument(
        '--amp',
        choices=('auto', *DTYPES),
        metavar='DTYPE',
        help='mixed precision: bfloat16 or float16; by itself, float16 on a GPU '
        '(bfloat16 rounds 8 times as coarsely), bfloat16 on a CPU. Validation is '
        'float32',
    )
    parser.add_argument('--no-validate', action='store_true', help='only train')
    parser.add_argument('--seed', type=int, help='of all random numbers')
    parser.add_argument(
        '--deterministic', action='store_true', help='slower, repeatable GPU kernels'
    )
    parser.add_argument(
        '--auto-scale-lr', action='store_true', help='scale the rate with the batch'
    )
    parser.add_argument('--show-dir', help="folder for MMPose's validation pictures")
    parser.add_argument('--interval', type=int, default=50, help='of those pictures')
    return parse_with_overrides(parser, _amp_with_value(argv))


def _amp_with_value(argv: Sequence[str] | None) -> list[str]:
    """Words with ``--amp=DTYPE`` as one, so that --amp takes no other for its value."""
    words = list(sys.argv[1:] if argv is None else argv)
    for index, word in enumerate(words):
        if word == '--amp':
            given = [kind for kind in words[index + 1 : index + 2] if kind in DTYPES]
            words[index : index + 1 + len(given)] = [f'--amp={(*given, "auto")[0]}']
    return words


def configure(args: argparse.Namespace) -> Config:
    """Turn the command line into a config."""
    cfg = config_from_arguments(args)
    if args.no_validate:
        without_validation(cfg)
    if args.amp:
        use_mixed_precision(cfg, None if args.amp == 'auto' else args.amp)
    if args.seed is not None:
        cfg.merge_from_dict({'randomness.seed': args.seed})
    if args.deterministic:
        cfg.merge_from_dict({'randomness.deterministic': True})
    if args.auto_scale_lr:
        cfg.merge_from_dict({'auto_scale_lr.enable': True})
    if args.show_dir:
        show_predictions(cfg, args.show_dir, args.interval)
    if args.resume:
        set_resume(cfg, args.resume)
    settle_loaders(cfg)
    complete_hooks(cfg)
    return cfg


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Train; before the first step, Ctrl-C leaves nothing to save."""
    try:
        QuietRunner.from_cfg(configure(parse_args(argv, prog))).train()
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)
