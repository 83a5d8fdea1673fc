import { TOKEN_FILE_VARIABLE } from "../cargo/environment_token.ts";
import type { ConfigProblem } from "../cargo/config.ts";
import { CRATES_IO_NAME } from "../cargo/registries.ts";
import { describeTokenFileFault } from "../cargo/token_file.ts";
import { describeOrigin, type TokenOrigin } from "../cargo/token_origin.ts";
import type { Inventory, RegistryView } from "../tokens/inventory.ts";
import type { FileFacts } from "../tokens/eligibility.ts";
import type { SettingsNotice } from "../settings/settings.ts";
import type { Toolchain } from "./toolchains.ts";

/** How bad it is: what is serious gives the command exit status 1. */
export type Severity = "serious" | "warning" | "note";

/** Something that is wrong, or could be better. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  /** A sentence without its final stop, like the two others. */
  readonly what: string;
  readonly why: string;
  /** The command, or what to do where there is none. */
  readonly fix: string;
  /** The registries that it is about; absent: all. */
  readonly registries?: readonly string[];
}

/** A provider that cargo could not start. */
export interface MissingProgram {
  readonly program: string;
  /** The file or the variable that lists it. */
  readonly where: string;
  readonly why: "absent" | "not-executable";
}

/** Everything that {@linkcode findings} looks at; there is no token in it. */
export interface DoctorFacts {
  /** Absent: the settings are wrong, so that the store is not known. */
  readonly overview?: Inventory;
  readonly wrongSetting?: string;
  readonly settingsNotices: readonly SettingsNotice[];
  readonly home: string;
  /** Whether others may write into cargo's home. */
  readonly isHomeShared: boolean;
  /** The credentials file, with its mode; absent: there is none. */
  readonly file?: FileFacts & {
    /** `null` on systems without modes. */
    readonly mode: number | null;
    /** Why cargo cannot read it: a clause. */
    readonly unusable?: string;
  };
  /** The file beside it that cargo does not read. */
  readonly unreadTwin?: string;
  /** Where a `[registries.crates-io] token` is. */
  readonly deadTokens: readonly string[];
  readonly configProblems: readonly ConfigProblem[];
  readonly missingPrograms: readonly MissingProgram[];
  /** Index URLs that more than one name leads to, with the names. */
  readonly twoNames: readonly (readonly string[])[];
  /** The names of all variables. */
  readonly variables: readonly string[];
  readonly toolchains: readonly Toolchain[];
  /** Whether systemd's service would encrypt for this user. */
  readonly systemdIsReady: boolean;
  /** Whether an entry of a chain is this program. */
  readonly isUs: (entry: RegistryView["providers"][number]) => boolean;
  /** Whether it is the same program on the Windows side of WSL. */
  readonly isWindowsProgram: DoctorFacts["isUs"];
}

const ORDER: readonly Severity[] = ["serious", "warning", "note"];

/** All findings, the worst first. */
export function findings(facts: DoctorFacts): Finding[] {
  return worstFirst([
    ...settingsFindings(facts),
    ...providerFindings(facts),
    ...storeFindings(facts),
    ...environmentFindings(facts),
    ...fileFindings(facts),
    ...tokenFindings(facts),
    ...cargoFindings(facts),
  ]);
}

/** Those that tell whether cargo asks this program, and gets an answer. */
export function setupFindings(facts: DoctorFacts): Finding[] {
  return worstFirst([
    ...providerFindings(facts),
    ...storeFindings(facts),
    ...cargoFindings(facts),
  ]);
}

function worstFirst(found: readonly Finding[]): Finding[] {
  return found.toSorted((one, other) =>
    ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity)
  );
}

const SETUP = "cargo-credential-keyring setup";

/** `a`, `a and b`, `a, b and c`. */
function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2
    ? last
    : `${names.slice(0, -1).join(", ")} and ${last}`;
}

function namesOf(registries: readonly RegistryView[]): string[] {
  return [...new Set(registries.map(({ name }) => name))];
}

function loginTo(name: string): string {
  return name === CRATES_IO_NAME
    ? "cargo login"
    : `cargo login --registry ${name}`;
}

function migrate(name: string, ...more: readonly string[]): string {
  return ["cargo-credential-keyring migrate --registry", name, ...more]
    .join(" ");
}

function* settingsFindings(facts: DoctorFacts): Generator<Finding> {
  if (facts.wrongSetting !== undefined) {
    yield {
      code: "setting-wrong",
      severity: "serious",
      what: facts.wrongSetting,
      why: "a setting that cannot be understood is never taken for another: " +
        "nothing is stored, and no stored token is handed out",
      fix: "correct it, and run `cargo-credential-keyring doctor` once more",
    };
  }
  for (const { topic, text } of facts.settingsNotices) {
    yield {
      code: topic,
      severity: "warning",
      what: text,
      why: "what it says has no effect",
      fix: "correct it or take it out",
    };
  }
  for (const { path, reason, line } of facts.configProblems) {
    yield {
      code: "config-unreadable",
      severity: "serious",
      what: `${path} cannot be understood (${reason}` +
        (line === undefined ? ")" : `, line ${line})`),
      why: "it may decide which providers cargo asks, and which registry a " +
        "name means, so that no token is moved",
      fix: `correct ${path}`,
    };
  }
}

function* providerFindings(facts: DoctorFacts): Generator<Finding> {
  for (const { program, where, why } of facts.missingPrograms) {
    yield {
      code: "program-missing",
      severity: "serious",
      what: `${where} lists the provider ${program}, which ` +
        (why === "absent" ? "is not there" : "may not be executed"),
      why: "cargo ends with an error at a provider that it cannot start, " +
        "whatever the others have: every command that needs a token fails",
      fix: `${SETUP}, or take the entry out`,
    };
  }
  const registries = (facts.overview?.registries ?? [])
    .filter(({ indexUrl }) => indexUrl !== undefined);
  for (const [registry, ...more] of groups(registries, keyOfChain)) {
    const finding = chainFinding(registry, facts);
    if (finding === undefined) continue;
    // What holds for all needs no names.
    const names = namesOf([registry, ...more]);
    yield names.length === namesOf(registries).length ? finding : {
      ...finding,
      what: `for ${listed(names)}: ${finding.what}`,
      registries: names,
    };
  }
  for (const names of facts.twoNames) {
    yield {
      code: "two-names",
      severity: "serious",
      what: `the names ${listed(names)} lead to one index URL`,
      why:
        "cargo ends with an error at every command that needs a token for it",
      fix: "take all but one of the names out of cargo's configuration",
      registries: names,
    };
  }
}

function keyOfChain(
  { providers, reach, hasOwnProvider, store, name }: RegistryView,
): string {
  return JSON.stringify([
    providers.map(({ program, where }) => [program, where]),
    reach.kind,
    // One provider for one registry is its own finding.
    hasOwnProvider ? [name, store] : "",
  ]);
}

function groups<T>(
  all: readonly T[],
  keyOf: (item: T) => string,
): (readonly [T, ...T[]])[] {
  const found = new Map<string, [T, ...T[]]>();
  for (const item of all) {
    const key = keyOf(item);
    const group = found.get(key);
    if (group === undefined) found.set(key, [item]);
    else group.push(item);
  }
  return [...found.values()];
}

/** What keeps cargo from asking this program first for a registry. */
export function chainFinding(
  registry: RegistryView,
  { isUs, isWindowsProgram }: Pick<DoctorFacts, "isUs" | "isWindowsProgram">,
): Finding | undefined {
  const { providers, reach, hasOwnProvider, name, store } = registry;
  const at = providers.findIndex(isUs);
  const [first] = providers;
  if (at < 0 && hasOwnProvider && first !== undefined) {
    return {
      code: "own-provider",
      severity: store === true ? "serious" : "warning",
      what: `${first.where} names ${first.program} as the only provider of ` +
        `${name} (credential-provider)`,
      why: store === true
        ? "cargo does not find the token that is stored here for it"
        : "cargo asks no other for it: this program keeps no token of it",
      fix: `take the line out of ${first.where}, or leave it if you mean it`,
    };
  }
  if (first !== undefined && isWindowsProgram(first)) {
    return {
      code: "windows-program",
      severity: "note",
      what: `cargo asks the Windows program ${first.program}`,
      why: "it has a store of its own, the Windows Credential Manager, which " +
        "this program does not see",
      fix: `run ${first.program} in place of this program, or ` +
        `${SETUP} --undo`,
    };
  }
  if (at < 0) {
    const isConfigured = reach.kind === "not-listed" &&
      reach.where !== undefined;
    return isConfigured
      ? {
        code: "not-listed",
        severity: "serious",
        what: `the providers in ${listed(places(providers))} do not include ` +
          `this program: cargo asks ${
            listed(providers.map(({ program }) => program))
          }`,
        why: "stored tokens are not found, and `cargo login` keeps new ones " +
          "elsewhere; another tool may have replaced the list",
        fix: SETUP,
      }
      : {
        code: "not-set-up",
        severity: "serious",
        what: "cargo's configuration lists no credential provider",
        why: "cargo keeps tokens in a plaintext file",
        fix: SETUP,
      };
  }
  const before = providers.slice(0, at);
  if (before.length > 0) {
    const programs = before.map(({ program }) => program);
    const isPlain = programs.includes("cargo:token");
    return {
      code: "asked-first",
      severity: isPlain ? "serious" : "warning",
      what: `cargo asks ${listed(programs)} before this program here ` +
        `(${listed(places(before))})`,
      why: isPlain
        ? "`cargo login` writes the token into a plaintext file there, and a " +
          "plaintext token wins over the stored one"
        : "what they answer wins, and `cargo login` stores the token there",
      fix: before.every(({ where }) =>
          reach.kind === "listed" && where === reach.where
        )
        ? `${SETUP}, which lists this program last: cargo asks the last first`
        : `take them out of ${listed(places(before))}, or run \`cargo login\`` +
          " in another directory",
    };
  }
  if (reach.kind === "not-listed") {
    return {
      code: "listed-here-only",
      severity: "warning",
      what: `only ${
        first?.where ?? "the current directory"
      } lists this program, not your own configuration file`,
      why: "elsewhere cargo does not ask it, so that no token is moved into " +
        "the store",
      fix: SETUP,
    };
  }
  return undefined;
}

function places(entries: RegistryView["providers"]): string[] {
  return [...new Set(entries.map(({ where }) => where))];
}

function* storeFindings(facts: DoctorFacts): Generator<Finding> {
  if (facts.overview === undefined) return;
  const { store, registries, orphans } = facts.overview;
  const { title, state, unreadable, prepared } = store;
  if (unreadable !== undefined) {
    yield {
      code: `store-${state}`,
      severity: state === "off"
        ? "note"
        : state === "locked"
        ? "warning"
        : "serious",
      what: unreadable.reason,
      why: state === "locked"
        ? `${title} gives no token until it is open; where nobody can open ` +
          "it, cargo is sent to the next provider"
        : "no token is stored or read, and cargo is sent to the next provider",
      fix: sentence(unreadable.remedy),
    };
    if (facts.systemdIsReady) {
      yield {
        code: "systemd-offered",
        severity: "note",
        what:
          "systemd's service for encrypted credentials runs on this machine",
        why: "it needs no desktop and no password, and keeps tokens for this " +
          "machine alone",
        fix: `write \`store = "systemd"\` into ${facts.home}/` +
          "credential-keyring.toml",
      };
    }
  } else if (prepared.kind !== "ready") {
    yield {
      code: "store-read-only",
      severity: "serious",
      what: `${title} can be read, but not written: ${prepared.reason}`,
      why: "`cargo login` and `migrate` cannot store a token",
      fix: sentence(prepared.remedy),
    };
  }
  if (prepared.kind === "ready") {
    if (prepared.plaintext) {
      yield {
        code: "store-plaintext",
        severity: "serious",
        what: `the default keyring of ${title} has no password`,
        why: "it is a plaintext file itself: whoever reads it has the tokens",
        fix: "give it a password, for instance with Seahorse",
      };
    }
    if (!prepared.durable) {
      yield {
        code: "store-in-memory",
        severity: "serious",
        what: `${title} keeps what is stored now in memory`,
        why: "tokens are gone when the session ends, or at the next boot",
        fix: store.name === "keyutils"
          ? 'set `store = "auto"`'
          : "make another collection the default one, for instance with Seahorse",
      };
    }
  }
  // Where the whole store gives nothing, that has been said.
  const failures = unreadable === undefined ? registries : [];
  for (const { name, failure } of failures) {
    if (failure === undefined) continue;
    const asks = failure.kind === "locked" && prepared.kind === "ready" &&
      prepared.asksEachProcess;
    yield {
      code: asks ? "store-asks-each-process" : `item-${failure.kind}`,
      severity: failure.kind === "locked" ? "warning" : "serious",
      what: `the token of ${name} cannot be read: ${failure.reason}`,
      why: asks
        ? "KeePassXC asks once for each process, and every cargo command " +
          "starts another one; none gets a token where nobody answers"
        : "cargo gets no token for it from here",
      fix: sentence(failure.remedy),
      registries: [name],
    };
  }
  for (const { indexUrl, name } of orphans) {
    yield {
      code: "no-name",
      severity: "note",
      what: `${title} holds a token for ${indexUrl}, which no name leads to`,
      why: "cargo finds it only if a registry is bound to that URL",
      fix: migrate(name ?? "NAME", "--from", indexUrl),
    };
  }
}

/** What to do, without its final stop. */
function sentence(remedy: string): string {
  return remedy.replace(/\.$/, "");
}

function* environmentFindings(facts: DoctorFacts): Generator<Finding> {
  for (const variable of facts.variables) {
    const name = /^CARGO_REGISTR(?:Y|IES_(.+))_TOKEN_FILE$/.exec(variable);
    if (name !== null) {
      const ours = name[1] === undefined
        ? TOKEN_FILE_VARIABLE
        : `${TOKEN_FILE_VARIABLE}_${name[1]}`;
      yield {
        code: "token-file-variable",
        severity: "serious",
        what: `${variable} is set`,
        why: "cargo takes it for a part of its own configuration, and ends " +
          "with the error `missing config key` as soon as no file of its own " +
          "has the token",
        fix: `name the file in ${ours} instead`,
      };
    }
    if (variable === "CARGO_REGISTRIES_CRATES_IO_TOKEN") {
      yield {
        code: "variable-without-effect",
        severity: "warning",
        what: `${variable} is set`,
        why: "cargo never reads it",
        fix: "the variable for crates.io is CARGO_REGISTRY_TOKEN",
        registries: [CRATES_IO_NAME],
      };
    }
  }
  for (const registry of facts.overview?.registries ?? []) {
    const { name, environment, store, file } = registry;
    const registries = [name];
    switch (environment.kind) {
      case "token": {
        const { variable } = environment;
        if (store === true || file === true) {
          yield {
            code: "environment-shadows",
            severity: "warning",
            what: `${variable} is set, and there is another token for ${name}`,
            why: "the one of the environment is used, whatever `cargo login` " +
              "stores",
            fix: `unset ${variable}, if it is not meant`,
            registries,
          };
        }
        if (environment.file?.readableByOthers) {
          yield {
            code: "secret-file-readable",
            severity: "serious",
            what: `${environment.file.path} holds the token of ${name}, and ` +
              "every user of this machine may read it",
            why: "whoever reads it can publish with it",
            fix: `chmod o= ${environment.file.path}`,
            registries,
          };
        }
        break;
      }
      case "empty":
        yield {
          code: "environment-empty",
          severity: "serious",
          what: `${environment.variable} is set to nothing`,
          why: "cargo takes that for a token, and refuses it",
          fix: `unset ${environment.variable}`,
          registries,
        };
        break;
      case "unusable":
        yield {
          code: "secret-file-unusable",
          severity: "serious",
          what: `${environment.variable} names ${environment.path}, which ` +
            describeTokenFileFault(environment.fault),
          why: `there is no token for ${name} in it`,
          fix:
            `put the token alone into the file, or unset ${environment.variable}`,
          registries,
        };
        break;
      case "none":
        break;
    }
  }
}

function* fileFindings(facts: DoctorFacts): Generator<Finding> {
  const { file, home, unreadTwin } = facts;
  if (facts.isHomeShared) {
    yield {
      code: "home-writable",
      severity: "serious",
      what: `other users may write into ${home}`,
      why: "they can put another program or provider in the place of yours, " +
        "which cargo then gives your tokens to",
      fix: `chmod go-w ${home}`,
    };
  }
  for (const where of facts.deadTokens) {
    yield {
      code: "token-never-read",
      severity: "serious",
      what: `[registries.crates-io] in ${where} has a token`,
      why: "cargo never reads it, and it lies there in plaintext",
      fix: "take it out by hand, and revoke it on crates.io if it is in use",
      registries: [CRATES_IO_NAME],
    };
  }
  if (unreadTwin !== undefined) {
    yield {
      code: "two-credentials-files",
      severity: "warning",
      what: `there is ${unreadTwin} beside ${file?.path ?? "credentials"}`,
      why:
        "cargo reads the one without an ending alone, and the tokens of the " +
        "other one lie there in plaintext",
      fix: `take what is needed out of ${unreadTwin}, and remove it`,
    };
  }
  if (file === undefined) return;
  const { path, mode, unusable, trackedIn, fileSystem } = file;
  if (unusable !== undefined) {
    yield {
      code: "file-unusable",
      severity: "serious",
      what: `${path}: ${unusable}`,
      why: "cargo ends with an error at every command that needs a token",
      fix: `correct ${path}`,
    };
  }
  const hasTokens = facts.overview === undefined ||
    facts.overview.registries.some(({ file }) => file !== false);
  if (!hasTokens) return;
  if (mode !== null && (mode & 0o077) !== 0) {
    yield {
      code: "file-mode",
      severity: "serious",
      what: `other users may ${
        (mode & 0o022) === 0 ? "read" : "write"
      } ${path} (mode ${(mode & 0o777).toString(8).padStart(4, "0")})`,
      why: "it holds tokens in plaintext",
      fix: `chmod 600 ${path}`,
    };
  }
  if (trackedIn !== "none") {
    yield {
      code: "tracked-by-git",
      severity: "serious",
      what: `git tracks ${path} in ${trackedIn}`,
      why: "every clone has the tokens, and a removed one comes back",
      fix:
        `git -C ${trackedIn} rm --cached ${path}, and revoke the tokens if ` +
        "they were ever committed",
    };
  }
  if (fileSystem.kind === "network" || fileSystem.kind === "fuse") {
    yield {
      code: "not-local",
      severity: "warning",
      what: `${path} is on ${
        fileSystem.kind === "network"
          ? "a network file system"
          : "a file system that a program provides"
      } (${fileSystem.name})`,
      why:
        "its tokens are on another machine in plaintext, and are not moved " +
        "by themselves, since others may need them",
      fix: "cargo login, and then take the token out of the file by hand",
    };
  }
}

const WHY_ODD: Readonly<Record<TokenOrigin["kind"], string>> = {
  "foreign":
    "the registry refuses it, and the site's token lies where nobody " +
    "looks for it",
  "short-lived": "a command that needs it fails after that",
  "incomplete": "the registry refuses it",
};

function* tokenFindings(facts: DoctorFacts): Generator<Finding> {
  if (facts.overview === undefined) return;
  const { registries, path } = facts.overview;
  const inFile = registries.filter(({ file, conflict, pinned }) =>
    file === true && !conflict && !pinned
  );
  if (inFile.length > 0) {
    const names = namesOf(inFile);
    const [name = ""] = names;
    yield {
      code: "token-in-file",
      severity: "warning",
      what: `${path} holds the token${names.length > 1 ? "s" : ""} of ${
        listed(names)
      } in plaintext`,
      why: "every program and every backup can read it",
      fix: names.length > 1
        ? "cargo-credential-keyring migrate"
        : migrate(name),
      registries: names,
    };
  }
  for (const { name, conflict, configs, odd } of registries) {
    const about = [name];
    if (conflict) {
      yield {
        code: "conflict",
        severity: "warning",
        what: `the store and ${path} hold different tokens for ${name}`,
        why: "the one of the file is used, as with cargo alone",
        fix: `${migrate(name, "--prefer", "file")}, or --prefer store`,
        registries: about,
      };
    }
    for (const { path, table } of configs) {
      // That one is said above, with what is special about it.
      if (table === "[registries.crates-io]") continue;
      yield {
        code: "token-in-config",
        severity: "serious",
        what: `${table} in ${path} has a token in plaintext`,
        why: "configuration files are shared, copied and committed, and no " +
          "command takes a token out of them",
        fix: `${loginTo(name)}, and then take the line out of ${path}`,
        registries: about,
      };
    }
    for (const origin of odd) {
      yield {
        code: `token-${origin.kind}`,
        severity: "warning",
        what: `the token of ${name} ${describeOrigin(origin)}`,
        why: WHY_ODD[origin.kind],
        fix: loginTo(name),
        registries: about,
      };
    }
  }
}

/** Credential providers are stable from there on. */
const WITH_PROVIDERS = 74;

/** CVE-2026-5222 is fixed there. */
const TELLS_APART = 96;

function* cargoFindings(facts: DoctorFacts): Generator<Finding> {
  const before = (minor: number): Toolchain[] =>
    facts.toolchains.filter(({ version }) =>
      version[0] < 1 || version[0] === 1 && version[1] < minor
    );
  const old = before(WITH_PROVIDERS);
  if (old.length > 0) {
    yield {
      code: "cargo-too-old",
      severity: old.some(({ isUsed }) => isUsed) ? "serious" : "warning",
      what: `the cargo of ${
        listed(old.map(({ name }) => name))
      } is older than 1.74`,
      why: "it asks no credential provider, and finds no stored token",
      fix: "rustup update, or for one run: cargo-credential-keyring exec -- " +
        "cargo +TOOLCHAIN publish",
    };
  }
  const mixing = before(TELLS_APART)
    .filter((toolchain) => !old.includes(toolchain));
  const sparse = (facts.overview?.registries ?? []).filter(({ indexUrl }) =>
    indexUrl?.startsWith("sparse+")
  );
  if (mixing.length > 0 && sparse.length > 0) {
    yield {
      code: "cargo-mixes-registries",
      severity: "warning",
      what: `the cargo of ${
        listed(mixing.map(({ name }) => name))
      } is older than 1.96, and takes two sparse registries for one if their ` +
        "URLs differ by `.git` at the end (CVE-2026-5222)",
      why:
        "where a private registry shares its host with others, one of them " +
        "can be sent the token of the other",
      fix: "rustup update",
      registries: namesOf(sparse),
    };
  }
}
