# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Parts of the accelerator suite: operations, training steps, decoding, training."""

import contextlib
import copy
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from dispatched_operations import count_step
from mmengine.config import Config
from mmengine.runner import Runner
from plain_unsupervised import plain_layers
from torch import Tensor
from torch.utils.benchmark import Timer
from training_steps import CONFIGS, METHODS, Step, prepare_step

from mmkp.codecs import PartAffinityField
from mmkp.engine.config import load_config
from mmkp.engine.mixed_precision import use_mixed_precision
from mmkp.ops.edge_map.edge_map import edge_map
from mmkp.ops.edge_map.formula import complete_graph, plain_edge_map
from mmkp.ops.token_maps.attention_maps import attention_maps
from mmkp.ops.token_maps.by_rows import attention_maps_by_rows
from mmkp.ops.token_maps.gaussian_divergence import gaussian_kl_divergence
from mmkp.ops.token_maps.separable_divergence import separable_kl_divergence
from mmkp.testing.dispatch_counter import forms_of_accelerators

#: Of the test: the detector and its two controls.
FIGURES = ('mafl/forward', 'mafl/forward_mean_pose', 'mafl/forward_untrained')
#: Method -> its config of CelebA's faces, and what makes it small.
TRAININGS = {
    'LMDIS': 'lmdis/celeba/lmdis_celeba-halved-80x80.py',
    'AutoLink': 'autolink/celeba/autolink_celeba-halved-128x128.py',
}


def milliseconds(call: Callable[[], object], seconds: float = 0.2) -> float:
    """Median time of a call, with the device's work done, ms."""
    call()
    timer = Timer('call()', globals={'call': call})
    return 1e3 * timer.blocked_autorange(min_run_time=seconds).median


def operations(device: str, tiny: bool) -> Iterator[tuple[str, ...]]:
    """Rows: an operation forward and backward, plain and as it is, and their ratio."""
    yield 'operation', 'plain, ms', 'mmkp, ms', 'ratio', 'largest difference'
    for name, inputs, plain, ours in _operations(device, tiny):
        wanted = [t for t in inputs if t.requires_grad]

        def run(function: Callable, inputs=inputs, wanted=wanted) -> list[Tensor]:
            values = function(*inputs)
            if not wanted:
                return [values]
            return [values, *torch.autograd.grad(values.square().sum(), wanted)]

        pairs = zip(run(ours), run(plain), strict=True)
        difference = max(
            float((a - b).abs().max() / b.abs().max().clamp_min(1e-30))
            for a, b in pairs
        )
        before, after = (milliseconds(lambda f=f: run(f)) for f in (plain, ours))
        yield (
            name,
            f'{before:.2f}',
            f'{after:.2f}',
            f'{before / after:.1f}',
            f'{difference:.0e}',
        )


def _operations(
    device: str, tiny: bool
) -> Iterator[tuple[str, tuple[Tensor, ...], Callable, Callable]]:
    """Name, inputs, plain form and ours."""
    torch.manual_seed(0)
    batch, side = (2, 32) if tiny else (64, 128)
    for number in (4,) if tiny else (10, 32):
        edges = complete_graph(number, device)
        points = torch.rand(batch, number, 2, device=device) * (side - 1)
        weights = torch.rand(len(edges), device=device)
        size = (side, side), 1e-3 * ((side - 1) / 2) ** 2, edges
        yield (
            f'edge map, K={number}, batch {batch}, {side} px',
            (points.requires_grad_(), weights.requires_grad_()),
            lambda p, w, size=size: plain_edge_map(p, w, *size),
            lambda p, w, size=size: edge_map(p, w, *size),
        )
    tokens, side = (20, 16) if tiny else (500, 128)
    chosen = torch.arange(10, device=device)[None]
    layers = tuple(
        torch.randn(1, 8, s, s, tokens, device=device).requires_grad_()
        for s in ((4, 8) if tiny else (16, 16, 16, 32))
    )
    yield (
        f'token maps, {len(layers)} layers, {tokens} tokens, {side} cells',
        layers,
        lambda *x: attention_maps(x, (side, side), chosen),
        lambda *x: attention_maps_by_rows(x, (side, side), chosen),
    )
    maps = torch.rand(1, tokens, side, side, device=device)
    yield (
        f'divergence from Gaussians, {tokens} maps',
        (maps,),
        gaussian_kl_divergence,
        separable_kl_divergence,
    )


def steps(device: str, tiny: bool) -> Iterator[tuple[str, ...]]:
    """Rows: a training step of each method, plain, as it is, and under AMP."""
    yield (
        'training step',
        'batch',
        'plain, ms',
        'mmkp, ms',
        'ratio',
        'bfloat16, ms',
        'operations',
        'synchronizations',
    )
    for name in METHODS:
        step = prepare_step(name, light=tiny).to(device)
        with plain_form(step) as plain:
            before = milliseconds(plain.run)
        after = milliseconds(step.run)

        def mixed(step: Step = step) -> Tensor:
            with torch.autocast(device, torch.bfloat16):
                return step.run()

        with forms_of_accelerators():
            counter = count_step(name)
        yield (
            name,
            str(len(step.inputs)),
            f'{before:.1f}',
            f'{after:.1f}',
            f'{before / after:.2f}',
            f'{milliseconds(mixed):.1f}',
            str(counter.operations.total()),
            str(counter.synchronizations.total()),
        )


@contextlib.contextmanager
def plain_form(step: Step) -> Iterator[Step]:
    """The step with torch's layers, plain edge maps and plain token maps."""
    model = plain_layers(copy.deepcopy(step.model))
    with (
        mock.patch('mmkp.models.generators.learned_edges.edge_map', plain_edge_map),
        mock.patch(
            'mmkp.models.unsupervised.stable_keypoints.attention_maps_by_rows',
            attention_maps,
        ),
    ):
        yield step._replace(model=model)


def decoding(device: str, tiny: bool) -> Iterator[tuple[str, ...]]:
    """Rows: maps of a batch with six people an image, from the device to people."""
    yield 'decoding', 'maps', 'people', 'batch, ms', 'image, ms'
    batch, side = (2, 128) if tiny else (16, 368)
    codec = PartAffinityField(skeleton='coco18', input_size=(side, side))
    rng = np.random.default_rng(0)
    maps = []
    for _ in range(batch):
        middle = rng.uniform(0.2, 0.8, (6, 1, 2)) * side
        people = middle + rng.uniform(-0.15, 0.15, (6, 17, 2)) * side
        found = codec.encode(people.astype(np.float32), np.ones((6, 17), np.float32))
        maps.append((found['heatmaps'], found['part_affinity_fields']))
    heatmaps, fields = (
        torch.from_numpy(np.stack(m)).to(device) for m in zip(*maps, strict=True)
    )
    number = sum(len(people) for people in codec.batch_decode(heatmaps, fields)[0])
    spent = milliseconds(lambda: codec.batch_decode(heatmaps, fields))
    size = ' x '.join(map(str, heatmaps.shape))
    yield (
        'part affinity fields, on the CPU',
        size,
        str(number),
        f'{spent:.2f}',
        f'{spent / batch:.3f}',
    )


def training(
    device: str, tiny: bool, data_root: Path, seconds: float
) -> Iterator[tuple[str, ...]]:
    """Rows: what a method reaches on CelebA's faces in some seconds under AMP."""
    yield (
        'training, bfloat16',
        'pixels',
        'batch',
        'steps',
        'ms a step',
        'error, % of the eye distance',
        'mean pose',
        'untrained',
    )
    for name, path in TRAININGS.items():
        with (
            tempfile.TemporaryDirectory() as folder,
            # What readers of annotations print would stand between the rows.
            contextlib.redirect_stdout(sys.stderr),
        ):
            cfg = _short_training(path, tiny, data_root, seconds, folder)
            runner = Runner.from_cfg(cfg)
            runner.model.to(device)
            start = time.monotonic()
            runner.train()
            spent = time.monotonic() - start
            metrics = runner.test()
        yield (
            name,
            path.rsplit('-', 1)[1].removesuffix('.py'),
            str(cfg.train_dataloader.batch_size),
            str(runner.iter),
            f'{1e3 * spent / max(1, runner.iter):.0f}',
            *(f'{metrics[key]:.2f}' for key in FIGURES),
        )


def _short_training(
    path: str, tiny: bool, data_root: Path, seconds: float, folder: str
) -> Config:
    """The config of a training that ends in time and is tested afterwards."""
    root = {f'{part}.data_root': str(data_root) for part in (
        'train_dataloader.dataset',
        'test_dataloader.dataset.fit',
        'test_dataloader.dataset.score',
    )}  # fmt: skip
    cfg = load_config(CONFIGS / 'unsupervised_2d_keypoint' / path, work_dir=folder)
    cfg.merge_from_dict({**root, 'randomness.seed': 0})
    for key in ('val_dataloader', 'val_cfg', 'val_evaluator', 'param_scheduler'):
        cfg[key] = None
    cfg.train_cfg = dict(type='IterBasedTrainLoop', max_iters=10**6)
    cfg.default_hooks.update(
        time_limit=dict(type='TimeLimitHook', seconds=seconds),
        timed_rate=dict(type='TimedLearningRateHook', seconds=seconds),
    )
    for hook in ('discovery', 'progress'):
        cfg.default_hooks.pop(hook)
    use_mixed_precision(cfg, 'bfloat16')
    cfg.log_level, cfg.visualizer.name = 'ERROR', Path(path).stem
    if tiny:
        cfg.train_cfg.max_iters = 2
        for part in ('fit', 'score'):
            cfg.test_dataloader.dataset[part].indices = 24
        cfg.train_dataloader.batch_size = 2
        for name in ('train_dataloader', 'test_dataloader'):
            cfg[name].num_workers, cfg[name].persistent_workers = 0, False
        if 'perceptual' in cfg.model.losses:
            cfg.model.losses.perceptual.pop('weights')
    return cfg
