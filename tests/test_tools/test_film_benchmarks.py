"""The benchmarks of films, on a few frames."""

import films
import numpy as np
import pytest
import tiny


def test_film_smoothing(tmp_path, capsys):
    rng = np.random.default_rng(0)
    names, frames = ['wingL', 'wingR', 'head'], 120
    heads = [(a, n, c) for a in 'ab' for n in names for c in ('x', 'y', 'likelihood')]
    rows = [['scorer', *['s'] * len(heads)]]
    rows += [
        [kind, *[head[level] for head in heads]]
        for level, kind in enumerate(('individuals', 'bodyparts', 'coords'))
    ]
    centers = np.array([[0, 0], [300, 0]])[:, None] + [[-9, 0], [9, 0], [0, 20]]
    for frame in range(frames):
        places = centers + [2.0 * frame, 40] + rng.normal(0, 1, centers.shape)
        values = np.concatenate([places, np.ones((2, 3, 1))], -1)
        rows.append([frame, *values.ravel().round(2)])
    table = tmp_path / 'tracks.csv'
    table.write_text('\n'.join(','.join(map(str, row)) for row in rows))
    tiny.call_tool('benchmarks/film_smoothing.py', table, '--rate', '25')
    told = capsys.readouterr().out
    cells = [
        line.split('|') for line in told.splitlines() if line.startswith('| kalman')
    ]
    assert len(cells) == 4  # two halves, sides put back or not
    before = float(told.partition('jitter ')[2].split()[0])
    assert all(float(row[3]) < before / 2 for row in cells)
    assert 'identity kept in 238 of 238 steps, 2 tracks' in told


def test_film_prediction(tmp_path, capsys):
    film = films.write(tmp_path / 'film.avi', number=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        tiny.call_tool('benchmarks/film_prediction.py', film, '--frames', '4')
    assert capsys.readouterr().out.count('|') > 8
