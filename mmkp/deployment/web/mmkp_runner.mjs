// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// A picture to keypoints, with an export of mmkp and onnxruntime-web: the twin of
// mmkp_runner.py. Nothing here touches a page, so that apps take it as it is.
//
//   import * as ort from 'onnxruntime-web';
//   import { Runner } from './mmkp_runner.mjs';
//   const runner = await Runner.open('../', ort);
//   const people = await runner.run(context.getImageData(0, 0, width, height));

import { groupPeople } from './grouping.mjs';
import { place } from './placement.mjs';

export class Runner {
  // description: export.json; session: ort.InferenceSession of its ONNX file.
  constructor(description, session, ort) {
    Object.assign(this, { description, session, ort });
    this.isBusy = false;
  }

  // Open the export whose folder has the address `folder`, which ends with a slash.
  // ort: onnxruntime-web; options: of its InferenceSession, such as executionProviders.
  static async open(folder, ort, options = {}) {
    const description = await readDescription(folder);
    const bytes = new Uint8Array(await (await get(folder + description.files.onnx)).arrayBuffer());
    return new Runner(description, await ort.InferenceSession.create(bytes, options), ort);
  }

  // Find the keypoints of a picture.
  // image: ImageData, or {data, width, height} with 4 bytes a pixel: red, green, blue, alpha.
  // boxes: of objects, [x1, y1, x2, y2] in pixels; of a model of people left out.
  // Returns a list of objects as they stand in keypoints.json: keypoints (K [x, y] in
  // pixels, centers at integers), keypoint_scores (K), bbox, bbox_score.
  async run(image, boxes = [[0, 0, image.width, image.height]]) {
    const picture = withoutAlpha(image), found = [];
    const { kind, placement } = this.description;
    for (const box of boxes) {
      const { input, back } = place(picture, box, placement);
      const results = await this.#infer(asTensor(input, this.description.input));
      const objects = kind === 'people' ? this.#people(results) : [this.#object(results, box)];
      found.push(...objects.map((one) => inPicture(one, back)));
    }
    return found;
  }

  // What the graph gives: name to {data, dims}.
  async #infer({ data, dims }) {
    const images = new this.ort.Tensor('float32', data, dims);
    const results = await this.session.run({ images });
    images.dispose?.();
    return results;
  }

  // The object in a box; keypoints in pixels of the network's input.
  #object({ keypoints, keypoint_scores: scores }, box) {
    return { keypoints: pairs(keypoints.data), scores: [...scores.data], score: 1, bbox: box };
  }

  // The people of the image; keypoints in pixels of the network's input.
  #people({ peaks, limbs, heatmaps, fields }) {
    const { grouping } = this.description;
    const [, , height, width] = heatmaps.dims;
    const candidates = rowsOf(peaks, ['image', 'keypoint', 'x', 'y', 'score']);
    const links = rowsOf(limbs, ['limb', 'start', 'end', 'score']);
    const maps = { heatmaps: heatmaps.data, fields: fields.data, width, height };
    const { cell, outputs } = grouping;
    return groupPeople(candidates, links, maps, grouping).map((person) => givenOut({
      ...person,
      // The middle of cell g is pixel cell * g + (cell - 1) / 2.
      keypoints: person.keypoints.map((p) => p.map((g) => g * cell + (cell - 1) / 2)),
    }, outputs));
  }
}

// Read and check export.json of a folder.
export async function readDescription(folder) {
  const found = await (await get(`${folder}export.json`)).json();
  if (found.format !== 'mmkp export' || found.version !== 1) {
    throw new Error(`export.json is of format ${found.format}, version ${found.version}, `
      + 'which this page does not read: export the model again with this mmkp');
  }
  if (!found.files.onnx) {
    throw new Error('this export has no ONNX file, which browsers need: mmkp export RUN -f onnx');
  }
  return found;
}

async function get(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${address} cannot be read (${answer.status})`);
  return answer;
}

// Blue, green and red bytes of a picture; what an alpha channel hides stays as it is.
export function withoutAlpha({ data, width, height }) {
  const result = new Uint8ClampedArray(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    result[to] = data[from + 2];
    result[to + 1] = data[from + 1];
    result[to + 2] = data[from];
  }
  return { data: result, width, height };
}

// (1, 3, H, W) float32 of a picture: blue, green, red of 0 to 255, or normalized where the
// graph does not do it. input: of export.json.
export function asTensor({ data, width, height }, input) {
  const size = width * height, result = new Float32Array(3 * size);
  const isInside = input.normalized_inside, isTurned = !isInside && input.to_rgb;
  for (let channel = 0; channel < 3; channel++) {
    const mean = isInside ? 0 : input.mean[channel], std = isInside ? 1 : input.std[channel];
    let from = isTurned ? 2 - channel : channel;
    for (let to = channel * size; to < (channel + 1) * size; to++, from += 3) {
      result[to] = (data[from] - mean) / std;
    }
  }
  return { data: result, dims: [1, 3, height, width] };
}

// The keypoints of a person that are given out. outputs: place of each among those of the
// maps, or -1 for one that no map stands for, which lies in the person's middle.
function givenOut(person, outputs) {
  const middle = [0, 1].map((axis) => (
    person.keypoints.reduce((sum, point) => sum + point[axis], 0) / person.keypoints.length
  ));
  return {
    ...person,
    keypoints: outputs.map((k) => (k < 0 ? middle : person.keypoints[k])),
    scores: outputs.map((k) => (k < 0 ? 0 : person.scores[k])),
  };
}

// An object as it stands in keypoints.json. back: from the input's pixels to the picture's.
function inPicture({ keypoints, scores, score, bbox }, back) {
  const placed = keypoints.map(([x, y]) => back(x, y));
  return {
    keypoints: placed.map((point) => point.map((value) => rounded(value, 3))),
    keypoint_scores: scores.map((value) => rounded(value, 4)),
    bbox: (bbox ?? boxAround(placed, scores)).map((value) => rounded(value, 3)),
    bbox_score: rounded(score, 4),
  };
}

// The box of the keypoints that were found.
function boxAround(points, scores) {
  const found = points.filter((_, k) => scores[k] > 0);
  const [x, y] = [0, 1].map((axis) => found.map((point) => point[axis]));
  return [Math.min(...x), Math.min(...y), Math.max(...x), Math.max(...y)];
}

// Numbers that are not finite become null, as in every file of mmkp.
function rounded(value, digits) {
  return Number.isFinite(value) ? Number(value.toFixed(digits)) : null;
}

function pairs(data) {
  return Array.from({ length: data.length / 2 }, (_, k) => [data[2 * k], data[2 * k + 1]]);
}

// Rows of a table as objects.
function rowsOf({ data }, names) {
  return Array.from({ length: data.length / names.length }, (_, row) => (
    Object.fromEntries(names.map((name, column) => [name, Number(data[row * names.length + column])]))
  ));
}
