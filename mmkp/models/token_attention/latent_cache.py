# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Latents of images that were encoded before, kept on disk."""

import hashlib
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn


def weights_digest(module: nn.Module) -> str:
    """Hash every parameter and buffer of a module, names, shapes and dtypes included.

    Args:
        module: any module.

    Returns:
        Hexadecimal digest; another one for another precision.
    """
    digest = hashlib.blake2b(digest_size=32)
    for name, value in sorted(module.state_dict().items()):
        digest.update(f'{name} {value.dtype} {tuple(value.shape)}'.encode())
        digest.update(_content(value))
    return digest.hexdigest()


class LatentCache:
    """A folder of latents, one file for each image.

    A file's name is a hash of the image's pixels as they enter the network and of
    whatever else decides about the latents, so that another image, transform, size or
    encoder never meets what is not its own. Files appear whole or not at all: any
    number of processes may share a folder. One that cannot be read is made again.

    Args:
        folder: is made if it does not exist.
        identity: describes the encoder, see :func:`weights_digest`.
    """

    def __init__(self, folder: str | Path, identity: str) -> None:
        self.folder = Path(folder).expanduser()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.identity = identity

    def fetch(self, images: Tensor, encode: Callable[[Tensor], Tensor]) -> Tensor:
        """Read latents, or make and keep those that are not there.

        Args:
            images: network input, shape (B, 3, H, W).
            encode: makes latents (1, c, h, w) of an image (1, 3, H, W).

        Returns:
            Latents, shape (B, c, h, w), on the images' device.
        """
        latents = []
        for image in images:
            path = self.path(image)
            found = self._read(path)
            if found is None:
                made = encode(image[None])[0]
                self._write(path, made)
            else:
                made = found.to(image.device)
            latents.append(made)
        return torch.stack(latents)

    def path(self, image: Tensor) -> Path:
        """Where the latents of an image (3, H, W) are, or will be."""
        digest = hashlib.blake2b(digest_size=24)
        about = f'{self.identity} {image.dtype} {tuple(image.shape)}'
        digest.update(about.encode())
        digest.update(_content(image))
        return self.folder / f'{digest.hexdigest()}.npz'

    @staticmethod
    def _read(path: Path) -> Tensor | None:
        try:
            with np.load(path, allow_pickle=False) as file:
                return torch.from_numpy(file['latents'])
        except FileNotFoundError:
            return None
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            warnings.warn(
                f'latents in {path} cannot be read ({error}); they are made anew',
                stacklevel=4,
            )
            return None

    def _write(self, path: Path, latents: Tensor) -> None:
        handle, temporary = tempfile.mkstemp(dir=self.folder, suffix='.tmp')
        try:
            with os.fdopen(handle, 'wb') as file:
                # A zip archive has checksums, a plain array has none.
                np.savez(file, latents=latents.detach().cpu().numpy())
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _content(value: Tensor) -> bytes:
    """Bytes of a tensor of any dtype, in the order of its indices."""
    flat = value.detach().cpu().contiguous().flatten()
    return flat.view(torch.uint8).numpy().tobytes() if flat.numel() else b''
