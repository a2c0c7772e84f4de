// The page: what the parts share, the bar, keys and files.

const data = JSON.parse(document.getElementById('data').textContent);
const get = (id) => document.getElementById(id);
const store = new Store(data.key, new Corrections(data.run, data.source, data.keypoints));

const look = {
  data,
  store,
  threshold: -Infinity,
  color: (index) => store.choices.colors[index] ?? data.keypoints[index].color,
  setColor(index, color) {
    store.choices.colors[index] = color;
    store.save();
    refresh();
  },
  setBad: (name, isBad) => store.edit((c) => c.setBad(name, isBad), name),
  // Make one keypoint stand out everywhere.
  light(index, isLit) {
    get('images').classList.toggle('lighted', isLit);
    for (const point of document.querySelectorAll(`.k${index}`)) {
      point.classList.toggle('lit', isLit);
    }
  },
  say(text) { get('status').textContent = text; },
  undo,
  onClosed: (index) => tiles.focus(index),
};

const enlarged = new Enlarged(look, get('enlarged'));
const enlarge = (index) => enlarged.open(index);
const legend = new Legend(look, get('legend-list'));
const tiles = new Tiles(look, get('grid'), enlarge);
const isFilm = data.images.length > 1 && data.images.every(({ time }) => time !== null);
const film = isFilm ? new Film(look, get('film'), enlarge) : null;

// image: name of the only one that has changed.
function refresh(image = null) {
  if (image === null) legend.update();
  tiles.update(image);
  film?.update();
  enlarged.update();
  get('undo').disabled = !store.canUndo;
}

store.onChange((image) => {
  refresh(image);
  const number = store.corrections.images.size;
  const images = `${number} ${number === 1 ? 'image' : 'images'} corrected`;
  look.say(store.isKept ? `${images}; kept in this browser`
    : `${images}; this browser keeps nothing: download before you leave`);
});

function undo() {
  const image = store.undo();
  if (image !== null && enlarged.isOpen && tiles.byName.has(image)
      && enlarged.record.name !== image) enlarged.open(tiles.byName.get(image));
}

// The bar ------------------------------------------------------------------------

const scores = data.images.flatMap(({ instances }) => instances.flat()
  .map(([, , score]) => score)).filter((score) => score !== null);
const lowest = scores.reduce((a, b) => Math.min(a, b), Infinity);
const highest = scores.reduce((a, b) => Math.max(a, b), -Infinity);
const threshold = get('threshold');
Object.assign(threshold, { min: 0, max: 100, step: 1, value: 0 });
threshold.disabled = !(highest > lowest);

function setThreshold() {
  const value = lowest + (highest - lowest) * threshold.valueAsNumber / 100;
  look.threshold = threshold.valueAsNumber === 0 ? -Infinity : value;
  const hidden = scores.filter((score) => score < look.threshold).length;
  const text = look.threshold === -Infinity ? 'off'
    : `${value.toFixed(2)}: ${hidden} of ${scores.length} points`;
  get('threshold-text').textContent = text;
  threshold.setAttribute('aria-valuetext', text);
  refresh();
}

threshold.addEventListener('input', setThreshold);
get('size').value = window.innerWidth < 700 ? 140 : 200;
const setSize = () => get('grid').style.setProperty('--height', `${get('size').value}px`);
get('size').addEventListener('input', setSize);
for (const name of ['links', 'numbers']) {
  get(name).addEventListener('change', () => {
    document.body.classList.toggle(`no-${name}`, !get(name).checked);
  });
}
if (!data.links.length) get('links').closest('label').hidden = true;
get('undo').addEventListener('click', undo);

// Files --------------------------------------------------------------------------

get('download').addEventListener('click', () => {
  const text = JSON.stringify(store.corrections.toFile(), null, 1);
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  const link = make('a', { href: url, download: 'corrections.json' });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
  look.say(`corrections.json written: ${store.corrections.images.size} images`);
});

get('load').addEventListener('click', () => get('file').click());
get('file').addEventListener('change', async () => {
  const [file] = get('file').files;
  get('file').value = '';
  if (!file) return;
  try {
    const content = JSON.parse(await file.text());
    store.edit((corrections) => corrections.fromFile(content));
    const unknown = [...store.corrections.images.keys()]
      .filter((name) => !tiles.byName.has(name)).length;
    look.say(`${file.name} loaded: ${store.corrections.images.size} images`
      + (unknown ? `, of which ${unknown} are not on this page and are kept` : '')
      + (content.run === data.run ? '' : `; it was made for the run '${content.run}'`));
  } catch (error) {
    look.say(`${file.name} was not loaded: ${error.message}`);
  }
});

window.addEventListener('beforeunload', (event) => {
  if (!store.isKept && store.canUndo) event.preventDefault();
});

// Keys ---------------------------------------------------------------------------

const ARROWS = {
  ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
};

function step(by) {
  if (enlarged.isOpen) return enlarged.step(by);
  const at = tiles.focused;
  return tiles.focus(at < 0 ? 0 : Math.min(Math.max(at + by, 0), data.images.length - 1));
}

function toggleBad() {
  const record = enlarged.isOpen ? enlarged.record : data.images[tiles.focused];
  if (record) look.setBad(record.name, !store.corrections.isBad(record.name));
}

const KEYS = {
  n: () => step(1),
  p: () => step(-1),
  b: toggleBad,
  h: () => { if (enlarged.isOpen) enlarged.toggleHidden(); },
  u: undo,
  '?': () => get('help').showModal(),
};

document.addEventListener('keydown', (event) => {
  const { target } = event;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (get('help').open || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.matches('input[type=text], select')) return;
  if (key in ARROWS && enlarged.isOpen && !target.matches('input')) {
    const by = event.shiftKey ? 10 : 1;
    if (enlarged.nudge(...ARROWS[key].map((v) => v * by))) event.preventDefault();
  } else if (Object.hasOwn(KEYS, key)) {
    event.preventDefault();
    KEYS[key]();
  }
});
get('help-button').addEventListener('click', KEYS['?']);

if (window.innerWidth < 900) get('legend-details').open = false;
setSize();
setThreshold();
look.say(store.isRestored ? 'Your corrections were found in this browser.'
  : 'Nothing is corrected yet.');
