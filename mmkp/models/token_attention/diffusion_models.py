# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The UNet, VAE and noise schedule of a Stable Diffusion, through diffusers."""

import importlib.util
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import torch
from torch import nn

#: The schedule of Stable Diffusion 1 and 2, for which no files are needed.
STABLE_DIFFUSION_SCHEDULE = dict(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule='scaled_linear',
    clip_sample=False,
    set_alpha_to_one=False,
    steps_offset=1,
)
_REPOSITORY = re.compile(r'[\w-][\w.-]*/[\w-][\w.-]*')


class DiffusionModels(NamedTuple):
    """A ``UNet2DConditionModel``, an ``AutoencoderKL`` and a ``DDIMScheduler``."""

    # torch takes every attribute of a module for a tensor or a module.
    unet: Any
    vae: Any
    scheduler: Any


def import_diffusers() -> ModuleType:
    """Import diffusers, which is needed here alone.

    Raises:
        ImportError: it, or something it imports, is missing or broken.
    """
    try:
        import diffusers
        from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel
    except Exception as error:
        # Half an installation of its optional dependencies raises anything.
        raise ImportError(
            f'DiffusionAttention needs diffusers, which cannot be imported ({error}): '
            'pip install -r requirements/diffusion.txt'
        ) from error
    del AutoencoderKL, DDIMScheduler, UNet2DConditionModel  # imported lazily
    return diffusers


def load_models(
    base_model: str | Path | Mapping,
    dtype: torch.dtype = torch.float32,
    variant: str | None = None,
    schedule: Mapping | None = None,
) -> DiffusionModels:
    """Load what StableKeypoints needs of a pipeline; text encoders are not.

    Args:
        base_model: a folder with the subfolders ``unet`` and ``vae``; or the id of a
            repository, ``'owner/name'``, which diffusers may download; or
            ``dict(unet=dict(...), vae=dict(...), seed=0)`` with the arguments of
            diffusers' classes, for random weights.
        dtype: of the weights.
        variant: of the weight files, as ``'fp16'``.
        schedule: replaces settings of the noise schedule.

    Returns:
        The three, on the CPU.

    Raises:
        ImportError: diffusers is missing or broken.
        FileNotFoundError: there is no such folder, repository or part of it.
        ValueError: a dict with other keys.
    """
    diffusers = import_diffusers()
    if isinstance(base_model, Mapping):
        return _random_models(diffusers, base_model, dtype, schedule)
    source, local = _source(base_model)
    options: dict = dict(
        use_safetensors=True,
        torch_dtype=dtype,
        variant=variant,
        # Without accelerate diffusers would say at each load that it cannot.
        low_cpu_mem_usage=importlib.util.find_spec('accelerate') is not None,
    )
    try:
        unet = diffusers.UNet2DConditionModel.from_pretrained(
            source, subfolder='unet', **options
        )
        vae = diffusers.AutoencoderKL.from_pretrained(
            source, subfolder='vae', **options
        )
        if local and not (Path(source) / 'scheduler').is_dir():
            found = STABLE_DIFFUSION_SCHEDULE
        else:
            found = diffusers.DDIMScheduler.load_config(source, subfolder='scheduler')
    except OSError as error:
        raise FileNotFoundError(
            f'base_model={str(base_model)!r} cannot be loaded: give a folder with the '
            'subfolders unet and vae, each with config.json and .safetensors weights, '
            "or the id of a repository, 'owner/name', if this machine may download it "
            f'({error})'
        ) from error
    scheduler = diffusers.DDIMScheduler.from_config({**found, **(schedule or {})})
    return DiffusionModels(unet, vae, scheduler)


def _source(base_model: str | Path) -> tuple[str, bool]:
    """A checked folder, or the id of a repository, and whether it is a folder."""
    name = str(base_model)
    folder = Path(name).expanduser()
    if not folder.exists() and _REPOSITORY.fullmatch(name):
        return name, False
    missing = [part for part in ('unet', 'vae') if not (folder / part).is_dir()]
    if missing:
        raise FileNotFoundError(
            f'base_model={name!r} has no folder {" or ".join(missing)}: give the '
            'folder of a diffusers pipeline, with the subfolders unet, vae and '
            "scheduler, or the id of a repository, 'owner/name'"
        )
    return str(folder), True


def _random_models(
    diffusers: ModuleType,
    config: Mapping,
    dtype: torch.dtype,
    schedule: Mapping | None,
) -> DiffusionModels:
    unknown = set(config) - {'unet', 'vae', 'scheduler', 'seed'}
    if unknown or not {'unet', 'vae'} <= set(config):
        raise ValueError(
            f'base_model has the keys {sorted(config)}: give dict(unet=dict(...), '
            'vae=dict(...)) and, if wanted, scheduler=dict(...) and seed=0'
        )
    with torch.random.fork_rng(devices=[]):
        # torch.manual_seed would seed the accelerators as well.
        torch.default_generator.manual_seed(config.get('seed', 0))
        unet = diffusers.UNet2DConditionModel(**config['unet'])
        vae = diffusers.AutoencoderKL(**config['vae'])
    settings = {**STABLE_DIFFUSION_SCHEDULE, **config.get('scheduler', {})}
    scheduler = diffusers.DDIMScheduler(**{**settings, **(schedule or {})})
    # diffusers' own methods warn, however few weights they have to treat apart.
    nn.Module.to(unet, dtype)
    nn.Module.to(vae, dtype)
    return DiffusionModels(unet, vae, scheduler)
