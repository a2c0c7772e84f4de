// The corrections with their history, kept in the browser where it allows that.

class Store {
  static #MOST_STEPS = 500;
  #steps = [];
  #lastKind = null;
  #lastTime = 0;

  constructor(key, corrections) {
    Object.assign(this, { key, corrections, listeners: [], isKept: true, isRestored: false });
    // Choices of this page that are no corrections.
    this.choices = { colors: {} };
    this.#restore();
  }

  get canUndo() {
    return this.#steps.length > 0;
  }

  // change: of the corrections; image: name of the only one that it concerns; kind:
  // changes of one kind that follow each other quickly are undone together.
  edit(change, image = null, kind = null) {
    const before = JSON.stringify(this.corrections.toFile());
    change(this.corrections);
    if (JSON.stringify(this.corrections.toFile()) === before) return;
    const now = Date.now();
    const goesOn = kind !== null && kind === this.#lastKind && now - this.#lastTime < 1000;
    if (!goesOn) this.#steps.push({ before, image });
    if (this.#steps.length > Store.#MOST_STEPS) this.#steps.shift();
    this.#lastKind = kind;
    this.#lastTime = now;
    this.save();
    this.#tell(image);
  }

  // Returns the name of the image that it concerned.
  undo() {
    const step = this.#steps.pop();
    if (!step) return null;
    this.#lastKind = null;
    this.corrections.fromFile(JSON.parse(step.before));
    this.save();
    this.#tell(step.image);
    return step.image;
  }

  onChange(listener) {
    this.listeners.push(listener);
  }

  #tell(image) {
    for (const listener of this.listeners) listener(image);
  }

  save() {
    const { corrections, choices } = this;
    try {
      localStorage.setItem(
        this.key, JSON.stringify({ corrections: corrections.toFile(), choices }));
      this.isKept = true;
    } catch {
      this.isKept = false; // switched off, full, or a file:// page that may not
    }
  }

  #restore() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      if (!kept) return;
      this.corrections.fromFile(kept.corrections);
      Object.assign(this.choices.colors, kept.choices.colors);
      this.isRestored = true;
    } catch {
      // Absent or of another version: begin anew.
    }
  }
}
