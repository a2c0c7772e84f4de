"""Fixtures shared by every test: where the golden and the real data lie."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import mmkp  # noqa: F401  its shims come before whatever imports MMPose

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get('MMKP_SHARED', ROOT.parent / 'shared'))


def _provided(folder: Path) -> Path:
    """Return ``folder``, or skip; where it is required, fail instead."""
    if folder.is_dir():
        return folder
    reason = f'{folder.name} data are not beside this checkout (looked in {folder})'
    if os.environ.get('MMKP_REQUIRE_GOLDEN') == '1':
        pytest.fail(reason)
    pytest.skip(reason)


def pytest_configure() -> None:
    """Let the programs that tests start be interrupted, in the background, too.

    A shell starts what runs in the background with interrupts ignored, and whatever
    that starts inherits it.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests that need a CUDA device where there is none."""
    import torch

    if not torch.cuda.is_available():
        skip = pytest.mark.skip(reason='there is no CUDA device')
        for item in items:
            if 'cuda' in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope='session')
def golden_dir() -> Path:
    """Inputs and outputs of the reference implementations."""
    return _provided(SHARED / 'golden')


@pytest.fixture(scope='session')
def data_dir() -> Path:
    """Real images, annotations and weights."""
    return _provided(SHARED / 'data')


@pytest.fixture(scope='module', autouse=True)
def _mmpose_scope(request: pytest.FixtureRequest) -> None:
    """Resolve names of configs in MMPose's registries, as its tools do.

    For each file anew: a runner of a test leaves the scope of its own config behind.
    """
    from mmengine.registry import DefaultScope
    from mmpose.utils import register_all_modules

    register_all_modules(init_default_scope=False)
    scope = DefaultScope.get_current_instance()
    if scope is None or scope.scope_name != 'mmpose':
        DefaultScope.get_instance(f'tests-{request.node.nodeid}', scope_name='mmpose')


@pytest.fixture(scope='session', autouse=True)
def _quick_mmengine() -> Iterator[None]:
    """Leave out what takes MMEngine longer than a tiny training.

    It lays out the text of configs, for .3 s each, and collects garbage for each data
    set, for .5 s.
    """
    with pytest.MonkeyPatch.context() as patch:
        as_it_is = 'mmengine.config.config.FormatCode'
        patch.setattr(as_it_is, lambda text, **options: (text, True))
        collector = SimpleNamespace(collect=lambda: 0)
        patch.setattr('mmengine.dataset.base_dataset.gc', collector)
        yield


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Compute in one thread: sums in another order are equal to rounding only."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(
    params=['cpu', 'accelerator', pytest.param('cuda', marks=pytest.mark.cuda)]
)
def device_form(request: pytest.FixtureRequest) -> Iterator[str]:
    """Device to compute on, by its own form, or on the CPU by that of accelerators."""
    from mmkp.testing.dispatch_counter import forms_of_accelerators

    if request.param == 'accelerator':
        with forms_of_accelerators():
            yield 'cpu'
    else:
        yield request.param
