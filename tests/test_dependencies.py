"""What is missing is said in one sentence, with the command that installs it."""

import importlib.util
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from mmkp import dependencies
from mmkp.dependencies import OPENMMLAB, OTHERS, Dependency, check_dependencies

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [
    '"mmengine==0.10.7"',
    '"mmcv-lite==2.1.0"',
    '"mmdet==3.3.0"',
    '"mmpose==1.3.2"',
    '"opencv-python-headless==4.11.0.86"',
]


def without(monkeypatch, *missing):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        'find_spec',
        lambda name: None if name in missing else find_spec(name),
    )


def test_all_that_is_missing_in_one_message(monkeypatch):
    without(monkeypatch, 'mmdet', 'cv2', 'torch', 'yaml')
    with pytest.raises(ImportError) as caught:
        check_dependencies()
    assert str(caught.value) == (
        'mmkp cannot be used here: yaml is not installed; torch is not installed; '
        'mmdet is not installed; cv2 is not installed. Install with: pip install '
        '"pyyaml" "torch>=2.1" && pip install --no-deps "mmdet==3.3.0" '
        '"opencv-python-headless==4.11.0.86"'
    )


def test_after_a_bare_installation(monkeypatch):
    without(monkeypatch, *(entry.module for entry in OPENMMLAB))
    with pytest.raises(ImportError) as caught:
        check_dependencies()
    assert str(caught.value).endswith(
        'cv2 is not installed. Install with: pip install --no-deps ' + ' '.join(COMMAND)
    )


def test_wrong_version(monkeypatch):
    monkeypatch.setattr(metadata, 'version', lambda name: '0.29.0')
    with pytest.raises(ImportError, match='mmpose 0.29.0 is installed, >=1.3,<2'):
        check_dependencies()


@pytest.mark.parametrize(
    ('torch', 'numpy', 'fits'),
    [
        ('2.2.0', '2.2.6', False),
        ('2.2.2+cu121', '2.0.0', False),
        ('2.2.0', '1.26.4', True),
        ('2.3.0', '2.2.6', True),
    ],
)
def test_a_torch_for_numpy_1_beside_numpy_2(torch, numpy, fits, monkeypatch):
    installed = metadata.version
    given = dict(torch=torch, numpy=numpy)
    monkeypatch.setattr(
        metadata, 'version', lambda name: given.get(name) or installed(name)
    )
    if fits:
        check_dependencies()
        return
    with pytest.raises(ImportError) as caught:
        check_dependencies()
    assert str(caught.value) == (
        'mmkp cannot be used here: torch before 2.3 cannot be used with NumPy 2. '
        'Install with: pip install "numpy<2"'
    )


@pytest.mark.parametrize(
    ('version', 'fits'),
    [
        ('1.3', True),
        ('1.3.0', True),
        ('1.10.1+cu121', True),
        ('2.0rc1', False),
        ('2', False),
        ('1.2.9', False),
        ('1.3.0rc0', True),
        ('1.99.dev3', True),
    ],
)
def test_versions_are_compared_as_numbers(version, fits, monkeypatch):
    monkeypatch.setattr(metadata, 'version', lambda name: version)
    complaint = Dependency('json', ('json',), '1.3', '2.0').complaint()
    assert (complaint == '') is fits, complaint


def test_a_module_without_metadata_is_taken_as_it_is():
    assert Dependency('json', ('no-such-distribution',), '1').complaint() == ''


def test_needs_the_standard_library_only():
    # -S -I: no site-packages, and so nothing but what is under test.
    program = (
        f'import runpy; found = runpy.run_path({dependencies.__file__!r})\n'
        'found["check_dependencies"]()'
    )
    done = subprocess.run(
        [sys.executable, '-I', '-S', '-c', program],
        capture_output=True,
        text=True,
        check=False,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith('ImportError: mmkp cannot be used here: addict is not')
    assert last.endswith('--no-deps ' + ' '.join(COMMAND))
    assert all(f'{entry.module} is not installed' in last for entry in OTHERS)


def test_nothing_else_is_imported_before_the_check():
    source = (ROOT / 'mmkp/__init__.py').read_text()
    before = source.partition('check_dependencies()')[0]
    lines = [
        line for line in before.splitlines() if line.startswith(('import', 'from'))
    ]
    assert lines == [
        'from mmkp.dependencies import check_dependencies',
        'from mmkp.early_interruption import tell_early_interruptions',  # bare Python
        'from mmkp.version import __version__',
    ]
