"""Run random cases against what reads and encodes, and count what becomes of them.

    python tests/fuzzing/run.py --cases 1000000 --seed 1 --out fuzzing

Every input ends in a result, or in an error of mmkp that says what is wrong. All else
is a fault: other exceptions, a process that dies, more than 5 CPU seconds or 512 MiB
for one case. Failing inputs are saved with what reproduces them:

    python tests/fuzzing/run.py --target json --seed 1 --only 17
"""

import argparse
import logging
import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from fuzzing.target import outcome  # noqa: E402
from fuzzing.targets import TARGETS  # noqa: E402
from fuzzing.worker import Tally, make_case, run_target  # noqa: E402

_HEAD = '| target | cases | accepted | refused | faults | peak MiB | seconds |'
_CHUNK = 1000


def main() -> None:
    """Run what the command line asks for; status 1 where something went wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument('--cases', type=int, default=2000, help='in all')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--target', nargs='*', choices=sorted(TARGETS))
    parser.add_argument('--minutes', type=float, default=1e9, help='stop after them')
    parser.add_argument('--only', type=int, help='run one case here, in this process')
    parser.add_argument('--out', type=Path, default=Path('work_dirs/fuzzing'))
    args = parser.parse_args()
    args.out = args.out.absolute()  # cases run in folders of their own
    logging.disable(logging.ERROR)
    names = args.target or list(TARGETS)
    if args.only is not None:
        case = make_case(names[0], TARGETS[names[0]], args.seed, args.only)
        args.out.mkdir(parents=True, exist_ok=True)
        print(repr(case)[:2000])
        print(*outcome(TARGETS[names[0]], case, args.out))
        TARGETS[names[0]].use(case, args.out)
        return
    tallies = _run(names, args)
    print(table(tallies))
    faults = [fault for tally in tallies.values() for fault in tally.faults]
    print('\n'.join(faults[:50]))
    sys.exit(1 if faults else 0)


def _run(names: list[str], args: argparse.Namespace) -> dict[str, Tally]:
    """Run the targets in turn, so that an early end has seen all of them."""
    until = time.monotonic() + args.minutes * 60
    whole = sum(TARGETS[name].share for name in names)
    planned = {
        name: max(round(args.cases * TARGETS[name].share / whole), 1) for name in names
    }
    tallies = {name: Tally() for name in names}
    done = dict.fromkeys(names, 0)
    args.out.mkdir(parents=True, exist_ok=True)
    rounds = max(1, args.cases // _CHUNK // len(names))
    for turn in range(1, rounds + 1):
        for name in names:
            stop = planned[name] * turn // rounds
            if time.monotonic() < until:
                found = run_target(
                    name, TARGETS[name], range(done[name], stop), args.seed, args.out
                )
                _add(tallies[name], found)
                done[name] = stop
                (args.out / 'table.md').write_text(table(tallies) + '\n')
    return tallies


def _add(tally: Tally, found: Tally) -> None:
    tally.counts += found.counts
    tally.peak_mib = max(tally.peak_mib, found.peak_mib)
    tally.seconds += found.seconds
    tally.faults += found.faults


def table(tallies: dict[str, Tally]) -> str:
    """Counts as a table in Markdown."""
    rows = [_HEAD, '|---|---:|---:|---:|---:|---:|---:|']
    totals = Tally()
    for name, tally in tallies.items():
        rows.append(_row(name, tally))
        _add(totals, tally)
    return '\n'.join([*rows, _row('all', totals)])


def _row(name: str, tally: Tally) -> str:
    counts = tally.counts
    return (
        f'| {name} | {sum(counts.values())} | {counts["accepted"]} | '
        f'{counts["refused"]} | {counts["fault"]} | {tally.peak_mib:.0f} | '
        f'{tally.seconds:.0f} |'
    )


if __name__ == '__main__':
    main()
