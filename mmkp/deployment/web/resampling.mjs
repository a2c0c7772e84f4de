// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// Pictures made smaller and larger as OpenCV does it, which a canvas does not.
//
// A picture is {data, width, height}: height x width x 3 bytes, row by row. Results are
// rounded to whole grey levels, half to even, as by cv2: a Uint8ClampedArray does that.

// resize(picture, width, height, tableOf): cv2.resize, its cells aligned.
// tableOf is areaTable (INTER_AREA, for axes that shrink) or linearTable (INTER_LINEAR).
export function resize(picture, width, height, tableOf) {
  if (picture.width === width && picture.height === height) return picture;
  const across = tableOf(picture.width, width), down = tableOf(picture.height, height);
  const result = new Uint8ClampedArray(width * height * 3);
  const rows = new Map(); // of the source, resized across; a few are needed at a time
  const sum = new Float32Array(width * 3);
  for (let y = 0; y < height; y++) {
    const { first, weights } = down[y];
    sum.fill(0);
    for (let j = 0; j < weights.length; j++) {
      if (!rows.has(first + j)) rows.set(first + j, rowAcross(picture, first + j, across));
      const row = rows.get(first + j), weight = weights[j];
      for (let i = 0; i < sum.length; i++) sum[i] += weight * row[i];
    }
    for (const other of rows.keys()) if (other < first) rows.delete(other);
    result.set(sum, y * sum.length);
  }
  return { data: result, width, height };
}

// One row of a picture, resized: 3 numbers a column.
function rowAcross(picture, y, table) {
  const { data, width } = picture, row = new Float32Array(table.length * 3);
  table.forEach(({ first, weights }, x) => {
    let at = (y * width + first) * 3, a = 0, b = 0, c = 0;
    for (const weight of weights) {
      a += weight * data[at++];
      b += weight * data[at++];
      c += weight * data[at++];
    }
    row.set([a, b, c], x * 3);
  });
  return row;
}

// For each of `to` cells the first of the `from` cells that it covers, and the share of
// each of them in it. Slivers below a thousandth of a cell do not count, as in OpenCV.
export function areaTable(from, to) {
  const ratio = from / to;
  return Array.from({ length: to }, (_, index) => {
    const low = index * ratio, high = Math.min(low + ratio, from), weights = [];
    const first = low % 1 > 1 - 1e-3 ? Math.ceil(low) : Math.floor(low);
    for (let cell = first; cell < high - 1e-3 && cell < from; cell++) {
      weights.push((Math.min(cell + 1, high) - Math.max(cell, low)) / (high - low));
    }
    return { first, weights };
  });
}

// For each of `to` cells the two of the `from` cells between whose middles it lies.
export function linearTable(from, to) {
  return Array.from({ length: to }, (_, index) => {
    const place = (index + 0.5) * from / to - 0.5, first = Math.floor(place);
    if (first < 0) return { first: 0, weights: [1] };
    if (first >= from - 1) return { first: from - 1, weights: [1] };
    return { first, weights: [first + 1 - place, place - first] };
  });
}

// warp(picture, width, height, scale, shift, border): cv2.warpAffine, INTER_LINEAR, of a
// map without rotation: pixel (x, y) of the picture goes to (scale[0] x + shift[0],
// scale[1] y + shift[1]). border: the color outside, 3 grey levels.
export function warp(picture, width, height, scale, shift, border) {
  const across = sources(picture.width, width, scale[0], shift[0]);
  const down = sources(picture.height, height, scale[1], shift[1]);
  const result = new Uint8ClampedArray(width * height * 3);
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
        result[at++] = (1 - below) * above + below * under;
      }
    }
  }
  return { data: result, width, height };
}

// Where each of `to` pixels lies: the pixel before it, and what lies beyond that. OpenCV
// reads at multiples of 1/32 pixel.
function sources(from, to, scale, shift) {
  return Array.from({ length: to }, (_, index) => {
    const place = Math.round((index - shift) / scale * 32) / 32;
    const first = Math.floor(Math.min(Math.max(place, -2), from + 1));
    return [first, Math.min(Math.max(place - first, 0), 1)];
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
