# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Keypoints of the files of one shard, by one of several processes."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mmkp.apis.merge_shards import merge_if_complete
from mmkp.apis.predict import check_formats, known_keypoints, load_run, model_files
from mmkp.apis.predict_into import predict_into, source_name
from mmkp.apis.predict_options import PredictOptions
from mmkp.apis.predictions import Predictions
from mmkp.apis.predictors import choose_predictors
from mmkp.apis.record_file import KEYPOINTS
from mmkp.apis.run import Run
from mmkp.apis.shard_part import ShardPart, locked, raise_if_different, states_of
from mmkp.apis.shards import SHARDS, Shard, read_shard
from mmkp.apis.shipped_models import open_run
from mmkp.apis.sources import Source


def predict_shard(
    run_or_model: Run | str | Path | nn.Module,
    source: Source,
    out: str | Path,
    shard: Shard | str,
    formats: Sequence[str] = ('json',),
    device: str | None = None,
    **options: Any,
) -> Predictions | None:
    """Predict the keypoints of one shard of a source; the last one merges them.

    A call for a shard that was interrupted goes on; for one that is done it does
    nothing but merge, where that is missing.

    Args:
        run_or_model: as :func:`mmkp.predict` takes it.
        source: as :func:`mmkp.predict` takes it, but no camera.
        out: folder that all shards have in common. The part of shard i of n is below
            ``shards/i-of-n``.
        shard: text of :func:`mmkp.apis.shards.read_shard`, such as '0/4' or 'auto'.
        formats: as :func:`mmkp.predict` takes them.
        device: such as 'cpu'; by default a GPU where there is one.
        **options: see :class:`mmkp.apis.predict_options.PredictOptions`; heatmaps,
            fields and stacks are not drawn.

    Returns:
        The predictions of all shards, None as long as some are missing.

    Raises:
        FileExistsError: the folder holds a result of another kind.
        ValueError: the shard or an option is none; the folder holds parts of another
            number of shards, or predicted in another way; another process predicts
            this shard.
        KeyboardInterrupt: Ctrl-C; the same call goes on.
    """
    chosen = PredictOptions(**options)
    check_formats(formats)
    run = None if isinstance(run_or_model, nn.Module) else open_run(run_or_model)
    model = load_run(run, chosen, device) if run else run_or_model
    which = read_shard(shard) if isinstance(shard, str) else shard
    return write_shard(model, source, out, which, chosen, formats, run)


def write_shard(
    model: Any,
    source: Source,
    out: str | Path,
    shard: Shard,
    options: PredictOptions,
    formats: Sequence[str] = ('json',),
    run: Run | None = None,
) -> Predictions | None:
    """Predict a shard with a model that was loaded, see :func:`predict_shard`.

    Args:
        model: of :func:`mmkp.apis.load_model`.
        source: as :func:`predict_shard` takes it.
        out: the same.
        shard: which.
        options: how.
        formats: files to write beside ``keypoints.json`` when all are merged.
        run: that the model is of; the result is a run, too.

    Returns:
        As :func:`predict_shard`.

    Raises:
        ValueError: as :func:`predict_shard`.
    """
    out = Path(out)
    _check(source, out, options)
    known = known_keypoints(run) if run else {}
    setting = _setting(model, source, options, known)
    name = source_name(source)
    told = {
        'source': name,
        'setting': setting,
        # What the ``run.json`` of the result says of where it comes from.
        'run': run and {**known, 'source': name, **model_files(run, out)},
    }
    for other, state in states_of(out).items():
        if other.count != shard.count:
            raise ValueError(
                f"'{out}' holds parts of {other.count} shards, and this is {shard}: "
                f'write --shard i/{other.count}, or name another folder with -o'
            )
        raise_if_different(setting, state['setting'], f"shard {other} of '{out}'")
    busy = f"shard {shard} of '{out}' is being predicted by another process"
    with locked(shard.folder(out) / 'lock', busy):
        part = ShardPart(out, shard)
        if not part.state['done']:
            part.update(**told)
            chosen = replace(options, resume=len(part) > 0)
            how = options.runtime, options.precision
            choice = choose_predictors(model, *how, run, source)
            predict_into(
                model, source, part.folder, chosen, known, part=part, choice=choice
            )
            part.update(done=True)
    return merge_if_complete(out, formats)


def _check(source: Source, out: Path, options: PredictOptions) -> None:
    """Raise unless a shard can be predicted in this way into that folder."""
    if any(options.maps.values()):
        raise ValueError(
            'heatmaps, fields and stacks are drawn by one process: ask for them '
            'without --shard'
        )
    if isinstance(source, int) or str(source).isdecimal() and not Path(source).exists():
        raise ValueError('a camera is seen by one process: leave out --shard')
    if (out / KEYPOINTS).exists() and not (out / SHARDS).is_dir():
        raise FileExistsError(
            f"'{out}' holds keypoints that were not predicted by shards: name another "
            'folder with -o'
        )


def _setting(
    model: Any, source: Source, options: PredictOptions, known: dict[str, Any]
) -> dict[str, Any]:
    """What all shards have in common, whatever machine they are predicted on."""
    boxes = options.boxes
    named = isinstance(boxes, str | Path)
    return {
        'source': Path(source_name(source)).name,
        'weights': weights_digest(model),
        'precision': options.precision,
        'boxes': Path(boxes).name if named else type(boxes).__name__,  # type: ignore[arg-type]
        'frames': str(options.frames),
        'smooth': options.smooth,
        'max_gap': options.max_gap,
        'fix_swaps': options.fix_swaps,
        'tracks': options.tracks,
        'keypoint_names': known.get('keypoint_names'),
    }


def weights_digest(model: Any) -> str:
    """A hash of the weights of a model, 16 hexadecimals.

    Args:
        model: a module, or anything else that predicts, which has none: ''.
    """
    if not isinstance(model, nn.Module):
        return ''
    digest = hashlib.blake2b(digest_size=8)
    session = getattr(model, 'session', None)
    if session is not None:  # of an export, whose weights are in a file
        digest.update(session.path.read_bytes())
    for name, value in model.state_dict().items():
        digest.update(name.encode())
        if isinstance(value, torch.Tensor):
            flat = value.detach().cpu().contiguous().flatten()
            digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
