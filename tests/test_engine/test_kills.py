# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Every method, killed at random moments, ends with the bits of a run without kills."""

import time

import fault_runs
import pytest


@pytest.mark.slow
@pytest.mark.parametrize('workers', [0, 2])
@pytest.mark.parametrize('method', fault_runs.METHODS)
def test_killed_and_resumed(method, workers, tmp_path):
    seed = time.time_ns()
    print(f'seed {seed}')
    found = fault_runs.run(method, 2 - workers // 2, tmp_path, seed, workers)
    assert found['compared'] > 500
    assert not found['different'], (found['steps'], found['different'][:5])


def test_what_is_compared():
    left = dict(state_dict=dict(weight=1), meta=dict(iter=3), training_seconds=4.0)
    right = dict(state_dict=dict(weight=2), meta=dict(iter=4), training_seconds=5.0)
    assert dict(fault_runs.leaves(left)) == {'.state_dict.weight': 1}
    assert not fault_runs.same(left['state_dict']['weight'], 2)
    assert fault_runs.same(float('nan'), float('nan'))
    assert dict(fault_runs.leaves(right)).keys() == dict(fault_runs.leaves(left)).keys()
