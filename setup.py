"""Packs configs, tools and the model index into ``mmkp/.mim``; the rest is setup.cfg.

OpenMMLab's tools look there for the configs of an installed package.
"""

import os
import re
import shutil
from configparser import ConfigParser
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).parent
PACKED = ('configs', 'tools', 'model-index.yml')
SUFFIXES = ('.py', '.sh', '.yml')
# Of use in a checkout only.
LEFT_OUT = ('tools/benchmarks', 'tools/misc/make_environment.py', 'tools/misc/timed.sh')


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
                place = file.relative_to(ROOT)
                if file.suffix in SUFFIXES and not place.as_posix().startswith(
                    LEFT_OUT
                ):
                    copy = target / place
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, copy)  # with its run bit


def readme_with_whole_links() -> str:
    """README.md as it reads away from the repository: links and pictures are URLs."""
    settings = ConfigParser()
    settings.read(ROOT / 'setup.cfg', encoding='utf-8')
    urls = dict(
        line.split(' = ')
        for line in settings['metadata']['project_urls'].strip().splitlines()
    )

    def whole(link: re.Match) -> str:
        view = 'raw' if link['picture'] else 'blob'
        path = f'{urls["Source"]}/{view}/main/{link["path"]}'
        return f'{link["picture"]}{link["text"]}({path})'

    relative = r'(?P<picture>!?)(?P<text>\[[^\]]*\])\((?P<path>(?!\w+:|#)[^)\s]+)\)'
    return re.sub(relative, whole, (ROOT / 'README.md').read_text(encoding='utf-8'))


setup(
    cmdclass={'build_py': BuildWithMim},
    long_description=readme_with_whole_links(),
    long_description_content_type='text/markdown',
)
