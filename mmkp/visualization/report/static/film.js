// The frames of a film that this page holds, played one after the other.

class Film {
  #timer = null;

  constructor(look, section, enlarge) {
    const { images } = look.data;
    Object.assign(this, { look, images, index: 0 });
    this.stage = make('button', { type: 'button', class: 'open' });
    this.stage.addEventListener('click', () => { this.pause(); enlarge(this.index); });
    this.button = make('button', { type: 'button' });
    this.button.addEventListener('click', () => (this.#timer ? this.pause() : this.play()));
    this.slider = make('input', {
      type: 'range', min: 0, max: images.length - 1, value: 0, 'aria-label': 'Frame',
    });
    this.slider.addEventListener('input', () => { this.pause(); this.show(this.slider.valueAsNumber); });
    this.output = make('output', {});
    section.append(this.stage,
      make('div', { class: 'controls' }, this.button, this.slider, this.output));
    section.hidden = false;
    this.pause();
    this.show(0);
  }

  show(index) {
    this.index = index;
    const record = this.images[index];
    this.overlay = new Overlay(this.look, record, { decoding: 'sync' });
    this.stage.replaceChildren(this.overlay.root);
    this.stage.setAttribute('aria-label', `Enlarge frame ${record.name}`);
    this.slider.value = index;
    const text = `${record.time.toFixed(2)} s, ${index + 1} of ${this.images.length}`;
    this.output.textContent = text;
    this.slider.setAttribute('aria-valuetext', text);
  }

  update() {
    this.overlay.update();
  }

  play() {
    this.button.textContent = '❚❚ Pause';
    if (this.index >= this.images.length - 1) this.show(0);
    this.#next();
  }

  // Frames stay as long as they do in the film, or 5 a second where few of it are here.
  #next() {
    const here = this.images[this.index], next = this.images[this.index + 1];
    if (!next) { this.pause(); return; }
    const apart = Math.min(Math.max((next.time - here.time) * 1000, 20), 200);
    this.#timer = setTimeout(() => { this.show(this.index + 1); this.#next(); }, apart);
  }

  pause() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.button.textContent = '▶ Play';
  }
}
