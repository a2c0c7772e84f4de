"""CPU time from picture files to people, and their AP, by what runs the network.

    python tools/benchmarks/file_to_people.py CONFIG CHECKPOINT [--images 142]

Each picture is read, predicted and decoded by each runtime, one after the other, in one
thread; what is counted are CPU seconds of all threads of the process. An export for
ONNX Runtime and OpenVINO is made first, or taken from ``--export``; weights are fitted
to bfloat16 on the first pictures of the training set. The first pictures are predicted
twice, so that what each runtime prepares once is not counted. The last columns of
time leave out what it prepares for each new size of picture, too: the first one of
each size is predicted again, and counts as often as that takes.
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault('OMP_NUM_THREADS', '1')

import cv2
import numpy as np
import torch
from measure import machine
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, METRICS

from mmkp.apis import load_model
from mmkp.apis.batches import predict_samples
from mmkp.apis.export import export
from mmkp.apis.exported_model import load_exported
from mmkp.apis.fitted_copy import fitted_copy
from mmkp.engine.cli import run_tool
from mmkp.models.inference_copy import bfloat16_copy, inference_copy

WARM = 2


class Runtime:
    """A model, the time that it has taken, and how good its people are."""

    def __init__(self, model: Any, evaluator: dict, metainfo: dict) -> None:
        self.model, self.seconds, self.prepared = model, 0.0, 0.0
        self.sizes: set[torch.Size] = set()
        self.metric = METRICS.build(evaluator)
        self.metric.dataset_meta = metainfo

    def predict(self, dataset: Any, index: int) -> None:
        """From the file of a picture to people, which are evaluated."""
        took, sample, found = self._timed(dataset, index)
        self.seconds += took
        size = sample['inputs'].shape
        if size not in self.sizes:
            self.sizes.add(size)
            took = self._timed(dataset, index)[0]
        self.prepared += took
        self.metric.process(pseudo_collate([sample]), [found.to_dict()])

    def warm(self, dataset: Any, index: int) -> None:
        """Predict without counting it."""
        self._timed(dataset, index)

    def _timed(self, dataset: Any, index: int) -> tuple[float, dict, Any]:
        start = time.process_time()
        sample = dataset[index]
        (found,) = predict_samples(self.model, [sample], 1)
        return time.process_time() - start, sample, found


def runtimes(config: str, checkpoint: str, folder: Path) -> Iterator[tuple[str, Any]]:
    """Each by its name, today's eager path first."""
    model: Any = load_model(config, checkpoint, 'cpu')
    model.test_cfg = dict(model.test_cfg, flip_test=False)
    yield 'torch, eager', model
    fast = inference_copy(model, torch.randn(1, 3, 96, 96))
    yield 'torch, prepared', fast
    yield 'torch, prepared, bfloat16', bfloat16_copy(fast)
    training = model.cfg.train_dataloader.dataset
    pictures = Path(training.data_root, training.data_prefix.img)
    fitted = fitted_copy(model, None, pictures)
    if not folder.exists():
        export(model, ('onnx', 'openvino'), folder)
    yield 'torch, fitted bfloat16', bfloat16_copy(fitted)
    yield 'ONNX Runtime', load_exported(folder, 'onnx', threads=1)
    yield 'OpenVINO', load_exported(folder, 'openvino', threads=1)
    yield 'OpenVINO, bfloat16', load_exported(folder, 'openvino', True, threads=1)
    rounded = folder.with_name(f'{folder.name}-bfloat16')
    if not rounded.exists():
        export(fitted, ('openvino',), rounded)
    yield (
        'OpenVINO, fitted bfloat16',
        load_exported(rounded, 'openvino', True, threads=1),
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('config', help='of a bottom-up model')
    parser.add_argument('checkpoint')
    parser.add_argument('--images', type=int, help='number of them, by default all')
    parser.add_argument('--export', help='folder of an export that is there already')
    args = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(args.export or Path(folder) / 'export')
        models = dict(runtimes(args.config, args.checkpoint, path))
    tell(models, args.images)


def tell(models: dict[str, Any], images: int | None) -> None:
    """Predict all pictures by all models, in turns, and print a table."""
    cfg = next(iter(models.values())).cfg
    init_default_scope('mmpose')
    with contextlib.redirect_stdout(io.StringIO()):
        dataset = DATASETS.build(cfg.test_dataloader.dataset)
        tried = {
            name: Runtime(model, cfg.test_evaluator, dataset.metainfo)
            for name, model in models.items()
        }
    number = min(images or len(dataset), len(dataset))
    for index in range(WARM):
        for one in tried.values():
            one.warm(dataset, index)
    for index in range(number):
        for one in tried.values():
            one.predict(dataset, index)
    rows = []
    first = next(iter(tried.values()))
    for name, one in tried.items():
        with contextlib.redirect_stdout(io.StringIO()):
            # Pictures that were left out must not count as missed.
            accuracy = one.metric.evaluate(number) if number == len(dataset) else {}
        precision = 100 * accuracy.get('coco/AP', np.nan)
        rows.append(
            f'| {name} | {1000 * one.seconds / number:.1f} | '
            f'{first.seconds / one.seconds:.2f} | '
            f'{1000 * one.prepared / number:.1f} | '
            f'{first.prepared / one.prepared:.2f} | {precision:.2f} |'
        )
    print(f'{number} pictures, {machine(1)}')
    print(
        '| runtime | CPU ms a picture | times as fast | ms, sizes prepared | times '
        f'as fast | AP |\n{"|---" * 6}|'
    )
    print('\n'.join(rows))


if __name__ == '__main__':
    run_tool(main)
