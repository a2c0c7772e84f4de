"""The verb ``demo``: train two models on drawn figures, from nothing to pictures."""

import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import mmkp

PACKAGE = Path(mmkp.__file__).parent


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Run the tool, which lies in the wheel or beside the package of a checkout.

    Raises:
        FileNotFoundError: the package was installed without its tools.
    """
    places = [PACKAGE / '.mim/tools/demo.py', PACKAGE.parent / 'tools/demo.py']
    script = next((str(path) for path in places if path.is_file()), None)
    if script is None:
        raise FileNotFoundError(
            f"the demo's script is missing: '{places[0]}' does not exist; install a "
            'wheel of mmkp, or run tools/demo.py of a checkout'
        )
    words = sys.argv[1:] if argv is None else argv
    with mock.patch.object(sys, 'argv', [script, *words]):
        runpy.run_path(script, run_name='__main__')
