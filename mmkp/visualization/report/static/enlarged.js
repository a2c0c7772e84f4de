// One image, enlarged: its points are dragged, or moved by keys.

// Pixels of the screen: less is no drag; so far a point is caught (`.hit` in the style).
const LEAST_DRAG = 3, REACH = 17;

class Enlarged {
  constructor(look, dialog) {
    Object.assign(this, { look, dialog, index: -1, chosen: null });
    this.title = make('h2', { id: 'enlarged-title' });
    this.count = make('span', { class: 'count' });
    this.stage = make('div', { class: 'stage' });
    this.told = make('p', { class: 'told', 'aria-live': 'polite' });
    this.bad = make('input', { type: 'checkbox' });
    this.bad.addEventListener('change', () => look.setBad(this.record.name, this.bad.checked));
    const button = (text, key, act) => {
      const found = make('button', { type: 'button' }, text, ' ', make('kbd', {}, key));
      found.addEventListener('click', act);
      return found;
    };
    this.hide = button('Hidden', 'h', () => this.toggleHidden());
    this.back = make('button', { type: 'button' }, 'Put back');
    this.back.addEventListener('click', () => this.putBack());
    const close = make('button', { type: 'button', class: 'close', 'aria-label': 'Close' }, '×');
    close.addEventListener('click', () => dialog.close());
    dialog.append(
      make('div', { class: 'top' }, this.title, this.count, close),
      this.stage,
      this.told,
      make('div', { class: 'below' },
        button('Previous', 'p', () => this.step(-1)), button('Next', 'n', () => this.step(1)),
        make('label', {}, this.bad, ' bad ', make('kbd', {}, 'b')), this.hide, this.back,
        button('Undo', 'u', () => look.undo())));
    dialog.addEventListener('close', () => this.look.onClosed(this.index));
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    this.stage.addEventListener('pointerdown', (event) => this.#catch(event));
    this.stage.addEventListener('focusin', (event) => this.#choose(this.#pointOf(event.target)));
  }

  get isOpen() {
    return this.dialog.open;
  }

  get record() {
    return this.look.data.images[this.index];
  }

  open(index) {
    this.index = index;
    this.chosen = null;
    this.overlay = new Overlay(this.look, this.record, { isEditable: true });
    this.stage.replaceChildren(this.overlay.root);
    this.title.textContent = this.record.name;
    this.count.textContent = `${index + 1} of ${this.look.data.images.length}`;
    if (!this.isOpen) this.dialog.showModal();
    this.update();
  }

  step(by) {
    const index = this.index + by;
    if (index < 0 || index >= this.look.data.images.length) {
      this.look.say(by < 0 ? 'This is the first image.' : 'This is the last image.');
      return;
    }
    const kept = this.chosen;
    this.open(index);
    if (kept) this.focus(kept.instance, kept.index);
  }

  focus(instance, index) {
    this.overlay.points.find((p) => p.instance === instance && p.index === index)?.group.focus();
  }

  update() {
    if (!this.isOpen) return;
    const { corrections } = this.look.store;
    this.overlay.update();
    this.bad.checked = corrections.isBad(this.record.name);
    this.stage.classList.toggle('bad', this.bad.checked);
    if (this.chosen?.group.classList.contains('away')) this.chosen = null;
    const point = this.chosen;
    this.hide.disabled = !point;
    const { name } = this.record;
    const isHidden = point && corrections.isHidden(name, point.instance, point.index);
    this.hide.setAttribute('aria-pressed', String(Boolean(isHidden)));
    this.back.disabled = !point
      || corrections.moved(name, point.instance, point.index) === undefined;
    this.told.textContent = point ? this.#describe(point) : this.overlay.points.length
      ? 'Drag a point, or choose one with Tab and move it by the arrow keys.'
      : 'No keypoint was found in this image.';
  }

  #describe({ instance, index, triple }) {
    const [x, y] = this.overlay.place(instance, index);
    const { corrections } = this.look.store;
    const isMoved = corrections.moved(this.record.name, instance, index) !== undefined;
    return [
      `Keypoint ${corrections.label(index)}`,
      this.record.instances.length > 1 ? `object ${instance}` : '',
      `x ${x.toFixed(1)}, y ${y.toFixed(1)}`,
      triple[2] === null ? '' : `score ${triple[2].toFixed(2)}`,
      isMoved ? 'moved' : '',
      corrections.isHidden(this.record.name, instance, index) ? 'hidden' : '',
    ].filter(Boolean).join(' · ');
  }

  #pointOf(element) {
    const group = element.closest?.('.point');
    return this.overlay.points.find((point) => point.group === group) ?? null;
  }

  #choose(point) {
    if (!point) return;
    this.chosen = point;
    this.update();
  }

  // By arrow keys, in pixels of the original.
  nudge(dx, dy) {
    if (!this.chosen) return false;
    const { instance, index } = this.chosen;
    const [x, y] = this.overlay.place(instance, index);
    const kind = `nudge ${this.record.name} ${instance} ${index}`;
    this.#move(this.chosen, [x + dx, y + dy], kind);
    return true;
  }

  toggleHidden() {
    if (!this.chosen) return;
    const { instance, index } = this.chosen;
    const { name } = this.record;
    this.look.store.edit(
      (c) => c.setHidden(name, instance, index, !c.isHidden(name, instance, index)), name);
  }

  putBack() {
    const { instance, index } = this.chosen;
    const { name } = this.record;
    this.look.store.edit((c) => c.putBack(name, instance, index), name);
  }

  #move(point, place, kind = null) {
    const { name } = this.record;
    const at = this.#within(place);
    this.look.store.edit((c) => c.move(name, point.instance, point.index, at), name, kind);
  }

  // Pixel centres are at integers, so the image ends half a pixel beyond them.
  #within([x, y]) {
    const { width, height } = this.record;
    const limited = (value, size) => Math.min(Math.max(value, -0.5), size - 0.5);
    return [limited(x, width), limited(y, height)].map((v) => Math.round(v * 100) / 100);
  }

  #inPixels(event) {
    const at = new DOMPoint(event.clientX, event.clientY)
      .matrixTransform(this.overlay.svg.getScreenCTM().inverse());
    return [at.x, at.y];
  }

  // Areas in which points are caught may overlap: what lies on top is not asked for.
  #nearest(event) {
    const [x, y] = this.#inPixels(event);
    const reach = REACH / this.overlay.svg.getScreenCTM().a;
    return this.overlay.points
      .filter(({ group }) => !group.classList.contains('away'))
      .map((point) => [Math.hypot(point.at[0] - x, point.at[1] - y), point])
      .filter(([distance]) => distance <= reach)
      .sort(([a], [b]) => a - b)[0]?.[1];
  }

  // Follow the pointer that went down on a point until it is up.
  #catch(event) {
    if (event.button !== 0) return;
    const point = this.#nearest(event);
    if (!point) return;
    event.preventDefault();
    point.group.focus();
    const { overlay } = this;
    const start = this.#inPixels(event);
    const before = overlay.place(point.instance, point.index);
    const goal = (e) => this.#inPixels(e).map((v, axis) => before[axis] + v - start[axis]);
    const far = (e) => Math.hypot(e.clientX - event.clientX, e.clientY - event.clientY);
    const ends = new AbortController();
    const { signal } = ends;
    let isDragged = false;
    point.group.setPointerCapture(event.pointerId);
    point.group.classList.add('dragged');
    point.group.addEventListener('pointermove', (e) => {
      isDragged ||= far(e) >= LEAST_DRAG;
      if (!isDragged) return;
      overlay.setPlace(point, this.#within(goal(e)));
      overlay.updateLines();
    }, { signal });
    const end = (e) => {
      ends.abort();
      point.group.classList.remove('dragged');
      if (e.type === 'pointerup' && isDragged) this.#move(point, goal(e));
      else overlay.setPlace(point, before);
      overlay.updateLines();
    };
    point.group.addEventListener('pointerup', end, { signal });
    point.group.addEventListener('pointercancel', end, { signal });
  }
}
