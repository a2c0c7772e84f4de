"""Try mmkp in other environments, one after the other, and write docs/matrix.md.

    python tools/misc/matrix.py              # every row
    python tools/misc/matrix.py py3.12       # the rows whose names hold each word
    python tools/misc/matrix.py --list       # their names

A row is an interpreter `pythonX.Y` on the PATH, a torch, a NumPy, an MMCV and a way to
install. Its environment is made, tried and, unless --keep is given, removed. What is
tried: the smoke tests, then a training and a prediction by the command `mmkp` in an
empty folder. A row that was tried replaces its line in the page; others stay.
"""

import argparse
import datetime
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/matrix.md'
SMOKE = (
    'tests/test_ops',
    'tests/test_codecs',
    'tests/test_models/test_heads',
    'tests/test_models/test_losses',
    'tests/test_models/test_unsupervised.py',
    'tests/test_models/test_stacked_hourglass.py',
    'tests/test_apis/test_mmpose_apis.py',
    'tests/test_engine/test_checkpoint.py',
    'tests/test_compat.py',
    'tests/test_import.py',
)
HEAD = '| Python | torch | NumPy | MMCV | install | result | date | row |'
# Python, torch, NumPy, MMCV, install.
ROWS = (
    ('3.10', '2.1.0', '1.24.4', 'mmcv-lite 2.1.0', 'wheel'),
    ('3.10', '2.4.1', '2.2.6', 'mmcv-lite 2.1.0', 'editable'),
    ('3.10', '2.13.0', '1.26.4', 'mmcv-lite 2.1.0', 'editable'),
    ('3.11', '2.1.0', '1.26.4', 'mmcv-lite 2.0.0', 'editable'),
    ('3.11', '2.13.0', '1.26.4', 'mmcv-lite 2.1.0', 'wheel'),
    ('3.11', '2.13.0', '2.2.6', 'mmcv-lite 2.1.0', 'editable'),
    ('3.11', '2.13.0', '1.26.4', 'mmcv 2.1.0', 'wheel'),
    ('3.12', '2.2.0', '1.26.4', 'mmcv-lite 2.1.0', 'wheel'),
    ('3.12', '2.15.0', '2.5.5', 'mmcv-lite 2.1.0', 'editable'),
    ('3.13', '2.5.0', '2.2.6', 'mmcv-lite 2.1.0', 'editable'),
    ('3.13', '2.15.0', '2.5.5', 'mmcv-lite 2.1.0', 'wheel'),
)


class Row(NamedTuple):
    """An environment to try.

    Attributes:
        python: version of the interpreter, two numbers.
        torch: version of torch.
        numpy: version of NumPy.
        mmcv: distribution and version of MMCV; the full `mmcv` is compiled.
        install: 'wheel', of mmkp, or 'editable'.
    """

    python: str
    torch: str
    numpy: str
    mmcv: str
    install: str

    @property
    def name(self) -> str:
        """What the command line knows it by."""
        mmcv = self.mmcv.replace(' ', '')
        return (
            f'py{self.python}-torch{self.torch}-numpy{self.numpy}-{mmcv}-{self.install}'
        )


def main() -> int:
    """Try the rows and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('words', nargs='*', help='that the names of the rows hold')
    parser.add_argument('--list', action='store_true', help='name the rows only')
    parser.add_argument(
        '--keep',
        action='store_true',
        help='the environments, and use those that were kept',
    )
    parser.add_argument('--whole', action='store_true', help='run every test')
    parser.add_argument('--folder', type=Path, default=ROOT / 'build/matrix')
    parser.add_argument('--page', type=Path, default=PAGE)
    args = parser.parse_args()
    rows = [
        row for row in map(Row._make, ROWS) if all(w in row.name for w in args.words)
    ]
    if not rows:
        print(f'error: no row holds {" and ".join(args.words)}', file=sys.stderr)
        return 2
    failures = 0
    for row in rows:
        print(f'-- {row.name}', flush=True)
        if args.list:
            continue
        result = try_row(row, args.folder.absolute() / row.name, args.whole, args.keep)
        print(f'   {result}', flush=True)
        failures += result.startswith('fails')
        write_line(args.page, row, result)
    return int(failures > 0)


def try_row(row: Row, folder: Path, whole: bool = False, keep: bool = False) -> str:
    """Make a row's environment, try mmkp in it, and say in a line how that went."""
    interpreter = shutil.which(f'python{row.python}')
    if interpreter is None:
        return f'not tried: no python{row.python} on the PATH'
    source, python = folder / 'source', folder / 'environment/bin/python'
    if not (keep and (python.parents[1] / 'complete').exists()):
        shutil.rmtree(folder, ignore_errors=True)
    for part in (source, folder / 'empty'):
        shutil.rmtree(part, ignore_errors=True)
    copy_tracked_files(source)
    steps = (
        ('installing', lambda: install_libraries(row, interpreter, python, source)),
        ('installing mmkp', lambda: install_mmkp(row, python, source)),
        ('tests', lambda: test(python, source, whole)),
        (
            'training and prediction',
            lambda: train_and_predict(python, folder / 'empty'),
        ),
    )
    told = title = ''
    try:
        for title, step in steps:  # noqa: B007  read where a step fails
            told = step() or told
    except subprocess.CalledProcessError as error:
        log = folder.with_suffix(folder.suffix + '.log')
        log.write_text(error.output)
        return f'fails at {title}: {reason(error.output)}'
    finally:
        if not keep:
            shutil.rmtree(folder)
    return f'passes: {told}; training, prediction'


def install_libraries(row: Row, interpreter: str, python: Path, source: Path) -> None:
    """Make the environment, if it is not there, with all but mmkp itself."""
    folder = python.parents[1]
    if folder.exists():
        return
    call([interpreter, '-m', 'venv', folder])
    limits = folder / 'constraints.txt'
    limits.write_text(constraints(row))
    # Here and not in an option, as it takes the place of the machine's own limits.
    environment = {'PIP_CONSTRAINT': str(limits)}
    requirements = [
        argument
        for name in ('build', 'runtime')
        for argument in ('-r', source / f'requirements/{name}.txt')
    ]
    # Which torchvision belongs to it pip finds out.
    torch = (f'torch=={row.torch}', 'torchvision')
    call(
        [*pip(python), *requirements, *torch, 'pytest', 'hypothesis', 'psutil'],
        environment,
    )
    lines = (source / 'requirements/mminstall.txt').read_text().splitlines()
    others = [line for line in lines if line[:1] not in ('', '#')]
    others = [line for line in others if not line.startswith('mmcv-lite')]
    call([*pip(python), '--no-deps', *others], environment)
    mmcv = row.mmcv.replace(' ', '==')
    # The operators of the full one are compiled.
    environment['MMCV_WITH_OPS'] = '1'
    call([*pip(python), '--no-deps', '--no-build-isolation', mmcv], environment)
    (folder / 'complete').touch()


def install_mmkp(row: Row, python: Path, source: Path) -> None:
    """Install it in the row's way; after a wheel its source is removed."""
    build = [*pip(python), '--no-deps', '--no-build-isolation', '--force-reinstall']
    if row.install == 'editable':
        call([*build, '-e', source])
        return
    call([*build, source])
    # The tests shall meet what was installed.
    shutil.rmtree(source / 'mmkp')
    shutil.rmtree(source / 'build', ignore_errors=True)


def pip(python: Path) -> list:
    """The beginning of a command that installs."""
    return [python, '-m', 'pip', 'install', '-q']


def constraints(row: Row) -> str:
    """The tried versions, but for what the row says itself."""
    lines = (ROOT / 'requirements/constraints.txt').read_text().splitlines()
    others = [line for line in lines if not line.startswith('numpy==')]
    return '\n'.join([*others, f'numpy=={row.numpy}', f'torch=={row.torch}', ''])


def copy_tracked_files(target: Path) -> None:
    """Copy the checkout as it lies, without what git ignores."""
    listed = subprocess.check_output(
        ['git', 'ls-files', '-co', '--exclude-standard', '-z'], cwd=ROOT, text=True
    )
    for name in filter(None, listed.split('\0')):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)


def test(python: Path, source: Path, whole: bool) -> str:
    """Run the tests and return pytest's count."""
    tests = () if whole else SMOKE
    run = [python, '-m', 'pytest', '-q', '-m', 'not slow', *tests]
    lines = call(run, cwd=source).splitlines()
    return re.sub(r' in [\d.]+s.*|, \d+ warnings?|=+', '', lines[-1]).strip()


def train_and_predict(python: Path, folder: Path) -> None:
    """Train four steps on eight drawn images and predict, by the command alone."""
    images = folder / 'images'
    images.mkdir(parents=True)
    draw = (
        'import cv2, numpy as np\n'
        'for i in range(8):\n'
        '    image = np.random.default_rng(i).integers(0, 90, (64, 64, 3), np.uint8)\n'
        '    cv2.circle(image, (20 + 3 * i, 30), 9, (40, 220, 250), -1)\n'
        '    cv2.imwrite(f"images/{i}.png", image)\n'
    )
    call([python, '-c', draw], cwd=folder)
    config, weights = 'work/lmdis-light_folder-64x64.py', 'work/iter_4.pth'
    train = ('lmdis-light_folder-64x64', '--work-dir', 'work', 'data_root=images')
    settings = ('num_keypoints=4', 'train_cfg.max_iters=4', 'train_cfg.val_interval=4')
    command = python.with_name('mmkp')
    call([command, 'train', *train, *settings], cwd=folder)
    call([command, 'predict', config, weights, 'images', '--out', 'out'], cwd=folder)
    read = 'import json; print(len(json.load(open("out/keypoints.json"))["images"]))'
    if call([python, '-c', read], cwd=folder).strip() != '8':
        raise subprocess.CalledProcessError(1, read, 'not all images were predicted')


def call(command: list, environment: dict | None = None, cwd: Path = ROOT) -> str:
    """Run a command without the caller's packages and return what it printed."""
    kept = {
        k: v for k, v in os.environ.items() if k not in ('PYTHONPATH', 'PYTHONHOME')
    }
    done = subprocess.run(
        command,
        cwd=cwd,
        env={
            **kept,
            'MKL_NUM_THREADS': '1',
            'OMP_NUM_THREADS': '1',
            **(environment or {}),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout)
    return done.stdout


def reason(output: str) -> str:
    """The line of a failure that says most, fit for a cell of a table."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ['?']
    told = [
        line for line in lines if re.match(r'(E  |ERROR|FAILED|\w*Error|error)', line)
    ]
    return (told or lines)[-1].replace('|', '/')[:160]


def write_line(page: Path, row: Row, result: str) -> None:
    """Put a row's line into the page's table, in place of an older one."""
    today = datetime.date.today().isoformat()
    cells = (row.python, row.torch, row.numpy, row.mmcv, row.install, result, today)
    line = f'| {" | ".join(cells)} | `{row.name}` |'
    before, head, table = page.read_text(encoding='utf-8').partition(HEAD)
    if not head:
        raise ValueError(f'{page} has no line {HEAD!r} to write below')
    order = [Row._make(entry).name for entry in ROWS]
    lines = table.split('\n')
    end = next((i for i, text in enumerate(lines) if i and text[:1] != '|'), len(lines))
    others = [text for text in lines[2:end] if f'`{row.name}`' not in text]
    rows = sorted([*others, line], key=lambda text: order.index(text.split('`')[-2]))
    table = '\n'.join([*lines[:2], *rows, *lines[end:]])
    page.write_text(before + head + table, encoding='utf-8')


if __name__ == '__main__':
    sys.exit(main())
