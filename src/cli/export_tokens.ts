import { describeStoreFailure } from "../stores/credential_store.ts";
import { green } from "@std/fmt/colors";
import {
  CRATES_IO_INDEX,
  CRATES_IO_NAME,
  type RegistryRef,
} from "../cargo/registries.ts";
import { userIndexes } from "../cargo/registry_index.ts";
import { tablesWithToken } from "../credentials/file.ts";
import { readRegularFile } from "../base/files.ts";
import { describeArchiveFault, describeFileObstacle } from "../tokens/words.ts";
import { showProgress } from "../terminal/progress.ts";
import { type AgeRecipients, encrypt, isKey, readKeys } from "../tokens/age.ts";
import { type ArchivedToken, formatArchive } from "../tokens/archive.ts";
import { describeGrant } from "../tokens/scoped.ts";
import { listScoped, type ScopedItem } from "../tokens/scoped_items.ts";
import type { StoreName } from "../stores/credential_store.ts";
import type { TokenAnswer } from "../tokens/token_decision.ts";
import { lookAt, writeArchive } from "../tokens/archive_file.ts";
import { askPassphrase, DERIVING } from "./ask_passphrase.ts";
import { describeNoToken, lookUpToken } from "./look_up_token.ts";
import { ownNames, ownRegistries } from "../tokens/names.ts";
import { type CommandSession, SessionError } from "./session.ts";

/** What is to be exported, where to, and for whom. */
export interface ExportArgs {
  readonly file: string;
  readonly registry: readonly string[];
  readonly recipient: readonly string[];
  readonly recipientsFile: readonly string[];
  readonly yes: boolean;
}

/**
 * Exports tokens: all that are asked for or nothing, and nothing is written
 * before all of it is known.
 */
export async function runExport(
  args: ExportArgs,
  session: CommandSession,
): Promise<number> {
  const recipients = readRecipients(args);
  const replace = await mayReplace(args, session);
  const tokens = await collect(args.registry, session);
  try {
    if (tokens.length === 0) throw new SessionError("there is no token");
    const to = recipients.length > 0
      ? { recipients }
      : await choosePassphrase(session);
    if (to === undefined) return 1;
    await write(args.file, tokens, to, replace);
  } finally {
    for (const { token } of tokens) token.wipe();
  }
  const { output } = session;
  output.printRows(
    tokens.map(({ name, indexUrl, grant }) => [
      { text: "Exported", style: green },
      ...(name === undefined ? [] : [name]),
      grant === undefined ? indexUrl : `${indexUrl} (${describeGrant(grant)})`,
    ]),
  );
  output.printError(
    `note: ${args.file} can be read with ` +
      (recipients.length > 0
        ? "the private keys of its recipients alone."
        : "its passphrase alone, and is as safe as that is."),
  );
  return 0;
}

function readRecipients(args: ExportArgs): readonly string[] {
  for (const [i, recipient] of args.recipient.entries()) {
    if (!isKey(recipient, "recipient")) {
      // Not repeated: it may be a private key.
      throw new SessionError(
        `the ${i + 1}. \`--recipient\` is no public key of age (\`age1…\`)`,
      );
    }
  }
  const fromFiles = args.recipientsFile.flatMap((path) => {
    const file = readRegularFile(path);
    if (file.kind !== "text") {
      throw new SessionError(`${path}: it cannot be read`);
    }
    const keys = readKeys(file.text, "recipient");
    if ("line" in keys) {
      throw new SessionError(
        `${path}: line ${keys.line} is ${
          keys.ssh ? "an SSH key, and only" : "no public key;"
        } keys of age itself (\`age1…\`) are supported`,
      );
    }
    if (keys.length === 0) throw new SessionError(`${path}: it has no keys`);
    return keys;
  });
  return [...args.recipient, ...fromFiles];
}

/** Whether a file that is there is replaced. */
async function mayReplace(
  { file, yes }: ExportArgs,
  session: CommandSession,
): Promise<boolean> {
  const present = lookAt(file);
  if (present.kind === "absent") return false;
  if (present.kind !== "file") {
    throw new SessionError(`${file} ${describeArchiveFault(present)}`);
  }
  if (yes) return true;
  if (!await session.isPersonPresent()) {
    throw new SessionError(`${file} exists; \`--yes\` replaces it`);
  }
  if (await session.confirm(`${file} exists. Replace it?`)) return true;
  throw new SessionError(`${file} was left as it is`);
}

async function choosePassphrase(
  session: CommandSession,
): Promise<AgeRecipients | undefined> {
  const passphrase = await askPassphrase("Passphrase", session, true);
  return passphrase === undefined ? undefined : { passphrase };
}

async function encryptFor(
  plain: Uint8Array<ArrayBuffer>,
  to: AgeRecipients,
): Promise<Uint8Array> {
  if (!("passphrase" in to)) return await encrypt(plain, to);
  using _ = showProgress(DERIVING, { afterMs: 0 });
  return await encrypt(plain, to);
}

async function write(
  path: string,
  tokens: readonly ArchivedToken[],
  to: AgeRecipients,
  replace: boolean,
): Promise<void> {
  const plain = formatArchive(tokens);
  const encrypted = await encryptFor(plain, to);
  plain.fill(0);
  if ("passphrase" in to) to.passphrase.wipe();
  const written = writeArchive(path, new Uint8Array(encrypted), replace);
  if (written.kind === "exists") {
    throw new SessionError(`${path} exists; \`--yes\` replaces it`);
  }
  if (written.kind !== "written") {
    throw new SessionError(`${path} ${describeArchiveFault(written)}`);
  }
}

/** The tokens of the registries. A store that cannot be read ends it: a backup without some of the tokens would look like a whole one. */
async function collect(
  names: readonly string[],
  session: CommandSession,
): Promise<ArchivedToken[]> {
  const registries = names.length > 0
    ? await byName(names, session)
    : await known(session);
  const tokens: ArchivedToken[] = [];
  const listed = new Map<StoreName, readonly ScopedItem[]>();
  for (const registry of registries) {
    const scoped = await collectScoped(registry, listed, session);
    tokens.push(...scoped);
    const answer = await lookUpToken(session, registry, { environment: false });
    const { name, indexUrl } = registry;
    if (answer.kind === "token") {
      tokens.push({ ...registry, token: answer.token });
      if (answer.conflict) {
        session.output.printError(
          `warning: \`${name ?? indexUrl}\`: the store holds another token ` +
            "than cargo's credentials file; the file's, which cargo uses, is " +
            "exported",
        );
      }
    } else if (
      (names.length > 0 && (scoped.length === 0 || answer.kind !== "none")) ||
      mayHoldToken(answer)
    ) {
      throw new SessionError(
        `\`${name ?? indexUrl}\`: ` +
          describeNoToken(answer, await session.path()) +
          (answer.kind === "store-failed" ? `. ${WITHOUT}` : ""),
      );
    }
  }
  return tokens;
}

/** The registry's tokens with scopes; `listed` has what each store holds. */
async function collectScoped(
  registry: RegistryRef,
  listed: Map<StoreName, readonly ScopedItem[]>,
  session: CommandSession,
): Promise<readonly ArchivedToken[]> {
  const { store, deadline } = await session.storeOf(registry, false);
  let all = listed.get(store.name);
  if (all === undefined) {
    const outcome = await listScoped(store, "all", { signal: deadline() });
    // Why it cannot be read is said with the registry's own token.
    all = outcome.kind === "items" ? outcome.items : [];
    listed.set(store.name, all);
  }
  const tokens: ArchivedToken[] = [];
  for (const { key, indexUrl, grant } of all) {
    if (indexUrl !== registry.indexUrl) continue;
    const outcome = await store.get(key, { signal: deadline() });
    if (outcome.kind === "found") {
      tokens.push({ ...registry, grant, token: outcome.token });
    } else if (outcome.kind !== "absent") {
      throw new SessionError(`${outcome.reason}. ${outcome.remedy} ${WITHOUT}`);
    }
  }
  return tokens;
}

/** The way on where a store cannot be read. */
const WITHOUT = "The tokens that it may hold would be missing: " +
  "`CARGO_CREDENTIAL_KEYRING_STORE=off` exports those of cargo's credentials " +
  "file alone.";

function mayHoldToken(answer: TokenAnswer): boolean {
  return answer.kind === "store-failed"
    ? answer.failure.storeExists
    : answer.kind !== "none";
}

async function byName(
  names: readonly string[],
  session: CommandSession,
): Promise<RegistryRef[]> {
  const layers = await session.config();
  return [...new Set(names)].map((name) => {
    const indexUrl = name === CRATES_IO_NAME
      ? CRATES_IO_INDEX
      : userIndexes(layers, session.cwd(), name)[0]?.url;
    if (indexUrl !== undefined) return { name, indexUrl };
    throw new SessionError(
      `\`${name}\`: your own configuration does not bind the name to an ` +
        "index URL",
    );
  });
}

/** Every registry that may have a token, each once: of the file, of the store. */
async function known(session: CommandSession): Promise<RegistryRef[]> {
  const layers = await session.config();
  const cwd = session.cwd();
  const found = new Map<string, RegistryRef>();
  const add = (registry: RegistryRef): void => {
    if (!found.has(registry.indexUrl)) found.set(registry.indexUrl, registry);
  };
  for (const name of await namesInFile(session)) {
    const indexUrl = name === CRATES_IO_NAME
      ? CRATES_IO_INDEX
      : userIndexes(layers, cwd, name)[0]?.url;
    if (indexUrl !== undefined) {
      add({ name, indexUrl });
      continue;
    }
    session.output.printError(
      `warning: \`${name}\`: your own configuration does not bind the name ` +
        "to an index URL; its token is not exported",
    );
  }
  for (const registry of ownRegistries(layers, cwd)) add(registry);
  const { store, deadline } = await session.storeOf(
    { indexUrl: CRATES_IO_INDEX, name: CRATES_IO_NAME },
    false,
  );
  using _ = showProgress(`Waiting for ${store.title}`);
  const listed = await store.list({ signal: deadline() });
  if (listed.kind === "items") {
    const scoped = await listScoped(store, "all", { signal: deadline() });
    for (
      const { indexUrl } of [
        ...listed.items,
        ...(scoped.kind === "items" ? scoped.items : []),
      ]
    ) {
      const [name] = ownNames(layers, cwd, indexUrl);
      add({ indexUrl, ...(name === undefined ? {} : { name }) });
    }
  } else if (listed.storeExists) {
    throw new SessionError(`${describeStoreFailure(listed)} ${WITHOUT}`);
  }
  return [...found.values()];
}

/** The names of all tokens in the credentials file. */
async function namesInFile(session: CommandSession): Promise<string[]> {
  const path = await session.path();
  const tables = await tablesWithToken(path);
  if ("kind" in tables) {
    throw new SessionError(`${path}: ${describeFileObstacle(tables)}`);
  }
  return tables.map(([_, name]) => name ?? CRATES_IO_NAME);
}
