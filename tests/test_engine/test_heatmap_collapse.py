"""A training that predicts nothing is told of, and one that works is not."""

from types import SimpleNamespace
from unittest import mock

import pytest
import tiny
import tiny_hourglass
import torch

from mmkp.engine import HeatmapCollapseHook


class Training:
    """Stands for a runner: gives a hook one peak after the other."""

    def __init__(self, hook, iteration=0):
        self.hook = hook
        self.runner = SimpleNamespace(
            iter=iteration, logger=mock.Mock(), _resume=iteration > 0
        )

    def run(self, *peaks):
        for peak in peaks:
            outputs = dict(loss=torch.tensor(1.0), heatmap_peak=torch.tensor(peak))
            self.hook.after_train_iter(self.runner, 0, None, outputs)
            self.runner.iter += 1
        return self

    @property
    def warnings(self):
        return [call.args[0] for call in self.runner.logger.warning.call_args_list]

    @property
    def infos(self):
        return [call.args[0] for call in self.runner.logger.info.call_args_list]


def make(**changes):
    settings = dict(patience=4, threshold=0.1, begin=3, repeat=5, interval=1)
    return HeatmapCollapseHook(**{**settings, **changes})


def test_flat_heatmaps_are_told_of_with_figures_and_remedies():
    training = Training(make())
    parameter = torch.nn.Parameter(torch.zeros(1))
    training.runner.optim_wrapper = SimpleNamespace(
        optimizer=torch.optim.RMSprop([parameter])
    )
    head = SimpleNamespace(stack_reduction='mean')
    training.runner.model = SimpleNamespace(head=head)
    training.run(*[0.01] * 6)  # three at the start do not count
    assert not training.warnings
    training.run(0.02)
    [told] = training.warnings
    for part in (
        'heatmap_peak is 0.0200 at iteration 7',
        'below 0.1 for 4 iterations',
        'learning rate',
        'warm-up',
        "stack_reduction='sum'",
        'sigma',
        'Adam',
        'tools/misc/browse_dataset.py',
        'batch',
    ):
        assert part in told


def test_remedies_that_the_config_has_already_are_not_named():
    training = Training(make())
    head = SimpleNamespace(stack_reduction='sum')
    training.runner.model = SimpleNamespace(head=head)
    [told] = training.run(*[0.01] * 7).warnings
    assert 'Adam' not in told and 'stack_reduction' not in told and 'sigma' in told


def test_repeated_while_it_lasts_and_told_when_it_is_over():
    training = Training(make()).run(*[0.01] * 17)
    assert ['iteration 7 ', 'iteration 12 ', 'iteration 17 '] == [
        f'iteration {told.split("iteration ")[1].split(" ")[0]} '
        for told in training.warnings
    ]
    training.run(0.4, 0.5)
    assert len(training.infos) == 1
    assert (
        'have peaks again: heatmap_peak is 0.4000 at iteration 18'
        in (training.infos[0])
    )
    training.run(*[0.01] * 3)  # another four are needed after that
    assert len(training.warnings) == 3
    training.run(0.01)
    assert len(training.warnings) == 4


def test_silent_where_peaks_return_within_the_patience():
    training = Training(make()).run(*[0.01, 0.01, 0.01, 0.3] * 20)
    assert not training.warnings and not training.infos


def test_not_a_number_is_told_at_once_even_at_the_start():
    training = Training(make(begin=100)).run(0.5, float('nan'), float('nan'))
    [told] = training.warnings
    assert 'heatmap_peak is nan at iteration 2' in told
    assert 'earlier checkpoint' in told


def test_values_are_fetched_in_groups():
    hook = make(interval=10)
    with mock.patch.object(torch, 'stack', wraps=torch.stack) as fetched:
        training = Training(hook).run(*[0.01] * 25)
        assert [len(call.args[0]) for call in fetched.call_args_list] == [10, 10]
        hook.after_train(training.runner)
        assert len(fetched.call_args.args[0]) == 5
    # At the very iterations as if each had been looked at.
    single = Training(make()).run(*[0.01] * 25)
    assert training.warnings == single.warnings and len(single.warnings) == 4


def test_resumed_training_warns_where_an_uninterrupted_one_would():
    whole = Training(make()).run(*[0.01] * 20)
    first = Training(make(interval=4)).run(*[0.01] * 9)
    checkpoint = {}
    first.hook.before_save_checkpoint(first.runner, checkpoint)
    second = Training(make(), iteration=9)
    second.hook.after_load_checkpoint(second.runner, checkpoint)
    second.run(*[0.01] * 11)
    assert first.warnings + second.warnings == whole.warnings
    # Weights to start from are none of that training.
    third = make()
    runner = SimpleNamespace(_resume=False)
    third.after_load_checkpoint(runner, checkpoint)
    assert third._low == 0 and third._warned is None


@pytest.mark.parametrize('outputs', [None, dict(loss=torch.tensor(1.0))])
def test_model_that_reports_no_peak(outputs):
    with pytest.raises(ValueError, match="'heatmap_peak'.*StackedHourglassHead"):
        make().after_train_iter(SimpleNamespace(iter=0), 0, None, outputs)


@pytest.mark.parametrize(
    'changes, message',
    [
        (dict(patience=0), 'patience must be at least 1, got 0'),
        (dict(repeat=0), 'repeat must be at least 1'),
        (dict(interval=0), 'interval must be at least 1'),
        (dict(begin=-1), 'begin must be at least 0'),
        (dict(threshold=0.0), 'threshold must be positive, got 0'),
        (dict(threshold=float('nan')), 'threshold must be positive'),
    ],
)
def test_unusable_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        make(**changes)


@pytest.mark.parametrize('collapsed', [False, True])
def test_training_with_the_hook(tmp_path, collapsed):
    """A network whose heatmaps are 0 everywhere, and one that works."""
    weights = torch.load(tiny_hourglass.trained()[1], weights_only=False)
    for name, value in weights['state_dict'].items():
        if collapsed and 'heatmap_convolution' in name:
            value.zero_()
    torch.save(weights, tmp_path / 'start.pth')
    hook = 'dict(type="HeatmapCollapseHook", patience=2, begin=1, interval=2)'
    extra = (
        f'load_from = "{tmp_path}/start.pth"\n'
        f'custom_hooks = [{hook}]\n'
        'optim_wrapper["optimizer"]["lr"] = 0.0\n'
    )
    config = tiny_hourglass.write_config(tmp_path, extra=extra, max_iters=4)
    work = tmp_path / 'work'
    tiny.call_tool('train.py', config, '--work-dir', work)
    [log] = work.rglob('*.log')
    told = log.read_text().count('The heatmaps may have collapsed')
    assert told == collapsed
    if collapsed:
        assert 'heatmap_peak is 0.0000 at iteration 3' in log.read_text()
    saved = torch.load(work / 'iter_4.pth', weights_only=False)['heatmap_collapse']
    assert saved == (dict(low=3, warned=3) if collapsed else dict(low=0, warned=None))
    # The hook that draws what was discovered leaves supervised models alone.
    assert not list(work.rglob('*.png'))
