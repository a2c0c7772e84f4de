"""What is built for others: the wheel, the source archive, the editable install."""

import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

import mmkp

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ('mmkp', 'configs', 'tools', 'requirements', 'tests', 'docs', '.ci')
INFO = f'mmkp-{mmkp.__version__}.dist-info'
HOME = 'https://github.com/mmkp/mmkp'


def files(pattern, *folders):
    """Paths of files of this checkout, as they are written in an archive."""
    found = [path for folder in folders for path in (ROOT / folder).rglob(pattern)]
    return {
        path.relative_to(ROOT).as_posix()
        for path in found
        if path.is_file() and not {'.mim', '__pycache__'} & set(path.parts)
    }


# Template, style and scripts of the page of a run.
PAGE = files('*', 'mmkp/visualization/report/static') | files(
    '*', 'mmkp/deployment/web'
)


@pytest.fixture(scope='module')
def source(tmp_path_factory):
    """A copy of what git keeps, to build in."""
    folder = tmp_path_factory.mktemp('source')
    junk = shutil.ignore_patterns('__pycache__', '.mim', '*.pyc')
    for name in FOLDERS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=junk)
    for path in ROOT.iterdir():
        if path.is_file() and path.name != '.git':
            shutil.copy(path, folder)
    return folder


def build(function, folder):
    """Call the build backend as pip does and return the path of what it made."""
    for module in ('setuptools', 'wheel'):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed, which builds the package')
    program = (
        'from setuptools import build_meta\n'
        f'print("made", build_meta.{function}("out"), sep="\\t")'
    )
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder / 'out' / done.stdout.splitlines()[-1].partition('\t')[2]


@pytest.fixture(scope='module')
def wheel(source):
    with zipfile.ZipFile(build('build_wheel', source)) as content:
        yield content


@pytest.fixture(scope='module')
def archive(source):
    """Mode of each file in the source archive."""
    path = build('build_sdist', source)
    with tarfile.open(path) as content:
        yield {
            entry.name.partition('/')[2]: entry.mode
            for entry in content.getmembers()
            if entry.isfile()
        }


@pytest.fixture(scope='module')
def metadata(wheel):
    return Parser().parsestr(wheel.read(f'{INFO}/METADATA').decode())


class TestWheel:
    def test_carries_the_package_and_what_an_installed_user_needs(self, wheel):
        tools = files('*.py', 'tools') | files('*.sh', 'tools')
        index = {'model-index.yml', *files('*.yml', 'configs')}
        packed = files('*.py', 'configs') | index | tools
        packed -= files('*', 'tools/benchmarks')
        packed -= {'tools/misc/make_environment.py', 'tools/misc/timed.sh'}
        assert {'tools/train.py', 'tools/dist_train.sh', 'tools/demo.py'} < packed
        expected = {f'mmkp/.mim/{name}' for name in packed}
        expected |= files('*.py', 'mmkp') | {'mmkp_command.py'} | PAGE
        expected |= files('*', 'mmkp/weights')
        names = {name for name in wheel.namelist() if not name.startswith(INFO)}
        assert names == expected

    def test_scripts_can_be_run(self, wheel):
        scripts = [
            entry for entry in wheel.infolist() if entry.filename.endswith('.sh')
        ]
        assert len(scripts) == 5
        assert all(entry.external_attr >> 16 & 0o100 for entry in scripts)

    def test_declares_its_dependencies(self, metadata, wheel):
        lines = (ROOT / 'requirements/runtime.txt').read_text().splitlines()
        declared = {Requirement(line) for line in lines if not line.startswith('#')}
        required = {Requirement(line) for line in metadata.get_all('Requires-Dist')}
        assert {entry for entry in required if 'extra' not in str(entry.marker)} == (
            declared
        )
        # Nothing of what can be installed with `pip --no-deps` only.
        assert not {entry.name for entry in required} & {'mmpose', 'mmdet', 'mmcv-lite'}
        assert metadata['Requires-Python'] == '>=3.10'
        (licence,) = (name for name in wheel.namelist() if name.endswith('/LICENSE'))
        assert b'Apache License' in wheel.read(licence)

    def test_brings_the_command(self, wheel):
        entries = wheel.read(f'{INFO}/entry_points.txt').decode()
        assert 'mmkp = mmkp_command:main' in entries

    def test_links_lead_somewhere_without_the_repository(self, metadata):
        text = metadata.get_payload()
        assert metadata['Description-Content-Type'] == 'text/markdown'
        links = re.findall(r'(!?)\[[^\]]*\]\(([^)]+)\)', text)
        assert len(links) > 10
        for picture, link in links:
            assert re.match('https?://|#', link), link
            ours = link.removeprefix(f'{HOME}/{"raw" if picture else "blob"}/main/')
            assert link == ours or (ROOT / ours).exists(), link
        assert f']({HOME}/raw/main/docs/' in text
        # Nothing but links changes.
        readme = (ROOT / 'README.md').read_text()
        plain = re.sub(rf'\({HOME}/(raw|blob)/main/', '(', text)
        assert (
            plain.strip() == re.sub(rf'\({HOME}/(raw|blob)/main/', '(', readme).strip()
        )

    def test_urls(self, metadata):
        urls = dict(line.split(', ') for line in metadata.get_all('Project-URL'))
        assert urls['Source'] == HOME
        for url in urls.values():
            name = url.removeprefix(f'{HOME}/blob/main/')
            assert url.startswith(HOME) and (url == name or (ROOT / name).is_file())


class TestSourceArchive:
    def test_holds_what_its_tests_need(self, archive):
        expected = files('*.py', 'mmkp', 'configs', 'tools', 'tests')
        expected |= files('*.txt', 'requirements') | files('*.md', 'configs', 'tools')
        expected |= files('*.sh', 'tools') | files('*.jpg', 'configs') | {'.ci/run'}
        expected |= {path.name for path in ROOT.glob('*.md')} | PAGE
        expected |= {'Makefile', 'CITATION.cff', 'pyproject.toml', 'model-index.yml'}
        assert not expected - archive.keys()

    def test_holds_no_junk(self, archive):
        junk = {name for name in archive if re.search(r'pycache|\.pyc|\.mim/', name)}
        assert not junk

    def test_scripts_can_be_run(self, archive):
        scripts = {name for name in archive if name.endswith('.sh')} | {'.ci/run'}
        assert len(scripts) == 7
        assert all(archive[name] & 0o100 for name in scripts)


def test_editable_install_links_configs_and_tools(source):
    build('build_editable', source)
    links = source / 'mmkp/.mim'
    assert (links / 'model-index.yml').is_file()
    for name in files('*.py', 'configs'):
        assert (links / name).samefile(source / name)
    assert (links / 'tools/train.py').is_file()


def test_the_citation_is_of_this_version():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == mmkp.__version__
    assert citation['repository-code'] == HOME
    assert citation['license'] == 'Apache-2.0'
