// Keypoints and links of one image as SVG over its picture.

const SVG = 'http://www.w3.org/2000/svg';

// make('p', {class: 'hint'}, 'text', child, ...): text never becomes markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// A picture, or an empty box where it is gone, and what is drawn over it.
class Overlay {
  // look: shared {data, store, threshold, color(index)}; isEditable: points can be
  // reached by Tab and have a larger area to be caught by; decoding: of the image.
  constructor(look, record, { isEditable = false, decoding = 'async' } = {}) {
    Object.assign(this, { look, record, isEditable, points: [], lines: [] });
    const { width, height, picture, name } = record;
    // Pixel centres are at integers.
    this.svg = draw('svg', {
      viewBox: `-0.5 -0.5 ${width} ${height}`, preserveAspectRatio: 'none',
    });
    this.root = make('div', { class: 'picture' });
    this.root.style.setProperty('--aspect', width / height);
    if (picture) {
      const image = make('img', { alt: isEditable ? name : '', decoding });
      image.src = picture;
      this.root.append(image);
    } else {
      this.root.classList.add('gone');
      this.root.append(make('span', { class: 'note' }, 'image is gone'));
    }
    this.root.append(this.svg);
    if (isEditable) {
      this.svg.setAttribute('role', 'group');
      this.svg.setAttribute('aria-label', `Keypoints of ${name}`);
    } else {
      this.svg.setAttribute('aria-hidden', 'true');
    }
    this.tags = draw('g'); // above all points
    this.svg.append(this.tags);
    record.instances.forEach((points, instance) => this.#add(points, instance));
    resizes.observe(this.svg);
    this.update();
  }

  #add(points, instance) {
    const isThere = ([x, y]) => x !== null && y !== null;
    for (const [a, b] of this.look.data.links) {
      if (!isThere(points[a]) || !isThere(points[b])) continue;
      const halo = draw('line', { class: 'link halo' });
      const line = draw('line', { class: 'link' });
      this.svg.prepend(halo, line);
      this.lines.push({ halo, line, instance, ends: [a, b] });
    }
    points.forEach((triple, index) => {
      if (!isThere(triple)) return;
      const disc = draw('circle', { class: 'disc' });
      const text = draw('text');
      const tag = draw('g', { class: `tag k${index}`, 'aria-hidden': 'true' }, text);
      // Each white ring lies on a wider black one: it is seen on any image.
      const rings = ['halo', 'rim', 'second under', 'second'];
      if (this.isEditable) rings.unshift('hit', 'focus under', 'focus');
      const group = draw('g', { class: `point k${index}` },
        ...rings.map((name) => draw('circle', { class: name })), disc);
      if (this.isEditable) {
        group.setAttribute('tabindex', '0');
        group.setAttribute('role', 'button');
        group.setAttribute('aria-roledescription', 'keypoint');
      }
      this.svg.insertBefore(group, this.tags);
      this.tags.append(tag);
      this.points.push({ group, tag, disc, text, instance, index, triple });
    });
  }

  // [x, y] of a keypoint, as corrected.
  place(instance, index) {
    const moved = this.look.store.corrections.moved(this.record.name, instance, index);
    return moved ?? this.record.instances[instance][index].slice(0, 2);
  }

  isShown(instance, index) {
    const { store, threshold } = this.look;
    if (store.corrections.shownAs(index) === null) return false;
    const score = this.record.instances[instance][index][2];
    const isMoved = store.corrections.moved(this.record.name, instance, index);
    return isMoved !== undefined || score === null || score >= threshold;
  }

  update() {
    const changed = this.points.filter((point) => this.#updatePoint(point));
    if (changed.length) this.updateLines();
  }

  // Whether anything about it is new: most keypoints of a page stay as they are.
  #updatePoint(point) {
    const { corrections } = this.look.store;
    const { group, tag, disc, text, instance, index } = point;
    const { name } = this.record;
    const isShown = this.isShown(instance, index);
    const shown = corrections.shownAs(index);
    const state = isShown ? {
      place: this.place(instance, index),
      color: this.look.color(shown),
      // A tile has room for the number only.
      label: this.isEditable ? corrections.label(shown) : String(shown),
      isMoved: corrections.moved(name, instance, index) !== undefined,
      isHidden: corrections.isHidden(name, instance, index),
    } : null;
    const key = JSON.stringify(state);
    if (point.key === key) return false;
    point.key = key;
    for (const part of [group, tag]) part.classList.toggle('away', !isShown);
    if (!isShown) return true;
    group.classList.toggle('moved', state.isMoved);
    group.classList.toggle('covered', state.isHidden);
    disc.style.fill = disc.style.stroke = state.color;
    text.textContent = state.label;
    this.setPlace(point, state.place);
    if (this.isEditable) group.setAttribute('aria-label', this.#spoken(point, state));
    return true;
  }

  #spoken({ instance }, { label, place: [x, y], isMoved, isHidden }) {
    return [
      `keypoint ${label}`,
      this.record.instances.length > 1 ? `of object ${instance}` : '',
      `x ${x.toFixed(1)}, y ${y.toFixed(1)}`,
      isMoved ? 'moved' : '', isHidden ? 'hidden' : '',
    ].filter(Boolean).join(', ');
  }

  // Also while it is dragged, before that is a correction.
  setPlace(point, [x, y]) {
    point.at = [x, y];
    for (const part of [point.group, point.tag]) {
      part.setAttribute('transform', `translate(${x} ${y})`);
    }
    const isRight = x > 0.75 * this.record.width;
    point.text.setAttribute('text-anchor', isRight ? 'end' : 'start');
    point.text.classList.toggle('left', isRight);
  }

  updateLines() {
    const at = new Map(this.points.map((p) => [`${p.instance} ${p.index}`, p]));
    for (const { halo, line, instance, ends } of this.lines) {
      const [a, b] = ends.map((index) => at.get(`${instance} ${index}`));
      const isShown = ends.every((index) => this.isShown(instance, index));
      for (const element of [halo, line]) {
        element.classList.toggle('away', !isShown);
        if (!isShown) continue;
        ['x1', 'y1'].forEach((name, axis) => element.setAttribute(name, a.at[axis]));
        ['x2', 'y2'].forEach((name, axis) => element.setAttribute(name, b.at[axis]));
      }
    }
  }
}

// Pixels of the image for one of the screen: so large is what is drawn.
const resizes = new ResizeObserver((entries) => {
  for (const { target, contentRect } of entries) {
    if (!contentRect.width) continue;
    const unit = target.viewBox.baseVal.width / contentRect.width;
    target.style.setProperty('--unit', `${unit}px`);
  }
});
