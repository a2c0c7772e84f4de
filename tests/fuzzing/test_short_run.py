"""A few hundred random inputs of each kind, and that faults are noticed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fuzzing.mutations import damaged_bytes, damaged_json

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BROKEN = """
import os, sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from fuzzing import worker
from fuzzing.run import table
from fuzzing.target import Target

worker.CPU_SECONDS = 0.3

def loop():
    while True:
        pass

def hidden():
    try:
        loop()
    except Exception:
        pass

faults = dict(
    key=lambda: {{}}['a'],
    raw=lambda: int('x'),
    wrong=lambda: [][0],
    asserted=lambda: exec('assert False'),
    abort=os.abort,
    loop=loop,
    hidden=hidden,
    memory=lambda: bytearray(600 << 20),
    allocation=lambda: bytearray(1 << 40),
)
def make(rng):
    return int(rng.integers(9))
def use(case, folder):
    if case % 3 == 0:
        list(faults.values())[LAST]()
for LAST, name in enumerate(faults):
    tally = worker.run_target(name, Target(make, use), range(12), 1, Path({out!r}))
    print(name, dict(tally.counts))
"""


def run(*words):
    environment = os.environ | dict(PYTHONPATH=str(ROOT), OMP_NUM_THREADS='1')
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, env=environment
    )


def test_no_faults_among_a_few_cases_of_every_kind(tmp_path):
    done = run(
        str(HERE / 'run.py'), '--cases', '2700', '--seed', '5', '--out', str(tmp_path)
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    rows = [line.split('|')[1:-1] for line in done.stdout.splitlines() if '|' in line]
    names = [row[0].strip() for row in rows[2:]]
    from fuzzing.targets import TARGETS

    assert names == [*TARGETS, 'all']
    for row in rows[2:]:
        cases, accepted, refused, faults = map(int, row[1:5])
        assert cases == accepted + refused >= 20
        assert faults == 0
    assert (tmp_path / 'table.md').read_text().strip() in done.stdout


def test_faults_are_counted_and_their_inputs_kept(tmp_path):
    script = BROKEN.format(tests=str(HERE.parent), out=str(tmp_path))
    done = run('-c', script)
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stdout.splitlines()
    assert len(lines) == 9
    saved = list(tmp_path.glob('*.json'))
    for line in lines:
        name, _, counts = line.partition(' ')
        counts = json.loads(counts.replace("'", '"'))
        kept = [path for path in saved if path.name.startswith(f'{name}-')]
        assert 0 < counts['fault'] == len(kept) < 12
        assert counts['accepted'] == 12 - counts['fault']
        assert json.loads(kept[0].read_text())['target'] == name
        assert kept[0].with_suffix('.pkl').is_file()


@pytest.mark.parametrize('seed', range(20))
def test_cases_are_the_same_in_every_run(seed):
    content = {'a': [1, 2, {'b': 'c'}], 'd': None, 'e': [[1.5, 2], [3, 4]]}
    one, other = (
        [damaged_json(np.random.default_rng([seed, n]), content) for n in range(20)]
        for _ in range(2)
    )
    assert one == other
    assert len({*one}) > 15
    one, other = (
        [damaged_bytes(np.random.default_rng([seed, n]), one[0]) for n in range(9)]
        for _ in range(2)
    )
    assert one == other
