"""The package as users get it: configs, metafiles, what it imports and asks for."""

import ast
import sys
from pathlib import Path

import mmengine.registry
import mmpose.registry
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import Registry
from packaging.requirements import Requirement

from mmkp.dependencies import OPENMMLAB, OTHERS, TRIED
from mmkp.engine.config_check import find_type

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
        for key, entry in value.items():
            if key != 'keypoint_info':  # whose types are upper and lower
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
        assert not [name for name in unknown if find_type(name) is None]

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
    'imageio-ffmpeg': 'imageio_ffmpeg',
    'json-tricks': 'json_tricks',
    'mmcv-lite': 'mmcv',
    'ndx-pose': 'ndx_pose',
    'onnx-ir': 'onnx_ir',
    'opencv-python-headless': 'cv2',
    'pillow': 'PIL',
    'pyyaml': 'yaml',
    'sleap-io': 'sleap_io',
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
        allowed |= {'pavi'}  # the client of a storage, which its users have
        for path in SOURCES:
            # A tool may import its neighbours, as scripts do.
            neighbors = {other.stem for other in path.parent.glob('*.py')}
            if 'tools' not in path.relative_to(ROOT).parts[:1]:
                neighbors = set()
            for module in imports_of(path):
                top = module.partition('.')[0]
                assert top in allowed | neighbors, f'{relative(path)} imports {module}'

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

    def test_what_the_check_asks_for_is_what_is_declared(self):
        assert [str(entry) for entry in requirements('mminstall')] == list(TRIED)
        names = [entry.distributions[0] for entry in OPENMMLAB]
        assert names == [line.partition('==')[0] for line in TRIED]
        runtime = [str(entry) for entry in requirements('runtime') if not entry.marker]
        asked = [entry.distributions[0] + entry.versions for entry in OTHERS]
        assert asked == runtime
        modules = {entry.distributions[0]: entry.module for entry in OTHERS}
        for name, module in modules.items():
            assert IMPORTED_AS.get(name, name) == module


def test_the_whole_suite_runs_on_the_torch_that_is_declared():
    (declared,) = (entry for entry in requirements('runtime') if entry.name == 'torch')
    assert torch.__version__.partition('+')[0] in declared.specifier
