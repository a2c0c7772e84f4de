"""What predicts a long source: tried, compared, and said."""

import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tiny

import mmkp
from mmkp.apis import predictor_trial
from mmkp.apis.predictor_trial import PredictorTrial, largest_move
from mmkp.apis.predictors import (
    Predictor,
    PredictorChoice,
    RunExports,
    choose_predictors,
    others,
)
from mmkp.apis.run import Run


class Known:
    """Keypoints of every image, after some time."""

    def __init__(self, seconds: float, move: float = 0.0, number: int = 1) -> None:
        self.seconds, self.move, self.number = seconds, move, number
        self.calls = 0

    def extract_feat(self, inputs: Any) -> Any:
        return inputs


class Task:
    """Predicts by a :class:`Known`."""

    def __init__(self, model: Known) -> None:
        self.model = self.predictor = model

    def predict(self, names: list[str], images: list[np.ndarray]) -> list[dict]:
        known = self.predictor
        known.calls += len(images)
        time.sleep(known.seconds * len(images))
        points = np.full((known.number, 3, 2), 10 + known.move)
        return [dict(keypoints=points)] * len(images)


IMAGES = [np.zeros((500, 400, 3), np.uint8)] * 8


def tried(*candidates: tuple[str, Known]) -> tuple[Task, PredictorTrial]:
    task = Task(Known(0.02))
    predictors = [
        Predictor(name, 'float32', lambda known=known: known)
        for name, known in candidates
    ]
    first = Predictor('torch', 'float32', lambda: task.model)
    trial = PredictorTrial(PredictorChoice(first, lambda _: predictors), 10_000)
    assert trial.is_due(16, 0.32)
    trial.run(task, [''] * 8, IMAGES, 0.02)
    assert not trial.is_due(32, 0.64)
    return task, trial


def test_the_fastest_that_agrees_is_taken(capsys: pytest.CaptureFixture) -> None:
    """Not what is faster and finds something else, nor what is hardly faster."""
    fast = Known(0.004, move=5e-4)
    task, trial = tried(
        ('moves', Known(0.001, move=0.01)),
        ('more people', Known(0.001, number=2)),
        ('fast', fast),
        ('as fast', Known(0.0195)),
    )
    assert task.predictor is fast and trial.chosen == 'fast float32'
    told = capsys.readouterr().err
    assert told.startswith('predicting by fast float32, ')
    assert 'on 4 images, where keypoints differ by at most 0.00071 px' in told
    assert fast.calls == 8  # twice, once to warm up


def test_what_fails_is_left_out(capsys: pytest.CaptureFixture) -> None:
    """The plain one goes on, and nothing is said."""

    class Broken(Known):
        @property
        def seconds(self) -> float:
            raise RuntimeError('no such kernel')

        @seconds.setter
        def seconds(self, value: float) -> None:
            pass

    task, trial = tried(('broken', Broken(0)))
    assert task.predictor is task.model and trial.chosen == 'torch float32'
    assert capsys.readouterr().err == ''


def test_short_sources_pay_nothing() -> None:
    """A trial has to be a tenth of what is left, at most."""
    first = Predictor('torch', 'float32', lambda: None)
    trial = PredictorTrial(PredictorChoice(first, lambda _: []), 100)
    assert not trial.is_due(16, 3.0)  # 16 seconds are left
    assert trial.is_due(16, 4.0)
    assert not trial.is_due(100, 1000)
    assert PredictorTrial(PredictorChoice(first, lambda _: [])).is_due(1, 0.1)
    assert not PredictorTrial(PredictorChoice(first), 10**9).is_due(1, 10.0)


def test_moves_are_shares_of_the_side() -> None:
    """Of 500 px, 1 px is .002."""
    one, other = (dict(keypoints=np.full((1, 2, 2), x)) for x in (0.0, 0.6))
    other['keypoints'][0, 0] = 0, 0
    other['keypoints'][0, 1] = 0.6, 0.8
    assert largest_move(one, other, 500) == pytest.approx(0.002)
    none = dict(keypoints=np.zeros((0, 2, 2)))
    assert largest_move(none, none, 500) == 0
    assert largest_move(one, none, 500) == float('inf')


@pytest.fixture(scope='module')
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A work directory of a training, which is a run."""
    return Run(tiny.copy_run(tmp_path_factory.mktemp('run')))


def test_a_long_source_is_predicted_by_a_prepared_copy(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same keypoints, whatever the trial takes."""
    image = np.random.default_rng(0).uniform(0, 255, (40, 40, 3)).astype(np.uint8)
    for index in range(5):
        cv2.imwrite(str(tmp_path / f'{index}.png'), np.roll(image, index, 1))
    monkeypatch.setattr(predictor_trial, 'WORTH', 0)
    monkeypatch.setattr(predictor_trial, 'GAIN', -100)
    options = dict(device='cpu', draw='none', batch_size=2)
    long = mmkp.predict(run, tmp_path, tmp_path / 'a', **options)
    plain = mmkp.predict(run, tmp_path, tmp_path / 'b', runtime='torch', **options)
    assert long.figures['runtime'] == 'torch, prepared float32'
    assert plain.figures['runtime'] == 'torch float32'
    old, new = (
        np.array([one['instances'][0]['keypoints'] for one in found])
        for found in (plain, long)
    )
    np.testing.assert_allclose(old, new, atol=1e-3)
    again = json.loads((tmp_path / 'a/run.json').read_text())
    assert again['figures']['runtime'] == 'torch, prepared float32'


def test_what_was_asked_for_is_not_tried(run: Run) -> None:
    """And bfloat16 only where it was asked for."""
    model: Any = run.load_model('cpu')
    assert choose_predictors(model, 'auto', 'float32', run).others is not None
    for runtime, precision in (('torch', 'float32'), ('auto', 'bfloat16')):
        choice = choose_predictors(model, runtime, precision, run)
        assert choice.first.name == f'torch {precision}' and choice.others is None
    names = [one.name for one in others(RunExports(run, model), None)]
    assert names == []
