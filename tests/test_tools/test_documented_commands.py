"""Each command that a page prints does what the page says, on a few tiny examples.

A page's commands run one after the other in one empty folder, as printed, but for one
step instead of thousands; those that differ in a seed or a length only run once. What
a page takes from elsewhere (data sets, weights) is drawn or random. Converters of
weights, benchmarks and the demo are run at tiny sizes by tests of their own; here their
arguments are read.
"""

import contextlib
import io
import itertools
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import documented
import films
import pytest
import tiny_sources
import torch
from documented import ROOT
from mmengine.runner import Runner
from mmpose.registry import MODELS

from mmkp.apis.shipped_models import is_run
from mmkp.cli import main as verbs
from mmkp.engine import load_config
from mmkp.testing.__main__ import main as check_a_method

TESTS = sorted((ROOT / 'tests').rglob('test_*.py'))
_names = itertools.count()
# The verbs of `mmkp`, as the tools that they are.
VERBS = dict(
    train='tools/train.py', test='tools/test.py', predict='tools/infer.py',
    demo='tools/demo.py',
)  # fmt: skip
# What would take hours here, or seconds, and has tests of its own.
LONG = (
    'benchmarks', 'model_converters', 'misc/matrix.py', 'misc/mmpose_tests.py',
    'misc/moving_picture.py', 'tools/demo.py',
)  # fmt: skip
# Words of a command that change nothing where a training takes one step.
_SEED_OR_LENGTH = re.compile(r' (randomness\.seed|train_cfg\.\w+)=\S+')
# What a page's reader brings: images, a film, weights of other projects.
IMAGES = ('path/to/images', 'path/to/faces', 'path/to/images_or_video', 'photos')


def shrink(config):
    """Let a training or test take a step of two images; write what it reads."""
    if 'base_model' in config.model.backbone:
        _shrink_diffusion(config.model)
    for name in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        loader = config.get(name)
        if loader:
            loader.update(batch_size=2, num_workers=0, persistent_workers=False)
            few_puppets(loader.dataset)
            if 'base_model' in config.model.backbone:
                small_images(loader.dataset)
    if config.get('train_cfg'):
        config.train_cfg.update(max_iters=1, val_interval=1)
    schedulers = config.get('param_scheduler') or []
    for scheduler in [schedulers] if isinstance(schedulers, dict) else schedulers:
        scheduler.update(begin=0, end=1)
    for hook in config.get('custom_hooks') or []:
        if hook.type == 'TokenSelectionHook':
            hook.num_images = 2
    config.default_hooks.logger.interval = 1
    config.default_hooks.checkpoint.update(interval=1)
    unique = f'page_{next(_names)}'
    config.experiment_name = config.visualizer.name = unique
    tiny_sources.stage(config)
    random_weights(config.model)


def small_images(dataset):
    """Images of 64 x 64, where 512 x 512 take minutes."""
    for step in dataset.get('pipeline') or ():
        if 'input_size' in step:
            step.input_size = (64, 64)


def few_puppets(dataset):
    """Draw few figures only."""
    if dataset.type == 'PuppetDataset':
        dataset.num_images = 24
    for part in ('fit', 'score', 'dataset'):
        if isinstance(dataset.get(part), dict):
            few_puppets(dataset[part])


def _shrink_diffusion(model):
    """A diffusion model with random weights, and tokens of its width."""
    from tiny_diffusion import tiny_config

    model.backbone.base_model = tiny_config()
    model.head.update(num_tokens=12, num_keypoints=10, token_width=32)
    model.head.map_size = (16, 16)
    model.train_cfg.update(num_candidates=10, num_selected=10)
    model.test_cfg.update(num_views=2, view_map_size=(32, 32))


def random_weights(value):
    """Leave out weights files of frozen networks, which are not there."""
    if isinstance(value, dict):
        for key in ('weights', 'vgg19_weights'):
            if isinstance(value.get(key), str) and not Path(value[key]).is_file():
                value[key] = None
        start = value.get('init_cfg')
        if isinstance(start, dict) and str(start.get('checkpoint')).startswith('data/'):
            value['init_cfg'] = None
        for entry in value.values():
            random_weights(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            random_weights(entry)


def run_in_process(words):
    """Run `python tools/... ` here, tiny; its output."""
    build = Runner.from_cfg.__func__

    def from_cfg(cls, config):
        shrink(config)
        return build(cls, config)

    output = io.StringIO()
    with (
        mock.patch.object(sys, 'argv', words[1:]),
        mock.patch.object(sys, 'path', [str((ROOT / words[1]).parent), *sys.path]),
        mock.patch.object(Runner, 'from_cfg', classmethod(from_cfg)),
        contextlib.redirect_stdout(output),
    ):
        try:
            runpy.run_path(str(ROOT / words[1]), run_name='__main__')
        except SystemExit as stopped:
            assert not stopped.code, f'exit status {stopped.code}'
        finally:
            for name, module in list(sys.modules.items()):
                if str(getattr(module, '__file__', '')).startswith(str(ROOT / 'tools')):
                    del sys.modules[name]  # a script's neighbour
    return output.getvalue()


def run_module(words, is_form):
    """Run one check of `python -m mmkp.testing`; see that named tests are there."""
    if words[2] == 'pytest':
        for word in words[3:]:
            assert word.startswith('-') or (ROOT / word).exists(), word
        return
    assert words[2] == 'mmkp.testing'
    if not is_form:
        with contextlib.redirect_stdout(io.StringIO()):
            assert not check_a_method([*words[3:], '--checks', 'loss_is_finite'])


def checkpoint_of(config_file, path):
    """Random weights of a config under the name that a page gives to trained ones."""
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    finished = sorted(path.parent.glob('iter_*.pth'))
    if finished and path.name.startswith('iter_'):
        shutil.copy(finished[-1], path)
        return
    config = load_config(config_file)
    shrink(config)
    model = MODELS.build(config.model)
    torch.save(dict(state_dict=model.state_dict(), meta={}), path)


def prepare(words, page_folder):
    """Write what a command reads and no command before it has written."""
    for word in words[2:]:
        if word.startswith('load_from='):
            checkpoint_of(words[2], Path(word.removeprefix('load_from=')))
        source = word.rstrip('/')
        if source in tiny_sources.SOURCES and not Path(source).exists():
            tiny_sources.SOURCES[source](Path(source))
        elif source in IMAGES and not Path(source).exists():
            for index in range(3):
                tiny_sources.paint(Path(source) / f'{index}.png', (80 + index, 96))
        elif word.endswith(('photo.jpg', 'picture.png')):
            tiny_sources.paint(Path(word))
        elif word == 'labels.csv':
            rows = (
                f'{n}.png,,{k},{20 + 9 * n},{40 + n}' for n in range(3) for k in 'ab'
            )
            Path(word).write_text('\n'.join(['image,individual,keypoint,x,y', *rows]))
        elif word.endswith('film.mp4') and not Path(word).exists():
            films.write(Path(word), number=8)


def arguments_are_read(words):
    """The parser of a tool takes the arguments of a command."""
    told = run_in_process([*words[:2], '--help'])
    for option in re.findall(r'(?<![\w-])--[a-z][\w-]*', ' '.join(words[2:])):
        assert option in told, f'{words[1]} has no {option}'


def run(command, folder):
    """Run one command of a page."""
    words = command.words(folder)
    if words[:3] == ['python', '-m', 'mmkp']:
        words = words[2:]
    if words[0] == 'mmkp' and len(words) > 2:
        if not is_tool(words):
            run_verb(words, command.is_form)
            return
        words = ['python', VERBS[words[1]], *words[2:]]
    if words[:2] == ['python', '-m']:
        run_module(words, command.is_form)
    elif words[0] == 'pip':
        for file in re.findall(r'-[rc] (\S+)', command.text):
            assert (ROOT / file).is_file(), file
    elif words[0] == 'make':
        targets = (ROOT / 'Makefile').read_text()
        assert re.search(rf'^{words[1]}:', targets, re.M), f'no target {words[1]}'
    elif words[0] == 'python' and command.is_form:
        for tool in tools_named(words[1]):
            arguments_are_read([words[0], tool, *words[2:]])
    elif words[0] == 'python':
        run_tool(words, folder)
    elif words[0] == 'mmkp':
        assert set(words[1:]) <= set(verbs.VERBS)
    else:
        assert words[0] in ('source',), f'what is {words[0]!r}?'


def is_tool(words):
    """Whether a verb is a tool, with a config first, and not with a run."""
    return words[1] in VERBS and not is_run(words[2]) and words[2] != 'RUN'


def run_verb(words, is_form):
    """Run a verb of the command here, tiny."""
    if is_form:
        arguments_of_verb_are_read(words)
        return
    prepare(words, None)
    build = Runner.from_cfg.__func__

    def from_cfg(cls, config):
        shrink(config)
        return build(cls, config)

    with (
        mock.patch.object(Runner, 'from_cfg', classmethod(from_cfg)),
        mock.patch('mmkp.apis.discovery_config.seconds_per_step', lambda config: 0.5),
    ):
        try:
            verbs.main(words[1:])
        except SystemExit as stopped:
            assert not stopped.code, f'exit status {stopped.code}'


def arguments_of_verb_are_read(words):
    """The parser of a verb takes the arguments of a command."""
    if words[1] == 'VERB':
        return
    output = io.StringIO()
    with contextlib.redirect_stdout(output), pytest.raises(SystemExit):
        verbs.main([words[1], '--help'])
    for option in re.findall(r'(?<![\w-])--?[a-z][\w-]*', ' '.join(words[2:])):
        assert option in output.getvalue(), f'mmkp {words[1]} has no {option}'


def tools_named(text):
    """Expand {a,b}.py as a shell does."""
    choice = re.search(r'\{(.*)\}', text)
    names = choice[1].split(',') if choice else ['']
    return [re.sub(r'\{.*\}', name, text) for name in names]


def run_tool(words, folder):
    """Run one tool, tiny, or read its arguments where a test of its own runs it."""
    tool = words[1]
    if tool.endswith('/mmkp_runner.py'):  # which an export before has brought
        prepare(words, folder)
        subprocess.run([sys.executable, *words[1:]], check=True)
        return
    assert (ROOT / tool).is_file(), tool
    if tool.startswith('tests/') and len(words) == 2:
        return
    if tool.startswith('tests/') or any(part in tool for part in LONG):
        arguments_are_read(words)
        stem = Path(tool).stem
        tests = [path for path in TESTS if stem in path.read_text()]
        assert tests or tool.startswith('tests/'), f'{stem} has no test'
        return
    prepare(words, folder)
    if '--train-samples' in words:
        words[words.index('--train-samples') + 1] = '20'
    if tool in ('tools/test.py', 'tools/infer.py'):
        checkpoint_of(words[2], Path(words[3]))
    if tool.endswith('mean_pose_baseline.py'):
        config = load_config(words[2])
        tiny_sources.stage(config)
    if tool == 'tools/infer.py':
        out = words[words.index('--out') + 1] if '--out' in words else 'results'
        run_in_process(words)
        assert list(Path(out).rglob('keypoints.json'))
        drawn = any(Path(out).rglob('*.png')) or any(Path(out).rglob('*.jpg'))
        assert drawn or '--no-pictures' in words
        return
    run_in_process(words)


@pytest.fixture(autouse=True)
def quick_mmengine(monkeypatch):
    """Leave out what takes MMEngine longer than these trainings: laying out configs."""
    monkeypatch.setattr(
        'mmengine.config.config.FormatCode', lambda text, **options: (text, True)
    )
    collector = SimpleNamespace(collect=lambda: 0)
    monkeypatch.setattr('mmengine.dataset.base_dataset.gc', collector)


@pytest.mark.parametrize(
    'page', documented.pages(), ids=lambda page: str(page.relative_to(ROOT))
)
def test_commands(page, tmp_path, monkeypatch):
    pytest.importorskip('diffusers')
    monkeypatch.chdir(tmp_path)
    for name in ('configs', 'tools', 'requirements'):
        (tmp_path / name).symlink_to(ROOT / name)
    done = set()
    for command in documented.commands(page):
        key = _SEED_OR_LENGTH.sub('', command.text).removesuffix(' --cfg-options')
        if key in done:
            continue
        done.add(key)
        try:
            run(command, tmp_path)
        except BaseException as error:
            place = f'{page.relative_to(ROOT)}:{command.line}'
            raise AssertionError(f'{place}: {command.text}\n{error!r}') from error


def test_a_shell_s_lines_are_read_as_a_shell_reads_them(tmp_path):
    page = tmp_path / 'page.md'
    page.write_text(
        'A `python tools/x.py CONFIG [--amp]` here.\n\n```sh\nC=a.py  \n'
        '# a comment\nfor s in 0 1; do for n in b c; do\n'
        '  python t.py $C \\\n    ${n}_$s [--fast x=1]\ndone; done\n```\n'
    )
    found = documented.commands(page)
    assert [(c.line, c.text, c.is_form) for c in found] == [
        (1, 'python tools/x.py CONFIG [--amp]', True),
        (7, 'python t.py a.py b_0 --fast x=1', False),
    ]
