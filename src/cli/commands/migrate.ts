import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";
import type { Secret } from "../../base/secret.ts";
import { CRATES_IO_NAME, type RegistryRef } from "../../cargo/registries.ts";
import { requestUrl, userIndexes } from "../../cargo/registry_index.ts";
import { sameRegistry } from "../../cargo/spellings.ts";
import {
  type CredentialsTable,
  tablesWithToken,
} from "../../credentials/file.ts";
import { adoptToken } from "../../tokens/adopt.ts";
import type { Eligibility } from "../../tokens/eligibility.ts";
import {
  type FileToken,
  type MoveOutcome,
  moveToken,
  removeStored,
} from "../../tokens/move.ts";
import { type MigrateStep, planMigration } from "../../tokens/plan.ts";
import {
  type Obstacle,
  type Reason,
  storeReason,
} from "../../tokens/reason.ts";
import { describeFileObstacle } from "../../tokens/words.ts";
import { type State } from "../../state/state.ts";
import { pin, unpin } from "../../state/pins.ts";
import { supersede, unsupersede } from "../../state/superseded.ts";
import type { GetOutcome } from "../../stores/credential_store.ts";
import { type Run, UsageError } from "../command.ts";
import { findElsewhere } from "../elsewhere.ts";
import { dryRun, examples, json, registry, yes } from "../options.ts";
import {
  configTokens,
  meaningOf,
  nameInUse,
  tableOf,
} from "../../tokens/names.ts";
import {
  exitStatus,
  type RegistryResult,
  report,
  resultOf,
  type Verdict,
} from "../report.ts";
import {
  type CommandSession,
  SessionError,
  type StorePlace,
} from "../session.ts";
import { describePlaintextKeyring, describeReason } from "../words.ts";

const options = object({
  registry,
  index: optional(option("--index", string({ metavar: "URL" }), {
    description:
      message`The index URL that the token is for, where your own configuration does not say it or says another one; the token is copied if that one needs it`,
  })),
  from: optional(option("--from", string({ metavar: "URL" }), {
    description:
      message`Give the registry the token that is stored for this index URL, which was its URL before`,
  })),
  dryRun,
  keepFile: option("--keep-file", {
    description:
      message`Leave the tokens in the file as well, for tools that read it`,
  }),
  prefer: optional(option("--prefer", choice(["file", "store"]), {
    description:
      message`Which token to keep where the file and the store hold different ones; the other is discarded`,
  })),
  yes,
  json,
});

/** What `migrate` was asked to do. */
export type MigrateArguments = InferValue<typeof options>;

export const parser = map(
  command("migrate", options, {
    brief: message`Move plaintext tokens into the credential store`,
    description:
      message`Moves the tokens of cargo's credentials file into the system's credential store. A token leaves the file only once the store has given it back, and only if cargo will ask this program for it.`,
    footer: examples(
      "migrate --dry-run",
      "migrate --registry my-registry --prefer file",
    ),
  }),
  (args): Run => (session) => run(args, session),
);

/** Moves plaintext tokens into the store now, before any publish. */
export async function run(
  args: MigrateArguments,
  session: CommandSession,
): Promise<number> {
  const results = await migrate(args, session);
  report(results, args.json, session.output);
  const moved = results.some(({ outcome, reason }) =>
    outcome === "migrated" &&
    (reason.code === "moved" || reason.code === "removed")
  );
  if (moved && !args.json) {
    session.output.printError(
      "note: Programs that read cargo's credentials file do not find these " +
        "tokens any more; `cargo-credential-keyring restore` puts them back.",
      "    Backups and copies of the file may still hold them: to be sure, " +
        "revoke them on the registries' websites and log in again.",
    );
  }
  return exitStatus(results);
}

/** The same for another command, which reports it. */
export async function migrate(
  args: MigrateArguments,
  session: CommandSession,
): Promise<RegistryResult[]> {
  checkUsage(args);
  return await new Migration(args, session).run();
}

function checkUsage(args: MigrateArguments): void {
  for (
    const [option, url] of Object.entries({
      "--index": args.index,
      "--from": args.from,
    })
  ) {
    if (url === undefined) continue;
    const [name, ...more] = args.registry;
    if (name === undefined || more.length > 0) {
      throw new UsageError(`\`${option}\` needs exactly one \`--registry\``);
    }
    if (name === CRATES_IO_NAME) {
      throw new UsageError("the index URL of crates.io is always the same");
    }
    if (requestUrl(url) === undefined) {
      throw new UsageError(`\`${option}\` needs an index URL`);
    }
  }
  if (args.from !== undefined && (args.keepFile || args.prefer !== undefined)) {
    throw new UsageError(
      "`--from` cannot be used with `--keep-file` or `--prefer`",
    );
  }
  if (args.keepFile && args.prefer === "store") {
    throw new UsageError(
      "`--keep-file` cannot be used with `--prefer store`, which discards " +
        "the file's token",
    );
  }
}

/** A registry on its way, with everything that is known of it. */
interface Candidate {
  readonly key: Required<RegistryRef>;
  readonly place: StorePlace;
  readonly table: CredentialsTable;
  readonly token: Secret | "none";
  /** Whether the token stays in the file as well. */
  readonly keepFile: boolean;
}

/** One run of `migrate`. */
class Migration {
  readonly #args: MigrateArguments;
  readonly #session: CommandSession;
  /** A dry run: what would be stored by now, by index URL. */
  readonly #promised = new Map<string, Secret>();
  /** The stores that were already said to be plaintext files. */
  readonly #plaintextStores = new Set<string>();

  constructor(args: MigrateArguments, session: CommandSession) {
    this.#args = args;
    this.#session = session;
  }

  get #mayAsk(): boolean {
    return !this.#args.json && !this.#args.dryRun;
  }

  async run(): Promise<RegistryResult[]> {
    const { registry } = this.#args;
    const inFile = await this.#tokensInFile();
    const isMeant = (name: string): boolean =>
      registry.length === 0 || registry.includes(name);
    const results: RegistryResult[] = [];
    const names = registry.length > 0 ? registry : inFile
      .filter(({ isRead }) => isRead).map(({ name }) => name);
    for (const name of new Set(names)) results.push(await this.#one(name));
    const path = await this.#session.path();
    for (const { name, isRead } of inFile) {
      if (isRead || !isMeant(name)) continue;
      const detail = `${tableOf(name)} in ${path}`;
      results.push(await this.#left(name, { code: "never-read", detail }));
    }
    const layers = await this.#session.config();
    for (const { name, path: file, table } of configTokens(layers, path)) {
      if (!isMeant(name)) continue;
      const detail = `${table} in ${file}`;
      results.push(await this.#left(name, { code: "in-config", detail }));
    }
    return results;
  }

  /** The names of all tokens in the credentials file. */
  async #tokensInFile(): Promise<{ name: string; isRead: boolean }[]> {
    const path = await this.#session.path();
    const tables = await tablesWithToken(path);
    if ("kind" in tables) {
      throw new SessionError(`${path}: ${describeFileObstacle(tables)}`);
    }
    return tables.map(([_, name]) => ({
      name: name ?? CRATES_IO_NAME,
      // Cargo looks for the token of crates.io in `[registry]` alone.
      isRead: name !== CRATES_IO_NAME,
    }));
  }

  /** A token that no command of ours takes away. */
  async #left(name: string, reason: Reason): Promise<RegistryResult> {
    return resultOf(name, null, ["skipped", reason], await this.#about());
  }

  async #about(place?: StorePlace): Promise<{ store: string; file: string }> {
    const file = await this.#session.path();
    return { store: place?.store.title ?? "the store", file };
  }

  async #one(name: string): Promise<RegistryResult> {
    const layers = await this.#session.config();
    const meaning = meaningOf(layers, this.#session.cwd(), name);
    const { index, from } = this.#args;
    const indexUrl = index !== undefined
      ? requestUrl(index)
      : meaning.kind === "own"
      ? meaning.indexUrl
      : undefined;
    if (indexUrl === undefined) {
      if (meaning.kind !== "project") {
        return await this.#left(name, { code: "no-index" });
      }
      const url = meaning.indexUrl;
      const reason: Reason = { code: "bound-by-project", detail: url };
      return resultOf(name, url, ["skipped", reason], await this.#about());
    }
    const key = { indexUrl, name };
    const place = await this.#session.storeOf(key, this.#mayAsk);
    const verdict = from === undefined
      ? await this.#migrate(key, place)
      : await this.#adopt(key, place, requestUrl(from));
    return resultOf(name, indexUrl, verdict, await this.#about(place));
  }

  async #migrate(
    key: Required<RegistryRef>,
    place: StorePlace,
  ): Promise<Verdict> {
    const { index, keepFile } = this.#args;
    const { fallback } = place.settings;
    if (keepFile && fallback !== "file") {
      return ["failed", { code: "fallback", detail: fallback }];
    }
    const { token, table, outcome } = await place.registry.plaintext();
    if (outcome.kind === "unusable") {
      return ["failed", { code: "file-unusable", obstacle: outcome }];
    }
    if (table === undefined) return ["skipped", { code: "no-index" }];
    const layers = await this.#session.config();
    // The user's own registry of that name needs the token where it is.
    const isNeeded = userIndexes(layers, this.#session.cwd(), key.name)
      .some(({ url }) => !sameRegistry(url, key.indexUrl));
    return await this.#candidate({
      key,
      place,
      table,
      token,
      keepFile: keepFile || index !== undefined && isNeeded,
    });
  }

  async #candidate(candidate: Candidate): Promise<Verdict> {
    const { key, place, token } = candidate;
    const stored = await this.#askStore(key, place);
    const step = planMigration({
      plaintext: token,
      store: stored,
      eligibility: await this.#eligibility(candidate),
      pinned: await place.registry.isPinned(),
      superseded: token !== "none" &&
        await place.registry.isSuperseded(token),
      named: this.#args.registry.length > 0,
      prefer: this.#args.prefer,
      keepFile: candidate.keepFile,
    });
    if (step.do === "nothing") {
      const { code } = step.reason;
      const elsewhere = code === "no-token" && stored.kind === "absent"
        ? { detail: await findElsewhere(key.name, place, this.#session) }
        : {};
      return [step.outcome, { ...step.reason, ...elsewhere }];
    }
    if (token === "none") return ["already", { code: "stored" }];
    if (this.#args.dryRun) {
      const would = wouldBe(step, candidate.keepFile);
      if (step.do === "remove") return ["would-migrate", would];
      this.#promised.set(key.indexUrl, token);
      return ["would-migrate", await this.#warnOfPlaintext(place) ?? would];
    }
    if (step.discards) {
      const refusal = await this.#confirm(key, place, {
        code: step.do === "move" ? "discards-stored" : "discards-file",
      });
      if (refusal !== undefined) return ["skipped", refusal];
    }
    const path = await this.#session.path();
    const from = { path, table: candidate.table, token };
    return step.do === "remove"
      ? await this.#remove(from, candidate, step)
      : await this.#move(from, candidate, step, stored);
  }

  async #askStore(key: RegistryRef, place: StorePlace): Promise<GetOutcome> {
    const promised = this.#promised.get(key.indexUrl);
    if (promised !== undefined) {
      return { kind: "found", token: promised, others: [], keeps: "on-disk" };
    }
    return await this.#session.open(place) ?? await this.#session.get(place);
  }

  async #eligibility(
    { token, place: { registry, deadline }, keepFile }: Candidate,
  ): Promise<Eligibility> {
    if (token === "none") return { kind: "eligible" };
    const verdict = await registry.eligibility(
      token,
      this.#args.registry.length > 0 ? "migrate-registry" : "migrate",
      deadline(),
    );
    // What is left in the file is there for the other registry.
    return verdict.kind === "not" && verdict.reason === "bound-otherwise" &&
        keepFile
      ? { kind: "eligible" }
      : verdict;
  }

  /** `undefined`: go on. */
  async #confirm(
    { name, indexUrl }: Required<RegistryRef>,
    place: StorePlace,
    what: Reason,
  ): Promise<Reason | undefined> {
    if (this.#args.yes) return undefined;
    const about = { name, ...await this.#about(place) };
    const detail = describeReason(what, about);
    if (!this.#mayAsk || !await this.#session.isPersonPresent()) {
      return { code: "needs-yes", detail };
    }
    const question = `${name} (${indexUrl}): ${detail}. Continue?`;
    return await this.#session.confirm(question)
      ? undefined
      : { code: "declined", detail };
  }

  async #remove(
    from: FileToken,
    { key, place: { store, deadline } }: Candidate,
    step: Extract<MigrateStep, { do: "remove" }>,
  ): Promise<Verdict> {
    const { indexUrl } = key;
    const { discards, superseded } = step;
    const remembered = await this.#session.remember(async (state) =>
      unpin(
        discards ? await supersede(state, indexUrl, [from.token]) : state,
        indexUrl,
      )
    );
    // Nothing but an equal copy goes without being remembered.
    if (discards && !remembered) return ["failed", { code: "no-memory" }];
    const signal = deadline();
    const removal = await removeStored(from, store, key, {
      signal,
      superseded,
    });
    return removal.kind === "left"
      ? ["failed", { code: "not-edited", obstacle: removal.why }]
      : ["migrated", wouldBe(step, false)];
  }

  async #move(
    from: FileToken,
    { key, place, keepFile }: Candidate,
    step: Extract<MigrateStep, { do: "move" }>,
    stored: GetOutcome,
  ): Promise<Verdict> {
    const plaintext = await this.#warnOfPlaintext(place);
    const { indexUrl } = key;
    const { discards } = step;
    const over = stored.kind === "found" ? stored.token : undefined;
    const change = async (state: State): Promise<State> => {
      const discarded = discards && over !== undefined ? [over] : [];
      const next = await unsupersede(
        await supersede(state, indexUrl, discarded),
        indexUrl,
        from.token,
      );
      // No read in between may finish the move.
      return this.#args.keepFile ? pin(next, indexUrl) : unpin(next, indexUrl);
    };
    const remembered = await this.#session.remember(change);
    if (!remembered && (discards || this.#args.keepFile)) {
      return ["failed", { code: "no-memory" }];
    }
    const outcome = await moveToken(from, place.store, key, {
      signal: place.deadline(),
      ...(over === undefined ? {} : { over }),
      keepFile,
    });
    if (outcome.kind !== "moved") return moveResult(outcome);
    return ["migrated", plaintext ?? wouldBe(step, false)];
  }

  /**
   * Says once, before anything is stored, that the keyring is a plaintext file;
   * `undefined`: it is not.
   */
  async #warnOfPlaintext(
    { store, deadline }: StorePlace,
  ): Promise<Reason | undefined> {
    const prepared = await store.prepare({ signal: deadline() });
    if (prepared.kind !== "ready" || !prepared.plaintext) return undefined;
    if (!this.#plaintextStores.has(store.name)) {
      const fact = describePlaintextKeyring(store.title);
      this.#session.output.printError(`warning: ${fact}`);
    }
    this.#plaintextStores.add(store.name);
    return { code: "plaintext-keyring" };
  }

  /** Files a token that nothing leads to under a name's present URL. */
  async #adopt(
    key: Required<RegistryRef>,
    place: StorePlace,
    old: string = "",
  ): Promise<Verdict> {
    const session = this.#session;
    const user = nameInUse(await session.config(), session.cwd(), old) ??
      (sameRegistry(old, key.indexUrl) ? key.name : undefined);
    if (user !== undefined) {
      return ["skipped", { code: "in-use", detail: user }];
    }
    const asked = await place.registry.reach();
    if (asked.kind === "not-listed") {
      return ["skipped", { code: "not-asked", obstacle: asked }];
    }
    const oldPlace = await session.storeOf({ indexUrl: old }, this.#mayAsk);
    if (place.mayPrompt) {
      const prepared = await session.prepare(place);
      if (prepared.kind !== "ready") return ["failed", storeReason(prepared)];
    }
    const stored = await session.get(oldPlace);
    if (stored.kind === "absent") {
      return ["skipped", { code: "nothing-stored" }];
    }
    if (stored.kind !== "found") return ["failed", storeReason(stored)];
    stored.token.wipe();
    const adopted: Reason = { code: "adopted", detail: old };
    if (this.#args.dryRun) return ["would-migrate", adopted];
    const refusal = await this.#confirm(key, place, adopted);
    if (refusal !== undefined) return ["skipped", refusal];
    await this.#warnOfPlaintext(place);
    const outcome = await adoptToken(
      await session.path(),
      { store: oldPlace.store, key: { indexUrl: old } },
      { store: place.store, key },
      place.deadline(),
    );
    switch (outcome.kind) {
      case "adopted":
        return ["migrated", adopted];
      case "both":
        return ["failed", outcome.reason];
      default:
        return [outcome.kind, outcome.reason];
    }
  }
}

/** What a step would come to. */
function wouldBe(
  step: Exclude<MigrateStep, { do: "nothing" }>,
  keepFile: boolean,
): Reason {
  if (step.do === "remove") {
    return {
      code: step.discards
        ? "discards-file"
        : step.superseded
        ? "superseded"
        : "removed",
    };
  }
  return {
    code: step.discards ? "discards-stored" : keepFile ? "copied" : "moved",
  };
}

function moveResult(
  outcome: Exclude<MoveOutcome, { kind: "moved" }>,
): Verdict {
  switch (outcome.kind) {
    case "stored":
      return storedResult(outcome.why);
    case "busy":
      return ["failed", { code: "busy" }];
    case "file-changed":
    case "store-changed":
      return ["failed", { code: "changed" }];
    case "not-stored":
      return ["failed", storeReason(outcome.failure)];
    case "no-file":
      return ["failed", { code: "file-unusable", obstacle: outcome.why }];
  }
}

/** A token that is in the store, and still in the file. */
function storedResult(why: Obstacle): Verdict {
  switch (why.kind) {
    case "as-asked":
      return ["migrated", { code: "copied" }];
    case "not-yet-on-disk":
    case "in-memory":
      return ["migrated", { code: "not-yet-on-disk" }];
    default:
      return ["failed", { code: "not-edited", obstacle: why }];
  }
}
