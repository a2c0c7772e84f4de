# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""What mmkp does with files, films and networks, tried here in seconds."""

import os
import shutil
import tempfile
import time
import traceback
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmengine.runner import Runner

from mmkp.apis.film_writer import FilmWriter
from mmkp.apis.films import Film, Frame
from mmkp.apis.model import load_model
from mmkp.apis.predict_topdown import predict_topdown
from mmkp.apis.shipped_models import find_shipped, shipped_names
from mmkp.datasets import PuppetDataset
from mmkp.datasets.coco_writer import write_image
from mmkp.datasets.image_decoding import read_image
from mmkp.engine.config import load_config
from mmkp.engine.runner_options import without_validation
from mmkp.visualization.canvas import caption

OK, NOTE, BROKEN = 'ok', 'note', 'broken'
#: Of free space, below which trainings soon stop, and below which nothing is written.
FEW_BYTES, NO_BYTES = 2 * 2**30, 50 * 2**20
_TRAINED = 'lmdis-figure_puppets-64x64'
_STEPS = 3


@dataclass(frozen=True)
class Check:
    """What one check found.

    Args:
        name: what was tried.
        status: ``'ok'``, ``'note'`` (works, but not as one might wish), ``'broken'``.
        detail: what was measured, or what went wrong, a line.
        seconds: that it took.
    """

    name: str
    status: str
    detail: str
    seconds: float


def self_test(
    checks: 'Sequence[tuple[str, Callable[[Path], tuple[str, str]]]] | None' = None,
) -> list[Check]:
    """Run all checks in a folder of their own, which is removed.

    Args:
        checks: name and function of each, which takes the folder and returns status and
            detail; an error is a check that is broken. Default: :data:`CHECKS`.

    Returns:
        A result a check, in order.
    """
    results = []
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        for name, check in CHECKS if checks is None else checks:
            start = time.monotonic()
            try:
                status, detail = check(Path(folder))
            except Exception as error:  # whatever it is, it is what was looked for
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f'{Path(place.filename).name}:{place.lineno}'
                said = ' '.join(str(error).split())[:300]
                status, detail = BROKEN, f'{type(error).__name__} in {where}: {said}'
            results.append(Check(name, status, detail, time.monotonic() - start))
    torch.set_num_threads(threads)
    torch.set_rng_state(state)
    return results


def disk_space(folder: Path) -> tuple[str, str]:
    """Free space where temporary files and results go."""
    places = {str(Path.cwd()), str(folder.parent)}
    free = {place: shutil.disk_usage(place).free for place in sorted(places)}
    told = ', '.join(
        f'{size / 2**30:.1f} GiB in {place}' for place, size in free.items()
    )
    least = min(free.values())
    status = BROKEN if least < NO_BYTES else NOTE if least < FEW_BYTES else OK
    return status, f'{told} are free'


def working_folder(folder: Path) -> tuple[str, str]:
    """Whether results can be written below the working folder."""
    place = Path.cwd()
    if os.access(place, os.W_OK):
        return OK, f'{place} can be written'
    return NOTE, f'{place} cannot be written: give -o FOLDER'


def file_names(folder: Path) -> tuple[str, str]:
    """Pictures whose names are not of English letters, written and read back."""
    picture = np.arange(300, dtype=np.uint8).reshape(10, 10, 3)
    for name in ('Bild mit Umlaut äöü.png', '图片.png', 'été/a b.png'):
        write_image(folder / name, picture)
        if not np.array_equal(read_image(folder / name), picture):
            raise OSError(f"'{name}' comes back changed")
    return OK, 'umlauts, Chinese signs and blanks in names'


def fonts(folder: Path) -> tuple[str, str]:
    """Whether captions show letters beyond English ones."""
    pictures = {caption(text, 40).tobytes() for text in 'uüö'}
    if len(pictures) < 3:
        return (
            NOTE,
            'captions show umlauts as boxes: update Pillow and matplotlib',
        )
    return OK, 'captions show umlauts'


def film(folder: Path) -> tuple[str, str]:
    """A film that is written and read back."""
    images = [np.full((48, 64, 3), 40 * i, np.uint8) for i in range(5)]
    with FilmWriter(folder / 'film', 25.0) as writer:
        for index, image in enumerate(images):
            writer.write(Frame(image, index / 25))
    path = writer.path
    assert path is not None
    read = [frame.image for frame in Film(path)]
    if len(read) != len(images) or abs(float(read[4].mean()) - 160) > 12:
        raise OSError(f'{path.name}: {len(read)} of {len(images)} frames come back')
    return OK, f'{path.suffix}, {len(read)} frames'


def training(folder: Path) -> tuple[str, str]:
    """A model that is built, trained for some steps, saved, loaded and predicts."""
    cfg = load_config(_TRAINED, {'randomness.seed': 0}, str(folder / 'work'))
    without_validation(cfg)
    cfg.train_dataloader.batch_size = 4
    cfg.train_cfg.max_iters = _STEPS
    cfg.log_level = 'ERROR'
    cfg.experiment_name = cfg.visualizer.name = f'doctor_{uuid.uuid4().hex}'
    cfg.default_hooks = {
        name: cfg.default_hooks[name]
        for name in ('timer', 'param_scheduler', 'checkpoint', 'finite', 'logger')
    }
    runner = Runner.from_cfg(cfg)
    before = [p.detach().clone() for p in runner.model.parameters()]
    runner.train()
    after = list(runner.model.parameters())
    if all(torch.equal(a, b) for a, b in zip(after, before, strict=True)):
        raise RuntimeError(f'{_STEPS} steps have changed no weight')
    drawn, _ = _figures(2)
    found = _keypoints(load_model(cfg, folder / f'work/iter_{_STEPS}.pth'), drawn)
    trained = runner.model.eval()
    trained.cfg, trained.dataset_meta = cfg, dict(num_keypoints=cfg.num_keypoints)
    off = np.abs(found - _keypoints(trained, drawn)).max()
    if not off < 1e-3:
        raise RuntimeError(f'the model that was saved predicts {off:.3g} px elsewhere')
    return OK, f'{_STEPS} steps, saved, loaded, predicts the same'


def shipped(folder: Path) -> tuple[str, str]:
    """Whether the weights that come with the package find what they should."""
    names = shipped_names()
    model = find_shipped('puppets-lmdis').run.load_model()
    drawn, joints = _figures(8)
    found = _keypoints(model, drawn)
    far = np.linalg.norm(found[:, :, None] - joints[:, None], axis=-1).min(axis=1)
    off = 100 * float(np.median(far)) / 64
    if not off < 6:
        raise RuntimeError(f'keypoints are {off:.1f} % of the picture off the joints')
    return OK, f'{", ".join(names)}; nearest keypoint {off:.1f} % off each joint'


def threads(folder: Path) -> tuple[str, str]:
    """How many cores torch computes on."""
    cores, used = os.cpu_count() or 1, torch.get_num_threads()
    asked = os.environ.get('OMP_NUM_THREADS')
    told = f'{used} threads on {cores} cores'
    if asked:
        told += f', OMP_NUM_THREADS={asked}'
    if used > cores:
        return NOTE, f'{told}: more threads than cores slow each other down'
    return OK, told


def bfloat16(folder: Path) -> tuple[str, str]:
    """Whether halved precision pays on this CPU, by a convolution."""
    images, weights = torch.ones(8, 32, 48, 48), torch.ones(32, 32, 3, 3)
    spent = {}
    for kind in (torch.float32, torch.bfloat16):
        inputs = images.to(kind), weights.to(kind)
        times = []
        for _ in range(4):
            start = time.process_time()
            result = torch.nn.functional.conv2d(*inputs, padding=1)
            times.append(time.process_time() - start)
        spent[kind] = min(times)
        if abs(float(result[0, 0, 24, 24]) - 288) > 2:
            raise RuntimeError(f'a convolution in {kind} is wrong')
    ratio = spent[torch.bfloat16] / max(spent[torch.float32], 1e-6)
    told = f'a convolution takes {ratio:.2f} of its time in float32'
    if ratio > 1:
        told += ': give optim_wrapper.dtype=float32 to configs that ask for bfloat16'
    return (NOTE if ratio > 1 else OK), told


def _figures(number: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Drawn figures (64, 64, 3), BGR, and their joints (number, 17, 2)."""
    dataset = PuppetDataset(num_images=number, image_size=64, seed=5)
    items = [dataset.get_data_info(index) for index in range(number)]
    return [i['img'] for i in items], np.stack([i['keypoints'][0] for i in items])


def _keypoints(model: torch.nn.Module, images: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(
        [found['keypoints'] for found in predict_topdown(model, images)]
    )


#: In the order in which they are run.
CHECKS = (
    ('disk space', disk_space),
    ('working folder', working_folder),
    ('file names', file_names),
    ('fonts', fonts),
    ('film', film),
    ('threads', threads),
    ('bfloat16', bfloat16),
    ('training', training),
    ('shipped weights', shipped),
)
