"""The benchmark of shards, on a few files: what is killed goes on."""

import pytest
import tiny


@pytest.mark.slow
def test_sharded_prediction(tmp_path, capsys):
    options = ('--images', '40', '--kills', '1', '--work', str(tmp_path))
    tiny.call_tool('benchmarks/sharded_prediction.py', *options)
    told = capsys.readouterr().out
    assert told.count('\n| 2 shards | 40 ') == 2
    expected = '40 records of 40 files: 0 twice, 0 missing, 40 equal and in the same'
    assert told.count(expected) == 2
