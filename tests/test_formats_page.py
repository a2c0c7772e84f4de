"""The table of docs/formats.md says what the code does."""

from pathlib import Path

from mmkp.labels import ASPECTS, FORMATS

PAGE = Path(__file__).parents[1] / 'docs/formats.md'


def test_the_table_of_formats_is_that_of_the_code():
    rows = [
        [cell.strip() for cell in line.split('|')[1:-1]]
        for line in PAGE.read_text().split('## What to know')[0].splitlines()
        if line.startswith('| `') and not line.startswith('| `-f`')
    ]
    assert sorted(row[0].strip('`') for row in rows) == sorted(FORMATS)
    for name, _, reads, writes, keeps, _ in rows:
        known = FORMATS[name.strip('`')]
        assert (reads == 'yes') == (known.read is not None), name
        assert (writes == 'yes') == (known.write is not None), name
        if known.write and keeps != 'everything':
            kept = [a.replace('_', ' ') for a in ASPECTS if a in known.keeps]
            assert keeps == ', '.join(kept), name
        elif known.write:
            assert known.keeps == set(ASPECTS)
