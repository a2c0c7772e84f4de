"""Checkpoints for others: only what is needed to use the model."""

import hashlib
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from mmkp.datasets.coco_writer import write_atomically
from mmkp.engine.checkpoint import load_checkpoint_file
from mmkp.engine.checkpoint_content import as_checkpoint
from mmkp.engine.config_check import ConfigError, nearest
from mmkp.engine.file_backend import whole_file

PUBLISHED_KEYS = ('meta', 'state_dict')


def publish_checkpoint(
    in_file: str | Path,
    out_file: str | Path,
    save_keys: Sequence[str] = PUBLISHED_KEYS,
) -> Path:
    """Write the parts of a checkpoint that are needed to use the model.

    With averaged weights (``EMAHook``) MMEngine's ``state_dict`` holds the averaged
    ones already.

    Args:
        in_file: checkpoint of a training.
        out_file: path to begin the new one's with; ``.pth`` is added when absent.
        save_keys: parts of the checkpoint to keep.

    Returns:
        Path of the new file: ``<out_file>-<SHA-256, 8 digits>_<date>.pth``.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        CheckpointError: it is damaged, or holds no weights.
        ConfigError: it lacks one of the parts.
    """
    checkpoint = as_checkpoint(load_checkpoint_file(in_file, 'cpu'), str(in_file))
    for key in save_keys:
        if key not in checkpoint:
            hint = nearest(key, map(str, checkpoint))
            raise ConfigError(f"{in_file} has no part '{key}', {hint}")
    kept = {key: checkpoint[key] for key in save_keys}
    stem = Path(str(out_file).removesuffix('.pth'))
    written = io.BytesIO()
    torch.save(kept, written)
    digest = hashlib.sha256(written.getbuffer()).hexdigest()[:8]
    path = stem.with_name(f'{stem.name}-{digest}_{time.strftime("%Y%m%d")}.pth')
    with whole_file(path) as file:
        file.write(written.getbuffer())
    return path


def write_weights(path: str | Path, meta: Mapping, state_dict: Mapping) -> None:
    """Write a checkpoint of weights alone, whole or not at all.

    Args:
        path: file to write.
        meta: what is known of the model, as MMEngine's checkpoints hold it.
        state_dict: the weights.
    """
    content = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=state_dict), content)
    write_atomically(path, content.getvalue())
