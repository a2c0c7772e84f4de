"""Plot curves of trainings, or tell how long an iteration took.

python tools/analysis_tools/analyze_logs.py plot_curve WORK_DIR --keys loss --out l.png
python tools/analysis_tools/analyze_logs.py cal_train_time WORK_DIR
"""

import argparse

from mmkp.engine.cli import run_tool
from mmkp.engine.log_analysis import (
    plot_scalars,
    read_scalars,
    series_of,
    time_summary,
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description='Analyse logs')
    tasks = parser.add_subparsers(dest='task', required=True)
    for task, about in (
        ('plot_curve', 'plot curves into a picture'),
        ('cal_train_time', 'time of an iteration'),
        ('keys', 'names of what was logged, with the last values'),
    ):
        sub = tasks.add_parser(task, help=about)
        sub.add_argument('logs', nargs='+', help='work directories or scalars.json')
        if task == 'plot_curve':
            sub.add_argument('--keys', nargs='+', default=['loss'])
            sub.add_argument('--legend', nargs='+', help='one for each log and key')
            sub.add_argument('--title')
            sub.add_argument('--out', default='curves.png')
    return parser.parse_args()


def plot(args: argparse.Namespace) -> None:
    """Plot each key of each log."""
    curves = {}
    for log in args.logs:
        scalars = read_scalars(log)
        for key in args.keys:
            name = f'{log} {key}' if len(args.logs) > 1 else key
            curves[name] = series_of(scalars, key, log)
    if args.legend:
        if len(args.legend) != len(curves):
            raise ValueError(f'--legend needs {len(curves)} names')
        curves = dict(zip(args.legend, curves.values(), strict=True))
    plot_scalars(curves, args.out, args.title)
    print(f'curves: {args.out}')


def main() -> None:
    """Do the task."""
    args = parse_args()
    if args.task == 'plot_curve':
        plot(args)
        return
    for log in args.logs:
        scalars = read_scalars(log)
        if args.task == 'cal_train_time':
            print(f'{log}: {time_summary(scalars)}')
            continue
        print(log)
        for key, series in sorted(scalars.items()):
            print(f'  {key:40} {len(series):6} values, last {series[-1, 1]:.6g}')


if __name__ == '__main__':
    run_tool(main)
