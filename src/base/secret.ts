const REDACTED = "[redacted]";

/**
 * A registry token: bytes that no print shows and that can be wiped.
 *
 * Every way JavaScript has of turning a value into text (`String()`, template
 * strings, `JSON.stringify`, `console.log`, `Deno.inspect`) gives
 * `[redacted]`. The token itself can be read only through {@linkcode bytes} and
 * {@linkcode reveal}, so a search for these two names finds every place that
 * sees one.
 */
export class Secret {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** Takes ownership of `bytes`: {@linkcode wipe} overwrites them. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  /**
   * A secret from a string. The string itself cannot be wiped, so this is for
   * tokens that reached us as one (environment, JSON, TOML).
   */
  static fromString(text: string): Secret {
    return new Secret(new TextEncoder().encode(text));
  }

  /** The bytes themselves, not a copy: they are gone after a wipe. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** How many bytes the token has. */
  get length(): number {
    return this.#bytes.length;
  }

  /**
   * Whether both hold the same bytes. Takes as long for any two secrets of one
   * length.
   */
  equals(other: Secret): boolean {
    if (this.length !== other.length) return false;
    let difference = 0;
    for (let i = 0; i < this.length; i++) {
      difference |= (this.#bytes[i] ?? 0) ^ (other.#bytes[i] ?? 0);
    }
    return difference === 0;
  }

  /**
   * The token as a string, which cannot be wiped: only for the few places that
   * must write one into text.
   */
  reveal(): string {
    return new TextDecoder().decode(this.#bytes);
  }

  /** Overwrites the bytes with zeros. The secret then equals no token. */
  wipe(): void {
    this.#bytes.fill(0);
  }

  /** `[redacted]` */
  toString(): string {
    return REDACTED;
  }

  /** `[redacted]` */
  toJSON(): string {
    return REDACTED;
  }

  /** `[redacted]` */
  [Symbol.for("Deno.customInspect")](): string {
    return REDACTED;
  }

  /** `[redacted]` */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return REDACTED;
  }
}
