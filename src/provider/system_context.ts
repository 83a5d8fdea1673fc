import { Deadline } from "../base/deadline.ts";
import { once } from "../base/once.ts";
import { printError } from "../base/print.ts";
import type { UnusableFile } from "../credentials/file.ts";
import type { CredentialRequest } from "../protocol/messages.ts";
import {
  DEFAULT_SETTINGS,
  type SettingsOutcome,
} from "../settings/settings.ts";
import { isCi } from "../terminal/person.ts";
import type { Registry } from "../tokens/registry.ts";
import { Session } from "../tokens/session.ts";
import type { ProviderContext } from "./context.ts";
import type { NoticeText } from "./notices.ts";
import { Notifier } from "./notifier.ts";
import { Patience } from "./patience.ts";
import type { RegistryAbout } from "../tokens/about.ts";

/** Cargo may read it all the same, and use a token in it. */
async function describeUnusable(
  path: string,
  file: UnusableFile,
): Promise<string> {
  const { describeFileObstacle } = await import("../tokens/words.ts");
  return `${path} cannot be read: ${describeFileObstacle(file)}; a ` +
    "token in it stays there";
}

/**
 * The edges of the provider on a real system, for one request. What an
 * ordinary `get` does not need is loaded when it is called for.
 */
export class SystemContext implements ProviderContext, Disposable {
  readonly deadline: Deadline;
  readonly registry: Registry;
  readonly #request: CredentialRequest;
  readonly #notifier: Notifier;
  #patience: Patience | undefined;

  /** The edges for one request; its time begins. */
  constructor(
    request: CredentialRequest,
    session: Session = new Session(),
    deadline: Deadline = new Deadline(),
  ) {
    deadline.restart(DEFAULT_SETTINGS.timeoutMs);
    this.deadline = deadline;
    this.#request = request;
    this.registry = session.registry(request.registry);
    this.#notifier = new Notifier({
      indexUrl: request.registry.indexUrl,
      ci: isCi(session.env["CI"]),
      state: () => this.registry.memory(),
      remember: (change) => this.registry.remember(change),
    });
  }

  get #session(): Session {
    return this.registry.session;
  }

  /** Why cargo's home cannot be read, if cargo has one that cannot. */
  async homeTrouble(): Promise<string | undefined> {
    const home = await this.#session.cargoHome();
    return home.kind === "unreadable" ? home.reason : undefined;
  }

  readonly settings = once(async (): Promise<SettingsOutcome> => {
    const outcome = await this.registry.settings();
    if (outcome.kind === "settings") {
      this.#wait(outcome.timeoutMs, outcome.promptTimeoutMs);
    }
    return outcome;
  });

  /** Starts the time again. */
  #wait(timeoutMs: number, promptTimeoutMs: number): void {
    this.#patience?.[Symbol.dispose]();
    this.#patience = new Patience(this.deadline, {
      timeoutMs,
      promptTimeoutMs,
      isPersonPresent: () => this.#session.isPersonPresent(),
      tell: async (seconds) => {
        const { title } = await this.registry.store();
        this.say(
          `note: waiting for ${title}; a prompt may be open on another ` +
            `screen (giving up in ${seconds} s)`,
        );
      },
    });
  }

  async mayPrompt(): Promise<boolean> {
    const settings = await this.settings();
    const may = await this.registry.mayPrompt();
    if (may && settings.kind === "settings") {
      this.deadline.restart(settings.promptTimeoutMs);
    }
    return may;
  }

  waitForPerson(milliseconds: number): void {
    this.#patience?.[Symbol.dispose]();
    this.deadline.restart(milliseconds);
  }

  async restartDeadline(): Promise<void> {
    const settings = await this.settings();
    if (settings.kind === "wrong") return;
    this.#wait(settings.promptTimeoutMs, settings.promptTimeoutMs);
  }

  readonly about = once(async (): Promise<RegistryAbout> => {
    const { describeRegistry } = await import("../tokens/about.ts");
    const store = await this.registry.store();
    const { path } = await this.registry.plaintext();
    return describeRegistry(this.#request.registry, store.title, path);
  });

  async loginArguments(): Promise<readonly string[]> {
    return this.#request.args.slice(await this.#configuredArguments());
  }

  /** How many of the arguments cargo has from its configuration: the first. */
  async #configuredArguments(): Promise<number> {
    const { args, registry } = this.#request;
    if (args.length === 0) return 0;
    const { providerChain } = await import("../cargo/configuration.ts");
    const { entries } = providerChain(await this.#session.config(), registry);
    const lengths = entries.filter((entry) =>
      entry.args.every((arg, i) => arg === args[i])
    ).map((entry) => entry.args.length);
    return Math.max(0, ...lengths);
  }

  notice(notice: NoticeText, isLast = false): Promise<void> {
    return this.#notifier.notice(notice, isLast);
  }

  announce(lines: readonly string[]): Promise<void> {
    return this.#notifier.announce(lines);
  }

  /** Prints what is worth saying besides the answer. */
  async conclude(): Promise<void> {
    const settings = await this.settings();
    const notices = settings.kind === "wrong" ? [] : settings.notices;
    const { unusable } = this.registry;
    if (unusable !== undefined) {
      const { path } = await this.registry.plaintext();
      await this.notice({
        level: "warning",
        text: await describeUnusable(path, unusable),
        frequency: "daily",
        topic: "credentials-unusable",
      });
    }
    for (const { topic, text } of notices) {
      await this.notice({ level: "warning", text, frequency: "daily", topic });
    }
    if (await this.#configuredArguments() > 0) {
      const { describeArguments } = await import("./notices.ts");
      await this.notice(describeArguments(await this.#session.home() ?? ""));
    }
    await this.#notifier.deliver();
  }

  say(...lines: readonly string[]): void {
    if (lines.length > 0) printError(...lines);
  }

  [Symbol.dispose](): void {
    this.#patience?.[Symbol.dispose]();
    this.deadline[Symbol.dispose]();
  }
}
