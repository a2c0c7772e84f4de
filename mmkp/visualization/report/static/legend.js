// The list of keypoints: color, number, name, score, verdict, and what becomes of each.

class Legend {
  constructor(look, list) {
    Object.assign(this, { look, list });
    this.rows = look.data.keypoints.map((known, index) => this.#row(known, index));
    list.append(...this.rows.map((row) => row.root));
    this.update();
  }

  #row(known, index) {
    const { store, data } = this.look;
    const color = make('input', { type: 'color', 'aria-label': `Color of keypoint ${index}` });
    color.addEventListener('input', () => this.look.setColor(index, color.value));
    const name = make('input', {
      type: 'text', 'aria-label': `Name of keypoint ${index}`, placeholder: 'no name yet',
      spellcheck: 'false', autocomplete: 'off', maxlength: '80',
    });
    name.addEventListener('input', () => {
      store.edit((c) => c.rename(index, name.value), null, `name ${index}`);
    });
    name.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.rows[(index + 1) % data.keypoints.length].name.focus();
    });
    const drop = make('input', { type: 'checkbox', 'aria-label': `Drop keypoint ${index}` });
    drop.addEventListener('change', () => store.edit((c) => c.drop(index, drop.checked)));
    const merge = this.#choice(`Merge keypoint ${index} into`, (c, v) => c.merge(index, v));
    const pair = this.#choice(
      `Left or right partner of keypoint ${index}`, (c, v) => c.pair(index, v));
    const note = make('p', { class: 'double' });
    const root = make('li', {},
      make('div', { class: 'first' }, color, make('span', { class: 'number' }, String(index)),
        name, this.#score(known.score)),
      make('p', { class: 'verdict' }, known.verdict ? `⚠ ${known.verdict}` : ''),
      note,
      make('div', { class: 'fate' },
        make('label', {}, drop, ' drop'),
        make('label', {}, 'merge ', merge),
        make('label', {}, 'pair ', pair)));
    for (const [event, isLit] of [['pointerenter', true], ['pointerleave', false],
      ['focusin', true], ['focusout', false]]) {
      root.addEventListener(event, () => this.look.light(index, isLit));
    }
    return { root, color, name, drop, merge, pair, note };
  }

  #score(score) {
    if (score === null) return '';
    const bar = make('span', { class: 'meter', 'aria-hidden': 'true' });
    bar.style.setProperty('--share', Math.min(Math.max(score, 0), 1));
    return make('span', { class: 'score', title: 'score, 0 to 1' },
      bar, make('span', { class: 'aside' }, 'score '), score.toFixed(2));
  }

  #choice(label, change) {
    const choice = make('select', { 'aria-label': label });
    choice.addEventListener('change', () => {
      const value = choice.value === '' ? null : Number(choice.value);
      this.look.store.edit((corrections) => change(corrections, value));
    });
    return choice;
  }

  update() {
    const { corrections } = this.look.store;
    const names = corrections.keypoints.map(({ name }) => name);
    this.rows.forEach((row, index) => {
      const { name, dropped, merged_into, partner } = corrections.keypoints[index];
      row.color.value = this.look.color(index);
      // A blank may be the one before the next word.
      if (row.name.value.trim() !== (name ?? '')) row.name.value = name ?? '';
      row.drop.checked = dropped;
      const others = corrections.others(index);
      this.#fill(row.merge, others, merged_into);
      this.#fill(row.pair, others, partner);
      row.merge.disabled = dropped;
      row.pair.disabled = dropped || merged_into !== null;
      row.root.classList.toggle('dropped', dropped);
      row.root.classList.toggle('merged', merged_into !== null);
      const twin = name === null ? -1
        : names.findIndex((other, at) => other === name && at !== index);
      const isDouble = twin >= 0 && corrections.shownAs(index) === index
        && corrections.shownAs(twin) === twin;
      row.name.setAttribute('aria-invalid', String(isDouble));
      row.note.textContent = isDouble ? `keypoint ${twin} has this name, too: merge them?` : '';
    });
  }

  #fill(choice, others, value) {
    const options = ['', ...others].map((other) => {
      const text = other === '' ? '–' : this.look.store.corrections.label(other);
      return new Option(text, String(other), false, other === (value ?? ''));
    });
    choice.replaceChildren(...options);
  }
}
