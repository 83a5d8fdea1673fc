import { describeRefusal, readSmallFile } from "../base/files.ts";
import type { Secret } from "../base/secret.ts";
import { removeStored } from "../tokens/move.ts";
import { describeObstacle } from "../tokens/words.ts";
import { unpin } from "../state/pins.ts";
import { addScoped } from "../state/scoped.ts";
import { supersede, unsupersede } from "../state/superseded.ts";
import type { GetOutcome } from "../stores/credential_store.ts";
import { showProgress } from "../terminal/progress.ts";
import {
  type AgeKeys,
  decrypt,
  type DecryptOutcome,
  keysOf,
  readKeys,
} from "../tokens/age.ts";
import {
  type ArchivedToken,
  filedUnder,
  parseArchive,
  type ParsedArchive,
} from "../tokens/archive.ts";
import { importToken, planImport } from "../tokens/import.ts";
import { storeReason } from "../tokens/reason.ts";
import { describeGrant } from "../tokens/scoped.ts";
import { askPassphrase, DERIVING } from "./ask_passphrase.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import { ownNames } from "../tokens/names.ts";
import {
  exitStatus,
  type RegistryResult,
  report,
  type Verdict,
} from "./report.ts";
import { type About, describeReason } from "./words.ts";
import {
  type CommandSession,
  SessionError,
  type StorePlace,
} from "./session.ts";

/** What is to be imported, and how. */
export interface ImportArgs {
  readonly file: string;
  readonly identity: readonly string[];
  readonly prefer: "imported" | "existing" | undefined;
  readonly dryRun: boolean;
  readonly yes: boolean;
  readonly json: boolean;
}

/** More than any export is. */
const MAX_BYTES = 16 * 1024 * 1024;

/** Imports tokens, each for itself: one that fails does not stop the others. */
export async function runImport(
  args: ImportArgs,
  session: CommandSession,
): Promise<number> {
  const tokens = await open(args, session);
  if (tokens === undefined) return 1;
  const results: RegistryResult[] = [];
  const nameless: string[] = [];
  try {
    for (const archived of tokens) {
      const { indexUrl } = archived;
      const layers = await session.config();
      const [own] = ownNames(layers, session.cwd(), indexUrl);
      const registry = {
        indexUrl,
        ...(own === undefined ? {} : { name: own }),
      };
      const result = await importOne(archived, registry, args, session);
      results.push({
        registry: own ?? archived.name ?? indexUrl,
        indexUrl,
        ...result,
      });
      if (own === undefined && result.outcome === "imported") {
        nameless.push(indexUrl);
      }
    }
  } finally {
    for (const { token } of tokens) token.wipe();
  }
  report(results, args.json, session.output);
  if (!args.json) {
    for (const url of nameless) {
      session.output.printError(
        `note: your own configuration has no name for ${url}; cargo uses the ` +
          "token where something binds a name to that URL",
      );
    }
  }
  return exitStatus(results);
}

type Result = Pick<RegistryResult, "outcome" | "reason" | "message">;

/** `more`: what the reason's sentence does not say. */
function result(
  [outcome, reason]: Verdict,
  about: About,
  more: string = "",
): Result {
  return { outcome, reason, message: describeReason(reason, about) + more };
}

/** Looks, asks what has to be asked, and stores. */
async function importOne(
  archived: ArchivedToken,
  registry: RegistryRef,
  args: ImportArgs,
  session: CommandSession,
): Promise<Result> {
  const { token, name, grant } = archived;
  const { indexUrl } = registry;
  const asks = !args.json && !args.dryRun;
  const place = await session.storeOf(registry, asks);
  const { store } = place;
  const key = {
    indexUrl: filedUnder(archived),
    name: registry.name ?? name ?? indexUrl,
  };
  const about: About = {
    name: key.name,
    store: store.title,
    file: await session.path(),
  };
  if (asks) {
    const ready = await prepare(place, session);
    if (ready.kind !== "ready") {
      return result(["failed", storeReason(ready)], about);
    }
  }
  const stored = await store.get(key, { signal: place.deadline() });
  try {
    if (grant === undefined) {
      return await settle(
        { token, stored, key, registry, place, about },
        args,
        session,
      );
    }
    // The file's token, under the registry's name, is another one.
    const settled = await settle(
      { token, stored, key, registry: { indexUrl }, place, about },
      args,
      session,
    );
    if (!args.dryRun) {
      await session.remember((state) => addScoped(state, indexUrl));
    }
    return {
      ...settled,
      message: `${settled.message} (${describeGrant(grant)})`,
    };
  } finally {
    if (stored.kind === "found") stored.token.wipe();
  }
}

/** A token on its way into the store. */
interface Arrival {
  readonly token: Secret;
  /** What the store has. */
  readonly stored: GetOutcome;
  readonly key: Required<RegistryRef>;
  readonly registry: RegistryRef;
  readonly place: StorePlace;
  readonly about: About;
}

async function settle(
  { token, stored, key, registry, place, about }: Arrival,
  args: ImportArgs,
  session: CommandSession,
): Promise<Result> {
  const { indexUrl } = key;
  const { store } = place;
  // Only a name of the user's own says which token of the file is meant.
  const plaintext = registry.name === undefined
    ? { kind: "none" } as const
    : (await place.registry.plaintext()).outcome;
  const step = planImport({
    imported: token,
    store: stored,
    plaintext,
    superseded: plaintext.kind === "found" &&
      await place.registry.isSuperseded(plaintext.token),
  });
  switch (step.do) {
    case "fail":
      return result(["failed", storeReason(step.failure)], about);
    case "fail-file": {
      const reason = {
        code: "file-unusable",
        obstacle: step.plaintext,
      } as const;
      return result(["failed", reason], about);
    }
    case "nothing":
      return result(["already", { code: "stored" }], about);
    case "choose": {
      const fact = describeOther(step.holds, about);
      const choice = await choose(fact, key.name, args, session);
      if (choice !== "imported") return choice;
      break;
    }
    case "store":
      break;
  }
  if (args.dryRun) {
    return result(["would-import", { code: "imported" }], about);
  }
  const over = stored.kind === "found" ? stored.token : undefined;
  let more = "";
  if (over?.equals(token) !== true) {
    using _ = showProgress(`Waiting for ${store.title}`);
    const came = await importToken(store, key, token, over, {
      signal: place.deadline(),
    });
    if (came.kind === "failed") {
      return result(["failed", storeReason(came.failure)], about);
    }
    if (came.kind === "changed") {
      return result(["failed", { code: "changed" }], about);
    }
    if (!came.durable) more += ", which forgets it at the end of the session";
    if (came.plaintext) more += ", whose keyring is not encrypted";
  }
  const older = plaintext.kind === "found" && !plaintext.token.equals(token)
    ? plaintext
    : undefined;
  // Only now that the store has it: the file's token is not to be passed over
  // for one that is not there.
  const remembered = await session.remember(async (state) =>
    unpin(
      await unsupersede(
        await supersede(
          state,
          indexUrl,
          [older?.token, over].filter((one): one is Secret =>
            one !== undefined && !one.equals(token)
          ),
        ),
        indexUrl,
        token,
      ),
      indexUrl,
    )
  );
  const imported = ["imported", { code: "imported" }] as const;
  if (older === undefined) return result(imported, about, more);
  const { file } = about;
  if (!remembered) {
    const message = `${store.title} has it, but the state file cannot be ` +
      `written, and cargo would go on with the other token in ${file}`;
    return { outcome: "failed", reason: { code: "no-memory" }, message };
  }
  const removal = await removeStored(
    { path: file, table: older.table, token: older.token },
    store,
    key,
    { signal: place.deadline(), superseded: true },
  );
  if (removal.kind === "left") {
    more += `; the other token in ${file} is out of use, and was left: ` +
      describeObstacle(removal.why);
  }
  return result(imported, about, more);
}

async function prepare(
  place: StorePlace,
  session: CommandSession,
): ReturnType<CommandSession["prepare"]> {
  using _ = showProgress(`Waiting for ${place.store.title}`);
  return await session.prepare(place);
}

function describeOther(
  holds: "store" | "file" | "both",
  { store, file }: About,
): string {
  switch (holds) {
    case "store":
      return `${store} holds another token`;
    case "file":
      return `${file} holds another token`;
    case "both":
      return `${store} and ${file} hold other tokens`;
  }
}

/** Which token lives, or why that is not known. */
async function choose(
  fact: string,
  name: string,
  { prefer, yes, dryRun, json }: ImportArgs,
  session: CommandSession,
): Promise<"imported" | Result> {
  const stays: Result = {
    outcome: "already",
    reason: { code: "stored" },
    message: `${fact}, which stays`,
  };
  if (prefer === "existing") return stays;
  const open: Result = {
    outcome: "conflict",
    reason: { code: "different-tokens" },
    message: `${fact}; \`--prefer imported --yes\` or ` +
      "`--prefer existing` says which one to keep",
  };
  if (prefer === "imported" && (yes || dryRun)) return "imported";
  if (json || dryRun || yes || !await session.isPersonPresent()) return open;
  return await session.confirm(
      `${name}: ${fact}. Discard it and keep the imported one?`,
    )
    ? "imported"
    : stays;
}

/** The tokens of the file; `undefined` if it stays closed, which has been said. */
async function open(
  args: ImportArgs,
  session: CommandSession,
): Promise<readonly ArchivedToken[] | undefined> {
  const encrypted = readBytes(args.file);
  const lock = keysOf(encrypted);
  if (lock === undefined) {
    throw new SessionError(`${args.file} is not a file of \`export\``);
  }
  const keys = lock === "identity"
    ? await readIdentities(args, session)
    : await passphraseFor(args, session);
  if (keys === undefined) return undefined;
  const decrypted = await decryptWith(encrypted, keys);
  if ("passphrase" in keys) keys.passphrase.wipe();
  switch (decrypted.kind) {
    case "wrong-key":
      throw new SessionError(
        lock === "identity"
          ? `none of the identities can read ${args.file}`
          : `that is not the passphrase of ${args.file}`,
      );
    case "damaged":
      throw new SessionError(`${args.file} is damaged`);
  }
  const parsed = parseArchive(decrypted.bytes);
  decrypted.bytes.fill(0);
  if (parsed.kind === "tokens") return parsed.tokens;
  throw new SessionError(`${args.file} ${describeUnreadable(parsed)}`);
}

async function decryptWith(
  bytes: Uint8Array<ArrayBuffer>,
  keys: AgeKeys,
): Promise<DecryptOutcome> {
  if (!("passphrase" in keys)) return await decrypt(bytes, keys);
  using _ = showProgress(DERIVING, { afterMs: 0 });
  return await decrypt(bytes, keys);
}

function describeUnreadable(
  parsed: Exclude<ParsedArchive, { kind: "tokens" }>,
): string {
  switch (parsed.kind) {
    case "not-an-archive":
      return "is encrypted, but not a file of `export`";
    case "newer":
      return `was written by a later version of this program (format ${parsed.version})`;
    case "wrong-entry":
      return `is not as \`export\` writes it: entry ${parsed.entry} ` +
        ENTRY_FAULTS[parsed.reason];
  }
}

const ENTRY_FAULTS: Readonly<
  Record<Extract<ParsedArchive, { kind: "wrong-entry" }>["reason"], string>
> = {
  "no-object": "is no object",
  "index-url": "has no index URL as cargo writes it",
  "registry": "has no name",
  "token": "has no token that cargo accepts",
  "scopes": "has scopes that this version does not know",
  "duplicate": "is for the same registry as one before",
};

async function passphraseFor(
  { file, identity, json }: ImportArgs,
  session: CommandSession,
): Promise<AgeKeys | undefined> {
  if (identity.length > 0) {
    throw new SessionError(
      `${file} is encrypted with a passphrase; \`--identity\` does not open it`,
    );
  }
  if (json) {
    throw new SessionError(
      `${file} is encrypted with a passphrase, and \`--json\` asks for none`,
    );
  }
  const passphrase = await askPassphrase(
    `Passphrase of ${file}`,
    session,
    false,
  );
  return passphrase === undefined ? undefined : { passphrase };
}

async function readIdentities(
  { file, identity }: ImportArgs,
  session: CommandSession,
): Promise<AgeKeys | undefined> {
  if (identity.length === 0) {
    throw new SessionError(
      `${file} is encrypted to public keys; \`--identity FILE\` names the ` +
        "file with one of the private keys",
    );
  }
  const identities: string[] = [];
  for (const path of identity) {
    const text = await readIdentityFile(path, session);
    if (text === undefined) return undefined;
    const keys = readKeys(text, "identity");
    if ("line" in keys) {
      throw new SessionError(
        `${path}: line ${keys.line} is ${
          keys.ssh ? "an SSH key, and only" : "no private key;"
        } keys of age itself (\`AGE-SECRET-KEY-1…\`) are supported`,
      );
    }
    identities.push(...keys);
  }
  return { identities };
}

/** An identity file may itself be encrypted with a passphrase. */
async function readIdentityFile(
  path: string,
  session: CommandSession,
): Promise<string | undefined> {
  const bytes = readBytes(path);
  if (keysOf(bytes) !== "passphrase") return new TextDecoder().decode(bytes);
  const passphrase = await askPassphrase(
    `Passphrase of ${path}`,
    session,
    false,
  );
  if (passphrase === undefined) return undefined;
  const decrypted = await decryptWith(bytes, { passphrase });
  passphrase.wipe();
  if (decrypted.kind !== "decrypted") {
    throw new SessionError(
      decrypted.kind === "damaged"
        ? `${path} is damaged`
        : `that is not the passphrase of ${path}`,
    );
  }
  const text = new TextDecoder().decode(decrypted.bytes);
  decrypted.bytes.fill(0);
  return text;
}

function readBytes(path: string): Uint8Array<ArrayBuffer> {
  const file = readSmallFile(path, { maxBytes: MAX_BYTES });
  switch (file.kind) {
    case "read":
      return file.bytes;
    case "absent":
      throw new SessionError(`${path} does not exist`);
    case "refused":
      throw new SessionError(`${path} ${describeRefusal(file, MAX_BYTES)}`);
  }
}
