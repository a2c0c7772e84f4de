"""Run another project's tests, MMPose's own above all, with and without mmkp.

    python tools/misc/mmpose_tests.py --tests path/to/mmpose/tests [PYTEST ARGUMENTS]

Two processes run the same tests with the same seeds, the second after `import mmkp`.
Prints how many passed, failed and were skipped in each, and each test whose outcome
differs. Ends with status 1 where one does. MMPose's tests are in its repository, not
in its packages. Where MMPose does not import by itself, beside mmcv-lite, the first
process loads the shims that let it.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from mmkp.engine.cli import run_tool

OUTCOMES = ('passed', 'failed', 'error', 'skipped')
# Written into a folder of their own, as pytest takes plugins by the name of a module.
PLUGINS = {
    'same_seeds': """
import random
import numpy, pytest, torch

@pytest.fixture(autouse=True)
def _same_seed():
    random.seed(0), numpy.random.seed(0), torch.manual_seed(0)
    torch.set_num_threads(1)
""",
    # Packages of mmkp without its own `__init__`, which imports and registers the rest.
    'shims_for_import': """
import importlib.util, sys, types
places = importlib.util.find_spec('mmkp').submodule_search_locations
for name in ('mmkp', 'mmkp.compat'):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [p + '/compat' * ('.' in name) for p in places]
from mmkp.compat.mmcv_ops import provide_mmcv_ops
from mmkp.compat.torchvision_ops import declare_torchvision_ops
from mmkp.compat.xtcocotools_stand_in import provide_xtcocotools
declare_torchvision_ops(), provide_mmcv_ops(), provide_xtcocotools()
""",
}


def main() -> int:
    """Run both, print, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--tests', type=Path, required=True, help='folder of tests')
    args, options = parser.parse_known_args()
    if not args.tests.is_dir():
        raise FileNotFoundError(f'there is no folder of tests {args.tests}')
    alone = () if _imports_alone() else ('shims_for_import',)
    if alone:
        print('MMPose does not import by itself here: its process loads the shims')
    before = outcomes(args.tests, alone, options)
    after = outcomes(args.tests, ('mmkp',), options)
    if not before and not after:
        raise ValueError(f'pytest found no test in {args.tests}')
    counts = [Counter(found.values()) for found in (before, after)]
    print(f'{"":10}{"without":>10}{"with mmkp":>12}')
    for outcome in OUTCOMES:
        print(f'{outcome:10}{counts[0][outcome]:10}{counts[1][outcome]:12}')
    changed = differences(before, after)
    print(*changed, sep='\n', end='\n' * bool(changed))
    print(f'{len(changed)} of {len(before | after)} tests end differently')
    return int(bool(changed))


def outcomes(
    tests: Path, plugins: tuple[str, ...], options: list[str]
) -> dict[str, str]:
    """Run a folder of tests in a process of its own.

    Args:
        tests: the folder; its parent is where pytest runs, as MMPose's tests expect.
        plugins: modules that pytest imports before anything else, in this order.
        options: further arguments of pytest.

    Returns:
        One of ``OUTCOMES`` for each test by its name.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in PLUGINS.items():
            (Path(folder) / f'{name}.py').write_text(text)
        report = Path(folder) / 'report.xml'
        path = os.pathsep.join(filter(None, [folder, os.environ.get('PYTHONPATH')]))
        loaded = [word for name in (*plugins, 'same_seeds') for word in ('-p', name)]
        tests = tests.absolute()
        command = [
            *(sys.executable, '-m', 'pytest', '-q', *loaded, tests.name),
            *(f'--junitxml={report}', '-p', 'no:cacheprovider', *options),
        ]
        done = subprocess.run(
            command,
            cwd=tests.parent,
            env={**os.environ, 'PYTHONPATH': path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if not report.is_file():
            raise RuntimeError(f'pytest wrote no report:\n{done.stdout[-2000:]}')
        return read_report(report)


def read_report(path: Path) -> dict[str, str]:
    """One of ``OUTCOMES`` for each test in a report of pytest's in JUnit's format."""
    found = {}
    tags = {'failure': 'failed', 'error': 'error', 'skipped': 'skipped'}
    for case in ElementTree.parse(path).iter('testcase'):
        kinds = [tags[child.tag] for child in case if child.tag in tags]
        name = '.'.join(filter(None, (case.get('classname'), case.get('name'))))
        found[name] = kinds[0] if kinds else 'passed'
    return found


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """A line for each test that ends differently or is found once only."""
    return [
        f'{name}: {before.get(name, "absent")} without, '
        f'{after.get(name, "absent")} with'
        for name in sorted({**before, **after})
        if before.get(name) != after.get(name)
    ]


def _imports_alone() -> bool:
    command = [sys.executable, '-c', 'import mmpose.apis, mmpose.models']
    return not subprocess.run(command, capture_output=True, check=False).returncode


if __name__ == '__main__':
    run_tool(main)
