"""Calls functions of the page's scripts in node, and finds its runtime for browsers."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mmkp

ROOT = Path(__file__).resolve().parents[1]
WEB = Path(mmkp.__file__).parent / 'deployment/web'
#: Reads a list of arguments; the data of pictures come as lists.
_CALL = """
import * as scripts from '%s';
let text = '';
for await (const part of process.stdin) text += part;
const given = JSON.parse(text, (key, value) => (
  key === 'data' ? Uint8Array.from(value) : value
));
const result = (%s)(scripts, ...given);
process.stdout.write(JSON.stringify(result, (_, value) => (
  ArrayBuffer.isView(value) ? [...value] : value
)));
"""


def in_node(script: str, function: str, *arguments: Any) -> Any:
    """Call a function of a script of the page in node; skip where there is none.

    Args:
        script: its name.
        function: JavaScript, takes the script's exports and the arguments.
        *arguments: plain data and arrays.
    """
    node = shutil.which('node')
    if node is None:
        pytest.skip('there is no node')
    code = _CALL % ((WEB / script).as_uri(), function)
    done = subprocess.run(
        [node, '--input-type=module', '-e', code],
        input=json.dumps(arguments, default=np.ndarray.tolist),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_picture(image: np.ndarray) -> dict[str, Any]:
    """An image (H, W, 3) as the scripts take it."""
    return dict(data=image.reshape(-1), width=image.shape[1], height=image.shape[0])


def as_image(picture: dict[str, Any]) -> np.ndarray:
    """A picture of the scripts as an image (H, W, 3), uint8."""
    data = np.array(picture['data'], np.uint8)
    return data.reshape(picture['height'], picture['width'], 3)


def runtime_folder() -> Path:
    """The dist folder of onnxruntime-web; skip where there is none."""
    given = os.environ.get('MMKP_ORT_WEB')
    places = [Path(given)] if given else []
    package = 'node_modules/onnxruntime-web/dist'
    places += [Path(sys.prefix) / package, ROOT / package]
    for place in places:
        if (place / 'ort.wasm.min.mjs').is_file():
            return place
    pytest.skip('no onnxruntime-web: name its dist folder in MMKP_ORT_WEB')
