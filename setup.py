"""Packs configs, tools and the model index into ``mmkp/.mim``; the rest is setup.cfg.

OpenMMLab's tools look there for the configs of an installed package.
"""

import os
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
PACKED = ('configs', 'tools', 'model-index.yml')
SUFFIXES = ('.py', '.sh', '.yml')


class BuildWithMim(build_py):
    """Runs for wheels and editable installs alike, unlike a look at ``sys.argv``."""

    def run(self) -> None:
        """Build the package, then copy what is packed, or link it where editable."""
        super().run()
        if self.editable_mode:
            self._link(ROOT / 'mmkp' / '.mim')
        else:
            self._copy(Path(self.build_lib) / 'mmkp' / '.mim')

    def _link(self, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        try:
            for name in PACKED:
                (target / name).symlink_to(os.path.join('..', '..', name))
        except OSError:  # Windows allows links to some users only.
            self._copy(target)

    def _copy(self, target: Path) -> None:
        shutil.rmtree(target, ignore_errors=True)
        for name in PACKED:
            files = (
                [ROOT / name] if (ROOT / name).is_file() else ROOT.glob(f'{name}/**/*')
            )
            for file in files:
                if file.suffix in SUFFIXES:
                    copy = target / file.relative_to(ROOT)
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, copy)


setup(cmdclass={'build_py': BuildWithMim})
