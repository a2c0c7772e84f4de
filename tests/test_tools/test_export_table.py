# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The benchmark of exports: what is measured, kept and printed."""

import json
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / 'tools' / 'benchmarks'
LINE = dict(model='a', weights='random')
COMPARED = dict(largest=2e-5, mean=1e-6, scores=1e-7, pictures=8, keypoints=128)


@pytest.fixture
def table(monkeypatch):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('openvino')
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import export_table

    return export_table


def test_the_table_names_differences_ties_sizes_times_and_failures(
    table, tmp_path, capsys
):
    lines = [
        dict(LINE, format='PyTorch', ms=20.0, figure=1.5),
        dict(LINE, **COMPARED, format='onnx', ties=2, bytes=1234567, ms=5, figure=1.54),
        dict(LINE, format='openvino', failed='ValueError: no', ms=None),
    ]
    file = tmp_path / 'lines.jsonl'
    file.write_text('\n'.join(map(json.dumps, lines)))
    table.main([str(file), '--summary'])
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert [cell.strip() for cell in head.split('|')[4:7]] == [
        'largest difference, px',
        'ties',
        'error, % or AP',
    ]
    assert rows == [
        '| a | random | PyTorch |  |  | 1.50 |  | 20 | 1.00 |',
        '| a | random | onnx | 2e-05 | 2 of 128 | 1.54 | 1.23 | 5 | 0.25 |',
        '| a | random | openvino | ValueError: no |  |  |  |  |  |',
    ]


def test_calls_take_turns(table):
    order = []
    calls = {name: lambda _, name=name: order.append(name) for name in 'ab'}
    times = table.interleaved(calls, np.zeros((1, 3, 2, 2)), 3)
    assert order == ['a', 'b'] * 5 and set(times) == {'a', 'b'}


def test_a_model_that_was_measured_is_left_alone(table, tmp_path, monkeypatch):
    file = tmp_path / 'lines.jsonl'
    file.write_text(json.dumps(dict(LINE, model='puppets-lmdis', format='PyTorch')))
    asked = []
    monkeypatch.setattr(table, 'measure_model', lambda *args: asked.append(args) or [])
    table.main([str(file), '--models', 'puppets-lmdis', 'imm', '--rounds', '4'])
    assert asked == [('imm', 4, True)]
    with pytest.raises(SystemExit):
        table.main([str(file), '--models', 'imn'])


def test_random_maps_have_peaks(table, monkeypatch, tmp_path):
    """Batch norms and the last layer are set so that its outputs deviate by 3."""
    monkeypatch.chdir(tmp_path)
    import torch

    row = table.rows.Model('imm-equivariance_puppets-64x64')
    with table.rows.quiet():
        made = table.rows.build(row)
        inputs = table.rows.compared(made, row)
    packed = dict(
        inputs=[one.pixels for one in inputs],
        data_samples=[one.packed['data_samples'] for one in inputs],
    )
    images = made.data_preprocessor(packed, False)['inputs']
    with torch.no_grad():
        scores = made.head(made.extract_feat(images))
    assert (scores / made.head.logit_scale).std().item() == pytest.approx(3, rel=0.2)


@pytest.mark.slow
def test_a_model_is_exported_compared_timed_and_tested(table, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    lines = table.measure_model('puppets-lmdis', 2, True)
    found = {line['format']: line for line in lines}
    assert list(found) == ['PyTorch', *table.FORMATS]
    assert found['onnx']['largest'] < 1e-3 < found['onnx, int8']['largest'] < 2
    assert found['onnx, int8']['bytes'] < 0.5 * found['onnx']['bytes']
    for name in ('onnx', 'onnx, float16', 'onnx, int8'):
        assert found[name]['figure'] == pytest.approx(
            found['PyTorch']['figure'], abs=0.1
        )
        assert found[name]['ms'] > 0
