"""Processes that predict or merge shards slowly, and how far they are."""

import multiprocessing
import os
import signal
import time

import torch

from mmkp.apis import merge_shards as merging
from mmkp.apis.merge_shards import merge_if_complete
from mmkp.apis.predict_shard import predict_shard
from mmkp.apis.prediction_tasks import PredictionTask


def forked(work, *args):
    process = multiprocessing.get_context('fork').Process(target=work, args=args)
    process.start()
    return process


def predict_slowly(model, folder, out, shard, seconds):
    torch.set_num_threads(1)
    predict = PredictionTask.predict

    def slow(*args):
        time.sleep(seconds)
        return predict(*args)

    PredictionTask.predict = slow
    predict_shard(model, folder, out, shard, ['csv'], batch_size=2, draw='none')


def wait_until(holds):
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < 60
        time.sleep(0.005)


def lines_of(out):
    paths = [*out.glob('shards/*/keypoints.jsonl')]
    return sum(path.read_bytes().count(b'\n') for path in paths)


def merge_slowly(out, barrier, seconds, killed=False):
    write_all = merging._write_all

    def slow(*args):
        with (out / 'merged by').open('a') as file:
            file.write(f'{os.getpid()}\n')
        if killed:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(seconds)
        write_all(*args)

    merging._write_all = slow
    barrier.wait()
    assert len(merge_if_complete(out, ['csv'])) == 12
