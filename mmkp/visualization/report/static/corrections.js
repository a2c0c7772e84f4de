// What a person has said of keypoints and images; read from and written to
// corrections.json. Knows nothing of the page.

const FORMAT = 'mmkp corrections';

class Corrections {
  // keypoints: of the run, each {name, partner}.
  constructor(run, source, keypoints) {
    Object.assign(this, { run, source });
    this.keypoints = keypoints.map(({ name, partner }) => ({
      name, dropped: false, merged_into: null, partner,
    }));
    this.images = new Map();
  }

  // Keypoints ------------------------------------------------------------------

  label(index) {
    const { name } = this.keypoints[index];
    return name === null || name === '' ? String(index) : `${index} ${name}`;
  }

  // The keypoint as which one is drawn, null where it is not drawn.
  shownAs(index) {
    const { dropped, merged_into } = this.keypoints[index];
    return dropped ? null : merged_into ?? index;
  }

  rename(index, name) {
    this.keypoints[index].name = name.trim() || null;
  }

  drop(index, dropped) {
    this.#release(index);
    const entry = this.keypoints[index];
    entry.dropped = dropped;
    entry.merged_into = null;
    if (dropped) {
      for (const other of this.keypoints) {
        if (other.merged_into === index) other.merged_into = null;
      }
    }
  }

  // What was merged into it follows.
  merge(index, target) {
    this.#release(index);
    this.keypoints[index].merged_into = target;
    if (target === null) return;
    for (const other of this.keypoints) {
      if (other.merged_into === index) other.merged_into = target;
    }
  }

  pair(index, partner) {
    this.#release(index);
    if (partner === null) return;
    this.#release(partner);
    this.keypoints[index].partner = partner;
    this.keypoints[partner].partner = index;
  }

  #release(index) {
    const { partner } = this.keypoints[index];
    if (partner !== null) this.keypoints[partner].partner = null;
    this.keypoints[index].partner = null;
  }

  // Keypoints that one can be merged into or paired with: those that stand for
  // themselves.
  others(index) {
    return this.keypoints
      .map((entry, other) => ({ ...entry, other }))
      .filter((e) => e.other !== index && !e.dropped && e.merged_into === null)
      .map((e) => e.other);
  }

  // Images ---------------------------------------------------------------------

  isBad(name) {
    return this.images.get(name)?.bad ?? false;
  }

  setBad(name, bad) {
    this.#image(name).bad = bad;
    this.#forget(name);
  }

  isTouched(name) {
    return this.images.has(name);
  }

  // Where a person has put a keypoint, undefined where nobody has.
  moved(name, instance, index) {
    return this.images.get(name)?.instances.get(instance)?.corrected.get(index);
  }

  move(name, instance, index, point) {
    this.#instance(name, instance).corrected.set(index, point);
  }

  putBack(name, instance, index) {
    this.#instance(name, instance).corrected.delete(index);
    this.#forget(name);
  }

  isHidden(name, instance, index) {
    return this.images.get(name)?.instances.get(instance)?.hidden.has(index) ?? false;
  }

  setHidden(name, instance, index, hidden) {
    const found = this.#instance(name, instance).hidden;
    hidden ? found.add(index) : found.delete(index);
    this.#forget(name);
  }

  #image(name) {
    if (!this.images.has(name)) this.images.set(name, { bad: false, instances: new Map() });
    return this.images.get(name);
  }

  #instance(name, index) {
    const { instances } = this.#image(name);
    if (!instances.has(index)) {
      instances.set(index, { corrected: new Map(), hidden: new Set() });
    }
    return instances.get(index);
  }

  // Untouched again: it is not listed.
  #forget(name) {
    const image = this.images.get(name);
    for (const [index, { corrected, hidden }] of image.instances) {
      if (!corrected.size && !hidden.size) image.instances.delete(index);
    }
    if (!image.bad && !image.instances.size) this.images.delete(name);
  }

  // The file -------------------------------------------------------------------

  toFile() {
    const sorted = (values) => [...values].sort((a, b) => a - b);
    return {
      format: FORMAT,
      version: 1,
      run: this.run,
      source: this.source,
      keypoints: this.keypoints.map((entry, index) => ({ index, ...entry })),
      images: [...this.images].map(([image, { bad, instances }]) => ({
        image,
        bad,
        instances: sorted(instances.keys()).map((index) => ({
          index,
          corrected: Object.fromEntries(instances.get(index).corrected),
          hidden: sorted(instances.get(index).hidden),
        })),
      })),
    };
  }

  // Take over the content of a file, whole or not at all; throws what is wrong with it.
  fromFile(content) {
    const need = (holds, told) => { if (!holds) throw new Error(told); };
    const number = this.keypoints.length;
    need(content?.format === FORMAT, 'this is no file of corrections');
    need(content.version === 1, `version ${content.version} is not known here`);
    need(Array.isArray(content.keypoints) && Array.isArray(content.images),
      'keypoints or images are missing');
    const isKeypoint = (value) => Number.isInteger(value) && value >= 0 && value < number;
    const orNull = (value) => value === null || isKeypoint(value);
    const keypoints = this.keypoints.map((entry) => ({ ...entry }));
    need(content.keypoints.length === number,
      `it is of ${content.keypoints.length} keypoints, this run has ${number}`);
    for (const { index, name, dropped, merged_into, partner } of content.keypoints) {
      need(isKeypoint(index) && orNull(merged_into) && orNull(partner)
        && (name === null || typeof name === 'string'), `keypoint ${index} is none`);
      keypoints[index] = { name, dropped: dropped === true, merged_into, partner };
    }
    const images = new Map();
    for (const { image, bad, instances } of content.images) {
      need(typeof image === 'string' && Array.isArray(instances), 'an image has no name');
      const known = new Map();
      for (const { index, corrected, hidden } of instances) {
        const points = Object.entries(corrected).map(([key, [x, y]]) => [Number(key), [x, y]]);
        need(points.every(([key, place]) => isKeypoint(key) && place.every(Number.isFinite))
          && hidden.every(isKeypoint), `image ${image} has a keypoint that is none`);
        known.set(index, { corrected: new Map(points), hidden: new Set(hidden) });
      }
      images.set(image, { bad: bad === true, instances: known });
    }
    Object.assign(this, { keypoints, images });
  }
}
