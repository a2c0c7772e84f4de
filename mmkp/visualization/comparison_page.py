# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""The page of a comparison: one file that needs no other and no network."""

from collections.abc import Sequence

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{{ title }}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; padding: 1rem;
 max-width: 1600px; box-sizing: border-box; color: #222; background: #fff }
h1 { font-size: 1.4rem; margin: .4rem 0 }
.wide { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .5rem; text-align: right; border-bottom: 1px solid #ddd;
 vertical-align: bottom }
thead th { border-bottom: 2px solid #888; font-weight: 600; max-width: 8rem }
th:first-child { text-align: left; position: sticky; left: 0; background: #fff;
 overflow-wrap: anywhere; min-width: 9rem }
.best { font-weight: 700; background: #e8f4ea }
.plots { display: grid; gap: 1rem;
 grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)) }
figure { margin: 0 } figure svg { width: 100%; height: auto }
figcaption { color: #444 }
li { overflow-wrap: anywhere }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p>Compared on {{ about }}.</p>
<div class="wide" tabindex="0" role="region" aria-label="Table of all runs">
<table>
<thead><tr>{% for cell in table[0] %}<th scope="col">{{ cell }}</th>{% endfor %}</tr>
</thead>
<tbody>
{% for row in table[1:] %}{% set line = loop.index0 %}<tr>
<th scope="row">{{ row[0] }}</th>
{% for cell in row[1:] %}<td{% if (line, loop.index) in best %} class="best"{% endif %}>
{{- cell }}</td>{% endfor %}
</tr>
{% endfor %}</tbody>
</table>
</div>
<ul>{% for note in notes %}<li>{{ note }}</li>{% endfor %}</ul>
<div class="plots">
{% for caption, svg in plots %}<figure role="img" aria-label="{{ caption }}">
{{ svg | safe }}
<figcaption>{{ caption }}</figcaption>
</figure>
{% endfor %}</div>
</body>
</html>
"""


def comparison_page(
    title: str,
    about: str,
    table: Sequence[Sequence[str]],
    notes: Sequence[str],
    plots: Sequence[tuple[str, str]],
    best: Sequence[tuple[int, int]] = (),
) -> str:
    """Lay out a page.

    Args:
        title: of the page.
        about: what runs are compared on.
        table: texts, the head first.
        notes: sentences below the table.
        plots: caption and SVG of each; SVG is taken as it is, all else as text.
        best: row, from 0 without the head, and column of the cells to stress.

    Returns:
        HTML.

    Raises:
        ImportError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment
    except ImportError as error:
        raise ImportError(
            'pages of comparisons need jinja2: pip install jinja2; .md, .csv and .json '
            'do without'
        ) from error
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    return template.render(
        title=title, about=about, table=table, notes=notes, plots=plots, best=set(best)
    )
