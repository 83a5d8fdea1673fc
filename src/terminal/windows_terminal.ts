import { WindowsConsole } from "../../ffi/windows_console.ts";
import { Secret } from "../base/secret.ts";
import { LineBuffer, type LineState } from "./line_buffer.ts";
import { printable } from "../base/printable.ts";
import type { PromptOptions, PromptOutcome, Terminal } from "./terminal.ts";

/** How often the console is looked at, in milliseconds. */
const SLICE = 30;

/**
 * The console of Windows.
 *
 * Its mode is never changed: what is typed is read as key events, which do not
 * appear by themselves. Whatever ends the program, the console is as it was.
 */
export class WindowsTerminal implements Terminal {
  /** Whether standard error is a console. */
  get stderrIsTerminal(): boolean {
    return Deno.stderr.isTerminal();
  }

  /** Whether somebody could answer a question. Windows has no job control. */
  get canAsk(): boolean {
    if (!this.stderrIsTerminal) return false;
    using console = WindowsConsole.open();
    return console !== undefined;
  }

  /** Asks on the console. See {@linkcode Terminal.prompt}. */
  async prompt(
    question: string,
    options: PromptOptions,
  ): Promise<PromptOutcome> {
    if (options.signal.aborted) return { kind: "timeout" };
    const console = WindowsConsole.open();
    if (console === undefined) return { kind: "no-terminal" };
    const conversation = new Conversation(console, question, options);
    // What is still being written when the time is up keeps its handle.
    const ended = conversation.run().finally(() => console[Symbol.dispose]());
    ended.catch(() => {});
    return await Promise.race([ended, conversation.cut.then(later)]);
  }
}

/** Gives a conversation that was cut the time to end its line. */
async function later(outcome: PromptOutcome): Promise<PromptOutcome> {
  await new Promise((resolve) => setTimeout(resolve, 5 * SLICE));
  return outcome;
}

/** One question. */
class Conversation {
  readonly #console: WindowsConsole;
  readonly #question: string;
  readonly #echo: boolean;
  readonly #signal: AbortSignal;
  readonly #cut = Promise.withResolvers<PromptOutcome>();
  #isCut = false;

  constructor(
    console: WindowsConsole,
    question: string,
    { signal, echo = false }: PromptOptions,
  ) {
    this.#console = console;
    this.#question = printable(question);
    this.#echo = echo;
    this.#signal = signal;
  }

  /** What came in between: Ctrl-C, or the end of the time. */
  get cut(): Promise<PromptOutcome> {
    return this.#cut.promise;
  }

  /** Asks, and settles once there is an answer or none to come. */
  async run(): Promise<PromptOutcome> {
    const line = new LineBuffer();
    const timeout = (): void => this.#end({ kind: "timeout" });
    const interrupt = (): void => this.#end({ kind: "interrupted" });
    this.#signal.addEventListener("abort", timeout);
    Deno.addSignalListener("SIGINT", interrupt);
    try {
      this.#console.flush();
      if (!await this.#console.write(this.#question)) {
        return { kind: "no-terminal" };
      }
      const state = await this.#listen(line);
      await this.#console.write("\r\n");
      if (state === "line") {
        return { kind: "line", line: new Secret(line.take()) };
      }
      return state === "cut" ? await this.cut : { kind: state };
    } finally {
      line.wipe();
      this.#signal.removeEventListener("abort", timeout);
      Deno.removeSignalListener("SIGINT", interrupt);
    }
  }

  #end(outcome: PromptOutcome): void {
    this.#isCut = true;
    this.#cut.resolve(outcome);
  }

  /** Reads keys until there is a line. */
  async #listen(
    line: LineBuffer,
  ): Promise<Exclude<LineState, "more"> | "cut"> {
    const decoder = new KeyDecoder();
    let shown = "";
    while (!this.#isCut) {
      const units = this.#console.read();
      if (units === undefined) return "end-of-input";
      const bytes = decoder.decode(units);
      units.fill(0);
      const state = line.feed(bytes);
      bytes.fill(0);
      if (this.#echo && units.length > 0) {
        const now = peek(line);
        await this.#console.write(redraw(shown, now));
        shown = now;
      }
      if (state !== "more") return state;
      await new Promise((resolve) => setTimeout(resolve, SLICE));
    }
    return "cut";
  }
}

/** What has been typed so far, where it may be shown. */
function peek(line: LineBuffer): string {
  const bytes = line.take();
  line.feed(bytes);
  return printable(new TextDecoder().decode(bytes));
}

/** What turns one shown line into another, on a console. */
export function redraw(shown: string, line: string): string {
  let same = 0;
  while (same < shown.length && shown[same] === line[same]) same++;
  const gone = shown.length - same;
  return "\b".repeat(gone) + " ".repeat(gone) + "\b".repeat(gone) +
    line.slice(same);
}

/**
 * Turns typed UTF-16 code units into UTF-8, as they come: the halves of a
 * character may come apart. Nothing becomes a string, which could not be wiped.
 */
export class KeyDecoder {
  #high = 0;

  /** Decodes what was typed next. */
  decode(units: Uint16Array): Uint8Array<ArrayBuffer> {
    // A pair is 4 bytes, and any other unit at most 3.
    const bytes = new Uint8Array(3 * units.length + 3);
    let length = 0;
    const put = (codePoint: number): void => {
      length += encodeUtf8(codePoint, bytes.subarray(length));
    };
    for (const unit of units) {
      const high = this.#high;
      this.#high = 0;
      const isLow = unit >= 0xdc00 && unit <= 0xdfff;
      if (high !== 0 && isLow) {
        put(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
        continue;
      }
      if (high !== 0) put(REPLACEMENT);
      if (unit >= 0xd800 && unit <= 0xdbff) this.#high = unit;
      else put(isLow ? REPLACEMENT : unit);
    }
    const decoded = bytes.slice(0, length);
    bytes.fill(0);
    return decoded;
  }
}

const REPLACEMENT = 0xfffd;

/** Writes a code point's 1 to 4 bytes (RFC 3629) and gives their number. */
function encodeUtf8(codePoint: number, into: Uint8Array): number {
  if (codePoint < 0x80) {
    into[0] = codePoint;
    return 1;
  }
  const length = codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  const lead = [0, 0, 0xc0, 0xe0, 0xf0][length] ?? 0;
  into[0] = lead | codePoint >> (6 * (length - 1));
  for (let i = 1; i < length; i++) {
    into[i] = 0x80 | codePoint >> (6 * (length - 1 - i)) & 0x3f;
  }
  return length;
}
