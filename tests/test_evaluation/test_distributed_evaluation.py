"""Two processes must give the figures of one."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from test_discovered_keypoint_metric import evaluate, make_samples

HERE = Path(__file__).resolve().parent
NUM_SAMPLES = 61  # odd, so that two processes cannot share evenly

# Both ways of sharing in one launch, as most of the time goes into imports.
WORKER = """
import json, sys
import torch.distributed
from mmengine.dataset import DefaultSampler
from mmengine.dist import get_rank
import mmkp
from test_discovered_keypoint_metric import make_evaluator, make_samples

folder, rank, num = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
torch.distributed.init_process_group(
    'gloo', init_method=f'file://{folder}/meeting', rank=rank, world_size=2
)
assert get_rank() == rank
samples = make_samples()[:num]
results = {}
for name, round_up, device in (('padded', True, 'cpu'), ('uneven', False, 'gpu')):
    order = list(DefaultSampler(samples, shuffle=False, round_up=round_up))
    evaluator = make_evaluator(collect_device=device)
    evaluator.process([samples[index] for index in order])
    results[name] = dict(figures=evaluator.evaluate(num), seen=len(order))
with open(f'{folder}/rank{rank}.json', 'w') as file:
    json.dump(results, file)
torch.distributed.destroy_process_group()
"""


def launch(folder, rank):
    paths = [str(HERE), str(HERE.parents[1]), os.environ.get('PYTHONPATH', '')]
    return subprocess.Popen(
        [sys.executable, '-c', WORKER, str(folder), str(rank), str(NUM_SAMPLES)],
        env=dict(
            os.environ,
            OMP_NUM_THREADS='1',
            PYTHONPATH=os.pathsep.join(filter(None, paths)),
        ),
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_agree_with_one(tmp_path):
    workers = [launch(tmp_path, rank) for rank in range(2)]
    expected = evaluate(make_samples()[:NUM_SAMPLES])
    try:
        for worker in workers:
            errors = worker.communicate(timeout=240)[1]
            assert worker.returncode == 0, errors[-3000:]
    finally:
        for worker in workers:
            worker.kill()
    results = [
        json.loads((tmp_path / f'rank{rank}.json').read_text()) for rank in range(2)
    ]
    for name, shares in (('padded', [31, 31]), ('uneven', [31, 30])):
        assert [result[name]['seen'] for result in results] == shares
        for result in results:
            assert result[name]['figures'] == pytest.approx(expected, rel=1e-9)
