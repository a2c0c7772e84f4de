"""Create the environment that mmkp runs in, or bring it up to date.

Needs nothing but Python 3.10 to 3.13 with venv and pip, and no compiler:

    python3.11 tools/misc/make_environment.py .venv

A second run returns at once unless what decides about the environment changed.
In an environment that exists already, its torch, mmcv and OpenCV are kept.
"""

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = ('torch==2.13.0', 'torchvision==0.28.0')
# Runs exports in a browser, which only tests of their page need.
BROWSER_RUNTIME = 'onnxruntime-web@1.30.0'
# Other distributions that may stand in for one of requirements/mminstall.txt.
ALTERNATIVES = {
    'mmcv-lite': ('mmcv',),
    'opencv-python-headless': (
        'opencv-python',
        'opencv-contrib-python',
        'opencv-contrib-python-headless',
    ),
}


def main() -> int:
    """Make the environment and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='folder of the environment')
    parser.add_argument('--numpy', metavar='VERSION', help='instead of the tried one')
    args = parser.parse_args()
    folder = args.folder.absolute()
    wanted = fingerprint(args.numpy)
    stamp = folder / 'mmkp-environment'
    if stamp.is_file() and stamp.read_text() == wanted:
        return 0
    if not (3, 10) <= sys.version_info[:2] <= (3, 13):
        return fail(f'Python {sys.version.split()[0]} is not one of 3.10 to 3.13')
    started = time.monotonic()
    python = python_of(folder)
    if not python.exists():
        with step(f'Creating {folder.name} with Python {sys.version.split()[0]}'):
            venv.create(folder, with_pip=True)
    try:
        install(python, folder / 'mmkp-install.log', args.numpy)
    except subprocess.CalledProcessError as error:
        log = (folder / 'mmkp-install.log').read_text(errors='replace')
        print(*log.splitlines()[-25:], sep='\n', file=sys.stderr)
        return fail(f'pip failed with status {error.returncode}; see the lines above')
    stamp.write_text(wanted)
    print(f'Environment ready after {time.monotonic() - started:.0f} s', flush=True)
    return 0


def install(python: Path, log: Path, numpy: str | None = None) -> None:
    """Install the libraries, then OpenMMLab's packages, then mmkp itself."""
    present = installed(python)
    log.write_text('')
    # Which CUDA a torch was built for does not matter to what depends on it.
    torch = TORCH
    if 'torch' in present:
        version = present['torch'].partition('+')[0]
        torch = (f'torch=={version}', 'torchvision')
        if tuple(map(int, version.split('.')[:2])) < (2, 3):
            numpy = numpy or '1.26.4'  # older ones are compiled for NumPy 1
    requirements = [
        argument
        for name in ('build', 'runtime', 'tests')
        for argument in ('-r', f'requirements/{name}.txt')
    ]
    with step(f'Installing {torch[0]} and the libraries'):
        pip(python, log, '-c', constraints(log.parent, numpy), *requirements, *torch)
    with step('Installing MMEngine, MMCV, MMDetection, MMPose'):
        pip(python, log, '--no-deps', *openmmlab(present))
    with step('Installing mmkp, editable'):
        pip(python, log, '--no-deps', '--no-build-isolation', '-e', '.')
    npm = shutil.which('npm')
    if npm:
        with step(f'Installing {BROWSER_RUNTIME}'):
            install_browser_runtime(npm, log)


def install_browser_runtime(npm: str, log: Path) -> None:
    """Unpack it beside the packages, as `node_modules`; do without if npm fails."""
    command = [npm, 'install', '--prefix', log.parent, '--no-save', '--ignore-scripts']
    with log.open('a') as file:
        status = subprocess.run(
            [*command, BROWSER_RUNTIME], stdout=file, stderr=subprocess.STDOUT
        ).returncode
    if status:
        print('   npm failed: tests of the page in a browser are skipped', flush=True)


def constraints(folder: Path, numpy: str | None) -> str:
    """Path of the tried versions, or of a copy in a folder with another numpy."""
    tried = ROOT / 'requirements/constraints.txt'
    if numpy is None:
        return str(tried)
    lines = tried.read_text().splitlines()
    others = [line for line in lines if not line.startswith('numpy==')]
    copy = folder / 'mmkp-constraints.txt'
    copy.write_text('\n'.join([*others, f'numpy=={numpy}', '']))
    return str(copy)


def openmmlab(present: dict[str, str]) -> list[str]:
    """Lines of mminstall.txt, less those for which the environment has another."""
    lines = (ROOT / 'requirements/mminstall.txt').read_text().splitlines()
    return [
        line
        for line in lines
        if line
        and not line.startswith('#')
        and not any(
            other in present for other in ALTERNATIVES.get(line.partition('==')[0], ())
        )
    ]


def pip(python: Path, log: Path, *arguments: str) -> None:
    """Run ``pip install`` in the project's folder, its words going to the log."""
    command = [python, '-m', 'pip', '--disable-pip-version-check', '--no-input']
    with log.open('a') as file:
        subprocess.run(
            [*command, 'install', '--no-warn-script-location', *arguments],
            cwd=ROOT,
            stdout=file,
            stderr=subprocess.STDOUT,
            check=True,
        )


def installed(python: Path) -> dict[str, str]:
    """Versions of the distributions in an environment, by lower-case name."""
    program = (
        'import json, importlib.metadata as m\n'
        'print(json.dumps({d.metadata["Name"].lower(): d.version'
        ' for d in m.distributions() if d.metadata["Name"]}))'
    )
    return json.loads(subprocess.check_output([python, '-c', program], text=True))


def python_of(folder: Path) -> Path:
    """Return the interpreter of an environment."""
    windows = folder / 'Scripts' / 'python.exe'
    return windows if os.name == 'nt' else folder / 'bin' / 'python'


def fingerprint(numpy: str | None = None) -> str:
    """Hash of everything that decides what the environment holds."""
    files = [
        *sorted((ROOT / 'requirements').glob('*.txt')),
        ROOT / 'setup.cfg',
        ROOT / 'setup.py',
        Path(__file__),
    ]
    parts = [f'{ROOT} {numpy}'.encode(), *(file.read_bytes() for file in files)]
    return hashlib.sha256(b'\0'.join(parts)).hexdigest()


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print what is being done and, at its end, how long it took."""
    print(f'-- {title} ...', flush=True)
    started = time.monotonic()
    finished = threading.Event()

    def count_seconds() -> None:
        while not finished.wait(1):
            print(f'   {time.monotonic() - started:.0f} s\r', end='', flush=True)

    if sys.stdout.isatty():
        threading.Thread(target=count_seconds, daemon=True).start()
    try:
        yield
    finally:
        finished.set()
        print(f'   {time.monotonic() - started:.0f} s', flush=True)


def fail(message: str) -> int:
    """Print an error and return the exit status that says so."""
    print(f'error: {message}', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
