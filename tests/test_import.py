"""Importing mmkp costs little and changes nothing for users of MMPose."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import mmkp

# Of the checkout, or where it is installed.
PACKAGE = Path(mmkp.__file__).parent

# Each prints a line of JSON. MMPose needs the shims to import beside mmcv-lite, so the
# comparison is with MMPose after the shims, without the rooms of mmkp.
SHIMS_ONLY = f"""
import importlib.util, sys, types
package = types.ModuleType('mmkp')
package.__path__ = [{str(PACKAGE)!r}]
sys.modules['mmkp'] = package
from mmkp import compat
compat.apply()
import mmpose.apis, mmdet.models
"""
WITH_MMKP = """
import mmkp
import mmpose.apis, mmdet.models
"""
REPORT = """
import json, inspect, sys, warnings
import mmengine.registry, mmpose.registry
from mmengine.registry import Registry
registries = {}
for module in (mmengine.registry, mmpose.registry):
    for name, value in vars(module).items():
        if isinstance(value, Registry):
            types = {key: f'{found.__module__}.{found.__qualname__}'
                     for key, found in value.module_dict.items()}
            registries[f'{module.__name__}.{name}'] = types
print(json.dumps(dict(
    modules=sorted(sys.modules),
    registries=registries,
    filters=sorted(str(entry[:3]) for entry in warnings.filters),
    grad=str(__import__('torch').is_grad_enabled()),
    threads=__import__('torch').get_num_threads(),
)))
"""


def report(program):
    done = subprocess.run(
        [sys.executable, '-c', program + REPORT],
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1]), done


@pytest.fixture(scope='module')
def without():
    return report(SHIMS_ONLY)[0]


@pytest.fixture(scope='module')
def imported():
    return report(WITH_MMKP)


def test_silent(imported):
    _, done = imported
    assert done.stderr == ''
    assert len(done.stdout.splitlines()) == 1


def test_same_registries_plus_ours(without, imported):
    before, after = without['registries'], imported[0]['registries']
    assert after.keys() == before.keys()
    added = []
    for name, types in before.items():
        kept = {key: after[name].get(key) for key in types}
        assert kept == types
        added += [after[name][key] for key in after[name].keys() - types.keys()]
    assert len(added) > 5
    assert all(name.startswith('mmkp.') for name in added), added


def test_no_heavy_module_is_imported(without, imported):
    new = set(imported[0]['modules']) - set(without['modules'])
    packages = {name.partition('.')[0] for name in new}
    # Further modules of what MMPose imports itself are small change.
    usual = {'mmkp', 'mmengine', 'mmpose', 'mmcv', 'mmdet', 'torch', 'scipy'}
    assert packages - usual <= set(sys.stdlib_module_names), sorted(packages - usual)
    assert not {'torch._dynamo', 'torch._inductor', 'torch.onnx'} & new


def test_nothing_global_changes(without, imported):
    for name in ('filters', 'grad', 'threads'):
        assert imported[0][name] == without[name], name


def test_configs_can_inherit_from_installed_mmkp():
    from mmengine.config.utils import MODULE2PACKAGE

    assert MODULE2PACKAGE['mmkp'] == 'mmkp'
