const BACKSPACE = 0x08;
const DELETE = 0x7f;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const CTRL_C = 0x03;
const CTRL_D = 0x04;
const CTRL_U = 0x15;
const CTRL_W = 0x17;

/** What {@linkcode LineBuffer.feed} answers. */
export type LineState = "more" | "line" | "end-of-input" | "interrupted";

/**
 * A line that is being typed at a terminal which does not edit lines itself:
 * Backspace, Ctrl-U (all of it) and Ctrl-W (a word) work as they do on one
 * that does. Nothing is left in memory but the line.
 */
export class LineBuffer {
  #bytes = new Uint8Array(1024);
  #length = 0;

  /**
   * Takes what was typed. What follows the end of the line is ignored.
   *
   * Returns `line` after Return, `end-of-input` after Ctrl-D on an empty line,
   * `interrupted` after a Ctrl-C that was no signal, else `more`.
   */
  feed(typed: Uint8Array): LineState {
    for (const byte of typed) {
      switch (byte) {
        case LINE_FEED:
        case CARRIAGE_RETURN:
          return "line";
        case CTRL_C:
          return "interrupted";
        case CTRL_D:
          if (this.#length === 0) return "end-of-input";
          break;
        case BACKSPACE:
        case DELETE:
          this.#eraseCharacter();
          break;
        case CTRL_U:
          this.wipe();
          break;
        case CTRL_W:
          this.#eraseWord();
          break;
        default:
          this.#append(byte);
      }
    }
    return "more";
  }

  /**
   * Hands the line over and forgets it.
   *
   * Returns what was typed, without the line ending; the caller wipes it.
   */
  take(): Uint8Array<ArrayBuffer> {
    const line = this.#bytes.slice(0, this.#length);
    this.wipe();
    return line;
  }

  /** Forgets what was typed. */
  wipe(): void {
    this.#bytes.fill(0);
    this.#length = 0;
  }

  #append(byte: number): void {
    if (this.#length === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes.fill(0);
      this.#bytes = larger;
    }
    this.#bytes[this.#length] = byte;
    this.#length++;
  }

  #last(): number {
    return this.#bytes[this.#length - 1] ?? 0;
  }

  #dropByte(): void {
    this.#length--;
    this.#bytes[this.#length] = 0;
  }

  /** A character of UTF-8 is one byte and any continuation bytes after it. */
  #eraseCharacter(): void {
    while (this.#length > 0) {
      const continuation = (this.#last() & 0xc0) === 0x80;
      this.#dropByte();
      if (!continuation) return;
    }
  }

  #eraseWord(): void {
    while (this.#length > 0 && this.#last() === SPACE) this.#dropByte();
    while (this.#length > 0 && this.#last() !== SPACE) this.#dropByte();
  }
}
