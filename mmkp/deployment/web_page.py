# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The page that runs an export in a browser, copied beside it."""

import shutil
from pathlib import Path

from mmkp.deployment.description import is_export

FOLDER = 'web'
RUNTIME_FOLDER = 'ort'
#: What the page loads of onnxruntime-web to run on the processor.
RUNTIME_FILES = (
    'ort.wasm.min.mjs',
    'ort-wasm-simd-threaded.mjs',
    'ort-wasm-simd-threaded.wasm',
)

_PAGE = Path(__file__).parent / 'web'


def write_page(export_folder: str | Path, runtime: str | Path | None = None) -> Path:
    """Copy the page that runs an export with onnxruntime-web into its folder.

    Serve the folder (``python -m http.server``) and open ``web/``: browsers let no page
    that was opened as a file read the files beside it.

    Args:
        export_folder: with ``export.json`` and an ONNX file.
        runtime: the ``dist`` folder of the npm package onnxruntime-web, whose files for
            the processor (14 MB) are copied too, so that the page works offline. By
            default it loads them from a public address, at a pinned version.

    Returns:
        The page, ``web/index.html`` of the folder.

    Raises:
        FileNotFoundError: the folder is no export, or ``runtime`` lacks a file.
    """
    folder = Path(export_folder)
    if not is_export(folder):
        raise FileNotFoundError(f"'{folder}' is no export: it has no export.json")
    needed = [] if runtime is None else check_runtime(runtime)
    page = folder / FOLDER
    shutil.copytree(_PAGE, page, dirs_exist_ok=True)
    for path in needed:
        (page / RUNTIME_FOLDER).mkdir(exist_ok=True)
        shutil.copyfile(path, page / RUNTIME_FOLDER / path.name)
    return page / 'index.html'


def check_runtime(folder: str | Path) -> list[Path]:
    """The files of onnxruntime-web that the page needs.

    Args:
        folder: ``dist`` of the npm package.

    Returns:
        Their paths.

    Raises:
        FileNotFoundError: one is missing.
    """
    files = [Path(folder) / name for name in RUNTIME_FILES]
    missing = [path.name for path in files if not path.is_file()]
    if missing:
        raise FileNotFoundError(
            f"'{folder}' lacks {', '.join(missing)}: name the dist folder of the npm "
            'package onnxruntime-web (npm pack onnxruntime-web, package/dist)'
        )
    return files
