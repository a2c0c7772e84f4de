# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Export models in each format; differences, errors, sizes and CPU time.

    OMP_NUM_THREADS=1 python tools/benchmarks/export_table.py exports.jsonl
    python tools/benchmarks/export_table.py exports.jsonl --summary

A model in a format is a line of json; models that the file has already are skipped. All
formats of a model are timed in turns, picture by picture, in one process and one
thread. Weights and pictures: see docs/data.md. Random weights have batch norms that are
set by the pictures and a last layer that is scaled so that maps have peaks. Where two
cells are equal but for rounding, PyTorch itself jumps between them: such keypoints are
counted as ties and left out of differences.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import export_models as rows
import torch
from export_figures import figure_of
from measure import machine
from torch import nn

from mmkp.apis.export import export
from mmkp.deployment.check import Difference, NetworkInput, compare_keypoints
from mmkp.deployment.check_people import compare_people
from mmkp.deployment.description import read_description
from mmkp.deployment.graphs import build_graph
from mmkp.deployment.sessions import open_session
from mmkp.engine.cli import run_tool, whole_number

#: Name of a format to precision, runtime, and whether it may round to bfloat16.
FORMATS: dict[str, tuple[str, str, bool]] = {
    'torch': ('float32', 'torch', False),
    'onnx': ('float32', 'onnx', False),
    'openvino': ('float32', 'openvino', False),
    'openvino, bfloat16': ('float32', 'openvino', True),
    'onnx, float16': ('float16', 'onnx', False),
    'onnx, int8': ('int8', 'onnx', False),
    'onnx, int8, by openvino': ('int8', 'openvino', False),
}
EAGER = 'PyTorch'
#: Those that are tested on the model's data set; other float32 files are as 'onnx'.
_SCORED = {EAGER, 'onnx', 'openvino, bfloat16', 'onnx, float16', 'onnx, int8'}
#: Files of float32 exports; float16 and int8 are ONNX.
_FILES = ('torch', 'onnx', 'openvino')
Line = dict[str, Any]


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('file', type=Path, help='a line of json, appended to')
    parser.add_argument(
        '--models', nargs='+', default=list(rows.MODELS), metavar='NAME'
    )
    parser.add_argument(
        '--rounds', type=whole_number(1), default=30, help='timed calls of a format'
    )
    parser.add_argument('--no-figures', action='store_true', help='no errors and AP')
    parser.add_argument('--summary', action='store_true', help='print the table only')
    args = parser.parse_args(argv)
    unknown = sorted(set(args.models) - set(rows.MODELS))
    if unknown:
        parser.error(
            f'--models {", ".join(unknown)}: known are {", ".join(rows.MODELS)}'
        )
    return args


def main(argv: list[str] | None = None) -> None:
    """Measure what is missing, then print the table."""
    args = parse_args(argv)
    lines = read_lines(args.file)
    if not args.summary:
        torch.set_num_threads(1)
        args.file.parent.mkdir(parents=True, exist_ok=True)
        done = {line['model'] for line in lines}
        for name in (one for one in args.models if one not in done):
            found = measure_model(name, args.rounds, not args.no_figures)
            with args.file.open('a', encoding='utf-8') as stream:
                stream.writelines(json.dumps(line) + '\n' for line in found)
            lines += found
        print(machine(1))
    print(summary(lines))


def read_lines(path: Path) -> list[Line]:
    """The lines of a file, none where it is missing."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text('utf-8').splitlines()]


def measure_model(name: str, rounds: int, with_figure: bool) -> list[Line]:
    """Export, compare, time and score a model in each format.

    Args:
        name: of :data:`export_models.MODELS`.
        rounds: timed calls of each format.
        with_figure: whether errors or AP are measured where the model has them.

    Returns:
        A line a format, PyTorch first; one with ``failed`` where it cannot be had.
    """
    row = rows.MODELS[name]
    with rows.quiet():
        made = rows.build(row)
        inputs = rows.compared(made, row)
    about = dict(model=name, weights='trained' if row.trained else 'random')
    lines: list[Line] = [dict(about, format=EAGER)]
    calls: dict[str, Callable] = {EAGER: _eager(made)}
    grouping: dict[str, Any] = {}
    with TemporaryDirectory() as work, rows.quiet():
        folders = _export_all(made, row, Path(work))
        for format, (precision, runtime, bfloat16) in FORMATS.items():
            lines.append(dict(about, format=format))
            try:
                folder = folders[precision, runtime]
                if isinstance(folder, Exception):
                    raise folder
                run = open_session(folder, runtime, 1, bfloat16).run
                grouping = read_description(folder).grouping
                exact = precision == 'float32' and not bfloat16
                lines[-1] |= vars(_difference(run, made, inputs, grouping, exact))
                lines[-1]['bytes'] = _bytes(folder, runtime)
                calls[format] = run
            except Exception as error:  # a row of the table, not the end of it
                lines[-1]['failed'] = f'{type(error).__name__}: {error}'[:500]
        times = interleaved(calls, inputs[0].pixels[None].numpy(), rounds)
        for line in (one for one in lines if one['format'] in calls):
            line['ms'] = times[line['format']]
            if with_figure and row.figure and line['format'] in _SCORED:
                tested = None if line['format'] == EAGER else calls[line['format']]
                line['figure'] = figure_of(made, tested, grouping)
    return lines


def _export_all(
    made: nn.Module, row: rows.Model, work: Path
) -> dict[tuple[str, str], Path | Exception]:
    """Folder, or what went wrong, by precision and runtime."""
    found: dict[tuple[str, str], Path | Exception] = {}
    pictures = rows.picture_folder(row.pictures)
    lower = dict(float16=dict(half=True), int8=dict(int8=rows.picture_folder(row.fit)))
    jobs: list[tuple[str, tuple[str, ...], dict]] = [('float32', _FILES, {})]
    jobs += [(precision, ('onnx',), options) for precision, options in lower.items()]
    while jobs:
        precision, files, options = jobs.pop(0)
        folder = work / f'{precision}-{files[0]}'
        try:
            export(made, files, folder, overwrite=True, data=pictures, **options)
            found |= {(precision, file): folder for file in files}
        except Exception as error:  # a row of the table, not the end of it
            if len(files) > 1:
                jobs += [(precision, (file,), options) for file in files]
            else:
                found[precision, files[0]] = error
    found['int8', 'openvino'] = found['int8', 'onnx']
    return found


def _eager(made: nn.Module) -> Callable:
    """The same graph in PyTorch."""
    graph = build_graph(made).eval()

    def call(inputs: dict[str, Any]) -> Any:
        with torch.inference_mode():
            return graph(torch.from_numpy(inputs['images']))

    return call


def _difference(
    run: Callable,
    made: nn.Module,
    inputs: list[NetworkInput],
    grouping: dict[str, Any],
    exact: bool,
) -> Difference:
    """How far a file's results lie from the model's."""
    tolerance = 1e-3 if exact else None
    if grouping:
        return compare_people(run, 'file', made, inputs, grouping, tolerance=tolerance)
    return compare_keypoints(run, 'file', made, inputs, tolerance=tolerance)


def _bytes(folder: Path, runtime: str) -> int:
    """Size of the file, weights beside it included."""
    files = read_description(folder).files
    path = folder / files.get(runtime, files.get('onnx', ''))
    # OpenVINO's weights have a file of their own.
    parts = [path, path.with_suffix('.bin')] if path.suffix == '.xml' else [path]
    return sum(one.stat().st_size for one in parts)


def interleaved(
    calls: dict[str, Callable], images: Any, rounds: int
) -> dict[str, float]:
    """CPU milliseconds of calls that take turns, medians.

    Args:
        calls: by name, each is given ``images`` by that name.
        images: (1, 3, H, W).
        rounds: timed calls of each, after two that are not.
    """
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds + 2):
        for name, call in calls.items():
            start = time.process_time()
            call({'images': images})
            times[name].append(time.process_time() - start)
    return {name: 1e3 * statistics.median(spent[2:]) for name, spent in times.items()}


def summary(lines: list[Line]) -> str:
    """The table, Markdown.

    Args:
        lines: of :func:`measure_model`.
    """
    head = (
        'model',
        'weights',
        'format',
        'largest difference, px',
        'ties',
        'error, % or AP',
        'MB',
        'CPU ms',
        'of PyTorch',
    )
    out = [' | '.join(head), ' | '.join(['---'] * len(head))]
    eager = {one['model']: one.get('ms') for one in lines if one['format'] == EAGER}
    for line in lines:
        if 'failed' in line:
            cells = [line['failed'], *[''] * 5]
        else:
            cells = _cells(line, eager.get(line['model']))
        out.append(' | '.join([line['model'], line['weights'], line['format'], *cells]))
    return '\n'.join(f'| {row} |' for row in out)


def _cells(line: Line, eager: float | None) -> list[str]:
    known = 'largest' in line
    tied = f'{line["ties"]} of {line["keypoints"]}' if known and line['ties'] else ''
    spent = line.get('ms')
    figure = line.get('figure')
    return [
        f'{line["largest"]:.2g}' if known else '',
        tied,
        '' if figure is None else f'{figure:.2f}',
        f'{line["bytes"] / 1e6:.2f}' if 'bytes' in line else '',
        '' if spent is None else f'{spent:.3g}',
        f'{spent / eager:.2f}' if spent and eager else '',
    ]


if __name__ == '__main__':
    run_tool(main)
