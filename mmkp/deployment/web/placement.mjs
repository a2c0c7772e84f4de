// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// How a picture becomes the network's input, and how keypoints find back.
//
// Pixel centers are at integers. What each placement does is said by the transform of
// mmkp or MMPose that it is named after; its arguments are those of export.json.

import { cut, interpolate, roundHalfToEven, shrink, warp } from './resampling.mjs';

// place(picture, box, placement) -> {input, back}: input is the picture that the network
// sees, back(x, y) -> [x, y] leads from its pixels to those of the picture.
// box: [x1, y1, x2, y2] in pixels of the picture, edges of its cells.
export function place(picture, box, placement) {
  const how = PLACEMENTS[placement.type];
  if (!how) {
    throw new Error(`this page cannot prepare pictures for this model: ${placement.reason
      ?? `placement '${placement.type}' is unknown`}`);
  }
  const { input, center, scale } = how(picture, placement, box);
  const back = (x, y) => [
    x / input.width * scale[0] + center[0] - scale[0] / 2,
    y / input.height * scale[1] + center[1] - scale[1] / 2,
  ];
  return { input, back };
}

const PLACEMENTS = {
  // mmkp's TopdownResize: the box is cut out and resized, its cells aligned.
  resize(picture, { input_size: [width, height], ...how }, box) {
    let { center, scale } = centerAndScale(box, how.box_padding);
    if (how.keep_aspect_ratio) scale = withRatio(scale, width / height);
    const low = center.map((c, axis) => roundHalfToEven(c - scale[axis] / 2));
    const high = center.map((c, axis) => roundHalfToEven(c + scale[axis] / 2));
    const size = low.map((edge, axis) => Math.max(high[axis] - edge, 1));
    let input = cut(picture, ...low, ...size, how.pad_val ?? 0);
    // INTER_AREA averages where it shrinks; an axis that grows is interpolated.
    const smaller = [Math.min(size[0], width), Math.min(size[1], height)];
    input = interpolate(shrink(input, ...smaller), width, height);
    return { input, scale: size, center: centerOfCells(low, size, [width, height]) };
  },

  // MMPose's TopdownAffine: the box, extended to the input's ratio, bilinearly.
  affine(picture, { input_size: [width, height], ...how }, box) {
    const { center, scale: ofBox } = centerAndScale(box, how.box_padding);
    const scale = withRatio(ofBox, width / height);
    const input = warped(picture, [width, height], center, scale, how.use_udp, [0, 0, 0]);
    return { input, center, scale };
  },

  // MMPose's BottomupResize: the picture within, or around, a width and a height.
  bottomup(picture, { input_size: [width, height], ...how }) {
    const ratio = picture.width / picture.height, factor = how.size_factor ?? 32;
    const isFit = (how.resize_mode ?? 'fit') === 'fit';
    const choose = isFit ? Math.min : Math.max;
    let size = [width, height].map((side) => Math.ceil(side / factor) * factor);
    const actual = [choose(size[0], size[1] * ratio), choose(size[1], size[0] / ratio)];
    if (!isFit) size = actual.map((side) => Math.ceil(side / factor) * factor);
    const whole = [picture.width, picture.height];
    const center = whole.map((side) => side / 2);
    const scale = whole.map((side, axis) => side * size[axis] / actual[axis]);
    const border = [how.pad_val ?? 0].flat();
    const color = border.length === 1 ? [border[0], border[0], border[0]] : border;
    const input = how.use_udp
      ? warp(picture, ...size, ...udp(whole.map((n) => (n - 1) / 2), whole, actual), color)
      : warped(picture, size, center, scale, false, color);
    return how.use_udp
      ? { input, center: whole.map((n) => (n - 1) / 2), scale: whole }
      : { input, center, scale };
  },

  // mmkp's BottomupHeightResize: a height, the width follows; padded to whole cells.
  height(picture, { height, size_factor: factor = 8, pad_val: level = 128, max_aspect: most = 8 }) {
    const whole = [picture.width, picture.height];
    const ratio = Math.max(whole[1] / height, whole[0] / (most * height));
    const size = whole.map((side) => Math.ceil(side / ratio / factor - 1e-6) * factor);
    const region = whole.map((side, axis) => (
      Math.max(roundHalfToEven(size[axis] * ratio), side)
    ));
    const padded = cut(picture, 0, 0, ...region, level);
    // Linear interpolation looks at 2 pixels a side only.
    const shrinks = region[0] > 2 * size[0] || region[1] > 2 * size[1];
    const input = (shrinks ? shrink : interpolate)(padded, ...size);
    return { input, scale: region, center: centerOfCells([0, 0], region, size) };
  },
};

function centerAndScale([x1, y1, x2, y2], padding = 1.25) {
  return {
    center: [(x1 + x2) / 2, (y1 + y2) / 2],
    scale: [(x2 - x1) * padding, (y2 - y1) * padding],
  };
}

// Width and height of a box, extended to a ratio of width to height.
function withRatio([width, height], ratio) {
  return [Math.max(width, height * ratio), Math.max(height, width / ratio)];
}

// Cell i of the input covers [i, i + 1) * ratio of the region, so the center of pixel i
// lies (ratio - 1) / 2 beyond i * ratio.
function centerOfCells(corner, region, size) {
  return corner.map((c, axis) => c + (region[axis] / size[axis] - 1) / 2 + region[axis] / 2);
}

// get_warp_matrix or get_udp_warp_matrix of MMPose, without rotation, and its picture.
function warped(picture, size, center, scale, isUdp, color) {
  if (isUdp) return warp(picture, ...size, ...udp(center, scale, size), color);
  const ratio = size[0] / scale[0]; // of both axes
  const shift = center.map((c, axis) => size[axis] / 2 - ratio * c);
  return warp(picture, ...size, [ratio, ratio], shift, color);
}

function udp(center, scale, size) {
  const ratio = scale.map((side, axis) => (size[axis] - 1) / side);
  const shift = ratio.map((r, axis) => r * (scale[axis] / 2 - center[axis]));
  return [ratio.map(Math.fround), shift.map(Math.fround)]; // as MMPose's matrix
}
