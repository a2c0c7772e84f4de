// Copyright (c) mmkp authors. Licensed under Apache-2.0.
// The page: what is chosen, run, shown and saved.

import { drawObjects } from './drawing.mjs';
import { Frames, decode, pixelsOf } from './media.mjs';
import { Runner, readDescription } from './mmkp_runner.mjs';
import { hasWebGpu, loadRuntime } from './runtime.mjs';
import { make, tableOf } from './table.mjs';

const EXPORT = new URL('../', import.meta.url).href;
// What MMPose's and mmkp's estimators with labels hide; discovered keypoints all count.
const CONFIDENT_SCORE = 0.2;
const SUPERVISED = ['TopdownPoseEstimator', 'BottomupPoseEstimator'];
// Of the window, that a picture takes at most.
const SHARE_OF_HEIGHT = 0.74;
const LARGEST = 4;
const at = (id) => document.getElementById(id);

// A shot is {name, width, height, instances, time of a film's frame, file of a picture}.
const state = { runner: null, shots: [], damaged: [], source: '', index: -1, picture: null, lit: null, frames: null };

function say(text, isBad = false) {
  at('status').textContent = text;
  at('status').classList.toggle('bad', isBad);
}

async function start() {
  const description = await readDescription(EXPORT);
  describe(description);
  if (await hasWebGpu()) at('device-label').hidden = false;
  await load();
}

function describe(description) {
  const { model, keypoint_names: names, input, precision, kind, mmkp } = description;
  const facts = {
    model,
    finds: kind === 'people' ? 'everybody in a picture' : 'one object a picture',
    keypoints: names.length,
    input: `${input.size.join(' × ')}${input.dynamic ? ', other sizes too' : ''}`,
    precision,
    'written by': `mmkp ${mmkp}`,
  };
  at('facts').replaceChildren(...Object.entries(facts).map(([name, value]) => (
    make('div', {}, make('dt', {}, name), make('dd', {}, value))
  )));
  at('links').parentElement.hidden = !description.links.length;
  at('threshold').value = SUPERVISED.includes(model) ? CONFIDENT_SCORE : 0;
  showThreshold();
}

// Load the runtime and the network for the device that is chosen.
async function load() {
  setReady(false);
  say('Loading the network …');
  const { ort, where } = await loadRuntime(at('device').value);
  state.runner = await Runner.open(EXPORT, ort, { executionProviders: [at('device').value] });
  setReady(true);
  say(`Ready. The network is run by ${where}.`);
}

function setReady(isReady) {
  at('choose').disabled = !isReady;
  at('camera').disabled = !isReady || !navigator.mediaDevices;
}

// Run what was chosen, dropped or pasted: pictures, or one film.
async function take(files) {
  if (!state.runner || at('choose').disabled || !files.length) return;
  const film = files.find(({ type }) => type.startsWith('video/'));
  begin(files.length === 1 ? files[0].name : `${files.length} files`);
  setReady(false);
  try {
    if (film) await play(new Frames(film), film.name);
    else await seeAll(files);
  } finally {
    setReady(true);
  }
}

function begin(source) {
  Object.assign(state, { shots: [], damaged: [], source, index: -1, lit: null });
  at('download').disabled = true;
}

async function seeAll(files) {
  for (const [number, file] of files.entries()) {
    say(`${file.name}, ${number + 1} of ${files.length} …`);
    let picture;
    try {
      picture = await decode(file);
    } catch {
      state.damaged.push(file.name);
      continue;
    }
    await see(picture, file.name, { file });
  }
  const left = state.damaged.length ? ` Not a picture: ${state.damaged.join(', ')}.` : '';
  const { length } = state.shots;
  say(length === 1 ? sentence(state.shots[0]) + left : `${length} pictures.${left}`, !length);
}

async function play(frames, name) {
  state.frames = frames;
  at('stop').hidden = false;
  try {
    await frames.forEach(async (video, time) => {
      const more = frames.isCamera ? { isFleeting: true } : { time };
      await see(video, frames.isCamera ? name : `${name}@${time.toFixed(3)}`, more);
      say(sentence(state.shots.at(-1)));
    });
    say(frames.isCamera ? 'The camera is off.' : `${state.shots.length} frames of ${name}.`);
  } catch (error) {
    say(`${name} does not play: ${error.message}`, true);
  } finally {
    at('stop').hidden = true;
    state.frames = null;
  }
}

// Find the keypoints of a picture or a frame, show them and keep them.
async function see(source, name, more) {
  const width = source.videoWidth ?? source.width, height = source.videoHeight ?? source.height;
  await new Promise((painted) => { setTimeout(painted); }); // the status is seen before
  const image = pixelsOf(source, width, height), begun = performance.now();
  const instances = await state.runner.run(image);
  const shot = { name, width, height, instances, milliseconds: performance.now() - begun, ...more };
  if (more.isFleeting) state.shots = [];
  state.shots.push(shot);
  at('download').disabled = false;
  show(state.shots.length - 1, await createImageBitmap(image));
}

function sentence({ name, instances, milliseconds }) {
  const number = instances.length;
  return `${name}: ${number} object${number === 1 ? '' : 's'} in ${Math.round(milliseconds)} ms.`;
}

// Show a shot, whose bitmap is `picture`.
function show(index, picture) {
  const shot = state.shots[index];
  Object.assign(state, { index, picture, lit: null });
  at('empty').hidden = true;
  at('shown').hidden = at('numbers').hidden = false;
  const place = state.shots.length > 1 ? ` (${index + 1} of ${state.shots.length})` : '';
  at('caption').textContent = shot.name + place;
  // Frames are not kept.
  at('previous').hidden = at('next').hidden = state.shots.length < 2 || !shot.file;
  const scores = shot.instances.map(({ bbox_score: score }) => score.toFixed(2));
  at('canvas').setAttribute('aria-label', `${shot.name}: ${scores.length} objects`
    + `${scores.length ? `, of the scores ${scores.join(', ')}` : ''}`);
  update();
}

// Draw the shot that is shown, and its table, as the controls say.
function update() {
  const shot = state.shots[state.index];
  if (!shot) return;
  draw();
  at('table').replaceChildren(tableOf(shot.instances, state.runner.description, minScore(), light));
}

// Draw as large as there is room, up to LARGEST times the picture, at the screen's pixels.
function draw() {
  const { width, height, instances } = state.shots[state.index], canvas = at('canvas');
  const room = [at('stage').clientWidth / width, SHARE_OF_HEIGHT * innerHeight / height];
  const zoom = Math.min(...room, LARGEST);
  canvas.style.width = `${zoom * width}px`;
  canvas.width = Math.round(zoom * width * devicePixelRatio);
  canvas.height = Math.round(zoom * height * devicePixelRatio);
  const context = canvas.getContext('2d');
  context.scale(canvas.width / width, canvas.height / height);
  context.drawImage(state.picture, 0, 0);
  drawObjects(context, instances, state.runner.description, {
    minScore: minScore(),
    links: at('links').checked,
    names: at('names').checked,
    unit: 1 / zoom,
    lit: state.lit,
  });
}

const minScore = () => Number(at('threshold').value);

function showThreshold() {
  at('threshold-text').textContent = minScore().toFixed(2);
}

// Mark a keypoint in the picture and in the table, or none.
function light(place) {
  if (String(place) === String(state.lit)) return;
  state.lit = place;
  for (const row of at('table').querySelectorAll('tr')) {
    row.classList.toggle('lit', Boolean(place) && String(row.place) === String(place));
  }
  draw();
}

// Mark the row before or behind the one that is marked.
function lightNext(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (event.key === 'Escape') light(null);
  if (!step) return;
  event.preventDefault();
  const rows = [...at('table').querySelectorAll('tr')].filter(({ place }) => place);
  const now = rows.findIndex((row) => row.classList.contains('lit'));
  const row = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
  light(row.place);
  row.scrollIntoView({ block: 'nearest' });
}

// Show the picture before or behind the one that is shown.
async function turn(step) {
  const index = (state.index + step + state.shots.length) % state.shots.length;
  show(index, await decode(state.shots[index].file));
}

async function openCamera() {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
  } catch (error) {
    say(`The camera cannot be used: ${error.message}`, true);
    return;
  }
  begin('camera');
  setReady(false);
  await play(new Frames(stream), 'camera');
  setReady(true);
}

// keypoints.json as `mmkp predict` writes it.
function keypointsFile() {
  const { keypoint_names: names, links, swaps } = state.runner.description;
  const flips = names.map((_, index) => index);
  for (const [a, b] of swaps) [flips[a], flips[b]] = [b, a];
  const images = state.shots.map(({ name, width, height, instances, time }) => (
    { image: name, width, height, instances, ...(time === undefined ? {} : { time }) }
  ));
  return {
    source: state.source,
    num_keypoints: names.length,
    keypoint_names: names,
    links,
    edges: [],
    flip_indices: flips,
    damaged_images: state.damaged,
    images,
  };
}

function download() {
  const blob = new Blob([JSON.stringify(keypointsFile())], { type: 'application/json' });
  const link = make('a', { href: URL.createObjectURL(blob), download: 'keypoints.json' });
  link.click();
  URL.revokeObjectURL(link.href);
}

const told = (task) => (...given) => task(...given).catch((error) => {
  console.error(error);
  say(error.message, true);
});

const takeFiles = told(take);
at('choose').addEventListener('click', () => at('file').click());
at('file').addEventListener('change', () => {
  takeFiles([...at('file').files]);
  at('file').value = ''; // the same file may be chosen again
});
at('camera').addEventListener('click', told(openCamera));
at('stop').addEventListener('click', () => state.frames?.stop());
at('device').addEventListener('change', told(load));
at('download').addEventListener('click', download);
at('previous').addEventListener('click', told(() => turn(-1)));
at('next').addEventListener('click', told(() => turn(1)));
at('table').addEventListener('keydown', lightNext);
at('threshold').addEventListener('input', () => { showThreshold(); update(); });
for (const id of ['links', 'names']) at(id).addEventListener('change', update);
new ResizeObserver(() => { if (state.index >= 0) draw(); }).observe(at('stage'));
document.addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
document.addEventListener('dragleave', () => document.body.classList.remove('dropping'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  takeFiles([...event.dataTransfer.files]);
});
document.addEventListener('paste', (event) => takeFiles([...event.clipboardData.files]));
told(start)();
