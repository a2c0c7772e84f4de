"""A learning rate that follows the clock."""

from types import SimpleNamespace

import pytest

from mmkp.engine import TimedLearningRateHook
from mmkp.engine.hooks import training_clock


def a_clock(now):
    """Stands for ``time``: no second of a processor passes."""
    clock = SimpleNamespace(now=now, process_time=lambda: 0.0)
    clock.monotonic = lambda: clock.now
    return clock


def test_rates_follow_the_clock_whatever_the_scheduler_says(monkeypatch):
    clock = a_clock(100.0)
    monkeypatch.setattr(training_clock, 'time', clock)
    groups = [dict(lr=0.5, initial_lr=1.0), dict(lr=10.0)]
    runner = SimpleNamespace(optim_wrapper=SimpleNamespace(param_groups=groups))
    hook = TimedLearningRateHook(40, warm_up=0.1, hold=0.5, end_ratio=0.2)
    hook.before_train(runner)
    for elapsed, share in ((0, 0), (2, 0.5), (4, 1), (20, 1), (30, 0.6), (50, 0.2)):
        clock.now = 100.0 + elapsed
        hook.before_train_iter(runner, 0)
        assert [group['lr'] for group in groups] == pytest.approx([share, 10 * share])


def test_a_resumed_training_goes_on_with_its_time(monkeypatch):
    clock = a_clock(100.0)
    monkeypatch.setattr(training_clock, 'time', clock)
    runner = SimpleNamespace(
        _resume=True, optim_wrapper=SimpleNamespace(param_groups=[dict(lr=1.0)])
    )
    first, checkpoint = TimedLearningRateHook(40, warm_up=0.1, hold=0.5), {}
    first.before_train(runner)
    clock.now += 3
    first.before_save_checkpoint(runner, checkpoint)
    clock.now += 1000
    second = TimedLearningRateHook(40, warm_up=0.1, hold=0.5)
    second.after_load_checkpoint(runner, checkpoint)
    second.before_train(runner)
    second.before_train_iter(runner, 0)
    assert runner.optim_wrapper.param_groups[0]['lr'] == pytest.approx(0.75)


def test_the_share_of_the_steps_counts_where_it_is_larger(monkeypatch):
    clock = a_clock(0.0)
    monkeypatch.setattr(training_clock, 'time', clock)
    steps = SimpleNamespace(param_groups=[dict(lr=1.0)])
    runner = SimpleNamespace(optim_wrapper=steps, iter=5, max_iters=100)
    hook = TimedLearningRateHook(40, warm_up=0.1, hold=0.5, by_steps=True)
    hook.before_train(runner)
    for now, done, rate in ((0, 5, 0.5), (20, 5, 1.0), (20, 75, 0.51), (30, 5, 0.51)):
        clock.now, runner.iter = now, done
        hook.before_train_iter(runner, 0)
        assert runner.optim_wrapper.param_groups[0]['lr'] == pytest.approx(rate)


def test_unusable_arguments_are_refused():
    with pytest.raises(ValueError, match='seconds must be positive, got 0'):
        TimedLearningRateHook(0)
    for options in (dict(warm_up=0.5), dict(hold=1.0), dict(end_ratio=2.0)):
        with pytest.raises(ValueError, match='0 <= warm_up <= hold < 1'):
            TimedLearningRateHook(1, **options)


def test_time_of_the_processor_alone(monkeypatch):
    clock = SimpleNamespace(now=7.0, process_time=lambda: clock.now)
    monkeypatch.setattr(training_clock, 'time', clock)
    runner = SimpleNamespace(optim_wrapper=SimpleNamespace(param_groups=[dict(lr=1.0)]))
    hook = TimedLearningRateHook(40, warm_up=0.1, hold=0.5, clock='cpu')
    hook.before_train(runner)
    clock.now += 2
    hook.before_train_iter(runner, 0)
    assert runner.optim_wrapper.param_groups[0]['lr'] == pytest.approx(0.5)
    with pytest.raises(ValueError, match="clock must be 'wall' or 'cpu', got 'sun'"):
        TimedLearningRateHook(40, clock='sun')
