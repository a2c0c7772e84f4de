"""From files to people, by what runs the network."""

import runpy
from pathlib import Path

import pytest
import tiny_people

from mmkp.apis import load_model
from mmkp.models.inference_copy import bfloat16_copy

TOOLS = Path(__file__).parents[2] / 'tools' / 'benchmarks'


def test_a_row_for_each_runtime_with_its_time_and_precision(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Perfect maps are perfect people; pictures that are left out have no AP."""
    monkeypatch.syspath_prepend(TOOLS)
    tell = runpy.run_path(str(TOOLS / 'file_to_people.py'))['tell']
    config, checkpoint = tiny_people.made()
    model = load_model(config, checkpoint, 'cpu')
    tell({'eager': model, 'bfloat16': bfloat16_copy(model)}, None)
    told = capsys.readouterr().out.splitlines()
    start = next(i for i, line in enumerate(told) if line.startswith('4 pictures'))
    rows = told[start + 3 :]
    eager, rounded = (line.strip('| ').split(' | ') for line in rows)
    assert eager[0] == 'eager' and float(eager[1]) > 0 and eager[2] == '1.00'
    assert eager[4] == '1.00' and float(eager[5]) > 90
    for time, times in ((1, 2), (3, 4)):
        ratio = float(eager[time]) / float(rounded[time])
        assert float(rounded[times]) == pytest.approx(ratio, rel=0.05)
    tell({'eager': model}, 2)
    assert capsys.readouterr().out.splitlines()[-1].endswith('| nan |')
