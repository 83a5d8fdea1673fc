import {
  type CredentialsTable,
  credentialsTables,
  findAllTokens,
  malformed,
  readPlaintext,
} from "../credentials/file.ts";
import { findRebinding } from "../cargo/rebinding.ts";
import { CRATES_IO_INDEX, CRATES_IO_NAME } from "../cargo/registries.ts";
import { userIndexes } from "../cargo/registry_index.ts";
import { readRegularFile } from "../base/files.ts";
import { loadTomlParser } from "../toml/document.ts";
import { checkEligibility } from "../migration/check_eligibility.ts";
import {
  describeLockFailure,
  moveToken,
  removeStored,
} from "../migration/move.ts";
import { planMigration } from "../migration/plan.ts";
import { isPinned, pin, unpin } from "../migration/state.ts";
import { printError } from "../base/print.ts";
import type { Secret } from "../base/secret.ts";
import type {
  CredentialStore,
  GetOutcome,
} from "../stores/credential_store.ts";
import { printable } from "../base/printable.ts";
import type { ParsedCommand } from "./commands.ts";
import { exitStatus, type RegistryResult, report } from "./report.ts";
import {
  type NamedRegistry,
  type StorePlace,
  Workplace,
  WorkplaceError,
} from "./workplace.ts";

type MigrateCommand = Extract<ParsedCommand, { command: "migrate" }>;

/** How long a person may think about a question. */
const QUESTION_MS = 5 * 60_000;

/**
 * `migrate`: moves plaintext tokens into the store now, before any publish.
 *
 * @param command The command line.
 * @returns The exit status.
 */
export async function migrateCommand(command: MigrateCommand): Promise<number> {
  const results: RegistryResult[] = [];
  try {
    const place = await Workplace.open();
    const named = command.registry.length > 0;
    const names = named ? command.registry : await namesInFile(place);
    for (const name of names) {
      results.push(await migrateOne(name, named, command, place));
    }
  } catch (error) {
    if (!(error instanceof WorkplaceError)) throw error;
    printError(`error: ${error.message}`);
    return 1;
  }
  report(results, command.json);
  const moved = results.some(({ outcome }) => outcome === "migrated");
  if (moved && !command.keepFile && !command.json) {
    printError(
      "note: Programs that read cargo's credentials file do not find these " +
        "tokens any more; `cargo-credential-keyring restore` puts them back.\n" +
        "    Backups and copies of the file may still hold them: to be sure, " +
        "revoke them on the registries' websites and log in again.",
    );
  }
  return exitStatus(results, command.registry.length > 0);
}

/** The names of all tokens in the credentials file. */
async function namesInFile(place: Workplace): Promise<string[]> {
  const outcome = readRegularFile(place.path);
  if (outcome.kind === "absent") return [];
  const refuse = (reason: string): WorkplaceError =>
    new WorkplaceError(`${printable(place.path)}: ${reason}`);
  if (outcome.kind === "unreadable") {
    throw refuse(
      describeLockFailure({ kind: "unusable", reason: outcome.reason }),
    );
  }
  const { locate } = await loadTomlParser();
  try {
    return findAllTokens(locate(outcome.text)).map(({ table: [_, name] }) =>
      name ?? CRATES_IO_NAME
    );
  } catch (error) {
    throw refuse(describeLockFailure(malformed(error)));
  }
}

/** A registry on its way, with everything that is known of it. */
interface Candidate extends NamedRegistry {
  readonly table: CredentialsTable;
  readonly token: Secret | "none";
  /** Whether a project alone binds the name to this URL. */
  readonly boundByProject: boolean;
}

async function migrateOne(
  name: string,
  named: boolean,
  command: MigrateCommand,
  place: Workplace,
): Promise<RegistryResult> {
  const indexUrl = indexFor(name, named, place);
  const result = (
    outcome: RegistryResult["outcome"],
    reason?: string,
  ): RegistryResult => ({
    registry: name,
    indexUrl: indexUrl ?? null,
    outcome,
    ...(reason === undefined ? {} : { reason }),
  });
  if (indexUrl === undefined) {
    return result("skipped", "no configuration binds the name to an index");
  }
  const tables = await credentialsTables(
    place.env,
    { name, indexUrl },
    () => Promise.resolve(place.layers),
  );
  const plaintext = await readPlaintext(place.path, tables);
  if (plaintext.kind === "unusable") {
    return result(
      "failed",
      `${printable(place.path)}: ${describeLockFailure(plaintext)}`,
    );
  }
  const table = plaintext.kind === "found" ? plaintext.table : tables[0];
  if (table === undefined) return result("skipped", "it has no place there");
  const candidate: Candidate = {
    name,
    indexUrl,
    table,
    token: plaintext.kind === "found" ? plaintext.token : "none",
    boundByProject: isBoundByProject(name, indexUrl, place),
  };
  return await migrateCandidate(candidate, named, command, place, result);
}

type ResultOf = (
  outcome: RegistryResult["outcome"],
  reason?: string,
) => RegistryResult;

async function migrateCandidate(
  candidate: Candidate,
  named: boolean,
  command: MigrateCommand,
  place: Workplace,
  result: ResultOf,
): Promise<RegistryResult> {
  const { indexUrl, token } = candidate;
  const prompt = !command.json && !command.dryRun;
  const storePlace = await place.storeOf(indexUrl, prompt);
  if (command.keepFile && storePlace.settings.fallback !== "file") {
    return result(
      "failed",
      `\`fallback = "${storePlace.settings.fallback}"\` allows no token in ` +
        "the file, so that `--keep-file` cannot be had",
    );
  }
  const { store, signal } = storePlace;
  const stored = await askStore(candidate, storePlace);
  const state = place.state();
  const step = planMigration({
    plaintext: token,
    store: stored,
    eligibility: token === "none"
      ? { kind: "eligible" }
      : await checkEligibility({
        occasion: named ? "migrate-registry" : "migrate",
        token,
        registry: candidate,
        store,
        layers: place.layers,
        cwd: place.cwd,
        surroundings: place.surroundings,
        signal,
      }),
    pinned: isPinned(state, indexUrl),
    settling: false,
    named,
    prefer: command.prefer,
    keepFile: command.keepFile,
  });
  if (step.do === "nothing") {
    return result(
      step.outcome,
      step.outcome === "already" ? `${store.title} has it` : step.reason,
    );
  }
  if (token === "none") return result("already");
  if (command.dryRun) return result("would-migrate", `to ${store.title}`);
  if (candidate.boundByProject) {
    const refusal = await consent(candidate, command, place);
    if (refusal !== undefined) return result("skipped", refusal);
  }
  if (step.do === "remove") {
    return await remove(candidate, token, place, storePlace, result);
  }
  const over = step.over && stored.kind === "found" ? stored.token : undefined;
  return await move(candidate, token, over, command, place, store, result);
}

/** Opens the store, with its own dialog if somebody is there to answer it. */
async function askStore(
  candidate: Candidate,
  { store, signal, mayPrompt }: StorePlace,
): Promise<GetOutcome> {
  if (mayPrompt) {
    const ready = await store.prepare({ signal, prompt: true });
    if (ready.kind !== "ready") return ready;
  }
  return await store.get(candidate, { signal });
}

async function remove(
  candidate: Candidate,
  token: Secret,
  place: Workplace,
  { store, signal }: StorePlace,
  result: ResultOf,
): Promise<RegistryResult> {
  const { indexUrl, table } = candidate;
  await place.remember((state) => unpin(state, indexUrl));
  const from = { path: place.path, table, token };
  const removal = await removeStored(from, store, candidate, {
    signal,
    superseded: true,
  });
  if (removal.kind === "left") return result("failed", removal.reason);
  return result("migrated", `${store.title} had it, the file's copy is gone`);
}

async function move(
  candidate: Candidate,
  token: Secret,
  over: Secret | undefined,
  command: MigrateCommand,
  place: Workplace,
  store: CredentialStore,
  result: ResultOf,
): Promise<RegistryResult> {
  const { indexUrl, name, table } = candidate;
  const { path } = place;
  // Before anything is stored: an intent must not befall the new item, and
  // with `--keep-file` no read in between may finish the move.
  await place.remember((state) =>
    command.keepFile ? pin(state, indexUrl) : unpin(state, indexUrl)
  );
  const { signal } = await place.storeOf(indexUrl, false);
  const outcome = await moveToken({ path, table, token }, store, {
    indexUrl,
    registryName: name,
  }, {
    signal,
    ...(over === undefined ? {} : { over }),
    keepFile: command.keepFile,
  });
  switch (outcome.kind) {
    case "moved":
      return result("migrated", `to ${store.title}`);
    case "stored":
      return outcome.why === "as-asked"
        ? result("migrated", `to ${store.title}; it stays in the file as well`)
        : result(
          "failed",
          `it was stored in ${store.title}, but not taken out of ` +
            `${printable(path)}: ${outcome.reason}`,
        );
    case "busy":
      return result(
        "failed",
        `another program is writing ${printable(path)}; try again`,
      );
    case "file-changed":
    case "store-changed":
      return result("failed", "another program has just changed it; try again");
    case "not-stored":
      return result(
        "failed",
        `${outcome.failure.reason}. ${outcome.failure.remedy}`,
      );
    case "no-file":
      return result("failed", `${printable(path)}: ${outcome.reason}`);
  }
}

/**
 * The URL that a name's token belongs to: what the user's own configuration
 * says, unless the user names the registry here, where a project may bind it.
 */
function indexFor(
  name: string,
  named: boolean,
  place: Workplace,
): string | undefined {
  if (name === CRATES_IO_NAME) return CRATES_IO_INDEX;
  const merged = place.indexOf(name);
  return named
    ? merged
    : userIndexes(place.layers, place.cwd, name)[0]?.url ?? merged;
}

function isBoundByProject(
  name: string,
  indexUrl: string,
  place: Workplace,
): boolean {
  if (indexUrl === CRATES_IO_INDEX) return false;
  return userIndexes(place.layers, place.cwd, name)[0]?.url !== indexUrl;
}

/** Shows the URL that a project has given the name; `undefined`: go on. */
async function consent(
  { name, indexUrl }: Candidate,
  command: MigrateCommand,
  place: Workplace,
): Promise<string | undefined> {
  const { layers, cwd, terminal } = place;
  const rebinding = findRebinding(layers, cwd, { name, indexUrl });
  const own = rebinding === "none" || rebinding.userUrl === undefined
    ? "your own configuration has no such registry"
    : `your own configuration has ${printable(rebinding.userUrl)}`;
  const fact = `a project binds \`${printable(name)}\` to ` +
    `${printable(indexUrl)}, and ${own}`;
  if (!command.yes) {
    if (!place.isPersonPresent) return `${fact}; \`--yes\` allows it`;
    const answer = await terminal.prompt(
      `${fact}. Keep its token for that URL? [y/N] `,
      { signal: AbortSignal.timeout(QUESTION_MS), echo: true },
    );
    if (
      answer.kind !== "line" || !/^y(es)?$/i.test(answer.line.reveal().trim())
    ) return "it was not allowed";
  }
  return undefined;
}
