# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Arrays, tensors and PIL images as one kind of image: (H, W, 3), uint8, BGR."""

import warnings
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image, ImageOps

FRACTIONS_ARE_SCALED = (
    'floating-point images whose values lie between 0 and 1 are taken as fractions of '
    'white and scaled to 0 to 255'
)


def array_as_image(image: Any, name: str = 'the image') -> np.ndarray:
    """Turn what a notebook holds into an image, or say in one sentence why not.

    * NumPy arrays are (H, W, 3) in OpenCV's order, BGR, as MMPose takes them; grey
      ones (H, W) or (H, W, 1) are repeated; of (H, W, 4), BGRA, alpha is dropped.
    * Tensors are (3, H, W) in torchvision's order, RGB; (1, H, W), (H, W) and
      (4, H, W), RGBA, as above.
    * PIL images say their own order, and are turned as their EXIF orientation says.
    * Values are 0 to 255 in uint8, any other integers or floating point, which is
      rounded; 0 to 65535 in uint16; booleans; or fractions, 0 to 1, in floating point.

    Args:
        image: array, tensor or PIL image.
        name: what to call it in a message.

    Returns:
        Array (H, W, 3), uint8, BGR, contiguous and writeable; the same one if it is
        all that already.

    Raises:
        ValueError: it is none of these, or empty, or its values are out of range.
    """
    if isinstance(image, Image.Image):
        return _from_pil(image, name)
    if isinstance(image, torch.Tensor):
        image = _from_tensor(image, name)
    elif not isinstance(image, np.ndarray):
        raise ValueError(
            f'{name} is a {type(image).__name__}: give a path, an array (H, W, 3) in '
            'BGR, a tensor (3, H, W) in RGB, or a PIL image'
        )
    _check_shape(image, name)
    pixels = eight_bit(np.asarray(image), name)
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        pixels = np.repeat(pixels.reshape(*pixels.shape[:2], 1), 3, axis=2)
    return np.require(pixels[..., :3], requirements=['C', 'W'])


def eight_bit(values: np.ndarray, name: str) -> np.ndarray:
    """Bring values to 0-255, see :func:`array_as_image`.

    Args:
        values: of any shape and numeric type.
        name: what to call them in a message.

    Returns:
        Array of the same shape, uint8.

    Raises:
        ValueError: a value is not finite or out of range, or no number.
    """
    kind = values.dtype.kind
    if values.dtype == np.uint8:
        return values
    if values.dtype == np.uint16:
        flat = values.reshape(len(values), -1)  # OpenCV takes four channels at most
        return cv2.convertScaleAbs(flat, alpha=1 / 257).reshape(values.shape)
    if kind == 'b':
        return values.astype(np.uint8) * 255
    if kind not in 'iuf':
        raise ValueError(f'{name} holds {values.dtype}: give whole numbers, 0 to 255')
    low, high = values.min(), values.max()
    if not np.isfinite([float(low), float(high)]).all():
        raise ValueError(
            f'{name} holds values that are not finite (NaN or infinite): replace them, '
            'for example by numpy.nan_to_num'
        )
    if low < 0 or high > 255:
        raise ValueError(
            f'{name} holds {values.dtype} values from {low:g} to {high:g}: scale them '
            'to 0 to 255, undoing any normalisation, or give 16 bits as uint16'
        )
    if kind == 'f' and high <= 1:
        if high > 0:
            warnings.warn(FRACTIONS_ARE_SCALED, stacklevel=2)
        values = values.astype(np.float32) * 255
    return np.rint(values).astype(np.uint8) if kind == 'f' else values.astype(np.uint8)


def _check_shape(image: np.ndarray, name: str) -> None:
    """Refuse what is no (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), or is empty."""
    shape = tuple(image.shape)
    if image.size == 0:
        raise ValueError(f'{name} has no pixels: its shape is {shape}')
    if len(shape) == 2 or len(shape) == 3 and shape[2] in (1, 3, 4):
        return
    remedy = 'give (height, width, 3) in BGR, or (height, width)'
    if len(shape) == 3 and shape[0] in (1, 3, 4):
        remedy = 'arrays have channels last: give x.transpose(1, 2, 0), in BGR'
    elif len(shape) == 4:
        remedy = 'it is a batch: give its images, list(x)'
    raise ValueError(f'{name} has the shape {shape}: {remedy}')


def _from_tensor(tensor: torch.Tensor, name: str) -> np.ndarray:
    """Array (H, W[, C]) of a tensor ([C,] H, W), with BGR for RGB."""
    shape = tuple(tensor.shape)
    if len(shape) == 3 and shape[0] not in (1, 3, 4) or len(shape) not in (2, 3):
        remedy = 'give (3, height, width) in RGB, as torchvision does'
        if len(shape) == 4:
            remedy = 'it is a batch: give its images, list(x)'
        elif len(shape) == 3 and shape[2] in (1, 3, 4):
            remedy += ': x.permute(2, 0, 1), or the array x.numpy() in BGR'
        raise ValueError(f'{name} is a tensor of the shape {shape}: {remedy}')
    if tensor.dtype in (torch.bfloat16, torch.float16):
        tensor = tensor.float()
    values = tensor.detach().cpu().numpy()
    if values.dtype.kind == 'f' and values.size and 0 < values.max() <= 1:
        values = values * 255  # torchvision's own range, nothing to be told
    if values.ndim == 2:
        return values
    values = values.transpose(1, 2, 0)
    return values[..., 2::-1] if values.shape[2] > 1 else values


def _from_pil(image: Image.Image, name: str) -> np.ndarray:
    """Array of a PIL image as viewers show it."""
    try:
        image = ImageOps.exif_transpose(image)
        if image.mode in ('1', 'L', 'I', 'F') or image.mode.startswith('I;16'):
            values = np.array(image)
            if values.dtype == np.int32 and values.size and values.max() > 255:
                # Pillow's way to hold 16 bits.
                values = values.clip(0, 65535).astype(np.uint16)
            return array_as_image(values, name)
        values = np.array(image.convert('RGB'))[..., ::-1]
    except OSError as error:
        raise ValueError(f'{name} cannot be decoded by Pillow: {error}') from error
    return array_as_image(values, name)
