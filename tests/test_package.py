"""The package as users get it: configs, metafiles, what it imports, its wheel."""

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import mmengine.registry
import mmpose.registry
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import Registry
from packaging.requirements import Requirement

import mmkp

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / 'configs').rglob('*.py'))
EXPERIMENTS = [path for path in CONFIGS if '_base_' not in path.parts]
METAFILES = yaml.safe_load((ROOT / 'model-index.yml').read_text())['Import']


def relative(path):
    return str(path.relative_to(ROOT))


def registered_names():
    names = set()
    for module in (mmengine.registry, mmpose.registry):
        for registry in vars(module).values():
            if isinstance(registry, Registry):
                registry.import_from_location()
                names |= set(registry.module_dict)
    return names


def types_in(value):
    """Every ``type='...'`` in a config, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get('type'), str):
            yield value['type']
        for entry in value.values():
            yield from types_in(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from types_in(entry)


class TestConfigs:
    def test_there_are_some(self):
        assert EXPERIMENTS

    @pytest.mark.parametrize('path', CONFIGS, ids=relative)
    def test_loads(self, path):
        Config.fromfile(path)

    @pytest.mark.parametrize('path', EXPERIMENTS, ids=relative)
    def test_is_complete(self, path):
        config = Config.fromfile(path)
        assert config.default_scope == 'mmpose'
        assert config.custom_imports['imports'] == ['mmkp']
        # What init_model and MMPoseInferencer ask of a config.
        assert config.data_mode in ('topdown', 'bottomup')
        assert config.dataset_type and config.test_dataloader.dataset.pipeline
        assert 'init_cfg' not in config.model.backbone or config.model.backbone.init_cfg
        unknown = set(types_in(config.to_dict())) - registered_names()
        assert not unknown

    def test_names_are_unique(self):
        stems = [path.stem for path in EXPERIMENTS]
        assert len(set(stems)) == len(stems)


class TestMetafiles:
    def test_every_one_is_in_the_index(self):
        found = sorted(map(relative, (ROOT / 'configs').rglob('*.yml')))
        assert sorted(METAFILES) == found

    @pytest.mark.parametrize('name', METAFILES)
    def test_lists_what_exists(self, name):
        content = yaml.safe_load((ROOT / name).read_text())
        collections = {entry['Name'] for entry in content['Collections']}
        for collection in content['Collections']:
            assert collection['Paper']['Title'] and collection['Paper']['URL']
        assert content['Models']
        for model in content['Models']:
            config = ROOT / model['Config']
            assert config in EXPERIMENTS, model['Config']
            assert model['Name'] == config.stem
            assert model['In Collection'] in collections

    def test_every_config_is_listed_once(self):
        listed = [
            model['Config']
            for name in METAFILES
            for model in yaml.safe_load((ROOT / name).read_text())['Models']
        ]
        assert sorted(listed) == sorted(map(relative, EXPERIMENTS))


def requirements(name):
    lines = (ROOT / 'requirements' / f'{name}.txt').read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith('#')]


# Where the import is not called as the distribution is.
IMPORTED_AS = {
    'json-tricks': 'json_tricks',
    'mmcv-lite': 'mmcv',
    'opencv-python-headless': 'cv2',
    'pillow': 'PIL',
    'pyyaml': 'yaml',
}


def imports_of(path):
    """Full name of every module that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # A relative one stays in its room.
            yield node.module if node.level == 0 else 'mmkp.' + path.parent.name


SOURCES = sorted((ROOT / 'mmkp').rglob('*.py')) + sorted((ROOT / 'tools').rglob('*.py'))


class TestImports:
    def test_everything_imported_is_declared(self):
        declared = {
            IMPORTED_AS.get(entry.name, entry.name)
            for name in ('runtime', 'mminstall', 'optional', 'tests')
            for entry in requirements(name)
        }
        allowed = declared | set(sys.stdlib_module_names) | {'mmkp', 'setuptools'}
        for path in SOURCES:
            # A tool may import its neighbours, as scripts do.
            neighbours = {other.stem for other in path.parent.glob('*.py')}
            if 'tools' not in path.relative_to(ROOT).parts[:1]:
                neighbours = set()
            for module in imports_of(path):
                top = module.partition('.')[0]
                assert top in allowed | neighbours, f'{relative(path)} imports {module}'

    def test_ops_know_torch_and_numpy_only(self):
        allowed = {'torch', 'numpy', 'numba', 'triton', *sys.stdlib_module_names}
        for path in (ROOT / 'mmkp/ops').rglob('*.py'):
            for module in imports_of(path):
                known = module.partition('.')[0] in allowed
                assert known or module.startswith('mmkp.ops'), (
                    f'{relative(path)} imports {module}'
                )

    def test_the_package_does_not_reach_into_tools(self):
        for path in (ROOT / 'mmkp').rglob('*.py'):
            for module in imports_of(path):
                assert module.partition('.')[0] not in ('tools', 'tests', 'configs')


class TestRequirements:
    def test_what_is_tried_together_satisfies_what_is_declared(self):
        constraints = requirements('constraints')
        pinned = {entry.name for entry in constraints}
        torch_is_chosen_apart = {'torch', 'torchvision'}
        for name in ('runtime', 'tests', 'build'):
            for declared in requirements(name):
                assert declared.name in pinned | torch_is_chosen_apart, declared
                for entry in constraints:
                    if entry.name == declared.name:
                        version = str(entry.specifier).removeprefix('==')
                        assert version in declared.specifier, entry

    def test_versions_named_in_code_agree(self):
        from mmkp.dependencies import INSTALL_COMMAND

        for entry in requirements('mminstall'):
            if entry.name.startswith('mm'):
                assert f'"{entry.name}{entry.specifier}"' in INSTALL_COMMAND


@pytest.fixture(scope='module')
def source_copy(tmp_path_factory):
    """A copy of what git keeps, to build in."""
    folder = tmp_path_factory.mktemp('source')
    junk = shutil.ignore_patterns('__pycache__', '.mim', '*.pyc')
    for name in ('mmkp', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, folder / name, ignore=junk)
    for path in ROOT.iterdir():
        if path.is_file() and not path.name.startswith('.'):
            shutil.copy(path, folder)
    return folder


def build(function, folder):
    """Call the build backend as pip does and return the wheel."""
    for module in ('setuptools', 'wheel'):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f'{module} is not installed, which builds the package')
    program = f'from setuptools import build_meta; build_meta.{function}("out")'
    done = subprocess.run(
        [sys.executable, '-c', program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (wheel,) = (folder / 'out').glob('*.whl')
    content = zipfile.ZipFile(wheel)
    wheel.unlink()
    return content


@pytest.fixture(scope='module')
def wheel(source_copy):
    return build('build_wheel', source_copy)


class TestBuild:
    def test_wheel_carries_configs_and_tools(self, wheel):
        names = set(wheel.namelist())
        packed = {
            f'mmkp/.mim/{relative(path)}'
            for path in [*CONFIGS, *(ROOT / 'tools').rglob('*.py')]
        }
        packed |= {f'mmkp/.mim/{name}' for name in [*METAFILES, 'model-index.yml']}
        assert packed <= names
        assert {relative(path) for path in (ROOT / 'mmkp').rglob('*.py')} <= names
        info = f'mmkp-{mmkp.__version__}.dist-info'
        strange = {
            name
            for name in names
            if not re.match(rf'mmkp/|{re.escape(info)}/', name) or 'pycache' in name
        }
        assert not strange

    def test_wheel_declares_its_dependencies(self, wheel):
        info = f'mmkp-{mmkp.__version__}.dist-info'
        metadata = wheel.read(f'{info}/METADATA').decode()
        required = {
            Requirement(line.partition(': ')[2]).name
            for line in metadata.splitlines()
            if line.startswith('Requires-Dist') and 'extra ==' not in line
        }
        assert required == {entry.name for entry in requirements('runtime')}
        assert 'Requires-Python: <3.13,>=3.10' in metadata
        licences = [name for name in wheel.namelist() if name.endswith('/LICENSE')]
        assert b'Apache License' in wheel.read(licences[0])

    def test_editable_install_links_them(self, source_copy):
        build('build_editable', source_copy)
        links = source_copy / 'mmkp/.mim'
        assert (links / 'model-index.yml').is_file()
        for path in CONFIGS:
            assert (links / relative(path)).samefile(source_copy / relative(path))
        assert (links / 'tools/train.py').is_file()


def test_the_whole_suite_runs_on_the_torch_that_is_declared():
    (declared,) = (entry for entry in requirements('runtime') if entry.name == 'torch')
    assert torch.__version__.partition('+')[0] in declared.specifier
