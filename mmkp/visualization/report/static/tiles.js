// The grid of images.

class Tiles {
  constructor(look, grid, enlarge) {
    Object.assign(this, { look, grid, enlarge });
    this.tiles = look.data.images.map((record, index) => this.#tile(record, index));
    grid.append(...this.tiles.map((tile) => tile.root));
    this.byName = new Map(look.data.images.map(({ name }, index) => [name, index]));
    this.update();
  }

  #tile(record, index) {
    const overlay = new Overlay(this.look, record);
    const button = make('button', { type: 'button', class: 'open' }, overlay.root);
    button.addEventListener('click', () => this.enlarge(index));
    const bad = make('input', { type: 'checkbox', 'aria-label': `Mark ${record.name} as bad` });
    bad.addEventListener('change', () => this.look.setBad(record.name, bad.checked));
    const caption = make('span', { class: 'name', title: record.name }, record.name);
    const root = make('li', { class: 'tile' }, button,
      make('div', { class: 'caption' }, caption, make('label', {}, bad, ' bad')));
    root.style.setProperty('--aspect', record.width / record.height);
    return { root, overlay, button, bad, record };
  }

  update(name = null) {
    const { corrections } = this.look.store;
    const chosen = name === null ? this.tiles : [this.tiles[this.byName.get(name)]];
    for (const tile of chosen.filter(Boolean)) {
      const { record, root, bad, button, overlay } = tile;
      const isBad = corrections.isBad(record.name);
      const isTouched = corrections.isTouched(record.name);
      bad.checked = isBad;
      root.classList.toggle('bad', isBad);
      root.classList.toggle('touched', isTouched);
      button.setAttribute('aria-label', `Enlarge ${record.name}`
        + (isBad ? ', marked as bad' : '') + (isTouched && !isBad ? ', corrected' : ''));
      overlay.update();
    }
  }

  // Index of the image whose tile has the focus, -1 where none has.
  get focused() {
    return this.tiles.findIndex(({ root }) => root.contains(document.activeElement));
  }

  focus(index) {
    const tile = this.tiles[index];
    tile?.button.focus();
    tile?.root.scrollIntoView({ block: 'nearest' });
  }
}
