// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// The table of keypoints: a group of rows an object.

import { colorOf, isShown } from './drawing.mjs';

const HEADS = ['keypoint', 'x', 'y', 'score'];

// tableOf(objects, description, minScore, onLit) -> element. onLit([object, keypoint]), or
// null, says which row is pointed at; a row's `place` says the same of it.
export function tableOf(objects, description, minScore, onLit) {
  const head = make('tr', {}, ...HEADS.map((name) => make('th', { scope: 'col' }, name)));
  const groups = objects.map((object, number) => make(
    'tbody', {},
    ...(objects.length > 1 ? [groupHead(object, number)] : []),
    ...object.keypoints.map((_, k) => rowOf(object, number, k, description, minScore, onLit)),
  ));
  const table = make('table', {}, make('thead', {}, head), ...groups);
  table.addEventListener('pointerleave', () => onLit(null));
  return table;
}

function groupHead({ bbox_score: score }, number) {
  const text = `object ${number + 1}, score ${score.toFixed(2)}`;
  return make('tr', {}, make('th', { scope: 'rowgroup', colspan: HEADS.length }, text));
}

function rowOf(object, number, k, description, minScore, onLit) {
  const swatch = make('span', { class: 'swatch', 'aria-hidden': 'true' });
  swatch.style.background = colorOf(description, k);
  const values = [...object.keypoints[k].map((n) => n?.toFixed(1)), object.keypoint_scores[k]?.toFixed(2)];
  const row = make(
    'tr', { class: isShown(object, k, minScore) ? '' : 'low' },
    make('th', { scope: 'row' }, swatch, description.keypoint_names[k]),
    ...values.map((value) => make('td', {}, value ?? '–')),
  );
  row.place = [number, k];
  row.addEventListener('pointerenter', () => onLit(row.place));
  return row;
}

// make('p', {class: 'hint'}, 'text', child, ...): text never becomes markup.
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
