"""The verb ``train``: train a model from a config, or from a file of labels."""

import argparse
import sys
from collections.abc import Sequence
from os.path import isfile

from mmengine.config import Config

from mmkp.apis.run import Run
from mmkp.apis.train_labels import (
    TRAINING,
    begin_training,
    finish_training,
    is_label_file,
)
from mmkp.cli.overrides import parse_with_overrides
from mmkp.cli.results import add_result_arguments, print_result
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
    parser = argparse.ArgumentParser(
        prog=prog,
        description='Train a pose model, as CONFIG says, or by a file of labels in '
        'place of CONFIG: of any format that mmkp reads, into a run',
    )
    add_config_arguments(parser, launcher=True)
    labels = parser.add_argument_group('with labels in place of CONFIG')
    labels.add_argument(
        '--unlabeled',
        metavar='FOLDER',
        help='images without labels, to learn from beside the labeled ones',
    )
    labels.add_argument(
        '--images', metavar='FOLDER', help='of the labels, where it is not near them'
    )
    add_result_arguments(labels)
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
    return parse_with_overrides(parser, _with_values(argv))


def _with_values(argv: Sequence[str] | None) -> list[str]:
    """Words in which --amp and --resume take no setting or file for their value."""
    words = list(sys.argv[1:] if argv is None else argv)
    for index, word in enumerate(words):
        following = words[index + 1 : index + 2]
        if word == '--amp':
            given = [kind for kind in following if kind in DTYPES]
        elif word == '--resume':
            given = [path for path in following if '=' not in path or isfile(path)]
            given = [path for path in given if not path.startswith('-')]
        else:
            continue
        words[index : index + 1 + len(given)] = [f'{word}={(*given, "auto")[0]}']
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
    args = parse_args(argv, prog)
    run = _run_of_labels(args)
    try:
        runner = QuietRunner.from_cfg(configure(args))
        runner.train()
    except KeyboardInterrupt:
        print('interrupted', file=sys.stderr)
        sys.exit(130)
    if run is not None:
        finish_training(run, runner)
        if not args.json:
            print(' '.join(f'{k} {v}' for k, v in run.info['figures'].items()))
        print_result(args, run.path, **run.info)


_OF_LABELS = ('unlabeled', 'images', 'out', 'overwrite', 'json')


def _run_of_labels(args: argparse.Namespace) -> Run | None:
    """Begin a run where labels stand in place of the config, which takes its place."""
    if not is_label_file(args.config):
        if any(getattr(args, name) for name in _OF_LABELS):
            raise ValueError(
                f'--{", --".join(_OF_LABELS)} are for labels in place of CONFIG, and '
                f"'{args.config}' is no file of them"
            )
        return None
    if args.work_dir:
        raise ValueError(
            f"--work-dir is for CONFIG: the run of '{args.config}' is named by -o"
        )
    resume = bool(args.resume)
    run = begin_training(
        args.config,
        args.unlabeled,
        args.out,
        args.overwrite,
        resume,
        args.cfg_options,
        args.images,
    )
    if not resume:
        args.cfg_options = None  # the config holds them
    args.config = str(run.config_file)
    args.work_dir = str(run.path / TRAINING)
    return run
