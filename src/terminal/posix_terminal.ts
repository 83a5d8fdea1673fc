import { ControllingTerminal } from "../../ffi/controlling_terminal.ts";
import { raise } from "../../ffi/raise.ts";
import { Secret } from "../base/secret.ts";
import { LineBuffer } from "./line_buffer.ts";
import { printable } from "../base/printable.ts";
import type { PromptOptions, PromptOutcome, Terminal } from "./terminal.ts";

/** How often the terminal is looked at, in milliseconds. */
const SLICE = 30;

/** The signals that end a program which a terminal or a person sends it. */
const ENDING_SIGNALS = ["SIGHUP", "SIGQUIT", "SIGTERM"] as const;

/** The controlling terminal, `/dev/tty`. */
export class PosixTerminal implements Terminal {
  /** Whether standard error is a terminal. */
  get stderrIsTerminal(): boolean {
    return Deno.stderr.isTerminal();
  }

  /** Whether somebody could answer a question, as things are now. */
  get canAsk(): boolean {
    if (!this.stderrIsTerminal) return false;
    using terminal = ControllingTerminal.open();
    return terminal?.isForeground ?? false;
  }

  /** Asks on the terminal. See {@linkcode Terminal.prompt}. */
  async prompt(
    question: string,
    options: PromptOptions,
  ): Promise<PromptOutcome> {
    if (options.signal.aborted) return { kind: "timeout" };
    using terminal = ControllingTerminal.open();
    if (!terminal?.isForeground) return { kind: "no-terminal" };
    using conversation = new Conversation(terminal, question, options);
    return await conversation.outcome;
  }
}

/** One question, from its first appearance to the restored settings. */
class Conversation implements Disposable {
  readonly #terminal: ControllingTerminal;
  readonly #question: Uint8Array<ArrayBuffer>;
  readonly #options: PromptOptions;
  readonly #outcome = Promise.withResolvers<PromptOutcome>();
  readonly #cleanUp = new DisposableStack();
  readonly #typed = new Uint8Array(4096);
  readonly #line = new LineBuffer();
  /** What is still to be written; the question comes again after a stop. */
  #unwritten: Uint8Array<ArrayBuffer>;
  /** Whether the terminal is set up for the answer. */
  #ready = false;
  /** Whether the cursor has gone to a new line by what was typed. */
  #returnAppeared = false;

  constructor(
    terminal: ControllingTerminal,
    question: string,
    options: PromptOptions,
  ) {
    this.#terminal = terminal;
    this.#question = new TextEncoder().encode(printable(question));
    this.#unwritten = this.#question;
    this.#options = options;

    const timeout = (): void => this.#outcome.resolve({ kind: "timeout" });
    options.signal.addEventListener("abort", timeout);
    this.#cleanUp.defer(() =>
      options.signal.removeEventListener("abort", timeout)
    );
    this.#on("SIGINT", () => this.#outcome.resolve({ kind: "interrupted" }));
    for (const signal of ENDING_SIGNALS) {
      this.#on(signal, () => {
        this[Symbol.dispose]();
        raise(signal);
        // Still here: the signal is blocked.
        this.#outcome.resolve({ kind: "interrupted" });
      });
    }
    // Ctrl-Z: the signal takes its course, which may be none (a session without
    // job control). In the foreground again, the next look asks again.
    this.#on("SIGTSTP", () => {
      this.#putBack();
      raise("SIGTSTP");
    });
    const timer = setInterval(() => this.#look(), SLICE);
    this.#cleanUp.defer(() => clearInterval(timer));
    this.#look();
  }

  /** Settled once there is an answer, or none to come. */
  get outcome(): Promise<PromptOutcome> {
    return this.#outcome.promise;
  }

  /** Puts the terminal back, and everything else. */
  [Symbol.dispose](): void {
    this.#cleanUp.dispose();
    this.#putBack();
    this.#line.wipe();
    this.#typed.fill(0);
  }

  #on(signal: Deno.Signal, handler: () => void): void {
    Deno.addSignalListener(signal, handler);
    this.#cleanUp.defer(() => Deno.removeSignalListener(signal, handler));
  }

  #putBack(): void {
    if (!this.#ready) return;
    this.#ready = false;
    // In the background the shell has the terminal, and its own settings.
    if (!this.#terminal.isForeground) return;
    if (this.#options.echo !== true) this.#terminal.restore();
    if (!this.#returnAppeared) this.#terminal.write(NEW_LINE);
  }

  /** Writes and reads what can be, without waiting. */
  #look(): void {
    // A job in the background is stopped if it reads: cargo with it.
    if (!this.#terminal.isForeground) return;
    if (!this.#ready && !this.#setUp()) return;
    if (this.#unwritten.length > 0) {
      const written = this.#terminal.write(this.#unwritten);
      if (written === undefined) return this.#end({ kind: "no-terminal" });
      this.#unwritten = this.#unwritten.subarray(written);
    }
    const read = this.#terminal.read(this.#typed);
    if (read.kind === "nothing-yet") return;
    if (read.kind === "end") return this.#end({ kind: "end-of-input" });
    const typed = this.#typed.subarray(0, read.length);
    const state = this.#line.feed(typed);
    typed.fill(0);
    if (state === "line") {
      this.#returnAppeared = this.#options.echo === true;
      this.#end({ kind: "line", line: new Secret(this.#line.take()) });
    } else if (state !== "more") {
      this.#end({ kind: state });
    }
  }

  #setUp(): boolean {
    if (this.#options.echo !== true && !this.#terminal.hideInput()) {
      this.#end({ kind: "no-terminal" });
      return false;
    }
    this.#ready = true;
    this.#unwritten = this.#question;
    this.#line.wipe();
    return true;
  }

  #end(outcome: PromptOutcome): void {
    this.#outcome.resolve(outcome);
  }
}

const NEW_LINE = new TextEncoder().encode("\n");
