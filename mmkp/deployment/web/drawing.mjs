// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// Keypoints and links on a canvas, in the colors of export.json.

// drawObjects(context, objects, description, look): over a picture that is drawn already,
// whose pixels are the context's units. look: {minScore, links, names: what is shown,
// unit: pixels of the picture a pixel of the page, lit: [object, keypoint] that is
// marked, or null}.
export function drawObjects(context, objects, description, look) {
  context.save();
  context.translate(0.5, 0.5); // pixel centers are at integers
  context.lineCap = context.lineJoin = 'round';
  for (const object of objects) {
    if (look.links) drawLinks(context, object, description, look);
  }
  const points = objects.flatMap((object, number) => object.keypoints.map((place, k) => {
    const isLit = look.lit?.[0] === number && look.lit[1] === k;
    const isDrawn = isShown(object, k, look.minScore) || (isLit && isPlace(place));
    return { place, k, isLit, isDrawn };
  })).filter(({ isDrawn }) => isDrawn).sort((a, b) => a.isLit - b.isLit);
  for (const { place, k, isLit } of points) {
    drawPoint(context, place, colorOf(description, k), look.unit, isLit);
  }
  for (const { place, k, isLit } of points) {
    if (look.names || isLit) {
      drawName(context, place, description.keypoint_names[k], look.unit);
    }
  }
  context.restore();
}

// The color of keypoint k as CSS has it.
export function colorOf({ keypoint_colors: colors }, k) {
  return colors[k] ? `rgb(${colors[k].join(' ')})` : '#fff';
}

// Whether a keypoint of an object is drawn. What has score 0 was not found.
export function isShown({ keypoints, keypoint_scores: scores }, k, minScore) {
  return isPlace(keypoints[k]) && scores[k] > 0 && scores[k] >= minScore;
}

const isPlace = ([x, y]) => x !== null && y !== null;

// A link goes over from the color of one end to that of the other.
function drawLinks(context, object, description, { minScore, unit }) {
  for (const [a, b] of description.links) {
    if (!isShown(object, a, minScore) || !isShown(object, b, minScore)) continue;
    const start = object.keypoints[a], end = object.keypoints[b];
    const colors = context.createLinearGradient(...start, ...end);
    colors.addColorStop(0, colorOf(description, a));
    colors.addColorStop(1, colorOf(description, b));
    for (const [style, width] of [['rgb(0 0 0 / .6)', 5], [colors, 3]]) {
      context.strokeStyle = style;
      context.lineWidth = width * unit;
      context.beginPath();
      context.moveTo(...start);
      context.lineTo(...end);
      context.stroke();
    }
  }
}

function drawPoint(context, [x, y], color, unit, isLit) {
  const radius = (isLit ? 8 : 4) * unit;
  for (const [style, more] of [['#000', 2], ['#fff', 1.1], [color, 0]]) {
    context.fillStyle = style;
    context.beginPath();
    context.arc(x, y, radius + more * unit, 0, 2 * Math.PI);
    context.fill();
  }
}

function drawName(context, [x, y], name, unit) {
  const isLeft = context.getTransform().transformPoint({ x, y }).x > 0.8 * context.canvas.width;
  context.font = `700 ${13 * unit}px system-ui, sans-serif`;
  context.textAlign = isLeft ? 'right' : 'left';
  context.strokeStyle = '#000';
  context.fillStyle = '#fff';
  context.lineWidth = 3 * unit;
  const place = [x + (isLeft ? -9 : 9) * unit, y + 4.5 * unit];
  context.strokeText(name, ...place);
  context.fillText(name, ...place);
}
