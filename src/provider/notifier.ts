import { printable } from "../base/printable.ts";
import { type StateChange } from "../state/file.ts";
import { type State } from "../state/state.ts";
import { printError } from "../base/print.ts";
import type { NoticeText } from "./notices.ts";

/** What a {@linkcode Notifier} speaks about, and what it remembers with. */
export interface NotifierOptions {
  /** The registry that the notices are about. */
  readonly indexUrl: string;
  /** Whether `CI` is set. */
  readonly ci: boolean;
  /** Reads what is remembered. */
  readonly state: () => Promise<State>;
  /** Changes what is remembered. */
  readonly remember: (change: StateChange) => Promise<boolean>;
}

/** Loaded where there is something to say. */
function memory(): Promise<typeof import("../state/notices.ts")> {
  return import("../state/notices.ts");
}

/** Prints notices on standard error, as often as they are worth it. */
export class Notifier {
  readonly #options: NotifierOptions;

  constructor(options: NotifierOptions) {
    this.#options = options;
  }

  /**
   * Prints a notice, unless it was given lately. A person at a terminal and a
   * log are told apart, and each is told: nobody reads the log of an editor.
   *
   * `isLast`: whether cargo's command ends here, without a token: then it is
   * printed each time, where `CI` is set, too.
   */
  async notice(notice: NoticeText, isLast: boolean): Promise<void> {
    const { shouldTell, told } = await memory();
    const { indexUrl, ci, state, remember } = this.#options;
    const topic = Deno.stderr.isTerminal()
      ? notice.topic
      : `${notice.topic} in a log`;
    const frequency = isLast ? "each" : notice.frequency;
    const occasion = { indexUrl, topic, frequency, now: Date.now() };
    const where = { ci, changesAnswer: isLast };
    if (!shouldTell(await state(), occasion, where)) return;
    printError(`${notice.level}: ${notice.text}`);
    if (frequency !== "each") await remember((state) => told(state, occasion));
  }

  /**
   * Prints what no one must miss. Where standard error is no terminal (an
   * IDE, a log) it is printed again at the next run with one.
   */
  async announce(lines: readonly string[]): Promise<void> {
    printError(...lines);
    if (Deno.stderr.isTerminal()) return;
    const { indexUrl, remember } = this.#options;
    const { keepNotice } = await memory();
    const text = lines.map(printable).join("\n");
    const kept = { indexUrl, topic: "announcement", text, at: Date.now() };
    await remember((state) => keepNotice(state, kept));
  }

  /** Prints what was kept for somebody at a terminal. */
  async deliver(): Promise<void> {
    if (!Deno.stderr.isTerminal()) return;
    const { kept } = await this.#options.state();
    if (kept.length === 0) return;
    for (const { text, at } of kept) {
      printError(
        `note: on ${new Date(at).toLocaleString()}, unseen until now:`,
      );
      printError(...text.split("\n"));
    }
    const { forgetKept } = await memory();
    await this.#options.remember((state) => forgetKept(state, kept));
  }
}
