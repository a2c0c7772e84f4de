// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// Pictures made smaller and larger as OpenCV 4 does it, which a canvas does not: it
// averages areas, and counts in float32 and in fixed point, which is followed to the bit.
//
// A picture is {data, width, height}: height x width x 3 bytes, row by row.

const { fround, floor, min, max } = Math;

// shrink(picture, width, height): cv2.resize with INTER_AREA, for sizes that are not larger.
export function shrink(picture, width, height) {
  if (picture.width === width && picture.height === height) return picture;
  const isWhole = picture.width % width === 0 && picture.height % height === 0;
  const across = areaTable(picture.width, width, isWhole);
  const down = areaTable(picture.height, height, isWhole);
  const area = (picture.width / width) * (picture.height / height);
  const sum = new Float32Array(width * 3), share = fround(1 / area);
  return byRows(picture, width, height, across, down, (rows, weights, line) => {
    sum.fill(0);
    rows.forEach((row, j) => {
      for (let i = 0; i < sum.length; i++) sum[i] += fround(weights[j] * row[i]);
    });
    // A Uint8ClampedArray rounds half to even, as cv2 does, but for 2 x 2 pixels.
    if (isWhole && area === 4) for (let i = 0; i < sum.length; i++) line[i] = (sum[i] + 2) >> 2;
    else if (isWhole) for (let i = 0; i < sum.length; i++) line[i] = fround(sum[i] * share);
    else line.set(sum);
  });
}

// interpolate(picture, width, height): cv2.resize with INTER_LINEAR.
export function interpolate(picture, width, height) {
  if (picture.width === width && picture.height === height) return picture;
  if (picture.width === 2 * width && picture.height === 2 * height) {
    return shrink(picture, width, height); // as OpenCV does
  }
  const across = linearTable(picture.width, width), down = linearTable(picture.height, height);
  return byRows(picture, width, height, across, down, ([above, below], [a, b], line) => {
    for (let i = 0; i < line.length; i++) {
      line[i] = (((a * (above[i] >> 4)) >> 16) + ((b * (below[i] >> 4)) >> 16) + 2) >> 2;
    }
  });
}

// Resize along both axes: mix(rows, weights, line) makes a line of the result of those
// rows of the source, resized across, that `down` names.
function byRows(picture, width, height, across, down, mix) {
  const data = new Uint8ClampedArray(width * height * 3), rows = new Map();
  const last = picture.height - 1;
  down.forEach(({ first, weights }, y) => {
    const needed = Array.from(weights, (_, j) => min(max(first + j, 0), last));
    for (const row of needed) {
      if (!rows.has(row)) rows.set(row, rowAcross(picture, row, across));
    }
    for (const row of rows.keys()) if (row < needed[0]) rows.delete(row);
    const line = data.subarray(y * width * 3, (y + 1) * width * 3);
    mix(needed.map((row) => rows.get(row)), weights, line);
  });
  return { data, width, height };
}

// One row of a picture, resized: 3 numbers a column.
function rowAcross({ data, width }, y, table) {
  const row = new Float32Array(table.length * 3);
  table.forEach(({ first, weights }, x) => {
    for (let j = 0; j < weights.length; j++) {
      const from = (y * width + min(max(first + j, 0), width - 1)) * 3, to = x * 3;
      row[to] += fround(weights[j] * data[from]);
      row[to + 1] += fround(weights[j] * data[from + 1]);
      row[to + 2] += fround(weights[j] * data[from + 2]);
    }
  });
  return row;
}

// For each of `to` cells the first of the `from` cells that it covers, and the share of
// each of them in it; 1 where all are whole. Slivers below a thousandth do not count.
function areaTable(from, to, isWhole) {
  const ratio = from / to;
  return Array.from({ length: to }, (_, index) => {
    const low = index * ratio, high = min(low + ratio, from), weights = [];
    const first = low % 1 > 1 - 1e-3 ? Math.ceil(low) : floor(low);
    for (let cell = first; cell < high - 1e-3 && cell < from; cell++) {
      const share = (min(cell + 1, high) - max(cell, low)) / (high - low);
      weights.push(isWhole ? 1 : share);
    }
    return { first, weights: Float32Array.from(weights) };
  });
}

// For each of `to` cells the two of the `from` cells between whose middles it lies, and
// their shares in 2048ths.
function linearTable(from, to) {
  return Array.from({ length: to }, (_, index) => {
    const place = fround((index + 0.5) * (from / to) - 0.5);
    const first = floor(place), beyond = fround(place - first);
    return { first, weights: [fround(1 - beyond), beyond].map((w) => roundHalfToEven(2048 * w)) };
  });
}

// warp(picture, width, height, scale, shift, border): cv2.warpAffine, INTER_LINEAR, of a
// map without rotation: pixel (x, y) of the picture goes to (scale[0] x + shift[0],
// scale[1] y + shift[1]). border: the color outside, 3 grey levels.
export function warp(picture, width, height, scale, shift, border) {
  const across = sources(picture.width, width, scale[0], shift[0]);
  const down = sources(picture.height, height, scale[1], shift[1]);
  const data = new Uint8ClampedArray(width * height * 3);
  const pixel = (x, y, channel) => (
    x < 0 || y < 0 || x >= picture.width || y >= picture.height
      ? border[channel]
      : picture.data[(y * picture.width + x) * 3 + channel]
  );
  let at = 0;
  for (const [y, below] of down) {
    for (const [x, right] of across) {
      for (let channel = 0; channel < 3; channel++) {
        const above = (1 - right) * pixel(x, y, channel) + right * pixel(x + 1, y, channel);
        const under = (1 - right) * pixel(x, y + 1, channel) + right * pixel(x + 1, y + 1, channel);
        data[at++] = floor((1 - below) * above + below * under + 0.5);
      }
    }
  }
  return { data, width, height };
}

// Where each of `to` pixels lies, in 32nds of a pixel: the pixel before it, and what lies
// beyond that.
function sources(from, to, scale, shift) {
  const start = roundHalfToEven(-shift / scale * 1024) + 16;
  return Array.from({ length: to }, (_, index) => {
    const place = ((start + roundHalfToEven(index / scale * 1024)) >> 5) / 32;
    const first = floor(min(max(place, -2), from + 1));
    return [first, min(max(place - first, 0), 1)];
  });
}

// cut(picture, left, top, width, height, level): a region of a picture, what lies outside
// of it in one grey level. left, top: of the region, in pixels of the picture.
export function cut(picture, left, top, width, height, level) {
  if (!left && !top && width === picture.width && height === picture.height) return picture;
  const data = new Uint8ClampedArray(width * height * 3).fill(level);
  const x0 = Math.max(left, 0), x1 = Math.min(left + width, picture.width);
  for (let y = Math.max(top, 0); y < Math.min(top + height, picture.height) && x0 < x1; y++) {
    const row = picture.data.subarray((y * picture.width + x0) * 3, (y * picture.width + x1) * 3);
    data.set(row, ((y - top) * width + x0 - left) * 3);
  }
  return { data, width, height };
}

// As numpy, Python and cvRound round.
export function roundHalfToEven(value) {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 ? rounded - 1 : rounded;
}
