# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which image formats are read, and what to do about those that are not."""

import functools
import importlib
import importlib.util
import struct

from PIL import Image

# Decoded by OpenCV, or else by Pillow.
IMAGE_SUFFIXES: tuple[str, ...] = (
    '.jpg', '.jpeg', '.png', '.bmp', '.webp', '.tif', '.tiff', '.ppm', '.pgm', '.pbm',
    '.pnm', '.jp2', '.jpe', '.jfif', '.gif', '.avif', '.dib', '.tga', '.pcx', '.ico',
    '.qoi', '.psd',
)  # fmt: skip
# Formats that Pillow may try: those whose decoders run nothing else (EPS does).
_PILLOW_FORMATS = [
    'JPEG', 'PNG', 'GIF', 'BMP', 'DIB', 'WEBP', 'TIFF', 'PPM', 'AVIF', 'JPEG2000',
    'TGA', 'PCX', 'ICO', 'QOI', 'PSD',
]  # fmt: skip
# By the package that teaches them to Pillow: what it registers, suffixes, name on PyPI.
_PLUGINS = {
    'pillow_heif': ('HEIF', ('.heic', '.heif', '.hif'), 'pillow-heif'),
    'pillow_jxl': ('JXL', ('.jxl',), 'pillow-jxl-plugin'),
}
# Pictures that are left out of a folder, with a word.
UNREAD_SUFFIXES: tuple[str, ...] = (
    '.svg', '.svgz', '.eps', '.ai', '.pdf', '.exr', '.hdr', '.pfm', '.xcf', '.dcm',
    '.fits', '.nii', '.czi', '.lif', '.nd2', '.cr2', '.cr3', '.nef', '.nrw', '.arw',
    '.dng', '.raf', '.orf', '.rw2', '.pef', '.srw', '.raw', '.3fr', '.jxr', '.wdp',
)  # fmt: skip

FILM_SUFFIXES = (
    '.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.mpeg', '.wmv', '.flv',
    '.ts', '.mts', '.m2ts', '.3gp', '.3g2', '.ogv', '.asf', '.vob', '.mxf', '.mjpeg',
    '.y4m', '.ivf', '.f4v', '.qt', '.m2v', '.h264', '.h265', '.dv', '.divx',
)  # fmt: skip

_JXL_STARTS = (b'\xff\x0a', b'\x00\x00\x00\x0cJXL \r\n\x87\n')
_HEIF_BRANDS = (b'heic', b'heix', b'hevc', b'heim', b'heis', b'mif1', b'msf1')
# Chunks of a PNG file that OpenCV makes nothing of, but libpng has remarks about.
_PNG_NOTES = {
    b'iCCP', b'sRGB', b'gAMA', b'cHRM', b'sBIT', b'bKGD', b'hIST', b'pHYs', b'sPLT',
    b'tIME', b'tEXt', b'zTXt', b'iTXt',
}  # fmt: skip


for _module, (_, _suffixes, _) in _PLUGINS.items():
    if importlib.util.find_spec(_module) is None:
        UNREAD_SUFFIXES += _suffixes
    else:
        IMAGE_SUFFIXES += _suffixes


@functools.cache
def pillow_formats() -> list[str]:
    """Formats that Pillow may try here, those of other packages' decoders included."""
    Image.init()
    formats = list(_PILLOW_FORMATS)
    for module, (name, _, _) in _PLUGINS.items():
        if importlib.util.find_spec(module) is not None:
            plugin = importlib.import_module(module)
            if hasattr(plugin, 'register_heif_opener'):
                plugin.register_heif_opener()
            formats.append(name)
    return [name for name in formats if name in Image.OPEN]


def why_not_an_image(content: bytes, path: str) -> str:
    """One sentence on a file that no decoder takes, with a remedy where one is known.

    Args:
        content: the whole file.
        path: its name.
    """
    if content[4:8] == b'ftyp' and content[8:12] in _HEIF_BRANDS:
        kind, package = 'a HEIF (HEIC) picture', _PLUGINS['pillow_heif'][2]
    elif content.startswith(_JXL_STARTS):
        kind, package = 'a JPEG XL picture', _PLUGINS['pillow_jxl'][2]
    else:
        return (
            f'{path} is not an image that can be decoded (its first bytes are '
            f'{content[:8]!r})'
        )
    return f'{path} is {kind}: convert it to JPEG or PNG, or pip install {package}'


def without_png_notes(content: bytes) -> bytes:
    """Take out of a PNG file what stands before its pixels and does not change them.

    Args:
        content: a PNG file, with any number of such chunks.

    Returns:
        The same file where there are none.
    """
    kept, start, place = [], 0, 8
    while place + 8 <= len(content):
        (length,) = struct.unpack_from('>I', content, place)
        name, end = content[place + 4 : place + 8], place + 12 + length
        if name == b'IDAT' or end > len(content):
            break
        if name in _PNG_NOTES:
            kept.append(content[start:place])
            start = end
        place = end
    return b''.join([*kept, content[start:]]) if kept else content
